"""Which periods are published: those that are over, with some days to bring in late answers."""

from __future__ import annotations

from datetime import date, timedelta

from app.clock import local_today
from app.figures import periods
from app.figures.periods import Length, PeriodUnknown, Span
from app.settings import Settings


def over(settings: Settings) -> date:
    """The last day that may be published: periods that end later are not over."""
    today = local_today(settings.zone)
    return today - timedelta(days=1 + settings.report_after_days)


def finished(name: str | None, settings: Settings) -> Span:
    """The period with a name, or the last that is over.

    Raises
    ------
    PeriodUnknown
        Where it is not of the length that is published, or not over yet.
    """
    last, length = over(settings), Length(settings.public_period)
    if not name:
        latest = periods.span(periods.name_of(last, length))
        if latest.last > last:
            before = latest.first - timedelta(days=1)
            latest = periods.span(periods.name_of(before, length))
        return latest
    found = periods.span(name)
    if found.length is not length or found.last > last:
        raise PeriodUnknown(field="period", name=name)
    return found
