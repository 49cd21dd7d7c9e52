"""Many rates held against one target at once: each one's p, and what is left of it among many."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from analysis._validation import Floats
from analysis.effective_sizes import PEOPLE_HEARD

#: What the p-values of rates against a target are called.
AGAINST = "larger tail of score test and binomial on effective answers"


def against(
    estimate: ArrayLike, effective_n: ArrayLike, people: ArrayLike, target: float
) -> Floats:
    r"""p of rates that rest on so many effective answers of so many people, against a target.

    Twice the larger of two tails at the target: of Wilson's score on the answers that
    ``effective_sizes.score_limits`` counts there, and of the binomial on as many answers. The
    first is the interval's own. It takes both tails for equal; but where nearly all are satisfied
    low rates come by chance more often than high ones, and far out, where many units are looked
    at, by much (a family of 82 units at 0.95 was called in 13 % of runs).

    Parameters
    ----------
    estimate, effective_n, people
        As in ``effective_sizes.score_limits``; shapes that broadcast.
    target
        Within (0, 1).

    Returns
    -------
    p
        Two-sided; NaN where an argument is. Where p lies under 1 − confidence the interval of
        that confidence leaves the target out, and not always the other way round.

    Raises
    ------
    ValueError
        For a target outside (0, 1).

    References
    ----------
    Wilson (1927); the binomial tail by the beta distribution, as in Clopper and Pearson (1934),
    and for effective answers in Korn and Graubard (1998), Survey Methodology 24:193-201.

    Examples
    --------
    One answer each of 100 people, 96 of whom, and 84 of whom, were satisfied:

    >>> against([0.96, 0.84], 100, 100, 0.9).round(4)
    array([0.0474, 0.0798])
    """
    if not 0 < target < 1:
        raise ValueError(f"target must lie between 0 and 1, not {target}")
    rate, size, persons = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (estimate, effective_n, people))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        higher = rate > target
        doubt = np.exp(-np.where(higher, 1 - target, target) * persons / PEOPLE_HEARD)
        each = (1 - doubt) / size + doubt / persons
        score = special.ndtr(-np.abs(rate - target) / np.sqrt(target * (1 - target) * each))
        k, rest, tiny = rate / each, (1 - rate) / each, 1e-300
        at_least = special.betainc(np.maximum(k, tiny), rest + 1, target)
        at_most = special.betaincc(k + 1, np.maximum(rest, tiny), target)
        tail = np.maximum(score, np.where(higher, at_least, at_most))
        # Of nobody's answers nothing is said, and all of some lie on one side of any target.
        known = np.isfinite(rate) & (size > 0) & (persons > 0)
    return np.where(known, np.minimum(2 * tail, 1.0), np.nan)


def holm(p: ArrayLike, *, unseen: int = 0) -> Floats:
    """Adjusted p-values: what is called at 0.05 holds for all at once, with 95 %.

    Parameters
    ----------
    p
        Shape (tests,); NaN stays NaN and is no test.
    unseen
        How many tests there are besides whose p is not to be used, since it would be seen in the
        others': taken for the largest. Such a test may be called by p·(tests + unseen) itself.

    Raises
    ------
    ValueError
        For p outside [0, 1], or a negative number of tests.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6:65-70; R ``p.adjust(p, "holm")``. With
    ``unseen`` ones equal to R's, ones put in for these.

    Examples
    --------
    >>> holm([0.001, 0.02, float("nan"), 0.6]), holm([0.001, 0.02], unseen=1)
    (array([0.003, 0.04 ,   nan, 0.6  ]), array([0.003, 0.04 ]))
    """
    values = np.asarray(p, dtype=np.float64)
    if unseen < 0:
        raise ValueError(f"unseen must not be negative, but is {unseen}")
    known = np.flatnonzero(np.isfinite(values))
    if ((values[known] < 0) | (values[known] > 1)).any():
        raise ValueError("p has entries outside [0, 1]")
    order = known[np.argsort(values[known], kind="stable")]
    left = len(known) + unseen - np.arange(len(known))
    adjusted = np.full_like(values, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * left), 1.0)
    return adjusted
