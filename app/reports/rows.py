"""What an answer about rates consists of, and the gate that hides what few respondents said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis import clustered, proportions
from app.registry.queries import UnitNode

#: Named as the method of a row that is hidden.
SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class Measure:
    """What a row measures: the whole index, one factor of it, or one item."""

    factor: str | None = None
    item: str | None = None


@dataclass(frozen=True)
class Rates:
    """The rows of one questionnaire: keys as lists, figures as arrays, one entry a row."""

    questionnaire: str
    unit: list[UnitNode | None]
    measure: list[Measure]
    channel: list[str | None]
    period: list[str | None]
    sums: dict[str, NDArray[np.float64]]
    ratio: clustered.RatioEstimate
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    method: NDArray[np.str_]
    wholly: proportions.Interval
    #: Rows with too few respondents to be shown; their figures are gone from all the arrays.
    hidden: NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """The answer to a query."""

    synthetic: bool
    first: date | None
    last: date | None
    rates: list[Rates]


def without_small_cells(rates: Rates, least: int) -> Rates:
    """The rows again, without the figures of those with some, but fewer than ``least`` respondents.

    The one gate for JSON, pages, files and the terminal. That a hidden row cannot be got back
    from others by subtraction is not looked after yet.
    """
    n = rates.sums["n"]
    hidden = (n > 0) & (n < least)
    if not hidden.any():
        return rates

    def blank(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(hidden, np.nan, values)

    ratio, wholly = rates.ratio, rates.wholly
    return replace(
        rates,
        sums={name: blank(values) for name, values in rates.sums.items()},
        ratio=replace(
            ratio,
            estimate=blank(ratio.estimate),
            standard_error=blank(ratio.standard_error),
            low=blank(ratio.low),
            high=blank(ratio.high),
            n=blank(ratio.n),
            design_effect=blank(ratio.design_effect),
            effective_n=blank(ratio.effective_n),
            method=np.where(hidden, SUPPRESSED, ratio.method),
        ),
        low=blank(rates.low),
        high=blank(rates.high),
        method=np.where(hidden, SUPPRESSED, rates.method),
        wholly=replace(
            wholly,
            estimate=blank(wholly.estimate),
            low=blank(wholly.low),
            high=blank(wholly.high),
        ),
        hidden=hidden,
    )
