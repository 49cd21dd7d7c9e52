"""Sets responses aside, and counts them again: the one place where a disposition changes.

What is set aside stays stored, under the rule that set it aside; its cell loses it and the cell of
its rule gains it in the same transaction. Whoever compares two moments, or figures with and without
what is set aside, must not learn what few said: of one unit, questionnaire version, channel and
month (a day, while the month runs and is shown day by day) nobody moves or at least as many as a
figure must have to be shown, and as many or none of each factor, item and question besides. Who
cannot move so stays where they are. What a device brought late moves by itself: others are told of
it with others (``app.figures.late``). And of what is set aside nobody is left, or again as many:
figures with and without it would differ by the few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.access.models import Credential
from app.audit.log import record
from app.clock import local_today
from app.intake.changes import Touched, What, note_changes
from app.intake.models import Disposition, LateResponse, Response
from app.intake.received_days import first_id
from app.intake.retained import retained
from app.intake.rollup_rebuild import hold_off_writers
from app.registry.questionnaires import Published, published
from app.rollups.cells import layout_of
from app.rollups.conduct import conduct_of
from app.rollups.measure_counts import counts_by_measure, moved_together
from app.rollups.store import CellKey, Moving, shift
from app.rollups.version import raise_version
from app.settings import Settings

#: The rule of what an operator set aside since a device or key was in other hands.
DISTRUSTED = "distrusted"
#: Ids in one statement.
_AT_ONCE = 500


class UnknownCredentialError(LookupError):
    """There is no credential with this number."""


class ReasonMissingError(ValueError):
    """What sets answers aside, or counts them again, needs a reason."""


@dataclass(frozen=True)
class Together:
    """From how many respondents on answers may move together, and the local day."""

    least: int
    today: date

    @classmethod
    def of(cls, settings: Settings) -> Together:
        """As the settings have it, today."""
        return cls(settings.least_respondents, local_today(settings.zone))


@dataclass(frozen=True)
class Changed:
    """How many responses changed their disposition, and how many stayed: too few to move."""

    moved: int
    stayed: int


class _Row(NamedTuple):
    id: str
    day: date
    unit_id: int
    version_id: int
    channel: str
    rule: str | None
    packed: bytes
    duration_s: int | None
    partial: bool
    language: str
    #: Whether a device brought it late.
    late: bool = False

    @property
    def cell(self) -> CellKey:
        return self.day, self.unit_id, self.version_id, self.channel

    def moving(self, version: Published) -> Moving:
        """What it adds to its cell, and to those of which rule."""
        conduct = conduct_of(self.duration_s, self.partial, self.language)
        return Moving((self.cell, version, bytes(self.packed), conduct), self.rule)


def change_dispositions(
    session: Session,
    together: Together,
    before: Disposition,
    to: Disposition,
    rule: str | None,
    *which: ColumnElement[bool],
) -> Changed:
    """Change the disposition of some responses that have another one; cells follow.

    Parameters
    ----------
    before
        Those of ``which`` that have this disposition are meant.
    rule
        By which rule they are set aside; None where they are to count.
    """
    if (rule is None) != (to is Disposition.COUNTED):
        raise ValueError("what is set aside is so by a rule, and what counts by none")
    hold_off_writers(session)
    rows = _rows(session, Response.disposition == before.value, *which)
    if not rows:
        return Changed(0, 0)
    versions = {version.id: version for version in published(session)}
    moving = rows
    if Disposition.COUNTED in (before, to):
        left = None
        if to is Disposition.COUNTED:
            left = _left_aside(session, rows, together.today)
        moving = [
            row
            for key, piece in _pieces(rows, together.today).items()
            for row in _movable(
                versions[key[0]], piece, together.least, None if left is None else left.get(key, [])
            )
        ]
    if moving:
        ids = [row.id for row in moving]
        for start in range(0, len(ids), _AT_ONCE):
            session.execute(
                update(Response)
                .where(Response.id.in_(ids[start : start + _AT_ONCE]))
                .values(disposition=to.value, aside_rule=rule),
                execution_options={"synchronize_session": False},
            )
        shift(session, [row.moving(versions[row.version_id]) for row in moving], rule)
        note_changes(
            session,
            What.CHANGED,
            [Touched(row.id, row.unit_id, row.version_id) for row in moving],
        )
        raise_version(session)
    return Changed(len(moving), len(rows) - len(moving))


@dataclass(frozen=True)
class Leaving:
    """A response that may leave the figures with others, and where its answers are counted."""

    id: str
    moving: Moving


def movable(session: Session, together: Together, *which: ColumnElement[bool]) -> Sequence[Leaving]:
    """Those of some responses that may leave the figures for good, whatever counts them now.

    Of each piece nobody leaves or as many as may move together; of what counts and of what is set
    aside by itself, and of the latter few are never left.
    """
    versions = {version.id: version for version in published(session)}
    found: list[_Row] = []
    every = _rows(session, *which)
    counted, aside = ([row for row in every if (row.rule is None) is so] for so in (True, False))
    for key, piece in _pieces(counted, together.today).items():
        found += _movable(versions[key[0]], piece, together.least, None)
    if aside:
        left = _left_aside(session, aside, together.today)
        for key, piece in _pieces(aside, together.today).items():
            found += _movable(versions[key[0]], piece, together.least, left.get(key, []))
    return [Leaving(row.id, row.moving(versions[row.version_id])) for row in found]


def _rows(session: Session, *which: ColumnElement[bool]) -> list[_Row]:
    columns = Response.__table__.c
    found = session.connection().execute(
        select(
            columns.id, columns.day, columns.unit_id, columns.version_id, columns.channel,
            columns.aside_rule, columns.packed, columns.duration_s, columns.partial,
            columns.language, LateResponse.response_id.is_not(None),
        )
        .outerjoin(LateResponse, LateResponse.response_id == columns.id)
        # What is deleted by rule, though its rows may still be there, stays in its cells.
        .where(columns.day >= retained(session).responses_from, *which)
    )  # fmt: skip
    return [_Row(*row) for row in found]


#: Version, unit, channel, first day of the month or the day, and whether late.
_Piece = tuple[int, int, str, date, bool]


def _pieces(rows: Iterable[_Row], today: date) -> Mapping[_Piece, list[_Row]]:
    """Rows by version, unit, channel and month; by day in a month that is shown day by day."""
    pieces: dict[_Piece, list[_Row]] = defaultdict(list)
    running = today.replace(day=1)
    for row in rows:
        when = row.day if row.day >= running else row.day.replace(day=1)
        pieces[row.version_id, row.unit_id, row.channel, when, row.late].append(row)
    return pieces


def _left_aside(session: Session, rows: Sequence[_Row], today: date) -> Mapping[_Piece, list[_Row]]:
    """What else is set aside where some rows are."""
    ids = {row.id for row in rows}
    aside = _rows(
        session,
        Response.disposition != Disposition.COUNTED.value,
        Response.unit_id.in_({row.unit_id for row in rows}),
        Response.day >= min(row.day for row in rows).replace(day=1),
    )
    return _pieces((row for row in aside if row.id not in ids), today)


def _movable(
    version: Published, rows: Sequence[_Row], least: int, left: Sequence[_Row] | None
) -> list[_Row]:
    """Those that can move without moving a measure by few, nor leaving few of one set aside.

    ``left`` are those of the piece that stay set aside anyway; None where rows are to be set aside.
    """
    if len(rows) < least:
        return []
    answered = _answered(version, rows)
    among = moved_together(answered, least)
    if left is not None:
        stay = answered[~among].sum(axis=0) + _answered(version, left).sum(axis=0)
        if ((stay > 0) & (stay < least)).any():
            return []
    return [row for row, moves in zip(rows, among.tolist(), strict=True) if moves]


def _answered(version: Published, rows: Sequence[_Row]) -> NDArray[np.int64]:
    """Which measures each answered, 0 or 1, shape (rows, measures)."""
    packed = [bytes(row.packed) for row in rows]
    cells = layout_of(version).tally(packed, np.arange(len(rows)), len(rows), None)
    return np.minimum(counts_by_measure([version], version, cells), 1)


def set_counted(
    session: Session,
    together: Together,
    credential_id: int,
    since: datetime,
    reason: str,
    *,
    counted: bool,
) -> Changed:
    """Count again, or no longer, what a credential sent from a moment of receipt on.

    A device that was stolen, or a key that leaked, may have sent what nobody said. Responses keep
    the credential that sent them, so those are found, whatever time they claim.

    Raises
    ------
    UnknownCredentialError, ReasonMissingError
        See there.
    """
    credential = session.get(Credential, credential_id)
    if credential is None:
        raise UnknownCredentialError(f"no key number {credential_id}")
    reason = " ".join(reason.split())
    if not reason:
        raise ReasonMissingError("a reason is needed")
    before, after = Disposition.COUNTED, Disposition.DISTRUSTED
    if counted:
        before, after = after, before
    changed = change_dispositions(
        session,
        together,
        before,
        after,
        None if counted else DISTRUSTED,
        Response.credential_id == credential_id,
        # Whoever has a key is found by ids; writers wait for this.
        Response.id >= first_id(session, since),
        Response.received_at >= since.astimezone(UTC),
    )
    details = {
        "since": since, "reason": reason, "responses": changed.moved, "stayed": changed.stayed,
    }  # fmt: skip
    if counted:
        record(session, "responses.count_again", credential_id, **details)
    else:
        record(session, "responses.set_aside", credential_id, **details)
    return changed
