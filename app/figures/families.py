"""Tests that are told together: one family for a questionnaire, a kind of units and a period.

Of 82 units that are exactly at the target some have an interval beside it in nearly every period.
What is said of one of them is therefore said of all at once, wherever it is said: the family is
that of all units of the kind, on the page of one unit too. It rests on what everybody may see.
Units that few may see are counted and not looked at, so that nothing of them follows.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis import comparison, familywise
from app.figures import comparisons
from app.figures.change_results import Change, CompareRow, FixedMix, FixedMixChange
from app.figures.comparison_days import With
from app.figures.context import Context, TooFewUnits, number
from app.figures.lattice import CalendarPeriodsOnly, TooFine
from app.figures.query import Expand, Key
from app.figures.rate_arrays import Floats, Rates
from app.figures.session_cache import per_session
from app.figures.statistic_results import Judged, Limits, Position
from app.figures.visible import PUBLIC

#: How likely any unit of a family is called surely above or below where it is not.
ERROR = 0.05
#: Of the changes called more than chance no larger share is expected to be chance.
FALSE_CHANGES = 0.05
#: What the rule of a family is called.
HOLM = f"{familywise.AGAINST}, Holm (1979) over the units, {ERROR:.0%} for all at once"
#: A row of a family: which unit, and which factor where factors are judged.
Place = tuple[int, str | None]


@dataclass(frozen=True)
class Family:
    """The tests that are told together: what is left of each p, and of how many they are."""

    size: int
    method: str
    #: Adjusted p of the rows that everybody may see.
    adjusted: Mapping[Place, float]

    def adjusted_p(self, place: Place, p: float) -> float:
        """A row's p among all of the family's; of one that few may see, by how many there are."""
        if place in self.adjusted:
            return self.adjusted[place]
        return min(1.0, p * max(self.size, 1)) if np.isfinite(p) else p


def target_family(
    context: Context, kind: str, target: float, *, calendar: bool, factors: bool = False
) -> Family:
    """Which units of a kind lie above or below a target, of the whole index or by factor.

    ``calendar`` says that the days are a period of the calendar: of others nothing that everybody
    is told may be used, since two that differ by a day would tell what one person said. So it is
    where the days are not what everybody may ask for.
    """

    def found() -> Family:
        by = (Key.UNIT, Key.FACTOR) if factors else (Key.UNIT,)
        rows = len(context.versions[-1].form.index_factors) if factors else 1
        nothing = Family(_asked(context, kind) * rows, HOLM, {})
        if not calendar:
            return nothing
        try:
            rates, _ = of_everybody(context, kind).rates(*by)
        except (CalendarPeriodsOnly, TooFine):
            return nothing
        p = against_target(rates, target)
        unseen = int(rates.hidden.sum())
        return Family(
            int(np.isfinite(p).sum()) + unseen, HOLM,
            _by_place(places(rates), familywise.holm(p, unseen=unseen)),
        )  # fmt: skip

    return per_session(
        context.session, _key("target", context, kind, target, calendar, factors), found
    )


def change_family(
    context: Context, kind: str, *, calendar: bool, with_: With, crude: bool = False
) -> Family:
    """Which units of a kind changed against themselves in another period.

    Judged is what is told of each: of a unit that is made of parts its change with their mix held
    fixed. ``crude``: the change of each one's pooled rate, which stands beside that.
    """

    def found() -> Family:
        method = f"{comparison.SCORE}, Benjamini–Hochberg over the units, {FALSE_CHANGES:.0%}"
        if not calendar:
            return Family(_asked(context, kind), method, {})
        try:
            rows = _compared(context, kind, with_)
        except TooFewUnits:
            return Family(0, method, {})
        except (CalendarPeriodsOnly, TooFine):
            return Family(_asked(context, kind), method, {})
        ids = {node.code: id for id, node in of_everybody(context, kind).units.nodes.items()}
        own = [(ids[row.unit.code], (row.change if crude else row.told).p) for row in rows]
        known = [(id, p) for id, p in own if p is not None]
        unseen = sum(row.suppressed for row in rows)
        # Those that are not looked at are taken for the least likely changes.
        p = np.array([p for _, p in known] + [1.0] * unseen, dtype=np.float64)
        adjusted = comparison.discoveries(p, FALSE_CHANGES).adjusted_p[: len(known)]
        return Family(len(p), method, _by_place([(id, None) for id, _ in known], adjusted))

    key = _key("change", context, kind, calendar, with_, crude)
    return per_session(context.session, key, found)


def _compared(context: Context, kind: str, with_: With) -> list[CompareRow]:
    """All units of a kind beside themselves in another period, as everybody is told of them."""

    def found() -> list[CompareRow]:
        whole = of_everybody(context, kind)
        return comparisons.compare(whole, with_=with_, q=FALSE_CHANGES).rows

    return per_session(context.session, _key("compared", context, kind, with_), found)


def judged(
    rates: Rates, target: float, family: Family | None, rows: Sequence[Place]
) -> list[Judged]:
    """Where rows lie against a target, as far as their family lets it be said.

    Without a family the rows are one. A row is called beside the target only if its own interval
    lies there too: newest answers, which few are told, may have moved it.
    """
    p = against_target(rates, target)
    if family is None:
        family = Family(
            int(np.isfinite(p).sum()), HOLM, _by_place(rows, familywise.holm(p))
        )  # fmt: skip
    found = []
    for place, own_p, low, high in zip(
        rows, p.tolist(), rates.low.tolist(), rates.high.tolist(), strict=True
    ):
        own = interval_position(number(low), number(high), target)
        # A family of one is a unit looked at alone: its interval says it all.
        adjusted = own_p if family.size <= 1 else family.adjusted_p(place, own_p)
        sure = family.size <= 1 or adjusted <= ERROR
        found.append(
            Judged(
                position=own if sure or own is None else "not_distinguishable",
                interval_position=own,
                target_p=number(own_p),
                target_adjusted_p=number(adjusted),
                judged_together=family.size,
            )
        )
    return found


def changed(change: Limits, p: float | None, family: Family, unit_id: int) -> Change:
    """A unit's change with what is left of its p among all of its kind."""
    adjusted = p
    if p is not None and family.size > 1:  # of a unit looked at alone its own p says it all
        adjusted = family.adjusted_p((unit_id, None), p)
    beside = change.low is not None and change.high is not None and change.low * change.high > 0
    return Change(
        estimate=change.estimate,
        low=change.low,
        high=change.high,
        p=p,
        adjusted_p=adjusted,
        discovery=beside and adjusted is not None and adjusted <= FALSE_CHANGES,
    )


def held_fixed(held: FixedMix, family: Family, unit_id: int) -> FixedMixChange:
    """A unit's change with its mix held fixed, with what is left of its p among all of its kind."""
    told = changed(held, held.p, family, unit_id)
    return FixedMixChange(
        **{name: getattr(held, name) for name in FixedMix.model_fields},
        adjusted_p=told.adjusted_p,
        discovery=told.discovery,
    )


def against_target(rates: Rates, target: float) -> Floats:
    """p of each row against a target, shape (rows,); NaN where it has no figure."""
    ratio = rates.ratio
    shown = np.where(rates.hidden, np.nan, ratio.estimate)
    # Without an interval, as of one respondent, nothing is sure.
    shown = np.where(np.isfinite(rates.low) & np.isfinite(rates.high), shown, np.nan)
    return familywise.against(shown, ratio.interval_n, ratio.people, target)


def interval_position(low: float | None, high: float | None, target: float) -> Position:
    """Where an interval lies against the target: above it, below it, or holding it."""
    if low is None or high is None:
        return None
    if low > target:
        return "above"
    return "below" if high < target else "not_distinguishable"


def of_everybody(context: Context, kind: str) -> Context:
    """The question about all units of a kind, as whoever reads what is published may ask it."""
    query = replace(context.query, units=(), kinds=(kind,), expand=Expand.GIVEN, by=())
    return replace(context, caller=PUBLIC, query=query)


def _asked(context: Context, kind: str) -> int:
    """How many units of a kind are asked about, themselves or in a part: no answer tells it."""
    units = of_everybody(context, kind).units
    asking = context.regrouping.asking(context.session, str(context.query.questionnaire))
    reached = units.with_all_above(asking & set(units.nodes))
    return sum(units.nodes[id].kind == kind for id in reached)


def places(rates: Rates) -> list[Place]:
    """Which unit and factor the rows of rates by unit, or by unit and factor, are about."""
    return [
        (0 if unit is None else unit.id, measure.factor)
        for unit, measure in zip(rates.unit, rates.measure, strict=True)
    ]


def _by_place(rows: Sequence[Place], adjusted: Floats) -> dict[Place, float]:
    return {row: p for row, p in zip(rows, adjusted.tolist(), strict=True) if np.isfinite(p)}


def _key(name: str, context: Context, *of: Hashable) -> tuple[Hashable, ...]:
    query = context.query
    return (
        f"{name} family", query.questionnaire, query.first, query.last, query.structure,
        context.release_rule, *of,
    )  # fmt: skip
