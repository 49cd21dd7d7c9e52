"""What docs/deploy ships, run here: nginx as a process of its own, the unit's command directly."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.server import ROOT, free_port

DEPLOY = ROOT / "docs/deploy"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NGINX = shutil.which("nginx", path=_PATH)
SYSTEMD = shutil.which("systemd-analyze", path=_PATH)


def _needs(program: str | None, name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        program is None and not os.environ.get("HAILONG_REQUIRE_ALL"),
        reason=f"{name} is not installed",
    )


needs_nginx = _needs(NGINX, "nginx")
needs_systemd = _needs(SYSTEMD, "systemd-analyze")


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of one's own for a name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=200))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "fullchain.pem", folder / "privkey.pem"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _speaks_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


class Nginx:
    """Debian's nginx with the shipped site; only paths, ports and names are others."""

    def __init__(self, folder: Path, service_port: int, name: str = "hailong.example.vn") -> None:
        self.folder, self.name = folder, name
        self.http, self.https = free_port(), free_port()
        self._service_port = service_port
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True)
        self.certificate, self._key = certificate(folder, name)
        self.site = folder / "site.conf"
        self.main = folder / "nginx.conf"
        # As Debian's: what is logged by default, the address first, is what the site turns off.
        self.main.write_text(
            f"pid {folder}/nginx.pid; error_log {self.logs}/error.log info; daemon off;\n"
            "worker_processes 1; user root;\n"
            "events { worker_connections 200; }\n"
            "http {\n"
            f"  access_log {self.logs}/access.log; client_body_temp_path {folder}/body;\n"
            f"  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;\n"
            f"  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
            "  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\n"
            f"  include {self.site};\n"
            "}\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def adapted(self, shipped: str) -> str:
        """The site with this process's ports and paths."""
        text = shipped.replace("hailong.example.vn", self.name)
        if not _speaks_ipv6():
            text = re.sub(r"\n *listen \[::\][^\n]*", "", text)
        text = text.replace("[::]:", "[::1]:")
        live = f"/etc/letsencrypt/live/{self.name}"
        for old, new in (
            (r"(listen (\[::1\]:)?)80\b", rf"\g<1>{self.http}"),
            (r"(listen (\[::1\]:)?)443\b", rf"\g<1>{self.https}"),
            (r"127\.0\.0\.1:8000\b", f"127.0.0.1:{self._service_port}"),
            (re.escape(f"{live}/fullchain.pem"), str(self.certificate)),
            (re.escape(f"{live}/privkey.pem"), str(self._key)),
            (r"/var/log/nginx/", f"{self.logs}/"),
        ):
            text, found = re.subn(old, new, text)
            assert found, old
        return text

    def start(self) -> None:
        """Run until ``stop``; the site file must be there."""
        assert NGINX, "nginx is not installed"
        self._process = subprocess.Popen(
            [NGINX, "-p", str(self.folder), "-c", str(self.main)],
            stderr=(self.folder / "stderr.txt").open("wb"),
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            assert self._process.poll() is None, (self.folder / "stderr.txt").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.https), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("nginx does not listen")

    def stop(self) -> None:
        """End it, after what it is answering."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

    def trusted(self) -> ssl.SSLContext:
        """What a client needs to believe the certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))


def unit_of(text: str) -> dict[str, list[str]]:
    """The lines of a unit's section [Service]; of a key that comes twice, all."""
    found: dict[str, list[str]] = {}
    section = text.split("[Service]")[1].split("\n[")[0]
    for line in section.splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(key.strip(), []).append(value.strip())
    return found
