"""The open connections of a server process: how many, whose, and for how long without getting on.

One look a second at all of them, instead of timers for each request, which would cost the intake.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from ipaddress import IPv6Address
from typing import Protocol

from app.serving.files import connections_that_fit
from app.settings import Settings

log = logging.getLogger("hailong.serving")

EVERY_S = 1.0
#: What was closed is told of in one line so often.
_TELL_S = 60.0
#: Bytes that wait in memory for readers who do not read; beyond it the longest waiting go.
MOST_UNREAD = 64 << 20
#: Where all places are taken, this part of them is freed at once: to look for one costs as much.
_FREED_AT_ONCE = 1 / 32


@dataclass(frozen=True)
class Limits:
    """How long a connection may take for what, and how many there may be."""

    connections: int
    head_s: float
    body_s: float
    reader_s: float
    byte_rate: float

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits of one server process."""
        most = connections_that_fit(settings.connection_limit)
        if most < settings.connection_limit:
            log.warning(
                "%d connections at once instead of %d: this process may not open more files",
                most,
                settings.connection_limit,
            )
        return cls(most, settings.head_s, settings.body_s, settings.reader_s, settings.byte_rate)


class Watched(Protocol):
    """A connection, as it is watched here."""

    network: str
    #: Since when it has been in its present state.
    since: float

    def place_in_leaving(self) -> int | None:
        """How early it goes where all places are taken; None where it is being answered."""

    def look(self, now: float) -> str | None:
        """End it if it is overdue, and say what for."""

    def unread(self) -> int:
        """Bytes in memory that its reader has not taken."""

    def abort(self) -> None:
        """Close it at once, whatever was to be sent."""


class Connections:
    """The connections of one server process; used on its event loop."""

    def __init__(self, limits: Limits, headers: Mapping[str, str] | None = None) -> None:
        self.limits = limits
        #: Stand in answers that the application does not give.
        self.headers = dict(headers or {})
        #: Connections that were closed, by reason, since the process began.
        self.closed: Counter[str] = Counter()
        self._open: set[Watched] = set()
        self._told: Counter[str] = Counter()
        self._tell_at = 0.0
        self._next: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def admit(self, new: Watched) -> bool:
        """Take a connection in; False where all places are taken by those who are answered.

        Where all are taken, whoever waits longest goes, of the network that has most connections.
        So no limit for one network is needed, which a hospital behind one address would reach
        while there is room: who opens hundreds takes the places from themselves.
        """
        if len(self._open) >= self.limits.connections and not self._make_room():
            self.closed["refused"] += 1
            return False
        self._open.add(new)
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(EVERY_S, self._look)
        return True

    def leave(self, gone: Watched) -> None:
        """Forget a connection that was closed."""
        self._open.discard(gone)

    def _make_room(self) -> int:
        held: Counter[str] = Counter()
        leaving: defaultdict[str, list[tuple[int, float, int, Watched]]] = defaultdict(list)
        for each in self._open:
            held[each.network] += 1
            place = each.place_in_leaving()
            if place is not None:
                leaving[each.network].append((place, each.since, id(each), each))
        for network in leaving:
            leaving[network].sort(reverse=True)
        order = [(-held[network], queue[-1][1], network) for network, queue in leaving.items()]
        heapify(order)
        wanted, freed = max(1, int(self.limits.connections * _FREED_AT_ONCE)), 0
        while order and freed < wanted:
            count, _, network = heappop(order)
            *_, gone = leaving[network].pop()
            gone.abort()
            self._open.discard(gone)
            freed += 1
            if leaving[network]:
                heappush(order, (count + 1, leaving[network][-1][1], network))
        self.closed["gave way"] += freed
        return freed

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        # First of all: a defect in one look must not end all looking.
        self._next = loop.call_later(EVERY_S, self._look) if self._open else None
        unread: list[tuple[float, int, int, Watched]] = []
        for each in list(self._open):
            reason = each.look(now)
            if reason is not None:
                self.closed[reason] += 1
            elif size := each.unread():
                unread.append((each.since, id(each), size, each))
        self._bound_unread(unread)
        self._tell(now)

    def _bound_unread(self, unread: list[tuple[float, int, int, Watched]]) -> None:
        total = sum(size for *_, size, _ in unread)
        for _, _, size, each in sorted(unread):
            if total <= MOST_UNREAD:
                return
            each.abort()
            self.closed["not read"] += 1
            total -= size

    def _tell(self, now: float) -> None:
        if now < self._tell_at or self.closed == self._told:
            return
        news = self.closed - self._told
        log.info("connections closed: %s", ", ".join(f"{n} {why}" for why, n in news.items()))
        self._told, self._tell_at = Counter(self.closed), now + _TELL_S


def network_of(host: str) -> str:
    """Whose a connection is: an IPv4 address, or the /64 of one of IPv6."""
    if ":" not in host:
        return host
    address = IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or int(address) >> 64)
