"""Moving averages of standardised periods, which see small lasting shifts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis._validation import Floats

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Ewma:
    """An exponentially weighted moving average of z and its limits (shape (…, periods))."""

    average: Floats
    limit: Floats
    signals: Bools
    method: str


def ewma(
    z: ArrayLike, *, weight: float = 0.2, width: float = 2.860, common: ArrayLike = 0.0
) -> Ewma:
    """EWMA of standardised values, which sees a small lasting shift sooner than a p-chart.

    Parameters
    ----------
    z
        Shape (…, periods): standard normal in control (``Chart.z``); NaN leaves the average as it
        is.
    weight, width
        λ and L. The defaults have an average run length of 370 periods in control, as the 3-sigma
        rule has.
    common
        Which part of each value's variance is common to all of them (``Chart.common``), from a
        centre that is itself uncertain: such a part does not average out, and widens the limits.

    References
    ----------
    Lucas and Saccucci (1990), Technometrics 32:1-12, table 3 (λ = 0.2, L = 2.860: 370.4 in
    control); the variance at period t is λ/(2−λ)·(1−(1−λ)^{2t}). Limits that allow for estimated
    parameters: Jones, Champ and Rigdon (2001), Technometrics 43:156-167.

    Examples
    --------
    >>> ewma([0.0, 2.0, 2.0, 2.0, 2.0]).signals
    array([False, False, False,  True,  True])
    """
    if not 0 < weight <= 1:
        raise ValueError(f"weight must lie in (0, 1], not {weight}")
    if width <= 0:
        raise ValueError(f"width must be positive, not {width}")
    values = np.asarray(z, dtype=np.float64)
    shared = np.broadcast_to(np.asarray(common, dtype=np.float64), values.shape)
    if not ((shared >= 0) & (shared <= 1)).all():
        raise ValueError("common has entries outside [0, 1]")
    average, variance = np.zeros_like(values), np.zeros_like(values)
    last, own, loading = (np.zeros(values.shape[:-1]) for _ in range(3))
    for t in range(values.shape[-1]):
        known, part = np.isfinite(values[..., t]), shared[..., t]
        last = np.where(known, weight * values[..., t] + (1 - weight) * last, last)
        own = np.where(known, weight**2 * (1 - part) + (1 - weight) ** 2 * own, own)
        loading = np.where(known, weight * np.sqrt(part) + (1 - weight) * loading, loading)
        average[..., t], variance[..., t] = last, own + loading**2
    limit = width * np.sqrt(variance)
    beyond = (np.abs(average) > limit) & np.isfinite(values)
    return Ewma(average, limit, beyond, f"ewma, weight {weight}, width {width}")
