"""How many chose each level of each item: the shape in which offices hand their figures in.

For the Ministry of Health's forms (Decision 3869/QĐ-BYT of 2019): by item the counts of levels 1
to 5, the mean score and the rate of levels at which one is satisfied; the same by section and
over all; and what the forms ask besides, the per cent of expectation met and whether one would
return. For SIPAS (Decision 2640/QĐ-BNV of 2017): the rate by criterion, factor and overall.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures import visible
from app.figures.query import Key
from app.registry.questionnaires import Published
from app.reports.views.context import ViewContext, figure, told
from app.rollups.cells import layout_of
from surveys.model import PercentItem, SingleChoiceItem

Floats = NDArray[np.float64]


def levels(context: ViewContext) -> dict[str, Any]:
    """Counts by level, means and rates by item, section and over all; null where suppressed."""
    whole, _ = context.figures.rates()
    factors, _ = context.figures.rates(Key.FACTOR)
    items, _ = context.figures.rates(Key.ITEM)
    shown = not whole.hidden[0] and float(whole.sums["n"][0]) > 0
    counts, moments = _counted(context) if shown else ({}, {})
    form = context.form.form
    by_factor = {m.factor: figure(factors, i) for i, m in enumerate(factors.measure)}
    by_item = {m.item: figure(items, i) for i, m in enumerate(items.measure)}
    values = sorted({level.value for scale in form.scales.values() for level in scale.levels})
    sections = []
    for factor in form.index_factors:
        sections.append(
            {
                "factor": factor.code,
                "name": {"vi": factor.title.vi, "en": factor.title.en},
                **by_factor[factor.code],
                "items": [
                    {
                        "item": item.code,
                        "name": {"vi": item.text.vi, "en": item.text.en},
                        **by_item[item.code],
                        "levels": [counts.get((item.code, value), 0) for value in values]
                        if shown
                        else [],
                        "no_opinion": counts.get((item.code, None), 0) if shown else None,
                    }
                    for item in form.index_items(factor)
                ],
            }
        )
    return context.head() | {
        "title": {"vi": form.title.vi, "en": form.title.en},
        "source": {"vi": form.source.vi, "en": form.source.en},
        "values": values,
        "whole": figure(whole),
        "sections": sections,
        "besides": [
            row for item in form.more if (row := _besides(item, counts, moments)) is not None
        ]
        if shown
        else [],
        "method": "counts by level; rates and mean scores over the answers given",
    }


def _counted(context: ViewContext) -> tuple[dict[tuple[str, int | None], int], dict[str, Floats]]:
    """How often each answer was given, and the moments of numbers, over all versions."""
    counts: dict[tuple[str, int | None], int] = {}
    moments: dict[str, Floats] = {}
    for version in _versions(context):
        layout = layout_of(version)
        read = told(context, version)
        if not len(read.unit_id):
            continue
        sums = read.cells["counts"].sum(axis=0)
        for key, slot in layout.slots.items():
            counts[key] = counts.get(key, 0) + int(sums[slot])
        for code, row in layout.numbers.items():
            found = read.cells["moments"].sum(axis=0)[row].astype(np.float64)
            moments[code] = moments.get(code, np.zeros(3)) + found
    return counts, moments


def _versions(context: ViewContext) -> list[Published]:
    return [
        v
        for v in visible.published(context.figures.session)
        if v.form.code == context.questionnaire
    ]


def _besides(
    item: Any, counts: Mapping[tuple[str, int | None], int], moments: Mapping[str, Floats]
) -> dict[str, Any] | None:
    """What a form asks besides its index: the mean of a per cent, the counts of a choice."""
    name = {"vi": item.text.vi, "en": item.text.en}
    if isinstance(item, PercentItem):
        n, total, _ = moments.get(item.code, np.zeros(3))
        # Packed values begin at one.
        return {
            "item": item.code,
            "name": name,
            "n": int(n),
            "mean": float(total / n - 1) if n else None,
            "options": [],
        }
    if isinstance(item, SingleChoiceItem):
        given = [counts.get((item.code, option.value), 0) for option in item.options]
        all_ = sum(given)
        return {
            "item": item.code,
            "name": name,
            "n": all_,
            "mean": None,
            "options": [
                {
                    "value": option.value,
                    "name": {"vi": option.text.vi, "en": option.text.en},
                    "n": n,
                    "share": n / all_ if all_ else None,
                }
                for option, n in zip(item.options, given, strict=True)
            ],
        }
    return None
