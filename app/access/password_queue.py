"""A short queue for what needs a password hashed, so that signing in cannot stop the intake.

A hash takes 64 MB and a tenth of a second of all processors: ninety at once took the memory of a
small server and its threads, on which the intake waits. So few are made at once (``passwords``),
few requests wait for them, in threads of their own, and others are told to come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.access import passwords
from app.problems import Problem

T = TypeVar("T")
RETRY_AFTER_S = 3


class PasswordsBusy(Problem):
    """Many are signing in at this moment; nothing was looked at, try again in some seconds."""

    code, status, passing = "passwords-busy", 503, True

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after=RETRY_AFTER_S)


class PasswordQueue:
    """The queue of one server process; used on its event loop."""

    def __init__(self, waiting: int) -> None:
        self._most = passwords.AT_ONCE + waiting
        self._here = 0
        self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="password")

    async def run(self, call: Callable[[], T]) -> T:
        """Run what hashes a password, in a thread.

        Raises
        ------
        PasswordsBusy
            Where too many wait.
        """
        if self._here >= self._most:
            raise PasswordsBusy
        self._here += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        finally:
            self._here -= 1
