"""Whether figures changed since a caller last had them: ETag, 304, and what is kept in memory.

The edition of the figures is the version of the rollups, the last entry of the audit log (every
change of units, volumes, points and rights stands there), the local day and the software. An
answer's tag is the edition with who asks and what they ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from cachetools import LRUCache
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import RELEASE
from app.access.callers import Caller
from app.access.models import Right
from app.audit.models import AuditEntry
from app.rollups.version import version as rollup_version

_OF_FIGURES = frozenset({Right.READ_FIGURES, Right.READ_SMALL_CELLS})


def edition(session: Session, zone: ZoneInfo) -> str:
    """What all figures depend on; read before the figures."""
    entries = session.scalar(select(func.max(AuditEntry.id))) or 0
    return f"{rollup_version(session)}.{entries}.{datetime.now(zone).date()}.{RELEASE}"


def rights_of(caller: Caller) -> str:
    """Whose figures the caller may see: those with the same rights get the same answers."""
    return ";".join(
        sorted(
            f"{grant.unit_id}/{grant.sector}/{','.join(sorted(grant.rights & _OF_FIGURES))}"
            for grant in caller.grants
        )
    )


class Cache:
    """Answers that were computed lately, by edition, rights and question.

    Several pages and charts show the same figures, and many people open them in the morning.
    """

    def __init__(self, most: int = 512) -> None:
        self._kept: LRUCache[str, Any] = LRUCache(most)
        self._lock = Lock()

    def get(self, key: str, compute: Callable[[], Any]) -> Any:
        """The answer under a key, computed if it is not there; it must not be changed."""
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        answer = compute()
        with self._lock:
            self._kept[key] = answer
        return answer
