"""Puts responses into the database: rows, texts and cells in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table

from app.db import Database, bulk
from app.intake.models import Disposition, Response, ResponseText
from app.registry.questionnaires import Published
from app.rollups.store import CellStore, Contribution

_RESPONSES = cast(Table, Response.__table__)
_TEXTS = cast(Table, ResponseText.__table__)
_COLUMNS = (
    "id",
    "point_id",
    "unit_id",
    "version_id",
    "channel",
    "day",
    "answered_at",
    "claimed_at",
    "received_at",
    "duration_s",
    "language",
    "disposition",
    "packed",
    "content_hash",
)


class Outcome(Enum):
    """What became of a response that was fit to be stored."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A response that passed every check and waits to be stored."""

    id: UUID
    point_id: int
    unit_id: int
    version: Published
    channel: str
    day: date
    answered_at: datetime
    claimed_at: datetime
    received_at: datetime
    duration_s: int | None
    language: str
    packed: bytes
    texts: dict[str, str]
    content_hash: bytes

    def row(self) -> tuple[Any, ...]:
        """The row of the response table."""
        return (
            self.id,
            self.point_id,
            self.unit_id,
            self.version.id,
            self.channel,
            self.day,
            self.answered_at,
            self.claimed_at,
            self.received_at,
            self.duration_s,
            self.language,
            Disposition.COUNTED.value,
            self.packed,
            self.content_hash,
        )

    def contribution(self) -> Contribution:
        """What the response adds to its cell."""
        return Contribution(
            (self.day, self.unit_id, self.version.id, self.channel), self.version, self.packed
        )


class ResponseStore:
    """Stores groups of responses, each group durably or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cells = CellStore(database)

    def append(self, group: Sequence[Prepared]) -> list[Outcome]:
        """Store a group in one transaction; the outcome of each, in order.

        When this returns, what was accepted is on disk. An id that stands twice in the group or
        is stored already is a duplicate if the content is the same and a conflict otherwise.
        """
        first: dict[UUID, Prepared] = {}
        for response in group:
            first.setdefault(response.id, response)
        ordered = [first[id] for id in sorted(first)]
        with self._database.writing() as session:
            connection = session.connection()
            inserted = bulk.insert_missing(
                connection, _RESPONSES, _COLUMNS, [response.row() for response in ordered]
            )
            accepted = [response for response in ordered if (response.id,) in inserted]
            bulk.insert_missing(
                connection,
                _TEXTS,
                ("response_id", "item", "unit_id", "day", "body"),
                [
                    (response.id, item, response.unit_id, response.day, response.texts[item])
                    for response in accepted
                    for item in sorted(response.texts)
                ],
            )
            if accepted:
                self._cells.add(session, [response.contribution() for response in accepted])
            stored = {response.id: response.content_hash for response in accepted}
            if len(accepted) < len(ordered):
                others = [(id,) for id in sorted(first) if (id,) not in inserted]
                hashes = bulk.find_by_key(connection, _RESPONSES, others, ("content_hash",))
                stored |= {key[0]: bytes(row[0]) for key, row in hashes.items()}
        return [self._outcome(response, first, inserted, stored) for response in group]

    @staticmethod
    def _outcome(
        response: Prepared,
        first: dict[UUID, Prepared],
        inserted: set[tuple[Any, ...]],
        stored: dict[UUID, bytes],
    ) -> Outcome:
        if first[response.id] is response and (response.id,) in inserted:
            return Outcome.ACCEPTED
        if stored[response.id] == response.content_hash:
            return Outcome.DUPLICATE
        return Outcome.CONFLICT
