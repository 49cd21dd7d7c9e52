"""Responses of any day as they are stored, and what the database has of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.clock import local_today
from app.db import Database
from app.intake.contents import ResponseRow
from app.intake.ids import made_uuid7
from app.intake.models import Disposition, Response, ResponseText, WithdrawnResponse
from app.intake.prepared import Outcome, Prepared
from app.intake.store import ResponseStore
from app.intake.texts import hashes_of, stored_hash
from app.registry.questionnaires import Published, published
from app.retention.deleting import delete_before
from app.retention.limits import Limits
from app.retention.withdrawing import Withdrawal, withdraw
from app.rollups.cells import layout_of
from app.rollups.models import AsideCell, RollupCell
from app.settings import Settings
from app.text_keys import TextKeys

SETTINGS = Settings()
ZONE = SETTINGS.zone
TODAY = local_today(ZONE)


def months_ago(number: int) -> date:
    """The first day of the month so many months ago."""
    ordinal = TODAY.year * 12 + TODAY.month - 1 - number
    return date(ordinal // 12, ordinal % 12 + 1, 1)


class History:
    """What came to one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = ResponseStore(database, TextKeys.of(SETTINGS))
        with database.reading() as session:
            versions = published(session)
        self.version: Published = [v for v in versions if v.form.code == "sipas-desk"][-1]
        self.versions = {version.id: version for version in versions}

    def one(
        self, day: date, level: int = 4, *, unit: int = 1, text: str = "", late: date | None = None,
        id: str | None = None, channel: str = "kiosk",
    ) -> Prepared:  # fmt: skip
        """A response that passed every check."""
        at = datetime.combine(day, time(9), ZONE)
        given = {"A1": level, "B1": 3, "C1": 2} | ({"comment": text} if text else {})
        packed, texts = self.version.sheet.pack(given)
        hashes = hashes_of(self.store.keys, texts) if texts else None
        row = ResponseRow(
            id=id or str(made_uuid7(at, secrets.token_bytes(10))), point_id=1, unit_id=unit,
            version_id=self.version.id, channel=channel, day=day, answered_at=at, claimed_at=at,
            received_at=datetime.now(UTC), duration_s=90, language="vi",
            disposition=Disposition.COUNTED.value,
            partial=False, packed=packed, texts_hash=stored_hash(hashes), credential_id=7,
        )  # fmt: skip
        return Prepared(row=row, version=self.version, texts=texts, hashes=hashes, late=late)

    def came(self, day: date, number: int, **more: object) -> list[Prepared]:
        """Some responses of a day, stored."""
        made = [self.one(day, 1 + n % 5, **more) for n in range(number)]  # type: ignore[arg-type]
        assert set(self.store.append(made)) == {Outcome.ACCEPTED}
        return made

    def cells(self) -> dict[tuple[object, ...], bytes]:
        """All cells that hold somebody."""
        found: dict[tuple[object, ...], bytes] = {}
        with self.database.reading() as session:
            for table in (RollupCell, AsideCell):
                for *key, packed in session.execute(select(*table.__table__.columns)):
                    if any(packed):
                        found[tuple(key)] = bytes(packed)
        return found

    def respondents(self, cell: bytes) -> int:
        """Of a cell of this form."""
        return int(layout_of(self.version).unpack([cell])["respondents"][0])

    def delete(self, first: date | None = None, texts: date | None = None, **changes: object):
        """Delete by rule what is of days before some."""
        limits = Limits.of(SETTINGS, datetime.combine(TODAY, time(12), ZONE))
        limits = replace(limits, texts=texts, responses=first, **changes)  # type: ignore[arg-type]
        return delete_before(self.database, SETTINGS, limits, "test")

    def withdraw(self, ids: Iterable[str]) -> Sequence[Withdrawal]:
        """One after the other, as citizens do."""
        found = []
        for id in ids:
            with self.database.writing("test") as session:
                found.append(withdraw(session, SETTINGS, id))
        return found

    def ids(self) -> set[str]:
        """Of all rows."""
        with self.database.reading() as session:
            return set(session.scalars(select(Response.id)))

    def count(self, table: type) -> int:
        """How many rows a table has."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def waiting(self) -> int:
        """How many withdrawn ones figures still count."""
        return self.count(WithdrawnResponse)

    def texts(self) -> list[str]:
        """What people wrote, as far as it is kept."""
        with self.database.reading() as session:
            return sorted(session.scalars(select(ResponseText.body)))

    def actions(self) -> list[str]:
        """The audit log's actions, the oldest first."""
        with self.database.reading() as session:
            return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def days_ago(number: int) -> date:
    """A local day of before."""
    return TODAY - timedelta(days=number)
