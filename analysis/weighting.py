"""Respondents weighted to known margins: post-stratification and raking.

Where those who answer differ from those who were served (by age, sex, kind of procedure), weights
bring the known shares back. The variance is that of the residuals from the margins, not that of a
sample which happened to have them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import Floats, counts, tail

Codes = NDArray[np.intp]
_ROUNDS = 1000
#: Rounds in which the residuals are swept of each margin in turn, as R's ``svyrecvar`` does.
_SWEEPS = 10


class NotConvergedError(ValueError):
    """The margins contradict one another, or ask for respondents that are not there."""


@dataclass(frozen=True)
class WeightedEstimate:
    """A weighted ratio (or mean) with its interval.

    ``weights``, shape (respondents,), sum to the population; ``kish_effect`` is 1 + cv² of the
    weights, the price of unequal weights (Kish 1965, section 11.7).
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    n: int
    weights: Floats
    kish_effect: float


def poststratify(
    numerator: ArrayLike,
    stratum: ArrayLike,
    population: ArrayLike,
    *,
    denominator: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    clusters_in_population: float | None = None,
    confidence: float = 0.95,
    scale: str = "identity",
) -> WeightedEstimate:
    """A ratio of respondents' sums, weighted so that each post-stratum has its known size.

    Parameters
    ----------
    numerator, denominator
        Shape (respondents,): for a rate the satisfied and all answers of each (a_i, m_i); without
        a denominator the mean of the numerator.
    stratum
        Shape (respondents,): 0 … strata − 1.
    population
        Shape (strata,): how many people each stratum has.
    weight
        Design weights; equal if left out.
    cluster, clusters_in_population
        Clusters in which respondents were drawn, and how many of them there are (for the
        finite-population correction); without, each respondent is one.
    scale
        ``logit`` or ``identity``, on which the interval (t, clusters − 1) is symmetric.

    Raises
    ------
    ValueError
        Naming the argument; ``NotConvergedError`` for a stratum with people but no respondent.

    References
    ----------
    Holt and Smith (1979), JRSS A 142:33-46; equals R survey 4.1.1 ``postStratify`` and
    ``svymean``.
    """
    top, bottom, w = _arrays(numerator, denominator, weight)
    codes, (sizes,) = _margins([stratum], [population], len(top))
    w = _fitted(w, codes[0], sizes)
    return _estimate(
        top, bottom, w, codes, cluster, clusters_in_population, confidence, scale, _swept_of_one
    )


def rake(
    numerator: ArrayLike,
    margins: Sequence[ArrayLike],
    populations: Sequence[ArrayLike],
    *,
    denominator: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    clusters_in_population: float | None = None,
    confidence: float = 0.95,
    scale: str = "identity",
    tolerance: float = 1e-10,
) -> WeightedEstimate:
    """A ratio weighted by iterative proportional fitting to several margins at once.

    Parameters as for ``poststratify``; ``margins`` and ``populations`` have one entry a margin,
    and every population must have the same sum. ``tolerance`` is relative.

    Raises
    ------
    NotConvergedError
        Where the margins cannot be met.

    References
    ----------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11:427-444; Deville, Särndal,
    Sautory (1993), JASA 88:1013-1020. Equals R survey 4.1.1 ``rake``, which iterates less far.
    """
    top, bottom, w = _arrays(numerator, denominator, weight)
    codes, sizes = _margins(margins, populations, len(top))
    totals = [float(size.sum()) for size in sizes]
    if not np.allclose(totals, totals[0], rtol=1e-9):
        raise ValueError(f"populations have different sums: {totals}")
    for _ in range(_ROUNDS):
        before = w
        for code, size in zip(codes, sizes, strict=True):
            w = _fitted(w, code, size)
        if np.abs(w - before).max() <= tolerance * before.max():
            break
    for code, size in zip(codes, sizes, strict=True):
        if not np.allclose(np.bincount(code, w, minlength=len(size)), size, rtol=1e-6):
            raise NotConvergedError("margins and populations contradict one another")
    return _estimate(
        top, bottom, w, codes, cluster, clusters_in_population, confidence, scale, _swept_of_many
    )


def _arrays(
    numerator: ArrayLike, denominator: ArrayLike | None, weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    top = np.asarray(numerator, dtype=np.float64)
    if top.ndim != 1 or not len(top) or not np.isfinite(top).all():
        raise ValueError("numerator must be one finite number a respondent")
    (bottom,) = counts(denominator=np.ones_like(top) if denominator is None else denominator)
    (w,) = counts(weight=np.ones_like(top) if weight is None else weight)
    if bottom.shape != top.shape or w.shape != top.shape:
        raise ValueError("denominator and weight must have the shape of numerator")
    return top, bottom, w


def _margins(
    margins: Sequence[ArrayLike], populations: Sequence[ArrayLike], n: int
) -> tuple[list[Codes], list[Floats]]:
    codes = [np.asarray(margin, dtype=np.intp) for margin in margins]
    sizes = [counts(population=population)[0] for population in populations]
    if not codes or len(codes) != len(sizes):
        raise ValueError("margins and populations must be of one length, and not empty")
    for code, size in zip(codes, sizes, strict=True):
        if code.shape != (n,) or code.min() < 0 or code.max() >= len(size):
            raise ValueError("margins must give each respondent a place in its population")
    return codes, sizes


def _fitted(w: Floats, code: Codes, size: Floats) -> Floats:
    """The weights scaled so that each class of one margin sums to its size."""
    now = np.bincount(code, w, minlength=len(size))
    if ((now == 0) & (size > 0)).any():
        raise NotConvergedError("population has people where there is no respondent")
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(size > 0, size / now, 0.0)
    return w * factor[code]


def _swept_of_one(influence: Floats, w: Floats, codes: list[Codes]) -> Floats:
    """What is left of the influence when each post-stratum's weighted mean is taken out."""
    (code,) = codes
    of_all = np.bincount(code, w)
    mean = np.bincount(code, influence) / np.where(of_all > 0, of_all, 1.0)
    return influence - w * mean[code]


def _swept_of_many(influence: Floats, w: Floats, codes: list[Codes]) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(w > 0, influence / w, 0.0)
    # Who weighs nothing has no say in the means of the others.
    weighs = (w > 0).astype(np.float64)
    for _ in range(_SWEEPS):
        for code in codes:
            mean = np.bincount(code, value) / np.maximum(np.bincount(code, weighs), 1.0)
            value = value - weighs * mean[code]
    return value * w


def _estimate(
    top: Floats,
    bottom: Floats,
    w: Floats,
    codes: list[Codes],
    cluster: ArrayLike | None,
    clusters_in_population: float | None,
    confidence: float,
    scale: str,
    sweep: Callable[[Floats, Floats, list[Codes]], Floats],
) -> WeightedEstimate:
    alpha = tail(confidence)
    value = float(w @ top / (w @ bottom))
    influence = sweep(w * (top - value * bottom) / (w @ bottom), w, codes)
    if cluster is not None:
        _, place = np.unique(np.asarray(cluster), return_inverse=True)
        influence = np.bincount(place, influence).astype(np.float64)
    groups = len(influence)
    unseen = 1.0 if clusters_in_population is None else 1 - groups / clusters_in_population
    if unseen < 0:
        raise ValueError("clusters_in_population is less than the clusters in the sample")
    centred = influence - influence.mean()
    se = np.nan
    if groups > 1:
        se = float(np.sqrt(unseen * groups / (groups - 1) * (centred @ centred)))
    t = special.stdtrit(max(groups - 1, 1), 1 - alpha)
    if scale == "identity":
        low, high = value - t * se, value + t * se
    elif scale == "logit":
        with np.errstate(divide="ignore", invalid="ignore"):
            half = t * np.float64(se) / (value * (1 - value))
            low, high = (float(special.expit(special.logit(value) + s * half)) for s in (-1, 1))
    else:
        raise ValueError(f"scale must be logit or identity, not {scale!r}")
    kish = float(len(w) * (w @ w) / w.sum() ** 2)
    return WeightedEstimate(value, se, float(low), float(high), len(top), w, kish)
