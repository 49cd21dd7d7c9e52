"""Writing and checking the chain.

Entry n's hash covers everything that it says and the hash of entry n − 1, so whoever changes,
inserts or removes an entry within the log breaks the chain from there on. What is cut off at the
end leaves a sound chain: note the last hash elsewhere (``hailong audit verify`` prints it) and
hand it in the next time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.db.base import microseconds
from app.db.database import ACTOR
from app.db.locks import Lock, hold
from app.db.unreadable import NUL, UNREADABLE

#: Whose doing it is where nobody is named.
SYSTEM = "system"
#: The hash "before" the first entry.
GENESIS = "0" * 64
#: Who came in, and by what: no unit, volume, point, right or figure changes with it. In the
#: morning there is one of these every few seconds, and strangers can have an address locked.
_COMING_AND_GOING = (
    "account.sign_in",
    "account.sign_out",
    "account.end_sessions",
    "account.locked",
    "account.link",
    "account.link_identity",
    "account.reset",
    "account.set_password",
)


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
    number, before = last(session)
    entry = AuditEntry(
        id=number + 1,
        at=datetime.now(UTC),
        actor=_kept(session.info.get(ACTOR, SYSTEM)),
        action=action,
        subject=_kept(subject),
        details=as_details(details),
    )
    entry.hash = hash_of(entry, before)
    session.add(entry)
    session.flush()


def last(session: Session) -> tuple[int, str]:
    """The last entry's number and hash; nobody else appends one before this transaction ends."""
    session.flush()
    hold(session.connection(), Lock.AUDITING)
    return head(session)


def head(session: Session) -> tuple[int, str]:
    """The last entry's number and hash as this session sees them; others may append meanwhile."""
    query = select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)
    found = session.execute(query).one_or_none()
    return (found.id, found.hash) if found else (0, GENESIS)


def has(session: Session, number: int, hash: str) -> bool:
    """Whether an entry is of this log's past: after a restore to before it, it is not any more."""
    if number == 0:
        return hash == GENESIS
    return session.scalar(select(AuditEntry.hash).where(AuditEntry.id == number)) == hash


def last_change(session: Session) -> int:
    """The number of the last entry that figures may depend on, 0 before the first.

    It rises with every entry but those of people who come and go.
    """
    query = select(AuditEntry.id).where(AuditEntry.action.not_in(_COMING_AND_GOING))
    return session.scalar(query.order_by(AuditEntry.id.desc()).limit(1)) or 0


def as_details(details: Mapping[str, object]) -> str:
    """Details as they are kept."""
    return json.dumps(details, ensure_ascii=False, sort_keys=True, default=str)


def details_of(entry: AuditEntry) -> dict[str, object]:
    """An entry's details; none of what somebody wrote in their place."""
    try:
        found = json.loads(entry.details)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _kept(name: object) -> str:
    """A name as every store keeps it, since the hash is of what is read again."""
    return str(name).replace(NUL, UNREADABLE)[:200]


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


@dataclass(frozen=True)
class Filters:
    """Which entries are asked for: parts of names, an action, local days."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    first: date | None = None
    last: date | None = None
    zone: tzinfo = UTC


def newest(
    session: Session, filters: Filters, *, before: int | None, limit: int
) -> Sequence[AuditEntry]:
    """Entries that pass the filters, the newest first, with numbers less than ``before``."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if filters.actor:
        query = query.where(AuditEntry.actor.icontains(filters.actor, autoescape=True))
    if filters.action:
        query = query.where(AuditEntry.action == filters.action)
    if filters.subject:
        query = query.where(AuditEntry.subject.icontains(filters.subject, autoescape=True))
    if filters.first is not None:
        query = query.where(AuditEntry.at >= _midnight(filters.first, filters.zone))
    if filters.last is not None and filters.last < date.max:
        following = filters.last + timedelta(days=1)
        query = query.where(AuditEntry.at < _midnight(following, filters.zone))
    return session.scalars(query).all()


def actions(session: Session) -> Sequence[str]:
    """The kinds of changes that are in the log."""
    return session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all()


def _midnight(day: date, zone: tzinfo) -> datetime:
    """The beginning of a local day; days beyond the calendar's ends in the zone are clipped."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return datetime.combine(day, time(), UTC)


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
