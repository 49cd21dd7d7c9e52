"""What a server process does beside its requests: tasks that are begun again whenever they fail.

A task is a coroutine that goes on for ever and raises what it cannot handle. It says ``beat()``
after each round that went well, and ``item_failed()`` where one item of many failed and the others
go on. The supervisor begins one that raised, or ended, again after a pause that grows up to
``LONGEST_PAUSE_S``; it writes a traceback for the first failure of a row and one line for each
further kind. What it knows can be asked: ``states()``, ``not_running()``, ``check()``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from app.problems import Problem

log = logging.getLogger("hailong.background")

#: Pauses before a task is begun again: short enough for a database that has just come back.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
#: A task that has failed is told of as not running once it has not done a round for so long.
GRACE_S = 10.0
#: One that never says ``beat()`` is believed to run again after so long.
_LIVED_S = 60.0
_LOOK_EVERY_S = 2.0


class TaskNotRunning(Problem):
    """Work in the background fails or has stopped; the server takes answers all the same."""

    code, status, passing = "task-not-running", 503, True

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(headers={"Retry-After": "10"}, tasks=", ".join(tasks), retry_after=10)


@dataclass(frozen=True)
class Failure:
    """What went wrong last, by the kind of the exception, and when."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class TaskState:
    """What is known of a task since the process started."""

    name: str
    #: Whether it does its work: it neither failed for some time nor is silent for too long.
    running: bool
    #: Whether it said nothing for longer than it may.
    silent: bool
    failures: int
    last_failure: Failure | None
    #: The last round that went well.
    last_success: datetime | None
    items_failed: int
    last_item_failure: Failure | None


class _Task:
    """A task with what happened to it."""

    def __init__(
        self, name: str, work: Callable[[], Awaitable[None]], silent_after_s: float | None,
        once: bool, steady: Callable[[], float],
    ) -> None:  # fmt: skip
        self.name, self.work, self.silent_after_s, self.once = name, work, silent_after_s, once
        self._steady = steady
        self.failures = self.in_a_row = self.items_failed = 0
        self.last_failure: Failure | None = None
        self.last_item_failure: Failure | None = None
        self.last_success: datetime | None = None
        #: By the steady clock: the last sign of life, and when the present row of failures began.
        self.sign_at = self._steady()
        self.failing_since: float | None = None
        self.kinds: set[str] = set()
        self.done = False

    def succeeded(self) -> None:
        self.last_success = datetime.now(UTC)
        self.recovered()

    def recovered(self) -> None:
        self.sign_at = self._steady()
        if self.failing_since is not None:
            log.warning("task %s works again after %d failures", self.name, self.in_a_row)
            self.failing_since, self.in_a_row = None, 0
            self.kinds.clear()

    def failed(self, error: BaseException | None) -> None:
        kind = "ended" if error is None else type(error).__name__
        self.failures, self.in_a_row = self.failures + 1, self.in_a_row + 1
        self.last_failure = Failure(kind, datetime.now(UTC))
        self.sign_at = self._steady()
        if self.failing_since is None:
            self.failing_since = self.sign_at
            log.error("task %s failed (%s); it is begun again", self.name, kind, exc_info=error)
        elif kind not in self.kinds:
            log.error("task %s failed otherwise (%s); it is begun again", self.name, kind)
        self.kinds.add(kind)

    def state(self) -> TaskState:
        now = self._steady()
        silent = (
            not self.done
            and self.silent_after_s is not None
            and now - self.sign_at > self.silent_after_s
        )
        failing = self.failing_since is not None and now - self.failing_since > GRACE_S
        return TaskState(
            self.name, not (silent or failing), silent, self.failures, self.last_failure,
            self.last_success, self.items_failed, self.last_item_failure,
        )  # fmt: skip


_present: ContextVar[_Task | None] = ContextVar("present_task", default=None)


def beat() -> None:
    """Say that the present task has done a round; in no task it says nothing."""
    task = _present.get()
    if task is not None:
        task.succeeded()


def item_failed(kind: str) -> None:
    """Count that one item of the present task failed, by a kind; the task goes on."""
    task = _present.get()
    if task is not None:
        task.items_failed += 1
        task.last_item_failure = Failure(kind, datetime.now(UTC))


class Supervisor:
    """Keeps the tasks of one server process running, and knows how they are."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._tasks: list[_Task] = []
        self._running: list[asyncio.Task[None]] = []

    def keep(
        self,
        name: str,
        work: Callable[[], Awaitable[None]],
        *,
        silent_after_s: float | None = None,
        once: bool = False,
    ) -> None:
        """Run a coroutine function from now on, for ever, or until it is done where ``once``.

        One that says nothing for ``silent_after_s`` is told of as not running. It is not begun
        again beside itself: what it waits for in a thread cannot be ended.
        """
        task = _Task(name, work, silent_after_s, once, self._steady)
        self._tasks.append(task)
        self._running.append(asyncio.create_task(self._run(task), name=name))

    def watch(self) -> None:
        """Log which tasks do not run, and which run again, for as long as tasks are kept."""
        self._running.append(asyncio.create_task(self._watch(), name="watch"))

    def states(self) -> list[TaskState]:
        """What is known of each task."""
        return [task.state() for task in self._tasks]

    def not_running(self) -> list[str]:
        """The names of tasks that do not do their work."""
        return [state.name for state in self.states() if not state.running]

    def problem(self) -> TaskNotRunning | None:
        """What to tell where a task does not run."""
        names = self.not_running()
        return TaskNotRunning(names) if names else None

    async def stop(self) -> None:
        """End all tasks. What they left in threads ends by itself."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=LONGEST_PAUSE_S)
        self._running.clear()
        self._tasks.clear()

    async def _run(self, task: _Task) -> None:
        _present.set(task)
        while True:
            begun = self._steady()
            error: BaseException | None = None
            try:
                await task.work()
            except asyncio.CancelledError as cancelled:
                present = asyncio.current_task()
                if present is None or present.cancelling():
                    raise
                error = cancelled  # within the work, and not by whoever ends the server
            except Exception as raised:  # noqa: BLE001 - whatever it is, no task ends by it
                error = raised
            if error is None and task.once:
                task.done = True
                task.succeeded()
                return
            if task.silent_after_s is None and self._steady() - begun > _LIVED_S:
                task.recovered()
            task.failed(error)
            pause_s = FIRST_PAUSE_S * 2 ** min(task.in_a_row - 1, 10)
            await asyncio.sleep(min(pause_s, LONGEST_PAUSE_S))

    async def _watch(self) -> None:
        down: set[str] = set()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for task in self._tasks:
                # It has lived, and says nothing by its nature.
                if task.silent_after_s is None and self._steady() - task.sign_at > _LIVED_S:
                    task.recovered()
            found = set(self.not_running())
            for name in sorted(found - down):
                log.error("TASK %s DOES NOT RUN; see what it failed by above", name)
            for name in sorted(down - found):
                log.warning("task %s runs again", name)
            down = found
