"""How many bytes of bodies a server process holds in memory at once."""

from __future__ import annotations

from collections import Counter

from starlette.types import Scope

from app.serving.connections import network_of
from app.serving.problems import Overloaded

#: Bodies up to this size are not counted: single responses pass, however many batches there are,
#: and the bound of connections is theirs, too.
SMALL = 16 * 1024


class Bodies:
    """The large bodies of one server process; used on its event loop.

    One network has half of the room at most: others go on sending batches.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[int, tuple[str, int]] = {}
        self._by_network: Counter[str] = Counter()
        self._total = 0

    @property
    def total(self) -> int:
        """Bytes that are held."""
        return self._total

    def hold(self, scope: Scope, size: int) -> None:
        """Count a body, of which so much is in memory now.

        Raises
        ------
        Overloaded
            Where there is no more room.
        """
        client = scope.get("client")
        network = network_of(client[0]) if client else ""
        _, before = self._held.get(id(scope), (network, 0))
        more = size - before
        if self._total + more > self._limit or self._by_network[network] + more > self._limit / 2:
            raise Overloaded
        self._held[id(scope)] = network, size
        self._by_network[network] += more
        self._total += more

    def let_go(self, scope: Scope) -> None:
        """The request has ended."""
        network, size = self._held.pop(id(scope), ("", 0))
        self._total -= size
        self._by_network[network] -= size
        if not self._by_network[network]:
            del self._by_network[network]
