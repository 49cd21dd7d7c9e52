"""The demonstration's server: awaited by time, ended with its command, started at another port."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from app.commands import Refused
from app.demonstration.server import serving
from app.settings import Settings
from tests.server import ROOT, free_port

NEVER_READY = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked", file=sys.stderr, flush=True)
        self.send_response(503); self.end_headers()
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
"""


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_that_is_never_ready_is_waited_for_by_time_and_refused(tmp_path):
    settings = Settings(port=free_port())
    began = time.monotonic()
    with (
        pytest.raises(Refused, match=r"was not ready after 3 s \(.*/readyz answers 503\)"),
        serving(settings, tmp_path, (sys.executable, "-c", NEVER_READY), ready_within_s=3),
    ):
        pytest.fail("it is not ready")
    assert 3 <= time.monotonic() - began < 15
    asked = (tmp_path / "server.log").read_text().count("asked")
    assert 1 <= asked <= 30
    assert not answers(settings.port)


def test_a_server_that_ends_at_once_is_refused(tmp_path):
    with (
        pytest.raises(Refused, match="did not start"),
        serving(Settings(port=free_port()), tmp_path, (sys.executable, "-c", "")),
    ):
        pytest.fail("it does not run")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_with_the_command(number, tmp_path):
    port = free_port()
    # Where the tests themselves run in the background, Ctrl-C would be ignored by what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (tmp_path / "printed.txt").open("w") as printed:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "app.cli", "demo", "--size", "40000", "--until", "2026-11-24",
                "--folder", str(tmp_path / "demo"), "--port", str(port),
            ],
            cwd=ROOT, stdout=printed, stderr=printed, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while not answers(port) or not httpx.get(f"http://127.0.0.1:{port}/readyz").is_success:
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        process.send_signal(number)  # to the command alone
        process.wait(60)
        assert not answers(port)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in (tmp_path / "printed.txt").read_text()


@pytest.mark.parametrize("by_make", [True, False])
def test_a_taken_port_names_what_whoever_started_it_has_at_hand(by_make, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKELEVEL", "MAKEFLAGS")}
        command = [sys.executable, "-m", "app.cli", "demo", "--port", str(port)]
        command += ["--folder", str(tmp_path / "demo")]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=60,
            env=environment | ({"MAKELEVEL": "1"} if by_make else {}),
        )  # fmt: skip
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    other = f"make demo PORT={port + 1}" if by_make else f"hailong demo --port {port + 1}"
    assert said.endswith(f"choose another one: {other}")


def test_make_hands_the_port_on():
    # As make itself would do it, and without doing it: what is ready is made up.
    told = subprocess.run(
        ["make", "-n", "-o", ".venv/ready-run", "demo", "PORT=8123"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert re.search(r"hailong demo --port 8123$", told, flags=re.M)
