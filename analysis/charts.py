"""Control charts of units over periods: p, Laney's p′, EWMA, with named rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from analysis.arrays import Floats, at_most, counts

#: Mean range of two standard normal values.
_D2 = 2 / np.sqrt(np.pi)

#: The Western Electric rules (Statistical Quality Control Handbook 1956; Nelson 1984 for eight in a
#: row): name, how many of how many points, beyond how many sigma, on one side.
RULES = {
    "beyond 3 sigma": (1, 1, 3.0),
    "2 of 3 beyond 2 sigma": (2, 3, 2.0),
    "4 of 5 beyond 1 sigma": (4, 5, 1.0),
    "8 in a row on one side": (8, 8, 0.0),
}


def false_alarm_rate(rule: str) -> float:
    """How often one of ``RULES`` fires at a period in control: normal, independent, both sides.

    Examples
    --------
    >>> round(false_alarm_rate("beyond 3 sigma"), 4)
    0.0027
    """
    needed, of, sigma = RULES[rule]
    beyond = scipy.stats.norm.sf(sigma)
    return float(2 * beyond * scipy.stats.binom.sf(needed - 2, of - 1, beyond))


@dataclass(frozen=True)
class Chart:
    """A control chart: arrays of shape (…, periods), save ``centre`` and ``sigma_z`` (…).

    ``signals`` says for each rule at which periods it fired; ``z`` is the distance from the centre
    in (widened) standard deviations.
    """

    estimate: Floats
    centre: Floats
    low: Floats
    high: Floats
    z: Floats
    sigma_z: Floats
    signals: dict[str, NDArray[np.bool_]]
    method: str


def p_chart(
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    baseline: int | None = None,
    overdispersion: bool = False,
) -> Chart:
    """Rates of periods against p̄ ± 3√(p̄(1 − p̄)/n_t); Laney's p′ with ``overdispersion``.

    Parameters
    ----------
    successes, trials
        Shape (…, periods); effective numbers where a respondent gives several answers.
    baseline
        How many of the first periods the centre (and Laney's factor) is taken from; all of them
        if left out.
    overdispersion
        Multiply the limits by σ_z from the moving range of z, for what differs from month to
        month besides quality: with large n a p-chart signals all the time.

    Raises
    ------
    ValueError
        For impossible counts, a baseline of fewer than two periods.

    References
    ----------
    Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 7.3; Laney
    (2002), Quality Engineering 14:531-537.

    Examples
    --------
    >>> found = p_chart([90, 91, 89, 70], [100, 100, 100, 100], baseline=3)
    >>> found.signals["beyond 3 sigma"]
    array([False, False, False,  True])
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    periods = k.shape[-1]
    first = periods if baseline is None else baseline
    if not 2 <= first <= periods:
        raise ValueError(f"baseline must lie between 2 and {periods}, not {baseline}")
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = k / n
        centre = k[..., :first].sum(axis=-1) / n[..., :first].sum(axis=-1)
        middle = centre[..., None]
        deviation = np.sqrt(middle * (1 - middle) / n)
        z = (rate - middle) / deviation
        sigma = np.ones(centre.shape)
        if overdispersion:
            sigma = _sigma_of_moving_range(z[..., :first])
        z = z / sigma[..., None]
        reach = 3 * sigma[..., None] * deviation
        low, high = np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)
    return Chart(
        rate, centre, low, high, z, sigma, signals(z), "laney p'" if overdispersion else "p"
    )


def _sigma_of_moving_range(z: Floats) -> Floats:
    """Mean moving range over d2; periods without answers are passed over. Shape (…)."""
    sigma = np.full(z.shape[:-1], np.nan)
    for place in np.ndindex(z.shape[:-1]):
        known = z[place][np.isfinite(z[place])]
        if len(known) > 1:
            sigma[place] = np.abs(np.diff(known)).mean() / _D2
    return sigma


def signals(z: ArrayLike) -> dict[str, NDArray[np.bool_]]:
    """At which periods each of ``RULES`` fires, on either side; z of shape (…, periods).

    A period without a figure (NaN) breaks no run and continues none: it counts as at the centre.
    """
    values = np.nan_to_num(np.asarray(z, dtype=np.float64), nan=0.0)
    found = {}
    for name, (needed, of, sigma) in RULES.items():
        fires = np.zeros(values.shape, dtype=bool)
        for side in (values, -values):
            beyond = side > sigma
            sums = np.cumsum(beyond, axis=-1)
            before = np.zeros_like(sums)
            before[..., of:] = sums[..., :-of]
            # It fires at a point that itself lies beyond.
            fires |= (sums - before >= needed) & beyond
        found[name] = fires
    return found


@dataclass(frozen=True)
class Ewma:
    """An exponentially weighted moving average of z and its limits (shape (…, periods))."""

    average: Floats
    limit: Floats
    signals: NDArray[np.bool_]
    method: str


def ewma(z: ArrayLike, *, weight: float = 0.2, width: float = 2.860) -> Ewma:
    """EWMA of standardised values, which sees a small lasting shift sooner than a p-chart.

    Parameters
    ----------
    z
        Shape (…, periods): standard normal in control (``Chart.z``); NaN leaves the average as it
        is.
    weight, width
        λ and L. The defaults have an average run length of 370 periods in control, as the 3-sigma
        rule has.

    References
    ----------
    Lucas and Saccucci (1990), Technometrics 32:1-12, table 3 (λ = 0.2, L = 2.860: 370.4 in
    control); the variance at period t is λ/(2−λ)·(1−(1−λ)^{2t}).

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
    average = np.zeros_like(values)
    variance = np.zeros_like(values)
    last, spread = np.zeros(values.shape[:-1]), np.zeros(values.shape[:-1])
    for t in range(values.shape[-1]):
        known = np.isfinite(values[..., t])
        last = np.where(known, weight * values[..., t] + (1 - weight) * last, last)
        spread = np.where(known, weight**2 + (1 - weight) ** 2 * spread, spread)
        average[..., t], variance[..., t] = last, spread
    limit = width * np.sqrt(variance)
    beyond = (np.abs(average) > limit) & np.isfinite(values)
    return Ewma(average, limit, beyond, f"ewma, weight {weight}, width {width}")
