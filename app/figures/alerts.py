"""Alerts: units that changed, with false alarms held down over units, rules and looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from analysis import alerts as scanning
from analysis import clustered, comparison
from app.figures import periods
from app.figures.change_results import FixedMix
from app.figures.context import Context, number
from app.figures.fixed_mix import fixed_mix
from app.figures.periods import Step
from app.figures.query import Expand, Key
from app.figures.rate_arrays import PARTS
from app.figures.results import unit_result
from app.figures.statistic_results import Limits
from app.figures.trend_results import (
    AlertRow,
    AlertRule,
    AlertRuleName,
    Alerts,
    CommonMovement,
    PeriodNoise,
)
from app.figures.trends import A_YEAR, Grid, read_grid
from app.registry.queries import UnitNode

#: With fewer respondents a single period is not judged by itself.
LEAST_JUDGED = 10
_METHOD = (
    "working responses of effective answers against what all units share, a yearly wave of each "
    "unit and AR(1) noise learnt from all; level shift (Worsley 1982) and last period, "
    "Benjamini–Hochberg over units and both rules, Bonferroni over a year's looks"
)


def alerts(
    context: Context,
    *,
    step: Step,
    q: float,
    looks: int | None = None,
    shown_to: Context | None = None,
) -> Alerts:
    """Units whose level shifted, or whose last period stands out, with false alarms held down.

    ``looks`` is how often one looks in a year; once a period if left out.
    Where not all units that are looked at are shown, ``shown_to`` is the question about those
    that are, by whoever asks; what all moved together is then not given.
    """
    # The scan looks at every period; what a row then says of its two sides is asked for anew.
    grid, provenance = read_grid(context, step, gated=False)
    kept = context.lowest(grid.units)
    units = [unit for unit, each in zip(grid.units, kept, strict=True) if each and unit]
    own = set(shown_to.query.units) if shown_to is not None else {unit.code for unit in units}
    open_ = context.gate.everywhere or all(unit.id in context.gate.exempt for unit in units)
    n_eff, rate = grid.effective[kept], grid.estimate[kept]
    if not open_:
        # Units whose figures are not shown teach nothing: what all share would tell of them.
        # A unit that is shown to itself is judged, though others' sake hides it from them.
        others = [shown_to is None or unit.code not in own for unit in units]
        hidden = context.rates(Key.UNIT)[0].hidden[kept] & others
        n_eff = np.where(hidden[:, None], 0.0, n_eff)
    sums = {name: values[kept] for name, values in grid.sums.items()}
    a_year = A_YEAR[step]
    found = scanning.scan(
        rate,
        n_eff,
        a_year=a_year,
        looks=looks,
        q=q,
        respondents=sums["n"],
        least_respondents=LEAST_JUDGED,
    )
    sides = _Sides(shown_to or context, step, grid.periods)
    rows = []
    for name, rule in found.rules.items():
        for i in np.flatnonzero(rule.fired).tolist():
            since = max(int(rule.since[i]), 1)
            if units[i].code not in own or not sides.are_shown(units[i], since):
                continue
            p, adjusted_p = _p(rule.p[i], open_), _p(rule.adjusted_p[i], open_)
            before = {key: values[i, :since].sum() for key, values in sums.items()}
            after = {key: values[i, since:].sum() for key, values in sums.items()}
            first, second = (_ratio(side, grid, context) for side in (before, after))
            change = _change(first, second, context.query.confidence)
            rows.append(
                AlertRow(
                    unit=unit_result(units[i]),
                    rule=AlertRuleName(name),
                    since=grid.periods[since],
                    before=number(float(first.estimate)),
                    after=number(float(second.estimate)),
                    respondents_before=int(before["n"]),
                    respondents_after=int(after["n"]),
                    change=change,
                    p=p,
                    adjusted_p=adjusted_p,
                    against_others=_against_others(change, float(rule.change[i])),
                )
            )
    rows = _with_mix(shown_to or context, step, rows)
    rows.sort(key=lambda row: (row.adjusted_p is None, row.adjusted_p or 0.0, row.rule))
    return Alerts(
        **dict(provenance),
        method=_METHOD,
        step=step.value,
        units=int((sums["n"].sum(axis=1) > 0).sum()),
        respondents=int(sums["n"].sum()),
        false_discovery_rate=q,
        looks_a_year=looks or a_year,
        common_movement_removed=found.together is not None,
        together=_together(found, grid.periods, open_) if shown_to is None else None,
        noise=_noise(found, open_),
        # Together they have q, and share it about evenly.
        rules=[
            AlertRule(rule=AlertRuleName(name), expected_false_a_year=q / len(found.rules))
            for name in found.rules
        ],
        rows=rows,
    )


def _with_mix(context: Context, step: Step, rows: list[AlertRow]) -> list[AlertRow]:
    """Alerts with the change that is no mix: of units below, or of channels."""
    found: dict[tuple[str, str], FixedMix | None] = {}
    for since in sorted({row.since for row in rows}):
        first_day = periods.first_day(since, step)
        day_before = first_day - timedelta(days=1)
        codes = sorted({row.unit.code for row in rows if row.since == since})
        query = replace(context.query, units=codes, kinds=(), expand=Expand.GIVEN)
        now_context = replace(context, query=replace(query, first=first_day))
        now, _ = now_context.rates(Key.UNIT)
        other, _ = replace(context, query=query).rates(Key.UNIT, last=day_before)
        held = fixed_mix(now_context, now, other, query.first, day_before)
        for unit, each in zip(now.unit, held, strict=True):
            if unit is not None:
                found[since, unit.code] = each
    return [
        row.model_copy(update={"fixed_mix": found.get((row.since, row.unit.code))}) for row in rows
    ]


def _p(value: float, open_: bool) -> float | None:
    """A p-value; to two digits for who may not see small figures.

    It rests on every month of a unit, also on those that are hidden for their few respondents: by
    all its digits one could try what these had said.
    """
    return number(value if open_ else float(f"{value:.1e}"))


def _together(found: scanning.Scan, labels: list[str], open_: bool) -> CommonMovement | None:
    """What all units did together, said of the one in the middle; None of few units."""
    moved = found.together
    if moved is None:
        return None
    # A unit without answers has no level: it would stand at one half.
    known = np.isfinite(found.courses.variance).any(axis=1)
    level = float(np.median(found.courses.level[known]))
    begin = level + float(found.courses.common[: max(moved.since, 1)].mean())
    reach = comparison.normal_quantile(0.975) * moved.error
    return CommonMovement(
        moved=found.together_fired,
        since=labels[moved.since] if moved.since >= 0 else None,
        change=number(moved.change),
        before=_rate(begin),
        after=_rate(begin + moved.change),
        after_low=_rate(begin + moved.change - reach),
        after_high=_rate(begin + moved.change + reach),
        p=_p(moved.p, open_),
        season_allowed=found.season_allowed,
    )


def _rate(logit: float) -> float | None:
    return number(float(1 / (1 + np.exp(-logit))))


def _noise(found: scanning.Scan, open_: bool) -> PeriodNoise:
    """How much a unit's periods vary besides chance, as it was learnt.

    Who may not see what few respondents said is given it of many units only, and rounded: one
    unit's months of few respondents would follow from it.
    """
    given = open_ or found.noise_learnt

    def shown(value: float) -> float | None:
        return number(value if open_ else round(value, 2)) if given else None

    deviation, correlation = found.noise.deviation, found.noise.correlation
    return PeriodNoise(
        learnt=found.noise_learnt,
        season_allowed=found.season_allowed,
        deviation=shown(deviation[0]),
        deviation_low=shown(deviation[1]),
        deviation_high=shown(deviation[2]),
        correlation=shown(correlation[0]),
        correlation_low=shown(correlation[1]),
        correlation_high=shown(correlation[2]),
    )


def _against_others(own: Limits, change: float) -> bool:
    """Whether a unit's own rate does not surely move to the side that its alert saw."""
    limit = own.low if change > 0 else own.high
    return limit is None or bool(limit * np.sign(change) <= 0)


class _Sides:
    """Which units' answers before and since a period may be shown to who asks."""

    def __init__(self, context: Context, step: Step, labels: list[str]) -> None:
        self._context, self._step, self._labels = context, step, labels
        self._shown: dict[int, set[int]] = {}

    def are_shown(self, unit: UnitNode, since: int) -> bool:
        """Whether both sides of a unit are, each being asked for as a period of its own."""
        if self._context.gate.everywhere:
            return True
        if since not in self._shown:
            first_day = periods.first_day(self._labels[since], self._step)
            day_before = first_day - timedelta(days=1)
            sides = [
                self._context.rates(Key.UNIT, last=day_before)[0],
                self._context.rates(Key.UNIT, first=first_day)[0],
            ]
            self._shown[since] = {
                node.id
                for node, *hidden in zip(sides[0].unit, *(s.hidden for s in sides), strict=True)
                if node is not None and not any(hidden)
            }
        return unit.id in self._shown[since]


def _ratio(side: dict[str, float], grid: Grid, context: Context) -> clustered.RatioEstimate:
    return clustered.ratio(
        *(side[name] for name in PARTS),
        correlation=grid.correlation,
        confidence=context.query.confidence,
    )


def _change(
    first: clustered.RatioEstimate, second: clustered.RatioEstimate, confidence: float
) -> Limits:
    # Only the interval is used: that the rule fired is what stands in ``p``.
    found = comparison.change(
        first.estimate,
        first.interval_n,
        second.estimate,
        second.interval_n,
        people=(first.people, second.people),
        confidence=confidence,
    )
    return Limits(
        estimate=number(float(found.estimate)),
        low=number(float(found.low)),
        high=number(float(found.high)),
    )
