"""What the intake looks up for every response, held in memory for a few seconds."""

from __future__ import annotations

import time
from threading import Lock

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.caches import Recent
from app.db import Database
from app.registry.points import Point, as_point, find_by_code
from app.registry.questionnaires import Published, published

#: Public codes of which it is remembered what stands behind them, unknown ones too.
_MOST_POINTS = 100_000


class Directory:
    """Published versions and survey points.

    Versions never change, so they are read again only when one is asked for that is not known.
    Points are trusted for ``trust_s`` seconds: so long may it take until a pause holds.
    """

    def __init__(self, database: Database, trust_s: float) -> None:
        self._database, self._trust_s = database, trust_s
        self._versions: dict[tuple[str, int], Published] = {}
        self._versions_read_at = float("-inf")
        self._reading_versions = Lock()
        self._points = Recent[str, Point | None](_MOST_POINTS, trust_s)

    def version(self, code: str, number: int) -> Published | None:
        """A published version if it is at hand."""
        return self._versions.get((code, number))

    def point(self, code: str) -> tuple[bool, Point | None]:
        """Whether a fresh answer about this public code is at hand, and the answer."""
        return self._points.find(code)

    def read_version(self, code: str, number: int) -> Published | None:
        """The same from the database, which is asked once a second at most."""
        asked_at = time.monotonic()
        # Whoever asks while another thread reads waits for its answer: a version that is being
        # read is not an unknown one.
        with self._reading_versions:
            if asked_at - self._versions_read_at > min(1.0, self._trust_s):
                with self._database.reading() as session:
                    self._versions = {(v.form.code, v.form.version): v for v in published(session)}
                self._versions_read_at = time.monotonic()
        return self.version(code, number)

    def covered(self, caller: Caller, right: Right, point: Point) -> frozenset[int]:
        """The units, of those that a point ever is of, on which a caller has a right."""
        units = {point.unit_id, *(stay.unit_id for stay in point.stays)}
        with self._database.reading() as session:
            return frozenset(id for id in units if scope.covers(session, caller, right, id))

    def read_point(self, code: str) -> Point | None:
        """The point behind a public code, from the database."""
        with self._database.reading() as session:
            row = find_by_code(session, code)
            point = as_point(row) if row else None
        self._points.keep(code, point)
        return point
