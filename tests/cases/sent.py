"""Responses as they were stored on days of the past, with codes for replies and comments."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from app.cases.models import Case, CaseState, CaseSubject, Origin
from app.db import Database
from app.intake.prepared import Outcome, Prepared
from app.intake.store import ResponseStore
from app.intake.texts import hashes_of, stored_hash
from app.registry.questionnaires import Published, published
from app.settings import Settings
from app.text_keys import TextKeys
from tests.integrity.stored import ZONE, one

SETTINGS = Settings(cache_s=0)
KEYS = TextKeys.of(SETTINGS)
MONTH, NEXT = date(2026, 9, 1), date(2026, 10, 1)
#: The days on which its low marks are looked at.
ELEVENTH, SECOND_ELEVENTH = date(2026, 10, 11), date(2026, 11, 11)
LOW, GOOD = {"A1": 1, "B1": 5}, {"A1": 4, "B1": 5}
#: 16 signs of Crockford's base 32.
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_made = iter(range(10**9))


def new_code() -> str:
    """A code as a device makes it."""
    return "".join(secrets.choice(SIGNS) for _ in range(16))


def hash_of_code(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def form(database: Database, code: str = "sipas-desk") -> Published:
    with database.reading() as session:
        return next(v for v in reversed(published(session)) if v.form.code == code)


def sent(
    version: Published,
    unit: int,
    day: date = MONTH,
    answers: Mapping[str, int] = GOOD,
    *,
    comment: str | None = None,
    code: str | None = None,
    received: date | None = None,
) -> Prepared:
    """A response of a local day, that came on that day or on another."""
    n = next(_made)
    at = datetime.combine(day, time(8), ZONE) + timedelta(seconds=37 * (n % 900))
    came = at if received is None else datetime.combine(received, time(9, 0, n % 60), ZONE)
    made = one(version, unit, at, answers, received=came)
    texts = {"comment": comment} if comment else {}
    hashes = hashes_of(KEYS, texts) if texts else None
    return made._replace(
        row=made.row._replace(texts_hash=stored_hash(hashes)),
        texts=texts,
        hashes=hashes,
        reply_code_hash=hash_of_code(code) if code else None,
    )


def keep(database: Database, responses: Sequence[Prepared]) -> list[str]:
    """Store them; their ids."""
    if responses:
        assert set(ResponseStore(database, KEYS).append(responses)) == {Outcome.ACCEPTED}
    return [each.row.id for each in responses]


def all_cases(database: Database) -> list[Case]:
    with database.reading() as session:
        found = session.scalars(select(Case).order_by(Case.opened_day, Case.id)).all()
        session.expunge_all()
        return list(found)


def subjects(database: Database) -> dict[str, int]:
    """The response of each case that has one."""
    with database.reading() as session:
        rows = session.execute(select(CaseSubject.response_id, CaseSubject.case_id))
        return {row.response_id: row.case_id for row in rows}


def case_about(database: Database, unit: int, **changes: object) -> int:
    """A case about a unit, whose citizen waits for a reply; its number."""
    version = form(database)
    (id,) = keep(database, [sent(version, unit, answers=LOW)])
    values: dict[str, object] = {
        "origin": Origin.WISH, "unit_id": unit, "handed_to_id": unit, "version_id": version.id,
        "month": MONTH, "opened_day": MONTH, "due_day": date(2090, 1, 1),
        "first_due_day": date(2090, 1, 1), "state": CaseState.OPEN, "responses": 1,
        "low_items": "{}",
    }  # fmt: skip
    with database.writing() as session:
        case = Case(**values | changes)
        session.add(case)
        session.flush()
        session.add(CaseSubject(response_id=id, case_id=case.id))
        return case.id
