"""Group commit: all responses that wait are stored in one transaction, then acknowledged.

One durable commit costs about as much for a hundred responses as for one. While one group is
being written, the next gathers; and before it is written, requests that have already arrived are
read to their end and join it. Nobody waits for a timer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from app.access.buckets import Empty
from app.clock import ClockInDoubt
from app.db.away import away
from app.db.damage import DatabaseDamaged
from app.intake.prepared import Outcome, Prepared
from app.intake.store import ResponseStore
from app.problems import InternalError, Problem
from app.rollups.store import CellsVanishedError
from app.serving.problems import retry_after

log = logging.getLogger("hailong.intake")

#: Until it is known how fast the database is, and how much of each group counts for that.
_PER_SECOND, _WEIGHT = 1000.0, 0.2
#: Turns of the event loop that a request needs from its socket to the writer.
_IDLE_TURNS = 4
#: The hint when to come again grows while groups fail, to sixteen seconds and their jitter.
_MOST_DOUBLINGS = 4
#: How often is looked for those who have waited too long, in seconds.
_LOOK_EVERY_S = 0.25


@dataclass(slots=True)
class _Part:
    """The responses of one call that waits, its answer, and since when it waits."""

    responses: Sequence[Prepared]
    answer: asyncio.Future[Sequence[Outcome | Empty | Problem]]
    since: float


class Busy(Problem):
    """The response was not taken: too many wait, or the database does not answer."""

    code, status, passing = "busy", 503, True

    def __init__(self, expected_s: float = 0) -> None:
        seconds = retry_after(expected_s)
        super().__init__(headers={"Retry-After": str(seconds)}, retry_after=seconds)


class Writer:
    """Gathers responses of all requests and stores them group by group in a thread.

    Nobody waits longer than ``patience_s``: who has, is told that nothing was taken and sends the
    same again, which is a duplicate if the database did store it in the end. ``stored`` is called
    after each group that is durable.
    """

    def __init__(
        self,
        store: ResponseStore,
        waiting_limit: int,
        group_limit: int = 2000,
        groups_at_once: int = 1,
        patience_s: float = 10.0,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._patience_s, self._stored = store, patience_s, stored
        self._waiting_limit, self._group_limit = waiting_limit, group_limit
        self._groups_at_once = groups_at_once
        self._waiting: list[_Part] = []
        #: What is being written.
        self._groups: list[list[_Part]] = []
        self._count = 0
        self._per_second = _PER_SECOND
        self._failures = 0
        self._wake = asyncio.Event()
        self._stopping = True
        #: Its own: whatever else hangs beside holds up no response.
        self._threads = ThreadPoolExecutor(groups_at_once, thread_name_prefix="intake")
        self._tasks: list[asyncio.Task[None]] = []
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write; call within a running event loop."""
        self._stopping = False
        self._tasks = [
            asyncio.create_task(self._run(), name=f"intake-writer-{i}")
            for i in range(self._groups_at_once)
        ]
        self._looking = asyncio.create_task(self._look_for_late(), name="intake-late")

    async def stop(self) -> None:
        """Write what waits, then end; what cannot be written in time is answered as busy."""
        self._stopping = True
        self._wake.set()
        await asyncio.gather(*self._tasks)
        self._threads.shutdown(wait=False)
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def submit(self, responses: Sequence[Prepared]) -> Sequence[Outcome | Empty | Problem]:
        """Wait until the responses are durable; the outcome of each, in order, or what was empty.

        Raises
        ------
        Busy
            Nothing was taken; the same call may succeed later.
        """
        if self._stopping or self._count + len(responses) > self._waiting_limit:
            raise Busy(self._count / self._per_second)
        part = _Part(responses, asyncio.get_running_loop().create_future(), time.monotonic())
        self._waiting.append(part)
        self._count += len(responses)
        self._wake.set()
        return await part.answer

    async def _run(self) -> None:
        while not self._stopping or self._waiting:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._gather()
            if not self._waiting:
                continue
            group = self._take()
            self._groups.append(group)
            try:
                await self._write(group)
            finally:
                self._groups.remove(group)

    async def _write(self, group: list[_Part]) -> None:
        responses = [response for part in group for response in part.responses]
        began = time.monotonic()
        try:
            outcomes: Sequence[Outcome | Empty | Problem]
            loop = asyncio.get_running_loop()
            outcomes = await loop.run_in_executor(self._threads, self._store_or_split, responses)
        except (SQLAlchemyError, CellsVanishedError) as error:
            # Rolled back whole. The callers know that nothing was taken and send it again.
            told = "a group of %d responses could not be stored: %s"
            passing = away(error)
            log.warning(told, len(responses), passing or "", exc_info=None if passing else error)
            self._failures += 1
            _fail(group, Busy(2.0 ** min(self._failures, _MOST_DOUBLINGS)))
        except (ClockInDoubt, DatabaseDamaged) as known:  # since the responses were prepared
            _fail(group, known)
        except Exception:  # whatever it is: who writes must not end by it, nor anybody wait on
            log.exception("a group of %d responses could not be stored", len(responses))
            self._failures += 1
            _fail(group, Busy(2.0 ** min(self._failures, _MOST_DOUBLINGS)))
        else:
            self._stored()
            self._failures = 0
            speed = len(responses) / max(time.monotonic() - began, 1e-3)
            self._per_second += _WEIGHT * (speed - self._per_second)
            start = 0
            for part in group:
                if not part.answer.done():
                    part.answer.set_result(outcomes[start : start + len(part.responses)])
                start += len(part.responses)

    async def _look_for_late(self) -> None:
        """Tell those who have waited too long that nothing was taken, as far as is known."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            since = time.monotonic() - self._patience_s
            for group in self._groups:
                _fail([part for part in group if part.since < since], Busy())
            late = [part for part in self._waiting if part.since < since]
            if late:
                self._waiting = [part for part in self._waiting if part.since >= since]
                self._count -= sum(len(part.responses) for part in late)
                _fail(late, Busy())

    def _store_or_split(self, responses: Sequence[Prepared]) -> Sequence[Outcome | Empty | Problem]:
        """Store a group; where a response breaks it by a defect of ours, the others without it."""
        try:
            return self._store.append(responses)
        except (
            OperationalError,
            InterfaceError,
            CellsVanishedError,
            ClockInDoubt,
            DatabaseDamaged,
        ):
            raise
        except Exception as error:
            if away(error):
                raise
            log.exception("defect while storing %d responses", len(responses))
            if len(responses) == 1:
                return [InternalError()]
            return [
                outcome for response in responses for outcome in self._store_or_split([response])
            ]

    async def _gather(self) -> None:
        """Let the event loop run as long as that brings more responses."""
        idle = 0
        while idle < _IDLE_TURNS and self._count < self._group_limit:
            before = self._count
            await asyncio.sleep(0)
            idle = idle + 1 if self._count == before else 0

    def _take(self) -> list[_Part]:
        taken, count = 0, 0
        for part in self._waiting:
            if taken and count + len(part.responses) > self._group_limit:
                break
            taken += 1
            count += len(part.responses)
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        self._count -= count
        return group


def _fail(group: list[_Part], error: Exception) -> None:
    for part in group:
        if not part.answer.done():
            part.answer.set_exception(error)
