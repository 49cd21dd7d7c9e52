"""Whether the figures can be trusted: who answers, how, and where nobody does."""

from __future__ import annotations

import numpy as np
from sqlalchemy import case, func, select

from app.access import scope
from app.access.models import Right
from app.figures import microdata
from app.figures.context import number
from app.figures.query import Key
from app.figures.results import Names, unit_result
from app.intake.models import Disposition, Response
from app.reports.views.context import ViewContext, released_cells
from app.reports.views.form_results import (
    Alike,
    ChannelCount,
    FewRow,
    Handled,
    NoOpinionRow,
    Quality,
)
from app.reports.views.overview import set_aside, volume
from app.rollups.cells import layout_of
from surveys.model import RatedItem

#: A whole form in fewer seconds was not read.
HASTY_S = 20
#: Fewer answers than this all alike say nothing.
_LEAST_ALIKE = 5


def quality(context: ViewContext) -> Quality:
    """Counts of what makes figures doubtful, over the period, and the units without answers."""
    rates, _ = context.compared.rates(Key.UNIT)
    counts = [0 if rates.hidden[i] else int(rates.sums["n"][i]) for i in range(len(rates.unit))]
    asking = [
        rates.hidden[i]
        or counts[i] > 0
        or (unit is not None and unit.id in context.reached | context.heard)
        for i, unit in enumerate(rates.unit)
    ]
    waiting = {unit.code for unit in rates.unit if unit is not None and unit.id in context.heard}
    few = [
        FewRow(unit=unit_result(unit), respondents=None if rates.hidden[i] else counts[i])
        for i, unit in enumerate(rates.unit)
        if unit is not None and asking[i] and (rates.hidden[i] or counts[i] < context.figures.least)
    ]
    return Quality(
        **dict(context.head()),
        responses=_responses(context),
        set_aside=set_aside(context),
        volume=volume(context),
        straight_lining=_straight_lining(context),
        no_opinion=_no_opinion(context),
        channels=_channels(context),
        units=sum(map(bool, asking)),
        silent=[row for row in few if row.respondents == 0 and row.unit.code not in waiting],
        waiting=[row for row in few if row.respondents == 0 and row.unit.code in waiting],
        few=[row for row in few if row.respondents != 0],
        hasty_s=HASTY_S,
        least_respondents=context.figures.least,
        method="counts of responses in the period; straight-lining: every one of at least "
        f"{_LEAST_ALIKE} rated items at the same level",
    )


def _responses(context: ViewContext) -> Handled:
    """Of the responses that count: how many were hasty, left unfinished, in English."""
    query = (
        select(
            Response.unit_id,
            func.count(),
            func.count(Response.duration_s),
            func.sum(case((Response.duration_s < HASTY_S, 1), else_=0)),
            func.sum(case((Response.partial, 1), else_=0)),
            func.sum(case((Response.language == "en", 1), else_=0)),
        )
        .where(
            Response.day.between(context.span.first, context.span.last),
            Response.version_id.in_(context.version_ids),
            Response.disposition == Disposition.COUNTED,
            scope.within(Response.unit_id, context.figures.caller, Right.READ_FIGURES),
        )
        .group_by(Response.unit_id)
    )
    total = np.zeros(5, dtype=np.int64)
    for unit_id, *numbers in context.figures.session.execute(query):
        if unit_id in context.within:
            total += np.array([int(n or 0) for n in numbers])
    counted, timed, hasty, partial, english = total.tolist()
    return Handled(
        counted=counted,
        timed=timed,
        hasty=hasty,
        hasty_share=hasty / timed if timed else None,
        partial=partial,
        partial_share=partial / counted if counted else None,
        in_english=english,
    )


def _straight_lining(context: ViewContext) -> Alike | None:
    """How many gave every rated item the same level; None where too few could have."""
    found = microdata.read(
        context.figures.session,
        context.form,
        first=context.span.first,
        last=context.span.last,
        units=context.within,
        unreleased=context.figures.unreleased,
    )
    form = context.form.form
    if not len(found):
        return None
    levels = np.concatenate([found.rated(factor) for factor in form.index_factors], axis=1)
    answered = np.isfinite(levels).sum(axis=1)
    able = answered >= _LEAST_ALIKE
    n = int(able.sum())
    if n < context.figures.least and not context.figures.gate.everywhere:
        return None
    if n == 0:
        return None
    alike = int((np.nanmax(levels[able], axis=1) == np.nanmin(levels[able], axis=1)).sum())
    return Alike(respondents=n, alike=alike, share=alike / n)


def _no_opinion(context: ViewContext) -> list[NoOpinionRow]:
    """Of each rated item, how many said that they have no opinion, the most first."""
    layout = layout_of(context.form)
    read = released_cells(context, context.form)
    counts = read.cells["counts"].sum(axis=0).astype(np.float64)
    people = float(read.cells["respondents"].sum())
    if people < context.figures.least and not context.figures.gate.everywhere:
        return []
    rows = []
    for item in context.form.form.items:
        slot = layout.slots.get((item.code, None))
        if slot is None or not isinstance(item, RatedItem):
            continue
        all_ = sum(counts[place] for (code, _), place in layout.slots.items() if code == item.code)
        rows.append(
            NoOpinionRow(
                item=item.code,
                name=Names(vi=item.text.vi, en=item.text.en),
                no_opinion=int(counts[slot]),
                share=number(counts[slot] / all_) if all_ else None,
            )
        )
    rows.sort(key=lambda row: -(row.share or 0))
    return rows


def _channels(context: ViewContext) -> list[ChannelCount]:
    rates, _ = context.figures.rates(Key.CHANNEL)
    return [
        ChannelCount(
            channel=str(channel), respondents=None if rates.hidden[i] else int(rates.sums["n"][i])
        )
        for i, channel in enumerate(rates.channel)
        if rates.hidden[i] or rates.sums["n"][i] > 0
    ]
