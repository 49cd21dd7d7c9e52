"""The first page: are we all right, who needs help, is it real or noise."""

from __future__ import annotations

from app.figures import cell_reading, response_rates, served
from app.figures.context import number
from app.figures.regrouping import whole_number
from app.invitations.service import months
from app.reports.views.alerts import alerts
from app.reports.views.context import ViewContext
from app.reports.views.headline import index
from app.reports.views.results import Overview, SetAside, Volume
from app.reports.views.trend import trend
from app.reports.views.units import standing, units

#: Changes that the first page names.
_NAMED = 8


def overview(context: ViewContext) -> Overview:
    """The index, how many answered, which units changed, what else stands out."""
    compared = units(context, judged=False) if context.kind else None
    return Overview(
        **dict(context.head()),
        index=index(context),
        volume=volume(context),
        set_aside=set_aside(context),
        standing=None if compared is None else standing(compared),
        fell=compared.fell[:_NAMED] if compared else [],
        rose=compared.rose[:_NAMED] if compared else [],
        alerts=alerts(context),
        trend=trend(context),
        method="clustered rates; changes by the score interval, Benjamini–Hochberg over the units",
    )


def volume(context: ViewContext) -> Volume:
    """Cases finished where the questionnaire is used, how many answered, and were invited."""
    session, span = context.figures.session, context.span
    last = max(span.first, min(span.last, context.today))
    cases_of = served.cases(context.figures, span.first, last)
    # A hospital's visits are no cases of a desk whose form is looked at.
    cases = whole_number(sum(n for id, n in cases_of.items() if id in context.asking))
    rates, _ = context.figures.rates()
    unknown = served.without_cases(context.figures, span.first, last)
    comparable = cases > 0 and not context.asking & unknown
    rows = months(session, context.unit_ids, span.first, span.last)
    issued, answered = sum(row[2] for row in rows), sum(row[3] for row in rows)
    shown = context.tells_invited()
    interval = response_rates.interval(answered, issued)
    heard = None
    if comparable and not rates.hidden[0]:
        heard = (float(rates.sums["n"][0]) + context.unreleased) / cases
    return Volume(
        cases=cases or None,
        respondents_to_cases=heard,
        invited=issued if shown else None,
        answered=answered if shown else None,
        response_rate=number(interval.estimate[0]) if shown else None,
        response_rate_low=number(interval.low[0]) if shown else None,
        response_rate_high=number(interval.high[0]) if shown else None,
    )


def set_aside(context: ViewContext) -> SetAside:
    """How many responses do not count, of how many."""
    counted = aside = 0
    session = context.figures.session
    among = frozenset(context.figures.regrouping.wholly_in(context.within))
    first, last = context.span.first, context.span.last
    # Of cells: these stay where the responses of a day were deleted by rule.
    for version in context.figures.versions:
        rows = cell_reading.cells(
            session, version, first=first, last=last, units=among, channels=()
        )
        rows_aside = cell_reading.cells_aside(
            session, version, first=first, last=last, units=among, channels=()
        )
        counted += int(rows.cells["respondents"].sum())
        aside += int(rows_aside.rows.cells["respondents"].sum())
    all_ = counted + aside
    if not context.figures.gate.everywhere and (
        context.hides() or 0 < aside < context.figures.least
    ):
        return SetAside(responses=None, set_aside=None, share=None)
    return SetAside(responses=all_, set_aside=aside, share=aside / all_ if all_ else None)
