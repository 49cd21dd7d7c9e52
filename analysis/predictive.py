"""What a period's count is likely to be, given those of other periods: tails and limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import Floats, at_most, counts
from analysis.proportions import above

#: Standard deviations of the periods' true rates on the logit scale that are thought possible, and
#: the scale of their prior, half a normal distribution: months of one unit seldom differ by more.
_SPREADS = np.array([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.9])
_LIKELY_SPREAD = 0.3
_NODES = 49
#: How far the nodes reach, in standard deviations of the widest part.
_REACH = 8.0
#: Normal scores beyond this are given as this: their tail is less than 1e-15.
_FARTHEST = 7.9


@dataclass(frozen=True)
class Foreseen:
    """The distribution of a period's true rate, as ``weight`` on logits ``level`` (rows, nodes).

    ``centre`` and ``between`` (rows,) are its mean and the standard deviation of true rates between
    periods, ``used`` how many periods it rests on. A row that rests on none is NaN.
    """

    level: Floats
    weight: Floats
    centre: Floats
    between: Floats
    used: NDArray[np.int64]


def foresee(successes: ArrayLike, trials: ArrayLike, use: ArrayLike) -> Foreseen:
    """The true rate of a further period, from the counts of a baseline.

    The periods' true rates are taken to vary on the logit scale with a standard deviation that is
    not known: each of several possible ones counts by its posterior probability, so that few
    periods, which cannot tell it, give wide tails. Given it, the counts are beta-binomial; the
    mean has Jeffreys' prior, and its own uncertainty goes into the distribution.

    Parameters
    ----------
    successes, trials
        Shape (rows, periods); effective numbers, not necessarily whole.
    use
        Shape (rows, periods): which periods belong to the baseline; those without answers do not.

    Raises
    ------
    ValueError
        For impossible counts.

    References
    ----------
    The beta-binomial likelihood: Skellam (1948), Journal of the Royal Statistical Society B
    10:257-261. Limits from a predictive distribution: Menzefricke (2002), Quality Engineering
    14:475-482.

    Examples
    --------
    >>> found = foresee([[18, 19, 17, 20]], [[20, 20, 20, 20]], [[True] * 4])
    >>> found.centre.round(2), int(found.used[0])
    (array([0.92]), 4)
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    used = np.asarray(use, dtype=bool) & (n > 0)
    k, n = np.where(used, k, 0.0), np.where(used, n, 0.0)
    pooled = (k.sum(axis=1) + 0.5) / (n.sum(axis=1) + 1)
    # A spread of the logits as the correlation within a period that it amounts to.
    share = _SPREADS**2 * (pooled * (1 - pooled))[:, None]
    rho = share / (1 + share)
    inflated = 1 + np.maximum(n - 1, 0)[:, None, :] * rho[:, :, None]
    total = (n[:, None, :] / inflated).sum(axis=2)
    mean = ((k[:, None, :] / inflated).sum(axis=2) + 0.5) / (total + 1)
    log_posterior = (
        _log_likelihood(k, n, mean, rho)
        # By Laplace's method for the mean, given the spread.
        - 0.5 * np.log(total + 1)
        - (_SPREADS / _LIKELY_SPREAD) ** 2 / 2
        + np.log(np.gradient(_SPREADS))
    )
    posterior = special.softmax(log_posterior, axis=1)
    # The mean's uncertainty and the spread together, as one correlation.
    both = 1 - (1 - 1 / (total + 2)) * (1 - rho)
    a, b = mean * (1 / both - 1), (1 - mean) * (1 / both - 1)
    level, weight = _mixture(a, b, posterior)
    empty = ~used.any(axis=1)
    level[empty], weight[empty] = np.nan, np.nan
    centre = np.where(empty, np.nan, (posterior * mean).sum(axis=1))
    between = np.sqrt((posterior * rho * mean * (1 - mean)).sum(axis=1))
    return Foreseen(level, weight, centre, np.where(empty, np.nan, between), used.sum(axis=1))


def _log_likelihood(k: Floats, n: Floats, mean: Floats, rho: Floats) -> Floats:
    """Log-likelihood of each spread, shape (rows, spreads): the first one is the binomial."""
    plain = special.xlogy(k.sum(axis=1), mean[:, 0]) + special.xlog1py(
        (n - k).sum(axis=1), -mean[:, 0]
    )
    size = 1 / rho[:, 1:] - 1
    a, b = (mean[:, 1:] * size)[..., None], ((1 - mean[:, 1:]) * size)[..., None]
    spread = special.betaln(a + k[:, None, :], b + (n - k)[:, None, :]) - special.betaln(a, b)
    return np.column_stack([plain, spread.sum(axis=2)])


def _mixture(a: Floats, b: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Nodes on the logit scale and their weights, of beta distributions mixed by ``share``."""
    middle = special.digamma(a) - special.digamma(b)
    width = np.sqrt(special.polygamma(1, a) + special.polygamma(1, b))
    counted = share > 1e-5
    narrow = np.where(counted, width, np.inf).min(axis=1)
    wide = np.where(counted, width, 0.0).max(axis=1)
    # Close where the narrowest part stands, far apart in the tails of the widest.
    steps = np.linspace(-1, 1, _NODES) * np.arcsinh(_REACH * wide / narrow)[:, None]
    level = (share * middle).sum(axis=1)[:, None] + narrow[:, None] * np.sinh(steps)
    log_density = (
        a[..., None] * level[:, None, :] - (a + b)[..., None] * np.logaddexp(0, level)[:, None, :]
    )
    density = special.softmax(log_density + np.log(np.cosh(steps))[:, None, :], axis=2)
    return level, (share[..., None] * density).sum(axis=1)


def scores(foreseen: Foreseen, successes: ArrayLike, trials: ArrayLike) -> Floats:
    """Each row's count as a normal score: what a standard normal value with this tail would be.

    Parameters
    ----------
    foreseen
        Of as many rows.
    successes, trials
        Shape (rows,). Tails are mid-p (half of the count's own probability), by the beta function
        where a count is not whole.

    Returns
    -------
    Floats
        Shape (rows,); NaN for a row without trials or without a baseline.

    References
    ----------
    Lancaster (1961), Journal of the American Statistical Association 56:223-234 (mid-p).

    Examples
    --------
    >>> found = foresee([[20.0] * 11], [[20.0] * 11], [[True] * 11])
    >>> scores(found, [19], [20]).round(1)  # one of twenty is no alarm, however even the months
    array([-2.])
    """
    k, n = counts(successes=successes, trials=trials)
    rate = special.expit(foreseen.level)
    with np.errstate(invalid="ignore"):
        upper = (foreseen.weight * above(k[:, None], n[:, None], rate)).sum(axis=1)
        lower = foreseen.weight.sum(axis=1) - upper
        z = np.where(upper < lower, -special.ndtri(upper), special.ndtri(lower))
    return np.where(n > 0, np.clip(z, -_FARTHEST, _FARTHEST), np.nan)


def limits(foreseen: Foreseen, trials: ArrayLike, width: float = 3.0) -> tuple[Floats, Floats]:
    """Between which rates the score of a period of so many trials lies within ± ``width``.

    Where no count at all lies beyond, the limit is 0 or 1. Shape (rows,).
    """
    (n,) = counts(trials=trials)
    return tuple(_limit(foreseen, n, side * width) for side in (-1, 1))  # type: ignore[return-value]


def _limit(foreseen: Foreseen, n: Floats, score: float) -> Floats:
    end = np.where(score > 0, n, 0.0)
    at_end = scores(foreseen, end, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(np.isfinite(foreseen.centre), end / n, np.nan)
    some = np.flatnonzero(np.abs(at_end) > abs(score))
    if not len(some):
        return found
    n, outer, at_outer = n[some], end[some], at_end[some] - score
    part = Foreseen(
        foreseen.level[some], foreseen.weight[some], foreseen.centre[some],
        foreseen.between[some], foreseen.used[some],
    )  # fmt: skip
    # Far out all scores are the same: of many trials the limit is looked for near the centre.
    rate = special.expit(part.level)
    variance = ((rate - part.centre[:, None]) ** 2 + rate * (1 - rate) / n[:, None]) * part.weight
    aside = np.clip(part.centre + 2 * score * np.sqrt(variance.sum(axis=1)), 0.0, 1.0) * n
    inner = part.centre * n
    at_inner, at_aside = (scores(part, each, n) - score for each in (inner, aside))
    beyond = np.sign(score) * at_aside > 0
    outer, at_outer = np.where(beyond, aside, outer), np.where(beyond, at_aside, at_outer)
    inner, at_inner = np.where(beyond, inner, aside), np.where(beyond, at_inner, at_aside)
    low, high = (inner, outer) if score > 0 else (outer, inner)
    at_low, at_high = (at_inner, at_outer) if score > 0 else (at_outer, at_inner)
    k = inner
    # Illinois' variant of regula falsi: the score is nearly a straight line where it is searched.
    for _ in range(7):
        with np.errstate(invalid="ignore", divide="ignore"):
            k = np.clip((low * at_high - high * at_low) / (at_high - at_low), low, high)
        k = np.where(np.isfinite(k), k, (low + high) / 2)
        here = scores(part, k, n) - score
        above = here > 0
        at_low = np.where(above, at_low / 2, here)
        at_high = np.where(above, here, at_high / 2)
        low, high = np.where(above, low, k), np.where(above, k, high)
    found[some] = k / n
    return found
