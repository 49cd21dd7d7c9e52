"""Places for work that few may do at once, given out by turns to those who wait."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from dataclasses import dataclass, field

#: A request that took this long counts for so much of the time that the next ones will take.
_WEIGHT = 0.1


class Full(Exception):  # noqa: N818 - it is full, which is no error
    """There is no place, and none to wait for one. ``expected_s`` is what the queue will take."""

    def __init__(self, expected_s: float) -> None:
        super().__init__()
        self.expected_s = expected_s


@dataclass(frozen=True)
class Who:
    """Whose a request is: by its credential, or its network where it has none."""

    name: object
    network: str


@dataclass(eq=False)
class Turn:
    """A request that has a place, or waits for one."""

    who: Who
    asked: float
    given: asyncio.Future[None]
    began: float | None = None
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class Places:
    """So many at once, a queue of bounded length and time; used on one event loop.

    One caller never has all places where there are several, nor more than half of the queue, and
    one network not more than three quarters of it: an office of many people is one network. Who
    was served longest ago comes next, whoever came first.
    """

    def __init__(self, places: int, waiting: int, wait_s: float) -> None:
        self.places, self.waiting, self.wait_s = places, waiting, wait_s
        self._each = max(1, places - 1)
        self._running: Counter[object] = Counter()
        self._queue: list[Turn] = []
        self._served: dict[object, int] = {}
        self._count = 0
        self._mean_s = 1.0
        #: How many were refused since the process began.
        self.refused = 0

    @property
    def running(self) -> int:
        """How many have a place."""
        return self._running.total()

    @property
    def queued(self) -> int:
        """How many wait for one."""
        return len(self._queue)

    def ask(self, who: Who) -> Turn:
        """A turn, whose ``given`` is done once there is a place, and fails after too long a wait.

        Raises
        ------
        Full
            Where too many wait already.
        """
        loop = asyncio.get_running_loop()
        turn = Turn(who, loop.time(), loop.create_future())
        # Whoever waits while a place is free has as many as one may have.
        if self.running < self.places and self._running[who.name] < self._each:
            self._give(turn)
            return turn
        mine = sum(each.who.name == who.name for each in self._queue)
        near = sum(each.who.network == who.network for each in self._queue)
        if (
            len(self._queue) >= self.waiting
            or mine >= max(1, self.waiting // 2)
            or near >= max(1, self.waiting * 3 // 4)
        ):
            raise self._full()
        self._queue.append(turn)
        turn.timer = loop.call_later(self.wait_s, self._too_long, turn)
        return turn

    def end(self, turn: Turn) -> None:
        """Give the place back, or go from the queue."""
        if turn.timer is not None:
            turn.timer.cancel()
        if turn in self._queue:
            self._queue.remove(turn)
            turn.given.cancel()
        elif turn.began is not None:
            took = asyncio.get_running_loop().time() - turn.began
            self._mean_s += _WEIGHT * (took - self._mean_s)
            turn.began = None
            self._running[turn.who.name] -= 1
            if not self._running[turn.who.name]:
                del self._running[turn.who.name]
            self._give_out()
        self._forget(turn.who.name)

    def _give_out(self) -> None:
        while self.running < self.places:
            fitting = [each for each in self._queue if self._running[each.who.name] < self._each]
            if not fitting:
                return
            chosen = min(fitting, key=lambda each: (*self._before(each.who.name), each.asked))
            self._queue.remove(chosen)
            self._give(chosen)

    def _before(self, name: object) -> tuple[int, int]:
        return self._running[name], self._served.get(name, 0)

    def _give(self, turn: Turn) -> None:
        if turn.timer is not None:
            turn.timer.cancel()
        self._count += 1
        self._served[turn.who.name] = self._count
        self._running[turn.who.name] += 1
        turn.began = asyncio.get_running_loop().time()
        turn.given.set_result(None)

    def _too_long(self, turn: Turn) -> None:
        self._queue.remove(turn)
        turn.given.set_exception(self._full())
        self._forget(turn.who.name)

    def _full(self) -> Full:
        self.refused += 1
        return Full(len(self._queue) * self._mean_s / self.places)

    def _forget(self, name: object) -> None:
        """Whoever neither works nor waits begins anew; what is known does not grow."""
        if not self._running[name] and all(each.who.name != name for each in self._queue):
            self._served.pop(name, None)
            self._running.pop(name, None)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))
