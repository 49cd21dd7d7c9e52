"""Group commit: all responses that wait are stored in one transaction, then acknowledged.

One durable commit costs about as much for a hundred responses as for one. While one group is
being written, the next gathers; and before it is written, requests that have already arrived are
read to their end and join it. Nobody waits for a timer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from app.access.buckets import Empty
from app.clock import ClockInDoubt
from app.intake.store import Outcome, Prepared, ResponseStore
from app.problems import InternalError, Problem
from app.rollups.store import CellsVanishedError

log = logging.getLogger("hailong.intake")

RETRY_AFTER_S = 2
#: Turns of the event loop that a request needs from its socket to the writer.
_IDLE_TURNS = 4


_Answer = asyncio.Future[Sequence[Outcome | Empty | Problem]]


class Busy(Problem):
    """The response was not taken: too many wait, or the database does not answer."""

    code, status, passing = "busy", 503, True

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after=RETRY_AFTER_S)


class Writer:
    """Gathers responses of all requests and stores them group by group in a thread."""

    def __init__(
        self,
        store: ResponseStore,
        waiting_limit: int,
        group_limit: int = 2000,
        groups_at_once: int = 1,
    ) -> None:
        self._store = store
        self._waiting_limit, self._group_limit = waiting_limit, group_limit
        self._groups_at_once = groups_at_once
        self._waiting: list[tuple[Sequence[Prepared], _Answer]] = []
        self._count = 0
        self._wake = asyncio.Event()
        self._stopping = True
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to write; call within a running event loop."""
        self._stopping = False
        self._tasks = [
            asyncio.create_task(self._run(), name=f"intake-writer-{i}")
            for i in range(self._groups_at_once)
        ]

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        self._wake.set()
        await asyncio.gather(*self._tasks)

    async def submit(self, responses: Sequence[Prepared]) -> Sequence[Outcome | Empty | Problem]:
        """Wait until the responses are durable; the outcome of each, in order, or what was empty.

        Raises
        ------
        Busy
            Nothing was taken; the same call may succeed later.
        """
        if self._stopping or self._count + len(responses) > self._waiting_limit:
            raise Busy
        future: _Answer = asyncio.get_running_loop().create_future()
        self._waiting.append((responses, future))
        self._count += len(responses)
        self._wake.set()
        return await future

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
            responses = [response for part, _ in group for response in part]
            try:
                outcomes: Sequence[Outcome | Empty | Problem]
                outcomes = await asyncio.to_thread(self._store_or_split, responses)
            except (SQLAlchemyError, CellsVanishedError):
                # Rolled back whole. The callers know that nothing was taken and send it again.
                log.exception("a group of %d responses could not be stored", len(responses))
                _fail(group, Busy())
            except ClockInDoubt as doubt:  # it jumped since the responses were prepared
                _fail(group, doubt)
            else:
                start = 0
                for part, future in group:
                    if not future.done():
                        future.set_result(outcomes[start : start + len(part)])
                    start += len(part)

    def _store_or_split(self, responses: Sequence[Prepared]) -> Sequence[Outcome | Empty | Problem]:
        """Store a group; where a response breaks it by a defect of ours, the others without it."""
        try:
            return self._store.append(responses)
        except (OperationalError, InterfaceError, CellsVanishedError, ClockInDoubt):
            raise
        except Exception:
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

    def _take(self) -> list[tuple[Sequence[Prepared], _Answer]]:
        taken, count = 0, 0
        for part, _ in self._waiting:
            if taken and count + len(part) > self._group_limit:
                break
            taken += 1
            count += len(part)
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        self._count -= count
        return group


def _fail(group: list[tuple[Sequence[Prepared], _Answer]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
