"""The server's end of its drawing process.

What draws charts (a JavaScript engine) and documents (Typst) keeps much of what it once used: 140
to 340 MB, measured in docs/load.md. In a process of its own it can be ended and begun anew, and
what goes wrong there, ends there.
"""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock

from app.drawing import frames
from app.drawing.frames import Job
from app.problems import Problem

#: After so many drawings, or when it holds more, the process ends and the next drawing begins one.
MOST_JOBS = 2000
MOST_KB = 250 * 1024
#: Seconds that a drawing may take, and that a request may wait for those before it.
PATIENCE_S = 60.0
QUEUE_S = 30.0
RETRY_AFTER_S = 5
_ROOT = Path(__file__).parents[2]


class DrawingFailed(Problem):
    """The process that draws charts and documents ended, or has too much to do; try again."""

    code, status, passing = "drawing-failed", 503, True

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after=RETRY_AFTER_S)


class UndrawableError(RuntimeError):
    """What was to be drawn cannot be drawn: a defect of whoever made it."""


class DrawingProcess:
    """A process that draws one thing after the other; begun by the first, renewed as it grows."""

    def __init__(
        self,
        most_jobs: int = MOST_JOBS,
        most_kb: int = MOST_KB,
        patience_s: float = PATIENCE_S,
        queue_s: float = QUEUE_S,
    ) -> None:
        self._most_jobs, self._most_kb = most_jobs, most_kb
        self.patience_s, self._queue_s = patience_s, queue_s
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: socket.socket | None = None
        self._jobs = 0
        #: How many drawings failed because their process did.
        self.failed = 0

    @property
    def pid(self) -> int | None:
        """The process that draws at the moment, if there is one."""
        return self._process.pid if self._process else None

    def draw(self, kind: str, **what: object) -> bytes:
        """What was drawn; one drawing at a time.

        Raises
        ------
        DrawingFailed
            Where the process ended in the midst of it, took too long, or has too much to do.
        UndrawableError
            Where what was asked for cannot be drawn.
        """
        if not self._lock.acquire(timeout=self._queue_s):
            raise DrawingFailed
        try:
            drawn, content = self._draw({"kind": kind, **what})
        finally:
            self._lock.release()
        if not drawn:
            raise UndrawableError(content.decode())
        return content

    def _draw(self, job: Job) -> tuple[bool, bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._close()  # it was ended while it had nothing to do
        end = self._end or self._begin()
        try:
            end.settimeout(self.patience_s)
            frames.send_job(end, job)
            drawn, content, held_kb = frames.read_answer(end, self.patience_s)
        except (OSError, EOFError) as error:
            self.failed += 1
            self._close()
            raise DrawingFailed from error
        self._jobs += 1
        if self._jobs >= self._most_jobs or held_kb > self._most_kb:
            self._close()
        return drawn, content

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "app.drawing.worker", str(descriptor)],
                    pass_fds=[descriptor],
                    stdin=subprocess.DEVNULL,
                    cwd=_ROOT,
                    env=os.environ | {"MALLOC_ARENA_MAX": "2"},
                )
            except OSError as error:  # no memory, or no room for another process
                ours.close()
                self.failed += 1
                raise DrawingFailed from error
        self._end, self._jobs = ours, 0
        return ours

    def _close(self) -> None:
        process, end = self._process, self._end
        self._process = self._end = None
        if end is not None:
            end.close()  # by which it ends
        if process is not None:
            with suppress(OSError):
                process.kill()
            process.wait()

    def close(self) -> None:
        """End the process; the next drawing begins another."""
        with self._lock:
            self._close()

    def abandon(self) -> None:
        """End the process, also in the midst of a drawing: what ends waits for no picture."""
        process = self._process
        if process is not None:
            with suppress(OSError):
                process.kill()
                process.wait()


#: The drawing process of this server process, or of this command.
DRAWING = DrawingProcess()
atexit.register(DRAWING.abandon)


def svg(spec: str, vl_version: str, locale: object) -> str:
    """A specification in Vega-Lite as SVG."""
    return DRAWING.draw("svg", spec=spec, vl_version=vl_version, locale=locale).decode()


def png(spec: str, vl_version: str, locale: object) -> bytes:
    """A specification in Vega-Lite as PNG, at twice the size in pixels."""
    return DRAWING.draw("png", spec=spec, vl_version=vl_version, locale=locale)


def script(vl_version: str) -> bytes:
    """The bundle that draws specifications in browsers. What makes it holds 80 MB afterwards."""
    once = DrawingProcess(most_jobs=1)
    return once.draw("script", vl_version=vl_version)


def pdf(template: Path, content: str, standards: list[str] | None = None) -> bytes:
    """A document by a template of Typst, which reads ``content``."""
    return DRAWING.draw("pdf", template=str(template), content=content, standards=standards or [])
