"""Puts responses into the database: rows, texts and cells in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from functools import partial
from hashlib import blake2b
from typing import NamedTuple, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.access import buckets
from app.access.buckets import Draw, Empty
from app.access.callers import Caller
from app.db import Database, bulk
from app.intake.models import (
    AsideResponse,
    LateResponse,
    ReceiptDated,
    Response,
    ResponseText,
)
from app.intake.reply_codes import Claims, codes_of
from app.intake.times import ReceiptRule
from app.invitations.service import burn
from app.registry.questionnaires import Published
from app.rollups.store import CellStore, Contribution

_RESPONSES = cast(Table, Response.__table__)
_TEXTS = cast(Table, ResponseText.__table__)
_LATE = cast(Table, LateResponse.__table__)
_LATE_COLUMNS = ("response_id", "version_id", "unit_id", "channel", "day", "received")
_RECEIPT = cast(Table, ReceiptDated.__table__)
_RECEIPT_COLUMNS = ("response_id", "unit_id", "rule", "received_at")
_ASIDE = cast(Table, AsideResponse.__table__)
_ASIDE_COLUMNS = (
    "credential_id", "response_id", "point_id", "unit_id", "rule", "body", "received_at",
)  # fmt: skip
#: Of a body that is longer the beginning is kept.
_BODY_KEPT = 20_000
#: And of an id that is none of ours.
_ID_KEPT = 64
_IDS_AT_ONCE = 500


class Outcome(Enum):
    """What became of a response that was fit to be stored."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    #: Its invitation was used up by another response, or is too old.
    UNINVITED = "uninvited"
    #: Its code for a reply is another response's.
    CODE_TAKEN = "code-taken"


class Content(NamedTuple):
    """Everything that a respondent said and the device claims."""

    point_id: int
    version_id: int
    claimed_at: datetime
    duration_s: int | None
    language: str
    partial: bool
    packed: bytes
    texts_hash: bytes | None


def hash_of_texts(texts: Mapping[str, str]) -> bytes | None:
    """Sixteen bytes that tell a response's texts, which may be gone before it; None for none."""
    if not texts:
        return None
    return blake2b(json.dumps(texts, sort_keys=True).encode(), digest_size=16).digest()


class ResponseRow(NamedTuple):
    """A response as its table has it: a field for each column."""

    id: str
    point_id: int
    unit_id: int
    version_id: int
    channel: str
    day: date
    answered_at: datetime
    claimed_at: datetime
    received_at: datetime
    duration_s: int | None
    language: str
    disposition: str
    partial: bool
    packed: bytes
    texts_hash: bytes | None
    credential_id: int | None


#: A row by keywords; the class, called itself, would gather them in a dictionary first, which
#: takes twice as long.
response_row = partial(ResponseRow.__new__, ResponseRow)


class Prepared(NamedTuple):
    """A response that passed every check and waits to be stored."""

    row: ResponseRow
    version: Published
    texts: dict[str, str]
    #: What it draws from before it is stored.
    draws: tuple[Draw, ...] = ()
    #: Hash of the invitation's token that it uses up.
    invitation: str | None = None
    #: The local day on which it came, where that is a later one.
    late: date | None = None
    #: Why it is counted at receipt, if it is.
    receipt_rule: ReceiptRule | None = None
    #: Hash of the code by which its respondent finds a reply, if she wants one.
    reply_code_hash: str | None = None

    @property
    def id(self) -> str:
        """The id of the response."""
        return self.row.id

    def contribution(self) -> Contribution:
        """What the response adds to its cell: where, and its packed answers."""
        row = self.row
        return (row.day, row.unit_id, row.version_id, row.channel), self.version, row.packed


class Refused(NamedTuple):
    """What is to be kept although it was refused: its id if it had one, the rule, and the body."""

    id: str | None
    rule: str
    body: str

    @property
    def kept(self) -> str:
        """What is kept of the body."""
        return self.body[:_BODY_KEPT]


class ResponseStore:
    """Stores groups of responses, each group durably or not at all."""

    def __init__(self, database: Database, webhook_delay_s: int = 0) -> None:
        self._database, self._webhook_delay_s = database, webhook_delay_s
        self._cells = CellStore(database)

    @property
    def groups_at_once(self) -> int:
        """How many groups are worth storing at the same time."""
        return 1 if self._database.locks_whole_database else 2

    def append(self, group: Sequence[Prepared]) -> Sequence[Outcome | Empty]:
        """Store a group in one transaction; the outcome of each, in order, or what was empty.

        When this returns, what was accepted is on disk. An id that stands twice in the group or
        is stored already is a duplicate if the content is the same and a conflict otherwise.
        What finds nothing to draw is not stored.
        """
        with self._database.writing() as session:
            kept_out: list[Empty | Outcome | None] = [*_without(session, group)]
            claims = self._claim(session, group, kept_out)
            self._burn(session, group, kept_out)
            if not any(kept_out):
                return self._append(session, group, claims)
            fine = [response for response, out in zip(group, kept_out, strict=True) if not out]
            outcomes = iter(self._append(session, fine, claims))
        return [out or next(outcomes) for out in kept_out]

    def _claim(
        self, session: Session, group: Sequence[Prepared], kept_out: list[Empty | Outcome | None]
    ) -> Claims | None:
        """Claim the codes for replies; whose code is another's is kept out. None without codes."""
        if not any(response.reply_code_hash for response in group):
            return None
        wanted = [r for r, out in zip(group, kept_out, strict=True) if not out]
        claims = Claims(session, wanted)
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
        if not invited:
            return
        there = _contents(session, [group[place].row.id for place in invited])
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
        self, session: Session, group: Sequence[Prepared], claims: Claims | None
    ) -> list[Outcome]:
        first: dict[str, Prepared] = {}
        for response in group:
            first.setdefault(response.row.id, response)
        ordered = [first[id] for id in sorted(first)]
        connection = session.connection()
        there = bulk.insert_missing(
            connection, _RESPONSES, ResponseRow._fields, [response.row for response in ordered]
        )
        stored: dict[str, Content] = {}
        codes: dict[str, str] = {}
        accepted = ordered
        if there:
            accepted = [response for response in ordered if (response.row.id,) not in there]
            stored = _contents(session, [id for (id,) in there])
        if claims is not None:
            claims.give_back([response.row.id for response in accepted])
        if there:
            codes = codes_of(session, [id for (id,) in there])
        bulk.insert_missing(
            connection,
            _TEXTS,
            ("response_id", "item", "unit_id", "day", "body"),
            [
                (response.row.id, item, response.row.unit_id, response.row.day, body)
                for response in accepted
                if response.texts
                for item, body in sorted(response.texts.items())
            ],
        )
        late = [
            (r.row.id, r.row.version_id, r.row.unit_id, r.row.channel, r.row.day, r.late)
            for r in accepted
            if r.late
        ]
        bulk.insert_missing(connection, _LATE, _LATE_COLUMNS, late)
        marked = [
            (r.row.id, r.row.unit_id, r.receipt_rule.value, r.row.received_at)
            for r in accepted
            if r.receipt_rule
        ]
        bulk.insert_missing(connection, _RECEIPT, _RECEIPT_COLUMNS, marked)
        if accepted:
            self._cells.add(session, [response.contribution() for response in accepted])
        if len(accepted) == len(group):
            return [Outcome.ACCEPTED] * len(group)
        return [
            Outcome.ACCEPTED
            if first[response.row.id] is response and response.row.id not in stored
            else Outcome.DUPLICATE
            if (content_of(response.row), response.reply_code_hash)
            == (
                (stored[response.row.id], codes.get(response.row.id))
                if response.row.id in stored
                else (
                    content_of(first[response.row.id].row),
                    first[response.row.id].reply_code_hash,
                )
            )
            else Outcome.CONFLICT
            for response in group
        ]

    def set_aside(self, refused: Sequence[Refused], caller: Caller, now: datetime) -> None:
        """Keep what a device was refused for good, as it was sent."""
        assert caller.point is not None
        point = caller.point
        with self._database.writing(caller.name) as session:
            rows = [
                (caller.credential_id, key, point.id, point.unit_id, each.rule, each.kept, now)
                for key, each in sorted(_keyed(session, refused, caller.credential_id).items())
            ]
            bulk.insert_missing(session.connection(), _ASIDE, _ASIDE_COLUMNS, rows)

    def contents(self, ids: Sequence[str]) -> dict[str, Content]:
        """The contents of those of the ids that are stored."""
        with self._database.reading() as session:
            return _contents(session, ids)


def _keyed(
    session: Session, refused: Sequence[Refused], credential_id: int | None
) -> dict[str, Refused]:
    """Under which key each is kept: the same sent again once, and another one with its id too."""
    ids = [(each.id or _print(each.kept))[:_ID_KEPT] for each in refused]
    query = select(AsideResponse.response_id, AsideResponse.body).where(
        AsideResponse.credential_id == credential_id, AsideResponse.response_id.in_(set(ids))
    )
    prints = {id: _print(body) for id, body in session.execute(query)}
    keyed = {}
    for id, each in zip(ids, refused, strict=True):
        own = _print(each.kept)
        key = id if prints.setdefault(id, own) == own else f"{id[: _ID_KEPT - len(own) - 1]}.{own}"
        keyed[key] = each
    return keyed


def _print(body: str) -> str:
    """What tells one body from another; its age is another one in each try."""
    try:
        document = json.loads(body)
    except ValueError:  # cut off
        document = body
    if isinstance(document, dict):
        document = {k: v for k, v in document.items() if k not in ("age_s", "clock_lost")}
    said = json.dumps(document, sort_keys=True)
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _without(session: Session, group: Sequence[Prepared]) -> list[Empty | None]:
    """Draw for the responses; for each the bucket in which there was nothing, if any."""
    return buckets.take(session, [response.draws for response in group])


def _contents(session: Session, ids: Sequence[str]) -> dict[str, Content]:
    """The contents of stored responses by id."""
    found = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        query = select(Response).where(Response.id.in_(ids[start : start + _IDS_AT_ONCE]))
        for row in session.scalars(query):
            found[row.id] = content_of(row)
    return found


def content_of(row: ResponseRow | Response) -> Content:
    """What tells a response from another one with its id."""
    return Content(
        point_id=row.point_id,
        version_id=row.version_id,
        claimed_at=row.claimed_at,
        duration_s=row.duration_s,
        language=row.language,
        partial=row.partial,
        packed=bytes(row.packed),
        texts_hash=row.texts_hash,
    )
