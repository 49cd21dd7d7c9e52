"""Whether the figures can be trusted: who answers, how, and where nobody does."""

from __future__ import annotations

from collections import Counter

import numpy as np
from sqlalchemy import case, func, select

from app.figures import microdata, visible
from app.figures.context import number
from app.figures.doubts import HASTY_S, LEAST_ALIKE, alike
from app.figures.query import Key
from app.figures.regrouping import whole_number
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
from app.rollups.measure_counts import Measure
from surveys.model import RatedItem


def quality(context: ViewContext) -> Quality:
    """Counts of what makes figures doubtful, over the period, and the units without answers."""
    rates, _ = context.compared.rates(Key.UNIT)
    n = rates.sums["n"].tolist()
    counts = [0 if rates.hidden[i] else whole_number(n[i]) for i in range(len(rates.unit))]
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
        f"{LEAST_ALIKE} rated items at the same level",
    )


def _responses(context: ViewContext) -> Handled:
    """Of the responses that count: how many were hasty, left unfinished, in English."""
    session = context.figures.session
    if context.hides() or _deleted(context):
        return Handled(
            counted=None, timed=None, hasty=None, hasty_share=None,
            partial=None, partial_share=None, in_english=None,
        )  # fmt: skip
    query = (
        select(
            Response.unit_id,
            Response.day,
            Response.channel,
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
            visible.within(session, Response.unit_id, context.figures.caller, context.today),
        )
        .group_by(Response.unit_id, Response.day, Response.channel)
    )
    unreleased = context.figures.unreleased
    if unreleased is not None and unreleased.late:
        query = query.where(Response.id.not_in(sorted(unreleased.late)))
    rows = [row for row in session.execute(query) if row[0] in context.unit_ids]
    numbers = np.array([[int(n or 0) for n in row[3:]] for row in rows]).reshape(-1, 5)
    if unreleased is not None and rows:
        held = unreleased.among(
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1] for row in rows], dtype="datetime64[D]"),
            np.array([row[2] for row in rows], dtype=np.str_),
        )
        numbers = numbers[~held]
    counted, timed, hasty, partial, english = numbers.sum(axis=0).tolist()
    return Handled(
        counted=counted,
        timed=timed,
        hasty=hasty,
        hasty_share=hasty / timed if timed else None,
        partial=partial,
        partial_share=partial / counted if counted else None,
        in_english=english,
    )


def _deleted(context: ViewContext) -> bool:
    """Whether single responses of the period were deleted by rule: sums alone are known then."""
    try:
        microdata.check_retained(
            context.figures.session,
            context.version_ids,
            context.span.first,
            context.span.last,
            context.unit_ids,
        )
    except microdata.ResponsesDeleted:
        return True
    return False


def _straight_lining(context: ViewContext) -> Alike | None:
    """How many gave every rated item the same level; None where too few could have."""
    if _deleted(context):
        return None
    found = microdata.read(
        context.figures.session,
        context.form,
        first=context.span.first,
        last=context.span.last,
        units=context.unit_ids,
        unreleased=context.figures.unreleased,
    )
    if context.hides():
        return None
    able, same = alike(found)
    n = int(able.sum())
    if n == 0 or (n < context.figures.least and not context.figures.gate.everywhere):
        return None
    return Alike(respondents=n, alike=int(same.sum()), share=float(same.sum() / n))


def _no_opinion(context: ViewContext) -> list[NoOpinionRow]:
    """Of each rated item, how many said that they have no opinion, the most first."""
    if context.hides():
        return []
    none: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for version in context.figures.versions:
        counts = released_cells(context, version).cells["counts"].sum(axis=0, dtype=np.int64)
        for (code, answer), slot in layout_of(version).slots.items():
            every[code] += int(counts[slot])
            none[code] += int(counts[slot]) if answer is None else 0
    form = context.form.form
    factors = {item.code: f.code for f in form.index_factors for item in form.index_items(f)}
    layout = layout_of(context.form)
    rows = []
    for item in form.items:
        if not isinstance(item, RatedItem) or (item.code, None) not in layout.slots:
            continue
        if context.hides(Measure(factors.get(item.code), item.code)):
            continue
        rows.append(
            NoOpinionRow(
                item=item.code,
                name=Names(vi=item.text.vi, en=item.text.en),
                no_opinion=none[item.code],
                share=number(none[item.code] / every[item.code]) if every[item.code] else None,
            )
        )
    rows.sort(key=lambda row: -(row.share or 0))
    return rows


def _channels(context: ViewContext) -> list[ChannelCount]:
    rates, _ = context.figures.rates(Key.CHANNEL)
    return [
        ChannelCount(
            channel=str(channel),
            respondents=None if rates.hidden[i] else whole_number(float(rates.sums["n"][i])),
        )
        for i, channel in enumerate(rates.channel)
        if rates.hidden[i] or rates.sums["n"][i] > 0
    ]
