"""The gate that hides what few respondents said: they could be told by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.reports.rows import Rates

#: Named as the method of a row that is hidden.
SUPPRESSED = "suppressed"


def without_small_cells(rates: Rates, least: int, exempt: NDArray[np.bool_]) -> Rates:
    """The rows again, without the figures of those with some, but fewer than ``least`` respondents.

    ``exempt``, one entry a row, marks those that the caller may see all the same.

    The one gate for JSON, pages, files and the terminal. That a hidden row cannot be got back
    from others by subtraction is not looked after yet.
    """
    n = rates.sums["n"]
    hidden = (n > 0) & (n < least) & ~exempt
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
