"""The real server as a process of its own."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """``hailong serve`` on a free port; what it prints goes to a log file.

    ``files`` is how many it may have open, as by ``ulimit -n``; ``root`` is its checkout.
    """

    def __init__(
        self,
        database_url: str,
        log: Path,
        *,
        port: int | None = None,
        command: tuple[str, ...] = ("app.cli", "serve"),
        files: int | None = None,
        root: Path = ROOT,
        **settings: object,
    ) -> None:
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = log
        given = {f"HAILONG_{name.upper()}": str(value) for name, value in settings.items()}
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    *(command or ["app.cli", "serve"]),
                    "--port",
                    str(self.port),
                ],
                cwd=root,
                env=os.environ | {"HAILONG_DATABASE_URL": database_url} | given,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                preexec_fn=files
                and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))),
            )

    def wait_until_ready(self, path: str = "/readyz", seconds: float = 60) -> ServerProcess:
        """Return once the server answers."""
        until = time.monotonic() + seconds
        # One client, which reads of nobody whom to trust: read anew at each try, this would take
        # from the server the time in which it is to start.
        with httpx.Client(timeout=5, verify=False) as client:
            while time.monotonic() < until:
                if self.process.poll() is not None:
                    raise RuntimeError(f"the server ended: {self.log.read_text()[-3000:]}")
                try:
                    if client.get(self.address + path).status_code == 200:
                        return self
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        raise RuntimeError(f"the server does not answer: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL to the server and its workers: they get no chance to tidy up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """Ask it to end, as an operator does."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
