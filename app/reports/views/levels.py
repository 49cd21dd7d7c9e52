"""How many chose each level of each item: the shape in which offices hand their figures in.

For the Ministry of Health's forms (Decision 3869/QĐ-BYT of 2019): by item the counts of levels 1
to 5, the mean score and the rate of levels at which one is satisfied; the same by section and
over all; and what the forms ask besides, the per cent of expectation met and whether one would
return. For SIPAS (Decision 2640/QĐ-BNV of 2017): the rate by criterion, factor and overall.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.figures.query import Key
from app.figures.results import Names
from app.reports.views.context import ViewContext, figure, released_cells
from app.reports.views.form_results import (
    LevelBesides,
    LevelItem,
    LevelOption,
    Levels,
    LevelSection,
)
from app.rollups.cells import layout_of
from app.rollups.measure_counts import Measure
from surveys.model import BaseItem, PercentItem, SingleChoiceItem, Text

Floats = NDArray[np.float64]


def levels(context: ViewContext) -> Levels:
    """Counts by level, means and rates by item, section and over all; None where suppressed."""
    whole, _ = context.figures.rates()
    factors, _ = context.figures.rates(Key.FACTOR)
    items, _ = context.figures.rates(Key.ITEM)
    shown = not whole.hidden[0] and float(whole.sums["n"][0]) > 0
    counts, moments = _counted(context) if shown else ({}, {})
    form = context.form.form
    gone = {m.item for i, m in enumerate(items.measure) if items.hidden[i] or not shown}
    by_factor = {m.factor: figure(factors, i) for i, m in enumerate(factors.measure)}
    by_item = {m.item: figure(items, i) for i, m in enumerate(items.measure)}
    values = sorted({level.value for scale in form.scales.values() for level in scale.levels})
    sections = [
        LevelSection(
            factor=factor.code,
            name=_names(factor.title),
            **dict(by_factor[factor.code]),
            items=[
                LevelItem(
                    item=item.code,
                    name=_names(item.text),
                    **dict(by_item[item.code]),
                    levels=[]
                    if item.code in gone
                    else [counts.get((item.code, value), 0) for value in values],
                    no_opinion=None if item.code in gone else counts.get((item.code, None), 0),
                )
                for item in form.index_items(factor)
            ],
        )
        for factor in form.index_factors
    ]
    besides = [
        _besides(item, counts, moments)
        for item in form.more
        if shown and not context.hides(Measure(None, item.code))
    ]
    return Levels(
        **dict(context.head()),
        title=_names(form.title),
        source=_names(form.source),
        values=values,
        whole=figure(whole),
        sections=sections,
        besides=[row for row in besides if row is not None],
        method="counts by level; rates and mean scores over the answers given",
    )


def _names(text: Text) -> Names:
    return Names(vi=text.vi, en=text.en)


def _counted(context: ViewContext) -> tuple[dict[tuple[str, int | None], int], dict[str, Floats]]:
    """How often each answer was given, and the moments of numbers, over all versions."""
    counts: dict[tuple[str, int | None], int] = {}
    moments: dict[str, Floats] = {}
    for version in context.figures.versions:
        layout = layout_of(version)
        read = released_cells(context, version)
        if not len(read.unit_id):
            continue
        sums = read.cells["counts"].sum(axis=0)
        for key, slot in layout.slots.items():
            counts[key] = counts.get(key, 0) + int(sums[slot])
        for code, row in layout.numbers.items():
            found = read.cells["moments"].sum(axis=0)[row].astype(np.float64)
            moments[code] = moments.get(code, np.zeros(3)) + found
    return counts, moments


def _besides(
    item: BaseItem, counts: Mapping[tuple[str, int | None], int], moments: Mapping[str, Floats]
) -> LevelBesides | None:
    """What a form asks besides its index: the mean of a per cent, the counts of a choice."""
    if isinstance(item, PercentItem):
        n, total, _ = moments.get(item.code, np.zeros(3)).tolist()
        # Packed values begin at one.
        mean = total / n - 1 if n else None
        return LevelBesides(item=item.code, name=_names(item.text), n=int(n), mean=mean, options=[])
    if isinstance(item, SingleChoiceItem):
        given = [counts.get((item.code, option.value), 0) for option in item.options]
        all_ = sum(given)
        options = [
            LevelOption(
                value=option.value, name=_names(option.text), n=n, share=n / all_ if all_ else None
            )
            for option, n in zip(item.options, given, strict=True)
        ]
        return LevelBesides(
            item=item.code, name=_names(item.text), n=all_, mean=None, options=options
        )
    return None
