"""Whether figures changed since a caller last had them: ETag, 304, and what is kept in memory.

The edition of the figures is the version of the rollups, the last change in the audit log (every
change of units, volumes, points and rights stands there; that somebody signs in is none), the local
day and the software. An answer's tag is the edition with who asks and what they ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar, cast
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from cachetools import LRUCache
from sqlalchemy.orm import Session

from app import RELEASE
from app.access.callers import Caller
from app.access.models import Right
from app.audit.log import last_change
from app.clock import local_today
from app.memory import size_of
from app.rollups.version import version as rollup_version

T = TypeVar("T")

#: Bytes of figures that are kept.
MOST_BYTES = 8 * 1024 * 1024
_OF_FIGURES = frozenset({Right.READ_FIGURES, Right.READ_SMALL_CELLS})


def edition(session: Session, zone: ZoneInfo) -> str:
    """What all figures depend on; read before the figures."""
    return f"{rollup_version(session)}.{last_change(session)}.{local_today(zone)}.{RELEASE}"


def rights_of(caller: Caller) -> str:
    """Whose figures the caller may see: those with the same rights get the same answers."""
    return ";".join(
        sorted(
            f"{grant.unit_id}/{grant.sector}/{','.join(sorted(grant.rights & _OF_FIGURES))}"
            for grant in caller.grants
        )
    )


class _Computing:
    """That a figure is being computed."""

    def __init__(self) -> None:
        self.lock = Lock()


class Cache:
    """Figures that were computed lately, by edition, rights and query; each computed once.

    Several pages and charts show the same figures, and many people open them in the morning. They
    are kept up to so many bytes; those go first that were not asked for longest.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._figures: LRUCache[str, tuple[object, int]] = LRUCache(
            most_bytes, getsizeof=lambda kept: kept[1]
        )
        self._lock = Lock()
        #: A lock for each figure that is being computed, there as long as a thread holds it.
        self._computing: WeakValueDictionary[str, _Computing] = WeakValueDictionary()

    def get(self, key: str, compute: Callable[[], T]) -> T:
        """The figure under a key, computed if it is not there; it must not be changed.

        Whoever asks while another thread computes it waits for that one. Where it fails, the next
        one tries. To compute one figure must not ask for another here: two could wait in a ring.
        """
        with self._lock:
            if key in self._figures:
                return cast(T, self._figures[key][0])
            computing = self._computing.setdefault(key, _Computing())
        with computing.lock:
            with self._lock:
                if key in self._figures:
                    return cast(T, self._figures[key][0])
            figure = compute()
            size = size_of(figure)
            if size <= self._most_bytes:
                with self._lock:
                    self._figures[key] = figure, size
        return figure
