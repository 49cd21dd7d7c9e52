"""Whether the figures can be trusted: who answers, how, and where nobody does."""

from __future__ import annotations

from collections import Counter

import numpy as np

from app.figures.context import number
from app.figures.query import Key
from app.figures.regrouping import whole_number
from app.figures.results import Names, unit_result
from app.registry.questionnaires import Published
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
from app.rollups.cells import FORMS, Cells, layout_of
from app.rollups.conduct import HASTY_S, LEAST_ALIKE, Conduct
from app.rollups.measure_counts import Measure
from surveys.model import RatedItem

#: Cells of the period that the caller is told, by version.
_Told = dict[Published, Cells]


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
        told = {each: released_cells(context, each).cells for each in context.figures.versions}
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


def _responses(context: ViewContext, told: _Told | None) -> Handled:
    """Of the responses that count: how many were hasty, left unfinished, in English.

    Of days whose responses older software deleted it is known how many there were, and no more.
    """
    counted = None if told is None else _respondents(told)
    if told is None or not _tells_forms(context, told):
        return Handled(
            counted=counted, known=None, timed=None, hasty=None, hasty_share=None,
            partial=None, partial_share=None, in_english=None,
        )  # fmt: skip
    n = sum(map(_forms, told.values()), Counter[Conduct]())
    known, timed, hasty = n[Conduct.KNOWN], n[Conduct.TIMED], n[Conduct.HASTY]
    unknown = not known and bool(counted)
    return Handled(
        counted=counted,
        known=known,
        timed=timed,
        hasty=hasty,
        hasty_share=hasty / timed if timed else None,
        partial=None if unknown else n[Conduct.PARTIAL],
        partial_share=n[Conduct.PARTIAL] / known if known else None,
        in_english=None if unknown else n[Conduct.ENGLISH],
    )


def _respondents(told: _Told) -> int:
    return sum(int(cells["respondents"].sum()) for cells in told.values())


def _tells_forms(context: ViewContext, told: _Told) -> bool:
    """Whether the caller is told of forms: of everybody's, or as who sees everything.

    A count of those alone whose days are known would be one of months that nobody asked for, and
    may give a month away that is hidden.
    """
    known = sum(_forms(cells)[Conduct.KNOWN] for cells in told.values())
    return context.figures.gate.everywhere or known == _respondents(told)


def _forms(cells: Cells) -> Counter[Conduct]:
    """How many forms of some cells were filled in how."""
    return Counter(
        dict(zip(FORMS, cells["forms"].sum(axis=0, dtype=np.int64).tolist(), strict=True))
    )


def _straight_lining(context: ViewContext, told: _Told | None) -> Alike | None:
    """How many gave every rated item the same level; None where too few could have."""
    if told is None or not _tells_forms(context, told):
        return None
    found = _forms(told[context.form])
    n, same = found[Conduct.ABLE], found[Conduct.ALIKE]
    if n == 0 or (n < context.figures.least and not context.figures.gate.everywhere):
        return None
    return Alike(respondents=n, alike=same, share=same / n)


def _no_opinion(context: ViewContext, told: _Told | None) -> list[NoOpinionRow]:
    """Of each rated item, how many said that they have no opinion, the most first."""
    if told is None:
        return []
    none: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for version, cells in told.items():
        counts = cells["counts"].sum(axis=0, dtype=np.int64)
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
