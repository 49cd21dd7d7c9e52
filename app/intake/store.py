"""Puts responses into the database: rows, texts and cells in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import compress
from operator import attrgetter, not_
from typing import cast

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from app.access import buckets
from app.access.buckets import Empty
from app.access.callers import Caller
from app.db import Database, bulk
from app.intake import retained
from app.intake.aside_names import aside_names
from app.intake.changes import note_stored
from app.intake.contents import Content, ResponseRow, content_of, is_repeated
from app.intake.models import (
    AsideResponse,
    LateResponse,
    ReceiptDated,
    Response,
    ResponseText,
)
from app.intake.prepared import Group, Outcome, Prepared, Refused, by_field, contributions
from app.intake.received_days import ReceivedDays
from app.intake.reply_codes import Claims, codes_of
from app.intake.texts import (
    body_hashes,
    masked_body,
    masked_texts,
    stored_hash,
)
from app.invitations.service import burn
from app.masking.masker import EDITION
from app.rollups.store import CellStore
from app.text_keys import TextKeys

_RESPONSES = cast(Table, Response.__table__)
_TEXTS = cast(Table, ResponseText.__table__)
_LATE = cast(Table, LateResponse.__table__)
_LATE_COLUMNS = ("response_id", "version_id", "unit_id", "channel", "day", "received")
_RECEIPT = cast(Table, ReceiptDated.__table__)
_RECEIPT_COLUMNS = ("response_id", "unit_id", "rule", "received_at")
_ASIDE = cast(Table, AsideResponse.__table__)
_ASIDE_COLUMNS = (
    "credential_id", "response_id", "point_id", "unit_id", "rule", "body", "body_hash",
    "masker_edition", "received_at", "code_hash",
)  # fmt: skip
_TEXT_COLUMNS = (
    "response_id", "item", "unit_id", "day", "body", "encrypted_body", "masker_edition",
)  # fmt: skip
_IDS_AT_ONCE = 500
_id, _received_at = attrgetter("row.id"), attrgetter("received_at")
#: Who follows responses by when they were received reads up to some time ago
#: (``app.export.cursors.SETTLES``, twice as long). What is stored so long after it was received,
#: since a database or a machine stood still, is noted as a change, or they would pass it by.
STORED_LATE = timedelta(seconds=60)


class ResponseStore:
    """Stores groups of responses, each group durably or not at all.

    ``now`` is the clock by which they were received.
    """

    def __init__(
        self,
        database: Database,
        keys: TextKeys,
        webhook_delay_s: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._webhook_delay_s, self._now = database, webhook_delay_s, now
        self.keys = keys
        self._cells = CellStore(database)
        self._days = ReceivedDays(database)

    @property
    def groups_at_once(self) -> int:
        """How many groups are worth storing at the same time."""
        return 1 if self._database.locks_whole_database else 2

    def append(self, group: Sequence[Prepared]) -> Sequence[Outcome | Empty]:
        """Store a group in one transaction; the outcome of each, in order, or what was empty.

        When this returns, what was accepted is on disk. An id that stands twice in the group or
        is stored already is a duplicate if the content is the same and a conflict otherwise.
        What finds nothing to draw is not stored. What was erased is a duplicate, whatever it says:
        its content is no longer known. No text is stored, but masked.
        """
        if not group:
            return []
        group = self.masked(group)
        of, noted = by_field(group), set[str]()
        followed = compress(of.row, map(not_, of.told_as_change))
        self._days.note(list(followed) if any(of.told_as_change) else of.row)
        outcomes = self._stored(group, of, noted)
        settled = self._now() - STORED_LATE
        if min(map(_received_at, of.row)) < settled:  # the commit itself took so long
            self._note_late(group, outcomes, settled, noted)
        return outcomes

    def _note_late(
        self,
        group: Sequence[Prepared],
        outcomes: Sequence[Outcome | Empty],
        settled: datetime,
        noted: set[str],
    ) -> None:
        """Note what was committed long after it was received, and was not noted before."""
        late = {
            response.row.id: response.row
            for response, outcome in zip(group, outcomes, strict=True)
            if outcome is Outcome.ACCEPTED
            and response.row.received_at < settled
            and response.row.id not in noted
        }
        if late:
            with self._database.writing() as session:
                query = select(Response.id).where(Response.id.in_(late)).order_by(Response.id)
                there = session.scalars(query.with_for_update())
                note_stored(session, [late[id] for id in there])

    def _stored(
        self, group: Sequence[Prepared], of: Group, noted: set[str]
    ) -> Sequence[Outcome | Empty]:
        """Store a group; into ``noted`` go the ids of those noted as stored late."""
        with self._database.writing() as session:
            kept_out: list[Empty | Outcome | None] = [*buckets.take(session, of.draws)]
            claims = self._claim(session, group, kept_out) if any(of.reply_code_hash) else None
            if any(of.invitation):
                self._burn(session, group, kept_out)
            if not any(kept_out):
                return self._append(session, group, claims, noted)
            fine = [response for response, out in zip(group, kept_out, strict=True) if not out]
            outcomes = iter(self._append(session, fine, claims, noted))
        return [out or next(outcomes) for out in kept_out]

    def masked(self, group: Sequence[Prepared]) -> Sequence[Prepared]:
        """The same responses with their texts masked, those whose are not yet.

        It takes a thread some milliseconds a text, so it is done before anybody waits for it.
        """
        if not any(response.texts for response in group):
            return group
        return [
            response._replace(
                texts={}, stored_texts=masked_texts(self.keys, response.row.id, response.texts)
            )
            if response.texts
            else response
            for response in group
        ]

    def _claim(
        self, session: Session, group: Sequence[Prepared], kept_out: list[Empty | Outcome | None]
    ) -> Claims:
        """Claim the codes for replies; whose code is another's is kept out."""
        claims = Claims(session, [r for r, out in zip(group, kept_out, strict=True) if not out])
        for place, response in enumerate(group):
            if not kept_out[place] and claims.refuses(response):
                kept_out[place] = Outcome.CODE_TAKEN
        return claims

    def _burn(
        self, session: Session, group: Sequence[Prepared], kept_out: list[Empty | Outcome | None]
    ) -> None:
        """Use up the invitations of responses that are new; who has none any more is kept out.

        A response that is sent again finds its own invitation used up, and passes.
        """
        invited = [
            place
            for place, response in enumerate(group)
            if response.invitation and not kept_out[place]
        ]
        ids = [group[place].row.id for place in invited]
        there = {*_contents(session, ids), *retained.look_up(session, ids)[1]}
        burnt: set[str] = set()
        for place in invited:
            row, invitation = group[place].row, group[place].invitation
            assert invitation is not None
            if row.id in there or row.id in burnt:
                continue
            if burn(session, invitation, row.received_at, self._webhook_delay_s):
                burnt.add(row.id)
            elif not _contents(session, [row.id]):  # it may have been stored since we looked
                kept_out[place] = Outcome.UNINVITED

    def _append(
        self,
        session: Session,
        group: Sequence[Prepared],
        claims: Claims | None,
        noted: set[str],
    ) -> list[Outcome]:
        if not group:
            if claims is not None:
                claims.give_back([])
            return []
        # Of those with one id the first: the last of them that is put there.
        first = dict(zip(map(_id, reversed(group)), reversed(group), strict=True))
        ids = sorted(first)
        ordered = [first[id] for id in ids]
        of = by_field(ordered)
        # Nearly always all of them are new, and of days that are kept: what that is known by and
        # their cells are asked for with them, so that a store that is elsewhere is asked once.
        inserted = bulk.insert_missing_later(
            session.connection(), _RESPONSES, ResponseRow._fields, of.row
        )
        # Looked for after the rows are there: whoever deletes a day waits for them, or is seen.
        looked_up = retained.look_up_later(session, ids)
        added = contributions(of)
        touched = self._cells.touch(session, added) if self._cells.known(added) else None
        there = inserted.result()
        stored: dict[str, Content] = {}
        codes: dict[str, str] = {}
        accepted = ordered
        if there:
            accepted = [response for response in ordered if (response.row.id,) not in there]
            stored = _contents(session, [id for (id,) in there])
        kept, erased = looked_up.result()
        out: dict[str, Outcome] = {}
        if erased or kept.responses_from > date.min:
            out = {
                each.row.id: Outcome.DUPLICATE if each.row.id in erased else Outcome.DAY_DELETED
                for each in accepted
                if each.row.id in erased or each.row.day < kept.responses_from
            }
        if out:
            _take_back(session, sorted(out))
            accepted = [response for response in accepted if response.row.id not in out]
        if claims is not None:
            claims.give_back([response.row.id for response in accepted])
        if there:
            codes = codes_of(session, [id for (id,) in there])
        if accepted:
            if accepted is not ordered:
                of = by_field(accepted)
                added, touched = contributions(of), None
            self._add(session, accepted, of, kept)
            self._cells.add(session, touched or self._cells.touch(session, added))
            noted |= self._note_unfound(session, accepted, of)
        if len(accepted) == len(group):
            return [Outcome.ACCEPTED] * len(group)

        def is_same(response: Prepared) -> bool:
            """Whether a response is the one that is stored with its id, or the group's first."""
            id = response.row.id
            there = stored.get(id) or content_of(first[id].row)
            code = codes.get(id) if id in stored else first[id].reply_code_hash
            return code == response.reply_code_hash and is_repeated(
                there, content_of(response.row), response.hashes
            )

        return [
            out[response.row.id]
            if response.row.id in out
            else Outcome.ACCEPTED
            if first[response.row.id] is response and response.row.id not in stored
            else Outcome.DUPLICATE
            if is_same(response)
            else Outcome.CONFLICT
            for response in group
        ]

    def _add(
        self,
        session: Session,
        accepted: Sequence[Prepared],
        of: Group,
        kept: retained.Retained,
    ) -> None:
        """What goes with rows that are there, but for their cells: words, marks of times."""
        connection = session.connection()
        if any(of.stored_texts):
            said = [r for r in accepted if r.stored_texts and r.row.day >= kept.texts_from]
            # A restore may know of a withdrawal whose response comes only now, again.
            withdrawn = retained.without_words(session, [r.row.id for r in said])
            texts = [
                (r.row.id, item, r.row.unit_id, r.row.day, body, encrypted, EDITION)
                for r in said
                if r.row.id not in withdrawn
                for item, body, encrypted in r.stored_texts or ()
            ]
            bulk.insert_missing(connection, _TEXTS, _TEXT_COLUMNS, texts)
        if any(of.late):
            late = [
                (r.row.id, r.row.version_id, r.row.unit_id, r.row.channel, r.row.day, r.late)
                for r in accepted
                if r.late
            ]
            bulk.insert_missing(connection, _LATE, _LATE_COLUMNS, late)
        if any(of.receipt_rule):
            marked = [
                (r.row.id, r.row.unit_id, r.receipt_rule.value, r.row.received_at)
                for r in accepted
                if r.receipt_rule
            ]
            bulk.insert_missing(connection, _RECEIPT, _RECEIPT_COLUMNS, marked)

    def _note_unfound(self, session: Session, accepted: Sequence[Prepared], of: Group) -> set[str]:
        """Note those whom followers would not find, and give their ids.

        Last of all, so that as little time as can be lies before the commit; after it the clock
        is looked at again.
        """
        settled = self._now() - STORED_LATE
        if not any(of.told_as_change) and min(map(_received_at, of.row)) >= settled:
            return set()
        unfound = [r.row for r in accepted if r.told_as_change or r.row.received_at < settled]
        return note_stored(session, unfound)

    def set_aside(self, refused: Sequence[Refused], caller: Caller, now: datetime) -> None:
        """Keep what a device was refused for good, its words masked."""
        assert caller.point is not None and caller.credential_id is not None
        point = caller.point
        bodies = [(masked_body(each.body), body_hashes(self.keys, each.body)) for each in refused]
        with self._database.writing(caller.name) as session:
            gone = retained.erased(session, {each.id for each in refused if each.id})
            kept = [
                (each, *masked)
                for each, masked in zip(refused, bodies, strict=True)
                if each.id not in gone
            ]
            names = aside_names(
                session, caller.credential_id, [each.id for each, _, _ in kept],
                [hashes for _, _, hashes in kept], self.keys,
            )  # fmt: skip
            rows = {
                name: (
                    caller.credential_id, name, point.id, point.unit_id, each.rule, body,
                    stored_hash(hashes), EDITION, now, each.code_hash,
                )
                for name, (each, body, hashes) in zip(names, kept, strict=True)
            }  # fmt: skip
            bulk.insert_missing(
                session.connection(), _ASIDE, _ASIDE_COLUMNS, [rows[name] for name in sorted(rows)]
            )

    def contents(self, ids: Sequence[str]) -> dict[str, Content]:
        """The contents of those of the ids that are stored."""
        with self._database.reading() as session:
            return _contents(session, ids)

    def look_up(self, ids: Sequence[str]) -> tuple[retained.Retained, frozenset[str]]:
        """Which days are kept, and which of the ids are of responses that were erased."""
        with self._database.reading() as session:
            return retained.look_up(session, ids)


def _take_back(session: Session, ids: Sequence[str]) -> None:
    """Remove rows again that this transaction has put there."""
    for start in range(0, len(ids), _IDS_AT_ONCE):
        session.execute(
            delete(Response).where(Response.id.in_(ids[start : start + _IDS_AT_ONCE])),
            execution_options={"synchronize_session": False},
        )


def _contents(session: Session, ids: Sequence[str]) -> dict[str, Content]:
    """The contents of stored responses by id."""
    found = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = select(Response).where(Response.id.in_(ids[start : start + _IDS_AT_ONCE]))
        for row in session.scalars(query):
            found[row.id] = content_of(row)
    return found
