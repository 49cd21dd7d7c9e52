"""Small units drawn towards the others: empirical Bayes with a beta prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from analysis._validation import Floats, at_most, counts, tail

#: Units that differ by chance only have no bound; from here on it makes no difference.
_MOST_PRECISION = 1e7


@dataclass(frozen=True)
class Shrunk:
    """Posterior means and intervals, one entry a unit, and the prior that was found.

    The prior is Beta(alpha, beta): mean ``mu``, intra-class correlation ``rho`` =
    1 / (alpha + beta + 1). ``weight`` is how much of a unit's estimate is its own: n / (n + α + β).
    """

    estimate: Floats
    low: Floats
    high: Floats
    alpha: float
    beta: float
    mu: float
    rho: float
    weight: Floats


def beta_binomial(successes: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95) -> Shrunk:
    """Beta-binomial shrinkage by maximum likelihood.

    Parameters
    ----------
    successes, trials
        Shape (units,); may be effective numbers (fractions).

    Returns
    -------
    Shrunk
        A unit without answers gets the prior: the best guess for a unit of which nothing is known
        but that it is one of these. The interval takes the prior as known, and is a little too
        narrow where there are few units. NaN everywhere where there are no answers at all.

    Raises
    ------
    ValueError
        For impossible counts.

    References
    ----------
    Casella (1985), The American Statistician 39:83-87; R VGAM 1.1.7 ``vglm(betabinomial)``.

    Examples
    --------
    Three of three is no better than 88 of 90:

    >>> found = beta_binomial([3, 88, 70, 80, 60], [3, 90, 90, 90, 90])
    >>> bool(found.estimate[0] < found.estimate[1])
    True
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    tail_ = tail(confidence)
    asked = n > 0
    nothing = np.full(k.shape, np.nan)
    if not asked.any():
        return Shrunk(nothing, nothing, nothing, np.nan, np.nan, np.nan, np.nan, nothing)
    alpha, beta = _prior(k[asked], n[asked])
    a, b = k + alpha, n - k + beta
    return Shrunk(
        estimate=a / (a + b),
        low=special.betaincinv(a, b, tail_),
        high=special.betaincinv(a, b, 1 - tail_),
        alpha=alpha,
        beta=beta,
        mu=alpha / (alpha + beta),
        rho=1 / (alpha + beta + 1),
        weight=n / (n + alpha + beta),
    )


def _prior(k: Floats, n: Floats) -> tuple[float, float]:
    pooled = float(np.clip(k.sum() / n.sum(), 0.5 / (n.sum() + 1), 1 - 0.5 / (n.sum() + 1)))

    def badness(parameters: Floats) -> float:
        mu, precision = special.expit(parameters[0]), np.exp(parameters[1])
        a, b = mu * precision, (1 - mu) * precision
        return -float(np.sum(special.betaln(k + a, n - k + b) - special.betaln(a, b)))

    bounds = [(-12.0, 12.0), (np.log(0.05), np.log(_MOST_PRECISION))]
    # The likelihood may have a flat end where units do not differ: begin in several places.
    found = min(
        (
            optimize.minimize(
                badness,
                np.array([special.logit(pooled), start]),
                bounds=bounds,
                method="L-BFGS-B",
                options={"ftol": 1e-14, "gtol": 1e-9},
            )
            for start in (1.0, 4.0, 8.0)
        ),
        key=lambda result: float(result.fun),
    )
    mu, precision = float(special.expit(found.x[0])), float(np.exp(found.x[1]))
    return mu * precision, (1 - mu) * precision
