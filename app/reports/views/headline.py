"""The index: the rate of a parent that stands first, beside other periods and the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.figures import families, served
from app.figures.change_results import FixedMix
from app.figures.comparison_days import With, other_days
from app.figures.context import number
from app.figures.fixed_mix import fixed_mix
from app.figures.query import Expand, Key
from app.figures.rate_arrays import Rates
from app.figures.regrouping import whole_number
from app.figures.results import unit_result
from app.figures.statistic_results import Judged
from app.figures.stratification import by_volume
from app.figures.visible import PUBLIC
from app.registry.structures import UNDIVIDED
from app.reports.views.context import ViewContext, differences, figure
from app.reports.views.index_results import (
    Difference,
    Figure,
    HeadlineRate,
    Index,
    PeriodDifference,
    Reference,
)

#: A reference figure is told to everybody if so many units answered besides the one compared.
_LEAST_UNITS_OF_REFERENCE = 5


def index(context: ViewContext) -> Index:
    """The index of what a view is about, beside the period before, the year before, the whole."""
    now, _ = context.figures.rates(by_days=True)
    (placed,) = context.judged(now)
    shown = figure(now)
    return Index(
        **dict(shown),
        **dict(placed),
        headline=headline_rate(context, shown, placed),
        day_effect=number(now.day_effect[0]),
        previous=_since(context, now, With.PREVIOUS),
        year_before=_since(context, now, With.YEAR_BEFORE),
        reference=reference(context, now),
    )


def _since(context: ViewContext, now: Rates, with_: With) -> PeriodDifference:
    first, last = other_days(context.span.first, context.span.last, with_)
    other, _ = context.figures.rates(first=first, last=last)
    (found,) = differences(now, other)
    (held,) = fixed_mix(context.figures, now, other, first, last)
    told: Difference | FixedMix = held or found
    before = other_days(context.span.first, context.span.last, With.PREVIOUS)
    change, family = None, None
    if context.unit is not None and (first, last) == before:
        # Units are told beside one another since the period before; there it says the same.
        family = context.change_family(context.unit.kind)
        change = families.changed(told, told.p, family, context.unit.id)
    return PeriodDifference(
        **dict(found),
        first=first,
        last=last,
        fixed_mix=held,
        adjusted_p=change.adjusted_p if change else None,
        discovery=change.discovery if change else None,
        judged_together=family.size if family else None,
    )


def headline_rate(context: ViewContext, pooled: Figure, judged: Judged) -> HeadlineRate:
    """The rate of a parent by volume where all volumes are known; elsewhere the pooled one.

    ``judged`` is the pooled rate's place, which all units of the kind are judged by.
    """
    span, target = context.span, context.target
    given = HeadlineRate(
        estimate=pooled.rate,
        low=pooled.low,
        high=pooled.high,
        weighting="one_unit",
        **dict(judged),
        cases=None,
        covered=None,
        missing_volumes=[],
    )
    last = max(span.first, min(span.last, context.today))
    below = set(context.asking) - _silent_parents(context)
    if len(below) < 2:
        return given
    missing = below & served.without_cases(context.figures, span.first, last)
    if missing:
        nodes = context.figures.units.nodes
        units = [unit_result(nodes[id]) for id in sorted(missing)]
        return given.model_copy(update={"weighting": "pooled", "missing_volumes": units})
    found = None if pooled.suppressed else by_volume(context.figures, below)
    if found is None or found.low is None:
        return given.model_copy(update={"weighting": "pooled"})
    cases = served.cases(context.figures, span.first, last)
    return HeadlineRate(
        estimate=found.rate,
        low=found.low,
        high=found.high,
        weighting="by_volume",
        **dict(judged)
        | {"interval_position": families.interval_position(found.low, found.high, target)},
        cases=whole_number(sum(cases.get(id, 0) for id in below)),
        covered=found.covered,
        missing_volumes=[],
    )


def _silent_parents(context: ViewContext) -> set[int]:
    """Units about which nobody answered, while units below them are asked about.

    An office above others need not serve anybody itself, though it has a survey point.
    """
    rates, _ = context.over(units=(), kinds=(), expand=Expand.GIVEN, descendants=False).rates(
        Key.UNIT, counting=True
    )
    silent = {
        unit.id for unit, n in zip(rates.unit, rates.sums["n"], strict=True) if unit and not n > 0
    }
    units = context.figures.units
    return {
        id for id in context.asking & silent if context.asking.intersection(units.below(id)) != {id}
    }


def reference(context: ViewContext, now: Rates) -> Reference | None:
    """The rate of everybody, which whoever reads one unit's figures may set them against.

    It is what would be published: given only of periods of the calendar, and only if enough other
    units and respondents stand behind it that nothing of one of them follows from it.
    """
    if not context.span.calendar or context.unit is None:
        return None
    public = replace(context.figures, caller=PUBLIC)
    tops = [
        node for node in public.units.nodes.values()
        if node.parent_id is None and node.kind != UNDIVIDED
    ]  # fmt: skip
    if len(tops) != 1 or tops[0].id == context.unit.id:
        return None
    whole, _ = public.rates(units=[tops[0].code])
    with np.errstate(invalid="ignore"):
        others = float(whole.sums["n"][0]) - float(np.nan_to_num(now.sums["n"][0]))
    parts, _ = public.rates(Key.UNIT, units=(), descendants=False)
    answering = int((np.nan_to_num(parts.sums["n"]) > 0).sum())
    if others < 10 * context.settings.least_respondents or answering < _LEAST_UNITS_OF_REFERENCE:
        return None
    (found,) = differences(now, whole)
    return Reference(
        unit=unit_result(tops[0]),
        rate=number(whole.ratio.estimate[0]),
        low=number(whole.low[0]),
        high=number(whole.high[0]),
        difference=found.estimate,
        difference_low=found.low,
        difference_high=found.high,
    )
