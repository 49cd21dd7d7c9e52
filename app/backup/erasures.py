"""What was erased since a backup was made, as a restore learns it.

From the database that is replaced, where that is a SQLite file that can be read; and from a file
beside the backups, which outlives any database: a server writes it there as soon as something is
erased. Marks and days stand in it, and nothing of what they were of.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.backup.durable import sync
from app.commands import Refused
from app.db import Database
from app.intake.models import ErasedResponse
from app.intake.retained import Erased, retained
from app.retention.repeating import Erasures, Repeated, repeat
from app.settings import Settings

log = logging.getLogger("hailong.backup")

NAME = "erased.json"
_TABLES = ("retention_note", "erased_response")


def of_replaced(file: Path) -> Erasures:
    """What a SQLite database that is to be replaced has erased; one of an older schema: nothing.

    Raises
    ------
    Refused
        Where it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True)) as database:
            there = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)"
            if database.execute(there, _TABLES).fetchone()[0] < len(_TABLES):
                return Erasures()
            days = database.execute(
                "SELECT responses_from, texts_from FROM retention_note WHERE id = 1"
            )
            responses_from, texts_from = days.fetchone() or (None, None)
            of = "SELECT mark FROM erased_response WHERE why = ?"
            withdrawn, texts = (
                frozenset(int(row[0]) for row in database.execute(of, [why.value]))
                for why in (Erased.WITHDRAWN, Erased.TEXTS)
            )
            return Erasures(_day(responses_from), _day(texts_from), withdrawn, texts)
    except sqlite3.DatabaseError as error:
        raise Refused(f"{file} cannot be read: {error}") from error


def chain_of(session: Session) -> str:
    """The name of a database: the hash of its audit log's first entry."""
    return session.scalar(select(AuditEntry.hash).order_by(AuditEntry.id).limit(1)) or ""


class ErasureFile:
    """The file beside the backups; ``keep`` is cheap where nothing was erased since."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self._kept: tuple[object, ...] | None = None

    def keep(self, session: Session) -> bool:
        """Write what a database has erased, if it is not what was written last; whether it was.

        Whatever stands there of the same database stays there: one that was restored may know of
        less than the one before it.
        """
        noted = session.execute(
            select(func.count()).where(ErasedResponse.why != Erased.RETENTION.value)
        ).scalar_one()
        chain = chain_of(session)
        state = (chain, noted, retained(session))
        if state == self._kept:
            return False
        erasures = Erasures.of(session)
        if erasures != Erasures():
            before = _read(self._file)
            if before is not None and before[0] == chain:
                erasures |= before[1]
            if before != (chain, erasures):
                self._write(chain, erasures)
        self._kept = state
        return True

    def read(self, chain: str) -> Erasures | None:
        """What stands there of a database; None where nothing does."""
        found = _read(self._file)
        return found[1] if found is not None and found[0] == chain else None

    def _write(self, chain: str, erasures: Erasures) -> None:
        written = {
            "chain": chain,
            "responses_from": _text(erasures.responses_from),
            "texts_from": _text(erasures.texts_from),
            "withdrawn": sorted(erasures.withdrawn),
            "texts": sorted(erasures.texts),
        }
        part = self._file.with_name(f".{NAME}.{os.getpid()}")
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as to:
                json.dump(written, to)
                to.flush()
                os.fsync(to.fileno())
            part.rename(self._file)
            sync(self._file.parent)
        finally:
            part.unlink(missing_ok=True)


def erase_again(settings: Settings, now: datetime) -> Mapping[Repeated, int]:
    """Erase what the file beside the backups knows of, and the database that is there does not.

    So it is where a database came back without ``hailong restore``, by another tool or a copy of
    the machine, or where a restore was ended before it was done. What was withdrawn is no
    question of the clock, so that one in doubt keeps nothing.

    Raises
    ------
    Refused
        Where the file cannot be read.
    """
    if settings.backup_folder is None:
        return {}
    with closing(Database(settings.database_url)) as database:
        with database.reading() as session:
            told = ErasureFile(settings.backup_folder).read(chain_of(session))
            known = Erasures.of(session)
        if told is None or told | known == known:
            return {}
        log.warning("an earlier state of the database is there: what was erased is erased again")
        done = repeat(database, settings, told, "system", now, noted_alone=True)
    log.warning(
        "erased again: %s", ", ".join(f"{number} {what}" for what, number in done.items()) or "none"
    )
    return done


def erase_before_serving(settings: Settings, now: datetime) -> None:
    """Erase what came back while no server ran; a file that cannot be read keeps none from it."""
    try:
        erase_again(settings, now)
    except Refused as refused:
        log.error("WHAT WAS WITHDRAWN MAY HAVE COME BACK: %s", refused)


def _read(file: Path) -> tuple[str, Erasures] | None:
    """What a file says, and of which database; None where there is none.

    Raises
    ------
    Refused
        For one that cannot be read: what was withdrawn would come back.
    """
    try:
        told: dict[str, Any] = json.loads(file.read_text("utf-8"))
        erasures = Erasures(
            _day(told["responses_from"]),
            _day(told["texts_from"]),
            frozenset(map(int, told["withdrawn"])),
            frozenset(map(int, told["texts"])),
        )
        return str(told["chain"]), erasures
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"{file} cannot be read ({error}), so nobody knows what was withdrawn since "
            "the backup; move it elsewhere to restore all the same"
        ) from error


def _text(day: date) -> str | None:
    return None if day == date.min else day.isoformat()


def _day(text: str | None) -> date:
    return date.fromisoformat(text) if text else date.min
