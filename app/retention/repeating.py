"""What was erased is erased again in an earlier state of the database, as a restore brings it back.

Of what was erased only marks are known, and days: enough to find it again, and nothing of what it
was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import Database
from app.intake.models import AsideResponse, Response, ResponseText
from app.intake.retained import Erased, mark_of, marks, put_known, retained
from app.retention.deleting import delete_before
from app.retention.limits import Limits, Sort
from app.retention.withdrawing import Withdrawal, withdraw, withdraw_texts
from app.settings import Settings

_AT_ONCE = 5000


class Repeated(StrEnum):
    """What is erased again."""

    WITHDRAWN = "withdrawn"
    TEXTS_WITHDRAWN = "texts withdrawn"
    RESPONSES = "responses"
    TEXTS = "texts"


@dataclass(frozen=True)
class Erasures:
    """What a database has erased: days by rule, and marks of what was withdrawn."""

    responses_from: date = date.min
    texts_from: date = date.min
    withdrawn: frozenset[int] = frozenset()
    texts: frozenset[int] = frozenset()

    @classmethod
    def of(cls, session: Session) -> Erasures:
        """What a database knows of."""
        kept = retained(session)
        return cls(
            kept.responses_from,
            kept.texts_from,
            marks(session, Erased.WITHDRAWN),
            marks(session, Erased.TEXTS),
        )

    def __or__(self, other: Erasures) -> Erasures:
        """Both: nothing that either has erased comes back."""
        return Erasures(
            max(self.responses_from, other.responses_from),
            max(self.texts_from, other.texts_from),
            self.withdrawn | other.withdrawn,
            self.texts | other.texts,
        )


def repeat(
    database: Database,
    settings: Settings,
    erasures: Erasures,
    actor: str,
    now: datetime,
    *,
    noted_alone: bool = False,
) -> Mapping[Repeated, int]:
    """Erase again; how much of what. Sums of deleted days stay as this database has them.

    What was withdrawn and is not there stays known: its device may have it still, and send it.

    What rules want gone by ``now`` goes, too, unless the database is so old that the clock itself
    is in doubt: then it goes the night after somebody confirmed it. With ``noted_alone`` it goes
    as on any night.
    """
    with database.reading() as session:
        known = Erasures.of(session)
        newest = session.scalar(select(func.max(Response.received_at)))
    done = dict.fromkeys(Repeated, 0)
    for id, texts_alone in _marked(database, erasures, known):
        with database.writing(actor) as session:
            if texts_alone:
                found = withdraw_texts(session, id) is Withdrawal.DONE
                done[Repeated.TEXTS_WITHDRAWN] += found
            else:
                done[Repeated.WITHDRAWN] += withdraw(session, settings, id) is Withdrawal.DONE
    with database.writing(actor) as session:
        put_known(session, erasures.withdrawn - known.withdrawn, Erased.WITHDRAWN)
        put_known(session, erasures.texts - known.texts, Erased.TEXTS)
    limits = replace(
        Limits.of(settings, now),
        responses=_day(erasures.responses_from),
        texts=_day(erasures.texts_from),
    )
    trusted = newest is None or now - newest <= timedelta(days=settings.clock_gap_days)
    if trusted and not noted_alone:
        by_rule = Limits.of(settings, now)
        limits = replace(
            limits,
            responses=_later(limits.responses, by_rule.responses),
            texts=_later(limits.texts, by_rule.texts),
        )
    else:
        limits = replace(
            limits, aside=None, invitations=None, dead_letters=datetime(1, 1, 2, tzinfo=UTC)
        )
    deleted = delete_before(database, settings, limits, actor).numbers
    done[Repeated.RESPONSES] = deleted[Sort.RESPONSES]
    done[Repeated.TEXTS] = deleted[Sort.TEXTS]
    return {what: number for what, number in done.items() if number}


def _marked(database: Database, erasures: Erasures, known: Erasures) -> Iterator[tuple[str, bool]]:
    """Ids whose marks are among the erasures and not known here, and whether of texts alone."""
    gone, texts = erasures.withdrawn - known.withdrawn, erasures.texts - known.texts
    if not gone and not texts:
        return
    ids: set[str] = set()
    with database.reading() as session:
        for column in (Response.id, AsideResponse.response_id):
            rows = session.scalars(select(column), execution_options={"yield_per": _AT_ONCE})
            ids |= {id for id in rows if _mark(id) in gone}
        rows = session.scalars(
            select(ResponseText.response_id).distinct(), execution_options={"yield_per": _AT_ONCE}
        )
        with_texts = {id for id in rows if mark_of(id, Erased.TEXTS) in texts}
    yield from ((id, False) for id in sorted(ids))
    yield from ((id, True) for id in sorted(with_texts - ids))


def _mark(id: str) -> int | None:
    try:
        return mark_of(id)
    except ValueError:  # what a device sent as one
        return None


def _day(first: date) -> date | None:
    return None if first == date.min else first


def _later(one: date | None, other: date | None) -> date | None:
    days = [day for day in (one, other) if day is not None]
    return max(days, default=None)
