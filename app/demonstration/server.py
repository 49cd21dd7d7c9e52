"""The demonstration's server: a process of its own, up and answering, ended with its command."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import httpx

from app.commands import Refused
from app.settings import Settings

T = TypeVar("T")

#: How long a server may take until it is ready, in seconds: one that ends is told at once.
READY_WITHIN_S = 600.0
_BETWEEN_TRIES_S = 0.1
_ENDS_WITHIN_S = 20.0


@contextmanager
def serving(
    settings: Settings,
    folder: Path,
    command: Sequence[str] = (sys.executable, "-m", "app.cli", "serve"),
    ready_within_s: float = READY_WITHIN_S,
) -> Iterator[subprocess.Popen[bytes]]:
    """The real server, ready; it ends with what stands within, also by SIGINT and SIGTERM.

    Raises
    ------
    Refused
        Where it ends, or is not ready in time.
    """
    environment = os.environ | {"HAILONG_DATABASE_URL": settings.database_url}
    log = folder / "server.log"
    # By default SIGTERM ends a process on the spot, and what it started lives on.
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [*command, "--port", str(settings.port)],
                env=environment,
                stdout=stream,
                stderr=stream,
            )
        try:
            _wait(process, f"http://{settings.host}:{settings.port}/readyz", log, ready_within_s)
            yield process
        finally:
            _end(process)
    finally:
        signal.signal(signal.SIGTERM, before)


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """What ``asyncio.run`` does; SIGTERM ends it as SIGINT does, its tasks first."""
    before = signal.getsignal(signal.SIGTERM)

    async def ended() -> T:
        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(ended())
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path, within_s: float) -> None:
    until = time.monotonic() + within_s
    said = "it does not answer"
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Refused(f"the server did not start; see {log}")
        try:
            answer = httpx.get(address)
        except httpx.TransportError:
            pass
        else:
            if answer.is_success:
                return
            said = f"{address} answers {answer.status_code}"
        time.sleep(_BETWEEN_TRIES_S)
    raise Refused(f"the server was not ready after {within_s:.0f} s ({said}); see {log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
