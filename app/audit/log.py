"""Writing and checking the chain.

Entry n's hash covers everything that it says and the hash of entry n − 1, so whoever changes,
inserts or removes an entry within the log breaks the chain from there on. What is cut off at the
end leaves a sound chain: note the last hash elsewhere (``hailong audit verify`` prints it) and
hand it in the next time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.db.base import microseconds
from app.db.database import ACTOR

#: The hash "before" the first entry.
GENESIS = "0" * 64
#: Any number: the key of PostgreSQL's lock by which writers of the log take turns.
_LOCK = 4_818_515_141


@dataclass(frozen=True)
class Breach:
    """The first entry that does not follow from the one before, and why."""

    entry: int
    reason: str


@dataclass(frozen=True)
class Verdict:
    """How many entries there are, the last hash, and where the chain breaks if it does."""

    entries: int
    head: str
    breach: Breach | None


def record(session: Session, action: str, subject: object, **details: object) -> None:
    """Append an entry about a change, within the transaction that makes the change.

    The session must be one that writes; its actor (``Database.writing(actor=…)``) is whose
    doing it is. Entries of several writers take turns until their transactions end.
    """
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = session.execute(
        select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)
    ).one_or_none()
    entry = AuditEntry(
        id=(last.id if last else 0) + 1,
        at=datetime.now(UTC),
        actor=str(session.info.get(ACTOR, "system"))[:200],
        action=action,
        subject=str(subject)[:200],
        details=json.dumps(details, ensure_ascii=False, sort_keys=True, default=str),
    )
    entry.hash = hash_of(entry, last.hash if last else GENESIS)
    session.add(entry)
    session.flush()


def hash_of(entry: AuditEntry, before: str) -> str:
    """The hash that an entry must have after one whose hash is ``before``."""
    content = [
        before,
        entry.id,
        microseconds(entry.at),
        entry.actor,
        entry.action,
        entry.subject,
        entry.details,
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()


def entries(session: Session) -> Iterator[AuditEntry]:
    """All entries from the first on; memory does not grow with their number."""
    yield from session.scalars(
        select(AuditEntry).order_by(AuditEntry.id), execution_options={"yield_per": 1000}
    )


def verify(session: Session, expected_head: str | None = None) -> Verdict:
    """Walk the chain; ``expected_head`` is a last hash that was noted earlier."""
    before, count, breach = GENESIS, 0, None
    seen = expected_head in (None, GENESIS)
    for entry in entries(session):
        count += 1
        if breach is None and entry.id != count:
            breach = Breach(count, f"entry {count} is missing")
        if breach is None and entry.hash != hash_of(entry, before):
            breach = Breach(entry.id, "it, or the one before, was changed")
        before = entry.hash
        seen = seen or before == expected_head
    if breach is None and not seen:
        breach = Breach(count + 1, "the log was cut: the hash that was noted is not in it")
    return Verdict(count, before, breach)
