"""Parents' rates from the units below them, weighted by how many these serve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import clustered, strata
from app.figures import served
from app.figures.context import Context, named, number
from app.figures.query import Expand, Key
from app.figures.rate_arrays import PARTS, Floats
from app.figures.regrouping import whole_number
from app.figures.results import unit_result
from app.figures.statistic_results import Rate, Stratified, StratifiedRate, StratifiedRow


@dataclass(frozen=True)
class Strata:
    """The units that ask by a questionnaire, each with its own answers and how many it serves."""

    #: The row of each unit, by its id.
    place: dict[int, int]
    cases: Floats
    n: Floats
    estimate: Floats
    standard_error: Floats
    confidence: float

    @classmethod
    def of(cls, context: Context) -> Strata:
        """The strata that the caller may see, over the days asked for."""
        # Strata that the caller may not see are left out: a mean with other weights than the pooled
        # one would be a second equation for them.
        own, provenance = context.rates(
            Key.UNIT, units=(), kinds=(), expand=Expand.GIVEN, descendants=False
        )
        volume = served.cases(context, provenance.first, provenance.last)
        # Who never asks by this questionnaire is no stratum of its.
        asking = context.regrouping.asking(context.session, str(context.query.questionnaire))
        rows_of = {
            unit.id: i for i, unit in enumerate(own.unit) if unit is not None and unit.id in asking
        }
        own = own.take(np.array(list(rows_of.values()), dtype=np.intp))
        place = {id: i for i, id in enumerate(rows_of)}
        cases = np.array([volume.get(id, 0) for id in place], dtype=np.float64)
        sums = {name: np.nan_to_num(values) for name, values in own.sums.items()}
        n = sums["n"]
        # Who served fewer than answered has a volume that cannot be right: no correction then.
        population = np.where(cases >= n, np.maximum(cases, n), np.inf)
        found = clustered.ratio(
            *(sums[name] for name in PARTS),
            correlation=own.correlation,
            population=np.where(np.isfinite(population), population, 1e15),
            confidence=context.query.confidence,
        )
        se = found.standard_error
        return cls(
            place=place,
            cases=cases,
            n=n,
            estimate=np.where(n > 0, found.estimate, np.nan),
            # A stratum of one respondent has no variance of its own: the most there can be.
            standard_error=np.where(np.isfinite(se), se, 0.5),
            confidence=context.query.confidence,
        )

    def among(self, units: Iterable[int]) -> NDArray[np.intp]:
        """The rows of those of some units that are strata."""
        return np.array([self.place[id] for id in units if id in self.place], dtype=np.intp)

    def combined(self, rows: NDArray[np.intp]) -> strata.StratifiedEstimate:
        """The rate of some strata together, weighted by how many each serves."""
        return strata.combine(
            self.estimate[rows],
            self.standard_error[rows],
            self.cases[rows],
            n=self.n[rows],
            confidence=self.confidence,
        )


def stratified(context: Context) -> Stratified:
    """Each unit's rate from the units below it, weighted by how many they serve."""
    pooled, provenance = context.rates(Key.UNIT)
    parts = Strata.of(context)
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
        below = parts.among(context.units.below(unit.id))
        shown = not hidden
        rows.append(
            StratifiedRow(
                unit=unit_result(unit),
                suppressed=not shown,
                strata=int(((parts.n[below] > 0) & (parts.cases[below] > 0)).sum()),
                cases=whole_number(float(parts.cases[below].sum())),
                respondents=whole_number(float(people)) if shown else None,
                pooled=Rate(
                    rate=number(estimate) if shown else None,
                    low=number(low) if shown else None,
                    high=number(high) if shown else None,
                ),
                stratified=rate_by_volume(parts.combined(below) if shown else None),
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
        respondents=whole_number(float(parts.n.sum())),
        rows=rows,
    )


def by_volume(context: Context, units: Iterable[int]) -> StratifiedRate:
    """The rate of some units together, each weighted by how many it serves."""
    parts = Strata.of(context)
    rows = parts.among(units)
    return rate_by_volume(parts.combined(rows) if len(rows) else None)


def rate_by_volume(found: strata.StratifiedEstimate | None) -> StratifiedRate:
    """A rate by volume as it is told; without any figure where it may not be."""
    if found is None:
        return StratifiedRate(rate=None, low=None, high=None, standard_error=None, covered=None)
    return StratifiedRate(
        rate=number(float(found.estimate)),
        low=number(float(found.low)),
        high=number(float(found.high)),
        standard_error=number(float(found.standard_error)),
        covered=number(float(found.covered)),
    )
