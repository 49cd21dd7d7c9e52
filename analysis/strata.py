"""A parent's rate from its children, each weighted by how many it serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis._validation import Floats, counts, tail
from analysis.proportions import exact_limits


@dataclass(frozen=True)
class StratifiedEstimate:
    """A weighted mean of strata; arrays with one entry a parent.

    ``covered`` is the share of the weight that lies in strata with an estimate: below 1 the figure
    speaks for those only.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    covered: Floats


def combine(
    estimate: ArrayLike,
    standard_error: ArrayLike,
    weight: ArrayLike,
    *,
    n: ArrayLike | None = None,
    confidence: float = 0.95,
    scale: str = "logit",
) -> StratifiedEstimate:
    r"""Σ W_h R_h with W_h = N_h / ΣN, and its variance Σ W_h² V_h.

    Not the pooled rate, in which a stratum that collects many answers counts for much although it
    serves few people.

    Parameters
    ----------
    estimate, standard_error, weight
        Shape (…, strata): of each stratum its rate, its standard error (with its
        finite-population correction, if any) and its volume N_h. Strata without an estimate (NaN)
        are left out, and ``covered`` says so.
    n
        Respondents of each stratum. Where given, quantiles are those of t with the design's degrees
        of freedom, Σ(n_h − 1) over the strata that count (at least 1), and strata in which no
        variance can be seen get the exact binomial interval on their sum; otherwise they are
        normal.
    scale
        ``logit`` for rates, ``identity`` for mean scores.

    Returns
    -------
    StratifiedEstimate
        NaN for a parent without any stratum that has an estimate and a weight.

    Raises
    ------
    ValueError
        For negative or non-finite weights, an unknown scale, shapes that do not fit.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., theorems 5.1 and 5.3, degrees of freedom as in
    Korn and Graubard (1999), Analysis of Health Surveys, section 2.2; equals R survey 4.1.1
    ``svymean`` with ``strata`` and ``fpc``, and with ``n`` its ``svyciprop(method="xlogit")`` and
    ``confint(svymean(…), df=degf(design))``.

    Examples
    --------
    >>> found = combine([0.9, 0.5], [0.03, 0.05], [9000, 1000])
    >>> float(found.estimate.round(3)), float(found.standard_error.round(4))
    (0.86, 0.0275)

    Three strata of 500, 300 and 200 in which 3 of 4, 2 of 4 and 3 of 4 were satisfied; R's
    ``svyciprop`` says 0.287 to 0.915:

    >>> found = combine([0.75, 0.5, 0.75], [0.249, 0.2867, 0.2475], [500, 300, 200], n=[4, 4, 4])
    >>> float(found.low.round(3)), float(found.high.round(3))
    (0.287, 0.915)
    """
    (volume,) = counts(weight=weight)
    alpha = tail(confidence)
    rate = np.asarray(estimate, dtype=np.float64)
    se = np.asarray(standard_error, dtype=np.float64)
    try:
        rate, se, volume = np.broadcast_arrays(rate, se, volume)
    except ValueError:
        raise ValueError(
            "estimate, standard_error and weight have shapes that do not fit"
        ) from None
    known = np.isfinite(rate)
    kept = np.where(known, volume, 0.0)
    total = kept.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = kept / total[..., None]
        # A stratum without weight says nothing, whatever is known of its variance.
        value = np.where(share > 0, share * rate, 0.0).sum(axis=-1)
        variance = np.where(share > 0, (share * se) ** 2, 0.0).sum(axis=-1)
        value = np.where(total > 0, value, np.nan)
        deviation = np.where(total > 0, np.sqrt(variance), np.nan)
        covered = total / volume.sum(axis=-1)
        quantile: Floats = np.asarray(special.ndtri(1 - alpha))
        asked = None
        if n is not None:
            (people,) = counts(n=n)
            people = np.where(share > 0, np.broadcast_to(people, share.shape), 0.0)
            asked = people.sum(axis=-1)
            freedom = np.maximum(people - 1, 0.0).sum(axis=-1)
            quantile = special.stdtrit(np.maximum(freedom, 1.0), 1 - alpha)
        if scale == "identity":
            low, high = value - quantile * deviation, value + quantile * deviation
        elif scale == "logit":
            half = quantile * deviation / (value * (1 - value))
            low = special.expit(special.logit(value) - half)
            high = special.expit(special.logit(value) + half)
            flat = (deviation == 0) | (value <= 0) | (value >= 1)
            low, high = np.where(flat, np.nan, low), np.where(flat, np.nan, high)
            if asked is not None:
                exact_low, exact_high = exact_limits(value * asked, asked, alpha)
                low, high = np.where(flat, exact_low, low), np.where(flat, exact_high, high)
        else:
            raise ValueError(f"scale must be logit or identity, not {scale!r}")
    return StratifiedEstimate(value, deviation, low, high, covered)
