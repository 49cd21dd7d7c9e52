"""What an answer about rates consists of: its rows, as keys and arrays of figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis import clustered, proportions
from app.registry.queries import UnitNode


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
    mean: clustered.MeanEstimate
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
