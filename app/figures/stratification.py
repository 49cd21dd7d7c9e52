"""Parents' rates from the units below them, weighted by how many these serve."""

from __future__ import annotations

import numpy as np

from analysis import clustered, strata
from app.figures.context import Context, named, number
from app.figures.query import Expand, Key
from app.figures.rate_arrays import PARTS
from app.figures.results import unit_result
from app.figures.statistic_results import Rate, Stratified, StratifiedRate, StratifiedRow
from app.registry.points import units_asking
from app.registry.volumes import volumes_between


def stratified(context: Context) -> Stratified:
    """Each unit's rate from the units below it, weighted by how many they serve."""
    pooled, provenance = context.rates(Key.UNIT)
    # Strata that the caller may not see are left out: a mean with other weights than the pooled
    # one would be a second equation for them.
    own, _ = context.rates(Key.UNIT, units=(), kinds=(), expand=Expand.GIVEN, descendants=False)
    volume = volumes_between(context.session, provenance.first, provenance.last)
    # Who never asks by this questionnaire is no stratum of its.
    asking = units_asking(context.session, str(context.query.questionnaire))
    place = {
        unit.id: i for i, unit in enumerate(own.unit) if unit is not None and unit.id in asking
    }
    rows_of = np.array(list(place.values()), dtype=np.intp)
    own = own.take(rows_of)
    place = {id: i for i, id in enumerate(place)}
    cases = np.array([volume.get(id, 0) for id in place], dtype=np.float64)
    sums = {name: np.nan_to_num(values) for name, values in own.sums.items()}
    n = sums["n"]
    # Who served fewer than answered has a volume that cannot be right: no correction then.
    population = np.where(cases >= n, np.maximum(cases, n), np.inf)
    finite = np.isfinite(population)
    with_correction = clustered.ratio(
        *(sums[name] for name in PARTS),
        correlation=own.correlation,
        population=np.where(finite, population, 1e15),
        confidence=context.query.confidence,
    )
    rows = []
    for unit, people, hidden, estimate, low, high in zip(
        pooled.unit,
        pooled.sums["n"],
        pooled.hidden,
        pooled.ratio.estimate,
        pooled.low,
        pooled.high,
        strict=True,
    ):
        assert unit is not None
        below = [place[id] for id in context.units.below(unit.id) if id in place]
        shown = not hidden
        se = with_correction.standard_error[below]
        # A stratum of one respondent has no variance of its own: the most there can be.
        se = np.where(np.isfinite(se), se, 0.5)
        found = strata.combine(
            np.where(n[below] > 0, with_correction.estimate[below], np.nan),
            se,
            cases[below],
            n=n[below],
            confidence=context.query.confidence,
        )
        served = float(cases[below].sum())
        rows.append(
            StratifiedRow(
                unit=unit_result(unit),
                suppressed=not shown,
                strata=int(((n[below] > 0) & (cases[below] > 0)).sum()),
                cases=int(served),
                respondents=int(people) if shown else None,
                pooled=Rate(
                    rate=number(estimate) if shown else None,
                    low=number(low) if shown else None,
                    high=number(high) if shown else None,
                ),
                stratified=StratifiedRate(
                    rate=number(float(found.estimate)) if shown else None,
                    low=number(float(found.low)) if shown else None,
                    high=number(float(found.high)) if shown else None,
                    standard_error=number(float(found.standard_error)) if shown else None,
                    covered=number(float(found.covered)) if shown else None,
                ),
            )
        )
    return Stratified(
        **dict(provenance),
        method=named(
            "weights by service volume, finite-population correction (Cochran 1977, chapter 5), "
            "logit with the t of the design; beside it the pooled rate, in which every answer "
            "counts the same",
            context.query,
        ),
        units=len(rows),
        respondents=int(n.sum()),
        rows=rows,
    )
