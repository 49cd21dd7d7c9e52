"""The gate that hides what few respondents said: they could be told by it.

Two reasons: a row has too few respondents itself, or the lattice hides it since it would give such
a row away (``app.figures.lattice``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.clustered import MeanEstimate, RatioEstimate
from app.figures.rate_arrays import Rates

#: Named as the method of a row that is hidden.
SUPPRESSED = "suppressed"

E = TypeVar("E", RatioEstimate, MeanEstimate)


def without_small_cells(
    rates: Rates,
    least: int,
    exempt: NDArray[np.bool_],
    guarding: NDArray[np.bool_],
    staying: NDArray[np.float64] | None = None,
) -> Rates:
    """The rows again, without the figures of those with some, but fewer than ``least`` respondents.

    ``exempt``, one entry a row, marks those that the caller may see all the same; ``guarding``
    those that are hidden for another row's sake. ``staying`` is how many respondents of each row
    are not set aside, where others are among them: a row is shown with these only where it is
    without. The one gate for JSON, pages, files and the
    terminal.
    """
    n = rates.sums["n"]
    counted = n if staying is None else staying
    hidden = (n > 0) & ((counted < least) | guarding) & ~exempt
    if not hidden.any():
        return rates

    def blank(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(hidden, np.nan, values)

    def blanked(found: E) -> E:
        return replace(
            found,
            estimate=blank(found.estimate),
            standard_error=blank(found.standard_error),
            low=blank(found.low),
            high=blank(found.high),
            n=blank(found.n),
        )

    ratio, wholly = blanked(rates.ratio), rates.wholly
    return replace(
        rates,
        sums={name: blank(values) for name, values in rates.sums.items()},
        ratio=replace(
            ratio,
            design_effect=blank(ratio.design_effect),
            effective_n=blank(ratio.effective_n),
            interval_n=blank(ratio.interval_n),
            people=blank(ratio.people),
            method=np.where(hidden, SUPPRESSED, ratio.method),
        ),
        low=blank(rates.low),
        high=blank(rates.high),
        method=np.where(hidden, SUPPRESSED, rates.method),
        mean=blanked(rates.mean),
        wholly=replace(
            wholly,
            estimate=blank(wholly.estimate),
            low=blank(wholly.low),
            high=blank(wholly.high),
        ),
        day_effect=blank(rates.day_effect),
        hidden=hidden,
    )
