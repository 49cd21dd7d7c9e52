"""From which days on what is kept, by the settings; days before are over with all of their month.

Whole months of local days: within a month that was told, and whose late answers were told with
others, nothing is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.settings import Settings


class Sort(StrEnum):
    """What is deleted by a rule of its own; each in the order in which it is done."""

    TEXTS = "texts"
    RESPONSES = "responses"
    ASIDE = "aside"
    INVITATIONS = "invitations"
    DEAD_LETTERS = "dead letters"


@dataclass(frozen=True)
class Limits:
    """Of each sort the first local day that is kept; None where all are."""

    texts: date | None
    responses: date | None
    #: By when it came, by the server's clock.
    aside: datetime | None
    #: By when the case was finished.
    invitations: date | None
    #: By when it was given up.
    dead_letters: datetime

    @classmethod
    def of(cls, settings: Settings, now: datetime) -> Limits:
        """What the settings say at a moment."""
        local = now.astimezone(settings.zone)
        aside = _months_back(local.date(), settings.keep_aside_months)
        return cls(
            _months_back(local.date(), settings.keep_texts_months),
            _months_back(local.date(), settings.keep_responses_months),
            datetime.combine(aside, time(), settings.zone) if aside else None,
            _months_back(local.date(), settings.keep_invitations_months),
            now - timedelta(days=settings.dead_letter_days),
        )

    def first(self, sort: Sort) -> date | None:
        """The first day that is kept of a sort."""
        found = {
            Sort.TEXTS: self.texts,
            Sort.RESPONSES: self.responses,
            Sort.ASIDE: self.aside,
            Sort.INVITATIONS: self.invitations,
            Sort.DEAD_LETTERS: self.dead_letters,
        }[sort]
        return found.date() if isinstance(found, datetime) else found


def _months_back(today: date, months: int | None) -> date | None:
    """The first of the month so many months before today's."""
    if months is None:
        return None
    ordinal = today.year * 12 + today.month - 1 - months
    return date(ordinal // 12, ordinal % 12 + 1, 1) if ordinal >= 12 else date.min
