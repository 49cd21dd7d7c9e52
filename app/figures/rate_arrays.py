"""What an answer about rates consists of: its rows, as keys and arrays of figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis import clustered, proportions
from app.registry.queries import UnitNode
from app.rollups.measure_counts import Measure

Floats = NDArray[np.float64]
Estimates = TypeVar(
    "Estimates", clustered.RatioEstimate, clustered.MeanEstimate, proportions.Interval
)
#: The sums that a clustered ratio takes, in its order.
PARTS = ("a", "m", "aa", "am", "mm", "n")


@dataclass(frozen=True)
class Summed:
    """The rows of one questionnaire: keys as lists, sums as arrays, one entry a row."""

    questionnaire: str
    unit: list[UnitNode | None]
    measure: list[Measure]
    channel: list[str | None]
    period: list[str | None]
    sums: dict[str, Floats]


@dataclass(frozen=True)
class Rates(Summed):
    """Rows with their figures."""

    ratio: clustered.RatioEstimate
    low: Floats
    high: Floats
    method: NDArray[np.str_]
    mean: clustered.MeanEstimate
    wholly: proportions.Interval
    #: What respondents' answers have in common, as learnt from all units in the row's period.
    correlation: Floats
    #: How many times larger the variance is with days as clusters; NaN where it cannot be told.
    day_effect: Floats
    #: Rows with too few respondents to be shown; their figures are gone from all the arrays.
    hidden: NDArray[np.bool_]

    def take(self, kept: NDArray[np.intp]) -> Rates:
        """Some of the rows."""
        return Rates(
            questionnaire=self.questionnaire,
            unit=[self.unit[i] for i in kept],
            measure=[self.measure[i] for i in kept],
            channel=[self.channel[i] for i in kept],
            period=[self.period[i] for i in kept],
            sums={name: values[kept] for name, values in self.sums.items()},
            ratio=_rows(self.ratio, kept),
            low=self.low[kept],
            high=self.high[kept],
            method=self.method[kept],
            mean=_rows(self.mean, kept),
            wholly=_rows(self.wholly, kept),
            correlation=self.correlation[kept],
            day_effect=self.day_effect[kept],
            hidden=self.hidden[kept],
        )


def _rows(estimates: Estimates, kept: NDArray[np.intp]) -> Estimates:
    """Some rows of estimates: all their arrays have one entry a row."""
    arrays = {
        name: value[kept]
        for name, value in vars(estimates).items()
        if isinstance(value, np.ndarray)
    }
    return replace(estimates, **arrays)  # type: ignore[arg-type]  # the texts stay


@dataclass(frozen=True)
class Found:
    """The answer to a query."""

    synthetic: bool
    first: date | None
    last: date | None
    #: The day of the structure that rows are of, and days within the period on which it changed.
    structure: date
    change_days: list[date]
    rates: list[Rates]
