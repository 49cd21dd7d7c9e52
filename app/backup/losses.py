"""What a restore loses: what the database that it replaces has, and the backup has not."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.commands import Refused

#: What a citizen withdrew is not lost: it waits, under an id of its own, to leave the figures.
_NOT_WITHDRAWN = (
    " AND NOT EXISTS (SELECT 1 FROM main.withdrawn_response AS w WHERE w.response_id = mine.id)"
)


@dataclass(frozen=True)
class LostHour:
    """Answers to one point that were received within one local hour."""

    unit: str
    point: str
    hour: datetime
    answers: int


@dataclass(frozen=True)
class Losses:
    """Answers and changes that only the replaced database has."""

    hours: Sequence[LostHour]
    #: Changes by people and keys: how many of each kind.
    changes: dict[str, int]

    @property
    def answers(self) -> int:
        """How many answers there are only."""
        return sum(each.answers for each in self.hours)


def between(old: Path, new: Path, zone: ZoneInfo) -> Losses:
    """Compare two SQLite databases that nobody writes to.

    Raises
    ------
    Refused
        Where the old one cannot be read.
    """
    try:
        with closing(_reading(old)) as database:
            # Of the new one the file alone is read, so that it stays a file alone.
            database.execute("ATTACH ? AS restored", (f"file:{quote(str(new))}?immutable=1",))
            hours = _hours(database, zone)
            changes = Counter(
                str(row[0])
                for row in database.execute(
                    "SELECT action FROM main.audit_entry AS mine WHERE NOT EXISTS "
                    "(SELECT 1 FROM restored.audit_entry AS its WHERE its.hash = mine.hash)"
                )
            )
    except sqlite3.DatabaseError as error:
        raise Refused(f"{old} cannot be read: {error}") from error
    return Losses(hours, dict(sorted(changes.items())))


def answers_in(file: Path) -> int:
    """How many responses a SQLite database holds; also one of another schema.

    Raises
    ------
    Refused
        Where it cannot be read.
    """
    try:
        with closing(_reading(file)) as database:
            there = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'response'"
            if not database.execute(there).fetchone()[0]:
                return 0
            return int(database.execute("SELECT count(*) FROM response").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise Refused(f"{file} cannot be read: {error}") from error


def _has(database: sqlite3.Connection, table: str) -> bool:
    """Whether the replaced database is of a schema with a table."""
    there = "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND name = ?"
    return bool(database.execute(there, [table]).fetchone()[0])


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True)


def _hours(database: sqlite3.Connection, zone: ZoneInfo) -> list[LostHour]:
    rows = database.execute(
        "SELECT unit.code, point.name, mine.received_at FROM main.response AS mine "
        "LEFT JOIN main.survey_point AS point ON point.id = mine.point_id "
        "LEFT JOIN main.unit AS unit ON unit.id = mine.unit_id "
        "WHERE NOT EXISTS (SELECT 1 FROM restored.response AS its WHERE its.id = mine.id)"
        f"{_NOT_WITHDRAWN if _has(database, 'withdrawn_response') else ''}"
    )
    counted: Counter[tuple[str, str, datetime]] = Counter()
    for unit, point, received in rows:
        moment = datetime.fromtimestamp(received / 1e6, UTC).astimezone(zone)
        hour = moment.replace(minute=0, second=0, microsecond=0)
        counted[str(unit or "?"), str(point or "?"), hour] += 1
    return [LostHour(*key, number) for key, number in sorted(counted.items())]
