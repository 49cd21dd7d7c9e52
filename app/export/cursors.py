"""Follows responses: pages of an export, and what came, changed and went since the last one.

A cursor says how far somebody has read. It is encrypted by the keys of ``app.text_keys``, for it
names a response by its own id, which never leaves otherwise. A **round** reads what was received
until a moment, and then what became of responses up to a number; its last page has the cursor of
the next round. The first round has no changes: its rows are as they stand.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.models import Right
from app.audit.log import GENESIS, has
from app.export.arrow import pa, pc
from app.export.reading import (
    DELETED_BEFORE,
    GONE,
    SET_ASIDE,
    TEXTS_DELETED_BEFORE,
    batch,
    tombstones,
)
from app.export.rows import ids_of, read_rows, rows_by_id, span_of, texts_of, wanted_of
from app.export.selection import Selection
from app.intake.changes import What, last_number
from app.intake.export_ids import ExportIds
from app.intake.models import Disposition, ResponseChange
from app.problems import Problem
from app.registry.queries import last_unit_id
from app.text_keys import TextKeys

#: Received so long ago a response is committed, or stands among the changes once it is: what is
#: stored later than usual is noted there (``app.intake.store.STORED_LATE``).
SETTLES = timedelta(seconds=120)
#: Rows of a page, if nothing else is said, and at most.
PAGE, MOST_ON_PAGE = 5000, 50_000
_ABOUT = "export-cursor"
_COUNTED = Disposition.COUNTED.value
_FIRST = "1970-01-01T00:00:00+00:00"


class CursorUnknown(Problem):
    """The cursor cannot be read, is of another export or of other units than the caller has now.

    Or it is of a time that a restore undid. Whoever has it begins anew.
    """

    code, status = "cursor-unknown", 422


@dataclass(frozen=True)
class Cursor:
    """How far somebody has read: the bounds of the round, and the place in it."""

    wish: str
    #: Received after the one, and until the other.
    since: str
    until: str
    #: Changes after the one number, and up to the other.
    change_from: int
    change_to: int
    #: What tells the units of the round (``Selection.reach``), and the last one that there was.
    reach: str
    last_unit: int
    #: From which days on responses and texts were kept when the round began.
    kept_from: str
    texts_from: str
    #: The last response of the round that was read; or the last change.
    after: str = ""
    after_change: int = -1
    #: An entry of the audit log that was there when this was read, and its hash: a restore to
    #: before it undoes what was read.
    entry: int = 0
    entry_hash: str = GENESIS

    def read_at(self, head: tuple[int, str]) -> Cursor:
        """The same with an entry of the audit log of no earlier than what was read."""
        return replace(self, entry=head[0], entry_hash=head[1])

    def sealed(self, keys: TextKeys) -> str:
        """As it is handed out.

        Raises
        ------
        CursorUnknown
            Where the service has no key to seal it with.
        """
        sealed = keys.encrypt(json.dumps(asdict(self)), _ABOUT)
        if sealed is None:
            raise CursorUnknown(field="cursor")
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    @classmethod
    def opened(cls, text: str, keys: TextKeys) -> Cursor:
        """The cursor that was handed out.

        Raises
        ------
        CursorUnknown
            Where it is none of ours.
        """
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            said = keys.decrypt(sealed, _ABOUT)
            if said is None:
                raise CursorUnknown(field="cursor")
            return cls(**json.loads(said))
        except (ValueError, TypeError) as error:
            raise CursorUnknown(field="cursor") from error


@dataclass(frozen=True)
class Page:
    """Some rows, where to go on, and whether there are more in this round."""

    batch: pa.RecordBatch
    cursor: Cursor
    more: bool


@dataclass(frozen=True)
class Share:
    """How far a cursor is, by the moments that ids begin with: counting would take as long."""

    first: int
    last: int

    @classmethod
    def of(cls, session: Session, selection: Selection, cursor: Cursor) -> Share:
        """Of all responses that there are; in a later round, which is short, of none."""
        if cursor.since != _FIRST:
            return cls(0, 0)
        first, last = span_of(session, selection)
        return cls(_place(first), _place(last)) if first else cls(0, 0)

    def total(self, rows: int, cursor: Cursor) -> int:
        """How many rows there will be about, where so many were read; 0 where it is not known."""
        if not cursor.after or self.last <= self.first:
            return 0
        passed = (_place(cursor.after) - self.first) / (self.last - self.first)
        return max(rows, round(rows / passed)) if passed > 0 else 0


def _place(id: str) -> int:
    return int(id.replace("-", "")[:12], 16)


def begin(session: Session, selection: Selection, now: datetime) -> Cursor:
    """The cursor of somebody who has read nothing."""
    number, last_unit = last_number(session), last_unit_id(session)
    return Cursor(
        selection.wish.mark, _FIRST, (now - SETTLES).isoformat(), number, number,
        selection.reach(last_unit), last_unit,
        selection.kept_from.isoformat(), selection.texts_from.isoformat(),
    )  # fmt: skip


def read_page(
    session: Session,
    selection: Selection,
    ids: ExportIds,
    cursor: Cursor,
    now: datetime,
    limit: int = PAGE,
) -> Page:
    """The next page after a cursor.

    Raises
    ------
    CursorUnknown
        Where it is of another export or of other units, or a restore undid it.
    """
    if cursor.wish != selection.wish.mark:
        raise CursorUnknown(field="cursor")
    if cursor.reach != selection.reach(cursor.last_unit):
        # Of units that came, what was read by others is missing; of those that went, it stays.
        raise CursorUnknown(field="cursor")
    if not has(session, cursor.entry, cursor.entry_hash):
        raise CursorUnknown(field="cursor")
    if cursor.after_change < 0:
        read = read_rows(
            session,
            selection,
            cursor.after,
            limit=limit,
            received_after=_moment(cursor.since) if cursor.since != _FIRST else None,
            received_to=_moment(cursor.until),
        )
        wanted = wanted_of(selection, read.rows)
        made = batch(selection, wanted, texts_of(session, selection, wanted), ids)
        if read.last:
            return Page(made, replace(cursor, after=read.last), True)
        cursor = replace(cursor, after="", after_change=cursor.change_from)
        if cursor.change_from < cursor.change_to or _moved(selection, cursor):
            return Page(made, cursor, True)
        return Page(made, _next_round(session, selection, cursor, now), False)
    made, last, full = _changes(session, selection, ids, cursor, limit)
    if full:
        return Page(made, replace(cursor, after_change=last), True)
    return Page(made, _next_round(session, selection, cursor, now), False)


def _next_round(session: Session, selection: Selection, cursor: Cursor, now: datetime) -> Cursor:
    return replace(
        begin(session, selection, now),
        since=cursor.until,
        until=max(_moment(cursor.until), now - SETTLES).isoformat(),
        change_from=cursor.change_to,
    )


def renewed(session: Session, selection: Selection, cursor: Cursor, now: datetime) -> Cursor:
    """The cursor with the bounds of this moment, where its round has not begun.

    A cursor of yesterday is read up to now, not up to yesterday.
    """
    if cursor.after or cursor.after_change >= 0 or cursor.since == _FIRST:
        return cursor
    return replace(
        cursor,
        until=max(_moment(cursor.until), now - SETTLES).isoformat(),
        change_to=max(cursor.change_to, last_number(session)),
    )


def _moved(selection: Selection, cursor: Cursor) -> bool:
    """Whether responses or texts were deleted by rule since the round before."""
    return (
        selection.kept_from > date.fromisoformat(cursor.kept_from)
        or selection.texts_from > date.fromisoformat(cursor.texts_from)
    )  # fmt: skip


def _changes(
    session: Session, selection: Selection, ids: ExportIds, cursor: Cursor, limit: int
) -> tuple[pa.RecordBatch, int, bool]:
    """Rows and tombstones of some changes, the last one's number, and whether there are more."""
    found = session.execute(
        select(ResponseChange.number, ResponseChange.what, ResponseChange.response_id,
               ResponseChange.export_id, ResponseChange.unit_id)
        .where(
            ResponseChange.number > cursor.after_change,
            ResponseChange.number <= cursor.change_to,
            ResponseChange.version_id.in_(sorted(selection.version_ids)),
            scope.within(ResponseChange.unit_id, selection.caller, Right.READ_RESPONSES),
        )
        .order_by(ResponseChange.number)
        .limit(limit)
    ).all()  # fmt: skip
    touched = [each for each in found if selection.wants(each.unit_id)]
    ids_there = [each.response_id for each in touched if each.response_id]
    rows = rows_by_id(session, selection, ids_there)
    counted = dict(zip(ids_of(rows), rows["disposition"].to_pylist(), strict=True))
    gone: list[tuple[str, str | None, date | None]] = []
    for each in touched:
        if each.what == What.GONE or each.response_id is None:
            gone.append((GONE, each.export_id, None))
        elif not selection.wish.aside and counted.get(each.response_id, _COUNTED) != _COUNTED:
            gone.append((SET_ASIDE, each.export_id, None))
    present = rows if selection.wish.aside else rows.filter(pc.equal(rows["disposition"], _COUNTED))
    full = len(found) == limit
    if not full:
        if selection.kept_from > date.fromisoformat(cursor.kept_from):
            gone.append((DELETED_BEFORE, None, selection.kept_from))
        if selection.wish.texts and selection.texts_from > date.fromisoformat(cursor.texts_from):
            gone.append((TEXTS_DELETED_BEFORE, None, selection.texts_from))
    parts = [tombstones(selection.columns, gone)]
    if present.num_rows:
        parts.append(batch(selection, present, texts_of(session, selection, present), ids))
    table = pa.Table.from_batches(parts).combine_chunks().to_batches()
    made = table[0] if table else parts[0]
    return made, found[-1].number if found else cursor.change_to, full


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
