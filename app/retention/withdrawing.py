"""Erases a response by its citizen's wish, at once; figures let go of it together with others.

Erased in the transaction of the wish: the id, by which device, phone and code know it; the moments
at which it was given and came; the survey point; what sent it; every word. What is left is a row
with an id of its own, of the unit, day and channel, with what was ticked, how long that took and in
which language: as much as sums are made of, and nobody's any more. It stays until ten of its unit,
questionnaire version, channel and month (a day, while the month runs) can leave the figures
together, by the very rule by which answers are set aside (``app.intake.setting_aside``): or else
whoever read a figure before and after would know what the one who withdrew had said. That holds
for everybody, whatever small cells they may see. Then the row goes, and the cells lose it. What
cases lose is said in ``app.cases.letting_go``.

Who sends an erased response again is told that it is there: its mark stays (``Erased``).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, time
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, or_, select, true, update
from sqlalchemy.orm import Session

from app.audit.log import record
from app.cases.letting_go import is_nameless, let_go, let_words_go
from app.cases.models import CaseSubject
from app.clock import local_today
from app.db.overwriting import overwriting
from app.intake.changes import Touched, What, note_changes
from app.intake.ids import made_uuid7
from app.intake.models import (
    AsideResponse,
    LateResponse,
    ReceiptDated,
    ReplyCode,
    Response,
    ResponseText,
    WithdrawnResponse,
)
from app.intake.retained import Erased, erased, is_id, note, put_marks
from app.intake.rollup_rebuild import hold_off_writers
from app.intake.setting_aside import Together, movable
from app.integrity.models import SuspectResponse
from app.rollups.store import take_out
from app.rollups.version import raise_version
from app.settings import Settings

#: A point's number that no survey point has.
_NO_POINT = 0
_AT_ONCE = 500


class Withdrawal(Enum):
    """What became of a citizen's wish."""

    DONE = "done"
    #: It was erased before, by a wish or by rule.
    GONE = "gone"
    UNKNOWN = "unknown"


def withdraw(session: Session, settings: Settings, id: str) -> Withdrawal:
    """Erase a response with all that belongs to it; figures follow when ten can leave together.

    The session must be one that writes. Also what a device was refused with this id is erased.

    Parameters
    ----------
    id
        Of the response, as its device sent it. Whose it is, and that they may, is known to the
        caller.
    """
    id = str(UUID(id))
    kept_from = note(session).responses_from
    hold_off_writers(session)
    aside = _erase_aside(session, id)
    row = session.get(Response, id, with_for_update=True, populate_existing=True)
    if row is None:
        if not aside:
            return Withdrawal.GONE if erased(session, [id]) else Withdrawal.UNKNOWN
        put_marks(session, [id], Erased.WITHDRAWN)
        record(session, "response.withdraw", "one")
        return Withdrawal.DONE
    is_deleted = kept_from is not None and row.day < kept_from
    with overwriting(session):
        nameless = is_nameless(session, id)
        let_go(session, id, local_today(settings.zone))
        # Where its day is deleted anyway, the sums of it stay.
        stripped = None if is_deleted else _stripped(row, settings)
        _replace(session, row, stripped, nameless=nameless)
    put_marks(session, [id], Erased.WITHDRAWN)
    settle(session, settings, units=[row.unit_id])
    record(session, "response.withdraw", "one")
    raise_version(session)
    return Withdrawal.DONE


def withdraw_texts(session: Session, id: str) -> Withdrawal:
    """Erase what a citizen wrote, and leave what they ticked; the session must be one that writes.

    It is not in any figure, so nothing waits.
    """
    id = str(UUID(id))
    note(session)  # or a deletion by rule might be in the midst of it
    row = session.get(Response, id)
    if row is None:
        return Withdrawal.GONE if erased(session, [id]) else Withdrawal.UNKNOWN
    with overwriting(session):
        let_words_go(session, id)
        session.execute(
            delete(ResponseText).where(ResponseText.response_id == id),
            execution_options={"synchronize_session": False},
        )
    put_marks(session, [id], Erased.TEXTS)
    note_changes(session, What.CHANGED, [Touched(id, row.unit_id, row.version_id)])
    record(session, "response.withdraw_texts", "one")
    return Withdrawal.DONE


def withdraw_refused(session: Session, code_hash: str) -> Withdrawal:
    """Erase what a device was refused for good with the hash of a citizen's code."""
    ids = session.scalars(
        select(AsideResponse.response_id).where(AsideResponse.code_hash == code_hash)
    ).all()
    if not ids:
        return Withdrawal.UNKNOWN
    note(session)
    with overwriting(session):
        session.execute(
            delete(AsideResponse).where(AsideResponse.code_hash == code_hash),
            execution_options={"synchronize_session": False},
        )
    own = {id for id in (each.partition(".")[0] for each in ids) if is_id(id)}
    # An id that another response has as well stays that one's.
    own -= set(session.scalars(select(Response.id).where(Response.id.in_(own))))
    put_marks(session, own, Erased.WITHDRAWN)
    record(session, "response.withdraw", "one")
    return Withdrawal.DONE


def settle(session: Session, settings: Settings, units: Sequence[int] | None = None) -> int:
    """Let those withdrawn responses leave the figures that can leave together; how many.

    To be called again when a month is over: its days count as one then.
    """
    together = Together.of(settings)
    note(session)
    hold_off_writers(session)
    waiting: ColumnElement[bool] = Response.id.in_(select(WithdrawnResponse.response_id))
    among = true() if units is None else Response.unit_id.in_(units)
    leaving = movable(session, together, waiting, among)
    if not leaving:
        return 0
    take_out(session, [each.moving for each in leaving])
    ids = [each.id for each in leaving]
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        delete_rows(session, some, (LateResponse, SuspectResponse, WithdrawnResponse))
    note_changes(
        session,
        What.GONE,
        # Its cell is of a unit and a version.
        [
            Touched(each.id, unit_id, version_id)
            for each in leaving
            for _, unit_id, version_id, _ in (each.moving.contribution[0],)
        ],
    )
    record(session, "withdrawn.leave", "figures", responses=len(leaving))
    raise_version(session)
    return len(leaving)


def delete_rows(session: Session, ids: Sequence[str], belonging: Sequence[type[Any]]) -> None:
    """Delete responses, and what belongs to them in tables that have a ``response_id``."""
    unsynchronized = {"synchronize_session": False}
    for table in belonging:
        rows = delete(table).where(table.response_id.in_(ids))
        session.execute(rows, execution_options=unsynchronized)
    gone = delete(Response).where(Response.id.in_(ids))
    session.execute(gone, execution_options=unsynchronized)


def _erase_aside(session: Session, id: str) -> bool:
    """Erase what devices were refused with an id; whether there was something."""
    return bool(
        session.execute(
            delete(AsideResponse).where(
                or_(AsideResponse.response_id == id, AsideResponse.response_id.like(f"{id}.%"))
            ),
            execution_options={"synchronize_session": False},
        ).rowcount  # type: ignore[attr-defined]
    )


def _stripped(row: Response, settings: Settings) -> dict[str, Any]:
    """What figures are computed from, under an id that says the day alone.

    On which day it came is told of what came late anyway (``LateResponse``), and a batch of cases
    goes by it.
    """
    midnight = datetime.combine(row.day, time(), settings.zone)
    came = row.received_at.astimezone(settings.zone).date()
    kept = {
        name: getattr(row, name)
        for name in (
            "unit_id", "version_id", "channel", "day", "duration_s", "language", "disposition",
            "aside_rule", "packed", "partial",
        )
    }  # fmt: skip
    return kept | {
        "id": str(made_uuid7(midnight, secrets.token_bytes(10))),
        "point_id": _NO_POINT,
        "answered_at": midnight,
        "claimed_at": midnight,
        "received_at": datetime.combine(came, time(), settings.zone),
        "credential_id": None,
        "texts_hash": None,
    }


def _replace(
    session: Session, row: Response, stripped: dict[str, Any] | None, *, nameless: bool
) -> None:
    """Erase a row and what belongs to it; what is left of it takes its place in lists."""
    for table in (ResponseText, ReceiptDated, ReplyCode, CaseSubject):
        session.execute(
            delete(table).where(table.response_id == row.id),
            execution_options={"synchronize_session": False},
        )
    lists: tuple[type[LateResponse] | type[SuspectResponse], ...] = (LateResponse, SuspectResponse)
    for listing in lists:
        change: Any = delete(listing)
        if stripped is not None:
            # Others are told of what came late with others, and a batch moves as it was found.
            change = update(listing).values(response_id=stripped["id"])
        session.execute(
            change.where(listing.response_id == row.id),
            execution_options={"synchronize_session": False},
        )
    session.execute(
        delete(WithdrawnResponse).where(WithdrawnResponse.response_id == row.id),
        execution_options={"synchronize_session": False},
    )
    note_changes(session, What.GONE, [Touched(row.id, row.unit_id, row.version_id)])
    session.expunge(row)
    session.execute(
        delete(Response).where(Response.id == row.id),
        execution_options={"synchronize_session": False},
    )
    if stripped is not None:
        session.execute(insert(Response).values(**stripped))
        session.execute(
            insert(WithdrawnResponse).values(response_id=stripped["id"], nameless=nameless)
        )
        came = Touched(stripped["id"], stripped["unit_id"], stripped["version_id"])
        note_changes(session, What.CHANGED, [came])
