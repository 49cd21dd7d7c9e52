"""Whether the figures can be trusted: who answers, how, and where nobody does."""

from __future__ import annotations

from collections import Counter

import numpy as np

from app.figures.context import number
from app.figures.query import Key
from app.figures.regrouping import whole_number
from app.figures.results import Names, unit_result
from app.reports.views.conduct_counts import (
    Told,
    forms_among,
    forms_of,
    is_told_of_forms,
    respondents,
    sees_few,
)
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
from app.rollups.conduct import HASTY_S, LEAST_ALIKE, Conduct
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
    told = None
    if not context.hides():
        told = {each: released_cells(context, each) for each in context.figures.versions}
    return Quality(
        **dict(context.head()),
        responses=_responses(context, told),
        set_aside=set_aside(context),
        volume=volume(context),
        straight_lining=_straight_lining(context, told),
        no_opinion=_no_opinion(context, told),
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


def _responses(context: ViewContext, told: Told | None) -> Handled:
    """Of the responses that count: how many were hasty, left unfinished, in English.

    Of days whose responses older software deleted it is known how many there were, and no more.
    """
    counted = None if told is None else respondents(told)
    if told is None or not is_told_of_forms(context, told):
        return Handled(
            counted=counted, known=None, timed=None, hasty=None, hasty_share=None,
            partial=None, partial_share=None, in_english=None,
        )  # fmt: skip
    n, taken = forms_of(told), forms_among(context, told, Conduct.TIMED)
    known, timed, hasty = n[Conduct.KNOWN], taken[Conduct.TIMED], taken[Conduct.HASTY]
    unknown = not known and bool(counted)
    untold = not timed and not sees_few(context)
    return Handled(
        counted=counted,
        known=known,
        timed=None if untold else timed,
        hasty=None if untold else hasty,
        hasty_share=hasty / timed if timed else None,
        partial=None if unknown else n[Conduct.PARTIAL],
        partial_share=n[Conduct.PARTIAL] / known if known else None,
        in_english=None if unknown else n[Conduct.ENGLISH],
    )


def _straight_lining(context: ViewContext, told: Told | None) -> Alike | None:
    """How many gave every rated item the same level; None where too few could have."""
    if told is None or not is_told_of_forms(context, told):
        return None
    found = forms_among(context, {context.form: told[context.form]}, Conduct.ABLE)
    n, same = found[Conduct.ABLE], found[Conduct.ALIKE]
    return Alike(respondents=n, alike=same, share=same / n) if n else None


def _no_opinion(context: ViewContext, told: Told | None) -> list[NoOpinionRow]:
    """Of each rated item, how many said that they have no opinion, the most first."""
    if told is None:
        return []
    none: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for version, rows_of in told.items():
        counts = rows_of.cells["counts"].sum(axis=0, dtype=np.int64)
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
