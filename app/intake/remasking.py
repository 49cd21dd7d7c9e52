"""Masks what is stored already: of before there was a masker, or of an older edition of it.

Some hundred texts are one transaction, and take turns with whoever else changes stored texts:
another run, a new key, what is erased. Whoever is killed leaves texts that are done and texts that
are not, none of them half, and the next run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.db import Database
from app.db.locks import Lock, hold
from app.db.overwriting import empty_journal, overwriting
from app.intake.changes import Touched, What, note_changes
from app.intake.models import AsideResponse, Response, ResponseText
from app.intake.texts import about, body_hashes, masked_body, read_text, stored_hash
from app.masking.masker import EDITION, mask
from app.text_keys import ID_BYTES, TextKeys, TextKeysUnusableError

#: Texts of one transaction: the intake writes meanwhile.
_AT_ONCE = 200


@dataclass(frozen=True)
class Remasked:
    """How many comments and refused bodies were looked at, and how many are others now."""

    texts: int
    changed: int
    #: Whether what stood there before is gone from SQLite's journal, too.
    journal_emptied: bool


def waiting(session: Session) -> int:
    """How many are to be masked."""
    texts = session.scalar(select(func.count()).select_from(ResponseText).where(_old(ResponseText)))
    bodies = session.scalar(
        select(func.count()).select_from(AsideResponse).where(_old(AsideResponse))
    )
    return (texts or 0) + (bodies or 0)


def unreadable(session: Session, keys: TextKeys) -> int:
    """How many texts are encrypted by keys that are not there."""
    number = func.count()
    key = func.substr(ResponseText.encrypted_body, 1, ID_BYTES)
    query = select(key, number).where(ResponseText.encrypted_body.is_not(None)).group_by(key)
    known = {each.id for each in keys.keys(make=False)}
    return sum(count for id, count in session.execute(query) if bytes(id) not in known)


def remask(
    database: Database,
    keys: TextKeys,
    actor: str,
    tell: Callable[[int], None] = lambda number: None,
) -> Remasked:
    """Mask all that no masker, or an older edition, stored; what is done stays done.

    Interrupted, it goes on where it was the next time; two at a time share the work. ``tell`` is
    called with how many are done since the last call. The audit log has the numbers alone, and
    that it was begun before anything is another.

    Raises
    ------
    TextKeysUnusableError
        Where a name of staff cannot be encrypted; nothing of that transaction is changed.
    """
    looked_at = changed = 0
    begun = False
    for step in (_some_texts, _some_bodies):
        done = _AT_ONCE
        while done == _AT_ONCE:
            with database.writing(actor) as session, overwriting(session):
                hold(session.connection(), Lock.RETAINING)
                if not begun and (number := waiting(session)):
                    record(session, "masking.begin", "comments", waiting=number)
                begun = True
                done, others = step(session, keys)
                session.flush()
            looked_at, changed = looked_at + done, changed + others
            tell(done)
    with database.writing(actor) as session:
        record(session, "masking.run", "comments", texts=looked_at, changed=changed)
    return Remasked(looked_at, changed, empty_journal(database, patient=True))


def reencrypt(
    database: Database,
    keys: TextKeys,
    actor: str,
    tell: Callable[[int], None] = lambda number: None,
) -> int:
    """Encrypt by the present key what older ones encrypted; how many. What no key opens stays.

    Raises
    ------
    TextKeysUnusableError
        Where the present key cannot be used.
    """
    place, done = ("", ""), 0
    while True:
        with database.writing(actor) as session:
            hold(session.connection(), Lock.RETAINING)
            query = (
                select(ResponseText)
                .where(
                    ResponseText.encrypted_body.is_not(None),
                    _after(place),
                )
                .order_by(ResponseText.response_id, ResponseText.item)
                .limit(_AT_ONCE)
            )
            rows = session.scalars(query).all()
            for row in rows:
                place = (row.response_id, row.item)
                encrypted = bytes(row.encrypted_body or b"")
                where = about(row.response_id, row.item)
                if not keys.is_present(encrypted):
                    opened = keys.decrypt(encrypted, where)
                    if opened is not None:
                        row.encrypted_body = _encrypted(keys, opened, where)
                        done += 1
        tell(len(rows))
        if len(rows) < _AT_ONCE:
            return done


def _after(place: tuple[str, str]) -> ColumnElement[bool]:
    if not place[0]:
        return ResponseText.item.is_not(None)
    return or_(
        ResponseText.response_id > place[0],
        and_(ResponseText.response_id == place[0], ResponseText.item > place[1]),
    )


def _old(table: type[ResponseText] | type[AsideResponse]) -> ColumnElement[bool]:
    return or_(table.masker_edition.is_(None), table.masker_edition < EDITION)


def _encrypted(keys: TextKeys, text: str, where: str) -> bytes:
    """A text by the present key: without one, the names in it would be lost for good."""
    made = keys.encrypt(text, where)
    if made is None:
        raise TextKeysUnusableError(f"{keys.file}: there is no key any more")
    return made


def _some_texts(session: Session, keys: TextKeys) -> tuple[int, int]:
    query = select(ResponseText).where(_old(ResponseText)).limit(_AT_ONCE).with_for_update()
    rows, others = session.scalars(query).all(), set()
    for row in rows:
        again = row.masker_edition is not None
        said = read_text(keys, row.response_id, row.item, row.body, row.encrypted_body)
        masked = mask(said, again=again)
        if masked.text != row.body and not (again and said == row.body and row.encrypted_body):
            row.body = masked.text
            others.add((row.response_id, row.item))
        if masked.with_staff != masked.text:
            where = about(row.response_id, row.item)
            row.encrypted_body = _encrypted(keys, masked.with_staff, where)
        elif row.encrypted_body is not None and said != row.body:
            row.encrypted_body = None
        row.masker_edition = EDITION
    _note(session, {id for id, _ in others})
    return len(rows), len(others)


def _note(session: Session, ids: Collection[str]) -> None:
    """Whoever follows responses is told words anew that are masked otherwise now."""
    query = select(Response.id, Response.unit_id, Response.version_id).where(Response.id.in_(ids))
    touched = [Touched(*each) for each in session.execute(query)]
    note_changes(session, What.CHANGED, touched)


def _some_bodies(session: Session, keys: TextKeys) -> tuple[int, int]:
    query = select(AsideResponse).where(_old(AsideResponse)).limit(_AT_ONCE).with_for_update()
    rows, changed = session.scalars(query).all(), 0
    for row in rows:
        if row.body_hash is None:
            row.body_hash = stored_hash(body_hashes(keys, row.body))
        masked = masked_body(row.body, again=row.masker_edition is not None)
        if masked != row.body:
            row.body, changed = masked, changed + 1
        row.masker_edition = EDITION
    return len(rows), changed
