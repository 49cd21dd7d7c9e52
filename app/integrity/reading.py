"""Reads stored responses as the arrays that are examined."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    String,
    cast,
    extract,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from analysis.responses import Responses
from app.intake.models import ReceiptDated, Response, WithdrawnResponse
from app.registry.models import Channel
from app.registry.questionnaires import Published
from surveys.answers import NO_OPINION

#: Responses that are examined at once; memory does not grow with how many there are.
AT_ONCE = 500_000
_FETCHED = 20_000
#: A device's clock may be so far off the moment that counts, and its id with it.
_ASTRAY = timedelta(days=45)
#: Channels whose time of answering is not known: typed in by somebody later.
UNTIMED = (Channel.PAPER.value,)
#: Habit groups: each channel, without durations and with.
GROUPS = 2 * len(Channel)


@dataclass(frozen=True)
class Source:
    """What sent: a credential, or all of a unit's that have none, by one channel."""

    unit_id: int
    channel: str
    credential_id: int | None


@dataclass(frozen=True)
class Range:
    """Local hours of the day from one to another, on days of the week from Monday, 1."""

    opens: float = 6.5
    closes: float = 18.0
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Hours:
    """When offices are open: in any of the ranges, as a morning and an afternoon."""

    ranges: tuple[Range, ...] = (Range(),)

    def open(self, local_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which moments are within, given as local seconds since 1970, shape (n,)."""
        hour = local_s % 86_400 / 3600
        weekday = (local_s // 86_400 + 3) % 7 + 1  # 1 January 1970 was a Thursday
        found = np.zeros(len(local_s), dtype=np.bool_)
        for each in self.ranges:
            found |= (hour >= each.opens) & (hour < each.closes) & np.isin(weekday, each.days)
        return found


@dataclass(frozen=True)
class Batches:
    """Responses of one questionnaire version and month, with what each is of.

    ``responses.source`` numbers ``sources``; ``id`` has the 16 bytes of each response's id, (n,).
    """

    version: Published
    month: date
    sources: tuple[Source, ...]
    responses: Responses
    id: NDArray[np.void]


def month_after(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def slices(session: Session, version: Published, month: date) -> int:
    """Into how many parts, by unit, the responses of a month are cut so that each is bounded."""
    among = select(func.count()).select_from(Response).where(*_of(version, month))
    return 1 + (session.scalar(among) or 0) // AT_ONCE


def read(
    session: Session,
    zone: ZoneInfo,
    version: Published,
    month: date,
    *,
    hours: Hours,
    units: Collection[int] | None = None,
    part: int = 0,
    parts: int = 1,
) -> Batches:
    """The responses of a month to one version, whether they count or not.

    Of some units, or of a part of all by the remainder of their numbers. Left out is what was
    left unfinished, and what came by a channel whose times are not known.
    """
    columns, connection = Response.__table__.c, session.connection()
    # As the drivers give them: to make an object of each id and moment takes as long as to read it.
    query = (
        select(
            type_coerce(columns.id, String), columns.unit_id, columns.channel,
            columns.credential_id, _seconds(connection, columns.answered_at),
            _seconds(connection, columns.received_at), columns.duration_s, columns.packed,
        )
        .where(
            *_of(version, month),
            true() if units is None else Response.unit_id.in_(sorted(units)),
            true() if parts == 1 else Response.unit_id % parts == part,
        )
        .order_by(columns.id)
        .execution_options(yield_per=_FETCHED)
    )  # fmt: skip
    return _arrays(zone, version, month, hours, connection.execute(query).partitions())


def _seconds(connection: Connection, column: ColumnElement[datetime]) -> ColumnElement[Any]:
    """A moment as seconds since 1970."""
    if connection.dialect.name == "sqlite":
        return type_coerce(column, Float) / 1e6
    return cast(extract("epoch", column), Float)


def _of(version: Published, month: date) -> tuple[ColumnElement[bool], ...]:
    """The condition that a response is to a version and of a month.

    Ids begin with the device's clock, so that a month is nearly a run of them, and the others are
    noted: nothing else says where in the table a month is.
    """
    first, last = month - _ASTRAY, month_after(month) + _ASTRAY
    low, high = (str(UUID(int=_milliseconds(day) << 80)) for day in (first, last))
    astray = select(ReceiptDated.response_id).where(
        ReceiptDated.received_at >= _moment(first), ReceiptDated.received_at < _moment(last)
    )
    return (
        or_((Response.id >= low) & (Response.id < high), Response.id.in_(astray)),
        Response.version_id == version.id,
        Response.day >= month,
        Response.day < month_after(month),
        Response.channel.not_in(UNTIMED),
        Response.partial.is_(False),
        # Of what a citizen withdrew nothing is looked at any more, and no moment is known.
        Response.id.not_in(select(WithdrawnResponse.response_id)),
    )


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _milliseconds(day: date) -> int:
    return int(_moment(day).timestamp() * 1000)


def _arrays(
    zone: ZoneInfo,
    version: Published,
    month: date,
    hours: Hours,
    chunks: Iterable[Iterable[Any]],
) -> Batches:
    places: dict[tuple[int, str, int | None], int] = {}
    ids: list[NDArray[np.void]] = []
    source: list[NDArray[np.intp]] = []
    times: list[NDArray[np.float64]] = []
    packed: list[NDArray[np.uint8]] = []
    width = version.sheet.width
    for chunk in chunks:
        rows = list(chunk)
        ids.append(np.frombuffer(_joined([row[0] for row in rows]), dtype="V16"))
        keys = [(row[1], row[2], row[3]) for row in rows]
        source.append(np.array([places.setdefault(key, len(places)) for key in keys], np.intp))
        times.append(
            np.array([(row[4], row[5], np.nan if row[6] is None else row[6]) for row in rows])
        )
        packed.append(
            np.frombuffer(b"".join(bytes(row[7]) for row in rows), np.uint8).reshape(-1, width)
        )
    sources = tuple(Source(*key) for key in places)
    of = np.concatenate([np.empty(0, np.intp), *source])
    moments = np.concatenate([np.empty((0, 3)), *times])
    answers = np.concatenate([np.empty((0, width), np.uint8), *packed])
    levels, particulars = _answers(version, answers)
    offset = datetime(month.year, month.month, month.day, tzinfo=zone).utcoffset()
    assert offset is not None
    unit_of = {id: i for i, id in enumerate(dict.fromkeys(each.unit_id for each in sources))}
    units = np.array([unit_of[each.unit_id] for each in sources], dtype=np.intp)
    return Batches(
        version,
        month,
        sources,
        Responses(
            source=of,
            unit=units[of],
            group=_groups(sources, of, moments[:, 2]),
            answered_s=moments[:, 0] + offset.total_seconds(),
            received_s=moments[:, 1] + offset.total_seconds(),
            duration_s=moments[:, 2],
            levels=levels,
            particulars=particulars,
            open=hours.open(moments[:, 0] + offset.total_seconds()),
            one_screen=_screens(sources)[of],
        ),
        np.concatenate([np.empty(0, "V16"), *ids]),
    )


def names(ids: NDArray[np.void]) -> list[str]:
    """Ids as they are stored and shown, of the bytes of ``Batches.id``."""
    return [str(UUID(bytes=id.tobytes())) for id in ids]


def _joined(ids: list[Any]) -> bytes:
    """The bytes of ids one after another; SQLite's are hexadecimal, PostgreSQL's are objects."""
    if ids and isinstance(ids[0], str):
        return bytes.fromhex("".join(ids))
    return b"".join(id.bytes for id in ids)


def _answers(
    version: Published, answers: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Levels of the rated items, 0 where none was given, and a hash of all other answers."""
    form = version.form
    rated = {item.code for factor in form.index_factors for item in form.index_items(factor)}
    columns = version.sheet.columns
    offsets = [column.offset for column in columns if column.item.code in rated]
    levels = answers[:, offsets].copy()
    levels[levels == NO_OPINION[1]] = 0
    others = np.ones(answers.shape[1], dtype=np.bool_)
    others[offsets] = False
    rest = answers[:, others].astype(np.uint64)
    multipliers = np.random.default_rng(1).integers(1, 2**63, rest.shape[1], dtype=np.uint64) | 1
    hashed = (rest * multipliers).sum(axis=1, dtype=np.uint64)
    return levels, np.where(rest.any(axis=1), hashed | np.uint64(1), np.uint64(0))


def _screens(sources: tuple[Source, ...]) -> NDArray[np.bool_]:
    """Which sources are one device: each kiosk has a key of its own."""
    kiosk = Channel.KIOSK.value
    return np.array(
        [each.channel == kiosk and each.credential_id is not None for each in sources], np.bool_
    )


def _groups(
    sources: tuple[Source, ...], of: NDArray[np.intp], duration: NDArray[np.float64]
) -> NDArray[np.intp]:
    """The habit group of each response's source: its channel, and whether it sends durations."""
    timed = np.zeros(len(sources), dtype=np.bool_)
    timed[np.unique(of[np.isfinite(duration)])] = True
    places = {channel.value: i for i, channel in enumerate(Channel)}
    channel = np.array([places[each.channel] for each in sources], dtype=np.intp)
    return (2 * channel + timed)[of]
