"""Looks at the database's pages while a server runs: quickly often, whole once a night."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.background import beat
from app.db import Database
from app.db.damage import DatabaseDamaged, damage_of_file, last_good_backup
from app.db.opening import sqlite_file
from app.settings import Settings

log = logging.getLogger("hailong.db")

EVERY_S = 30.0
#: Looking takes at most this part of the time: a large file is looked at more rarely.
_PART = 0.02
#: The local hours in which few answer.
_NIGHT = range(1, 5)


class DamageWatch:
    """Looks at one database; each call of ``look`` is one look."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._file = sqlite_file(database.url)
        self._last_whole: date | None = None

    def look(self, now: datetime) -> float:
        """Look once, and remember what was found; after how many seconds to look again."""
        damage = self._database.damage
        damage.last_good = last_good_backup(self._settings)
        began, local = time.monotonic(), now.astimezone(self._settings.zone)
        whole = local.hour in _NIGHT and self._last_whole != local.date()
        if whole:
            self._last_whole = local.date()
        if self._file is None:
            if whole:
                self._look_at_postgresql()
            return EVERY_S
        found = _damage_of(self._file, whole=whole)
        if found is not None:
            damage.tell(found)
        if whole:
            log.info("the database was looked through: %s", found or "no damage")
            return EVERY_S
        return max(EVERY_S, (time.monotonic() - began) / _PART)

    def _look_at_postgresql(self) -> None:
        """Say what PostgreSQL knows itself, and hold its indexes against their rules."""
        with self._database.reading() as session:
            if session.execute(text("SHOW data_checksums")).scalar_one() != "on":
                log.warning("PostgreSQL keeps no checksums of its pages: pg_checksums --enable")
            failed = session.execute(
                text(
                    "SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database "
                    "WHERE datname = current_database()"
                )
            ).scalar_one()
            checked = _check_indexes(session)
        if failed:
            self._database.damage.tell(f"{failed} pages failed their checksum")
        log.info("the database was looked through: %s indexes", checked)


def _damage_of(file: Path, *, whole: bool) -> str | None:
    return damage_of_file(file, whole=whole) if file.exists() else f"{file} is gone"


def _check_indexes(session: Session) -> int:
    """Have amcheck look at each index, where it was installed and may be used; how many.

    What it finds is an error that tells of damage, as of any statement.
    """
    allowed = session.execute(
        text(
            "SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc p "
            "WHERE proname = 'bt_index_check'"
        )
    ).scalar()
    if not allowed:
        return 0
    indexes = session.scalars(
        text(
            "SELECT c.oid FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
            "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_index i ON i.indexrelid = c.oid "
            "WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid "
            "AND n.nspname = current_schema()"
        )
    ).all()
    for index in indexes:
        session.execute(text("SELECT bt_index_check(CAST(:index AS regclass))"), {"index": index})
    return len(indexes)


async def keep_checking(
    database: Database, settings: Settings, now: Callable[[], datetime]
) -> None:
    """Look for ever, and more often the less it costs; one that is away is tried again."""
    watch = DamageWatch(database, settings)
    while True:
        wait_s = EVERY_S
        with suppress(DatabaseDamaged):  # remembered and told where it was seen
            wait_s = await asyncio.to_thread(watch.look, now())
        beat()
        await asyncio.sleep(wait_s)
