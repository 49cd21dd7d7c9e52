"""How many independent answers a unit's answers are worth, and limits that rest on that.

A respondent's answers resemble one another, by a correlation ρ. One unit's own answers tell little
of it where few are dissatisfied: that all who were asked agree may mean that nobody of the angry
was among them. So ρ is learnt from many units together, and what stays unknown goes into the
limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis._validation import Floats, at_most, counts, tail
from analysis.proportions import wilson

#: Before any answer is seen ρ is taken to be this, and as well known as from units with
#: Σ(n* − 1)·p(1 − p) of that size: eight people at a rate of 0.5, some twenty at 0.9.
PRIOR_CORRELATION, _PRIOR_INFORMATION = 0.4, 2.0
#: What a unit's own answers must tell, likewise, to count as much as the shared ρ where they say
#: that it is smaller.
_SHARED_INFORMATION = 5.0
#: So many people on a limit's far side leave 1/e of the doubt whether such people were asked.
PEOPLE_HEARD = 4.0
#: Halvings of the bracket of a limit: to 10⁻¹¹ or nearer.
_HALVINGS = 36


@dataclass(frozen=True)
class Answers:
    """Additive sums of units, checked, and what follows from them; arrays of one shape.

    ``squares`` is Σ(a − R·m)²; ``size`` Σm²/Σm, a respondent's answers as answers see them;
    ``people`` n* = (Σm)²/Σm², respondents if all had given equally many answers; ``alone``
    estimates p(1 − p), ``together`` p(1 − p) times the design effect.
    """

    a: Floats
    m: Floats
    n: Floats
    rate: Floats
    squares: Floats
    size: Floats
    people: Floats
    alone: Floats
    together: Floats

    @classmethod
    def of(
        cls,
        sum_a: ArrayLike,
        sum_m: ArrayLike,
        sum_aa: ArrayLike,
        sum_am: ArrayLike,
        sum_mm: ArrayLike,
        n: ArrayLike,
    ) -> Answers:
        """Check the sums, which ``clustered.ratio`` explains, and raise as it does."""
        a, m, aa, am, mm, n_ = counts(
            sum_a=sum_a, sum_m=sum_m, sum_aa=sum_aa, sum_am=sum_am, sum_mm=sum_mm, n=n
        )
        at_most("sum_a", a, "sum_m", m)
        at_most("n", n_, "sum_m", m)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = a / m
            squares = aa - 2 * rate * am + rate**2 * mm
            # A difference of large sums: what is left of it below rounding is no variance.
            squares = np.where(squares <= 1e-12 * (aa + mm), 0.0, squares)
            people = np.maximum(m**2 / mm, 1.0)
            # R was fitted: squares are too small by 1 − 1/n*, R(1 − R) by the variance of R.
            several = people > 1 + 1e-9
            together = np.where(several, squares / (m * (1 - 1 / people)), 0.0)
            alone = rate * (1 - rate) + together / m
            size = np.where(m > 0, mm / m, 1.0)
        return cls(a, m, n_, rate, squares, size, people, alone, together)

    def own_correlation(self) -> Floats:
        """What each unit's own answers say of ρ, within [0, 1]; 0 where they say nothing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            known = (self.alone > 0) & (self.size > 1)
            own = (self.together / self.alone - 1) / (self.size - 1)
        return np.clip(np.where(known, own, 0.0), 0.0, 1.0)

    def information(self) -> tuple[Floats, Floats]:
        """What each unit tells of ρ, on the scale of Σ(n* − 1)·p(1 − p), and ρ times that."""
        with np.errstate(invalid="ignore"):
            weight = np.where(self.m > 0, self.people - 1, 0.0)
            told = np.where(self.m > 0, weight * self.alone * (1 - 1 / self.size), 0.0)
            above = np.where(self.m > 0, weight * (self.together - self.alone) / self.size, 0.0)
        return told, above

    def correlation(self, axis: int | tuple[int, ...] | None, *, each: bool = False) -> Floats:
        """ρ by the method of moments, over units or for ``each`` alone, drawn to the prior."""
        told, above = self.information()
        if not each:
            kept = axis is not None
            told, above = (x.sum(axis=axis, keepdims=kept) for x in (told, above))
        rho = (above + _PRIOR_INFORMATION * PRIOR_CORRELATION) / (told + _PRIOR_INFORMATION)
        return np.clip(rho, 0.0, 1.0)

    def weighed(self, shared: Floats) -> Floats:
        """The ρ that limits rest on: a larger one of the unit's own counts whole.

        A smaller one counts by how much the unit tells: that people are alike may be for want of
        the angry ones among them.
        """
        own = self.own_correlation()
        told, above = self.information()
        drawn = (above + _SHARED_INFORMATION * shared) / (told + _SHARED_INFORMATION)
        return np.clip(np.where(own > shared, own, drawn), 0.0, 1.0)

    def given(self, correlation: ArrayLike | None) -> Floats:
        """The correlation that is given, or learnt from these units; of the units' shape."""
        if correlation is None:
            return np.broadcast_to(np.round(self.correlation(None), 2), self.m.shape)
        rho = np.asarray(correlation, dtype=np.float64)
        if ((rho < 0) | (rho > 1)).any():
            raise ValueError("correlation has entries outside [0, 1]")
        try:
            rho = np.broadcast_to(rho, self.m.shape)
        except ValueError:
            raise ValueError(
                f"shapes do not fit together: correlation {rho.shape}, sums {self.m.shape}"
            ) from None
        unknown = np.isnan(rho)
        return np.where(unknown, self.correlation(None, each=True), rho) if unknown.any() else rho


def shared_correlation(
    sum_a: ArrayLike,
    sum_m: ArrayLike,
    sum_aa: ArrayLike,
    sum_am: ArrayLike,
    sum_mm: ArrayLike,
    n: ArrayLike,
    *,
    axis: int | tuple[int, ...] | None = None,
) -> Floats:
    """The correlation ρ between the answers of one respondent that units share.

    Parameters
    ----------
    sum_a, sum_m, sum_aa, sum_am, sum_mm, n
        As in ``clustered.ratio``, any one shape.
    axis
        Along which the units lie; all of them by default.

    Returns
    -------
    array
        Within [0, 1]: one number without ``axis``, else with that axis kept at length one, so
        that it broadcasts against the units. Rounded to 0.01, so that nothing of a single unit
        follows from it. Where little is known (few people, everybody alike, everybody one
        answer) it is near 0.4, which stands for what some twenty people tell at a rate of 0.9.

    Raises
    ------
    ValueError
        As ``clustered.ratio``.

    References
    ----------
    The analysis-of-variance estimator for binary answers (Ridout, Demétrio, Firth 1999, Biometrics
    55:137-148) with n* for the number of respondents, so that it holds for unequal numbers of
    answers; its sums are added over units before they are divided, since a unit in which nobody
    happens to be dissatisfied has no ρ of its own.

    Examples
    --------
    Two units of fifty respondents with nine answers each, who all agree with themselves:

    >>> shared_correlation([360, 405], [450] * 2, [3240, 3645], [3240, 3645], [4050] * 2, 50)
    np.float64(0.91)
    """
    found: Floats = Answers.of(sum_a, sum_m, sum_aa, sum_am, sum_mm, n).correlation(axis)
    return np.round(found, 2)


def common_effective_n(
    sum_a: ArrayLike,
    sum_m: ArrayLike,
    sum_aa: ArrayLike,
    sum_am: ArrayLike,
    sum_mm: ArrayLike,
    n: ArrayLike,
    *,
    correlation: ArrayLike | None = None,
) -> Floats:
    """How many independent answers carry as much, from one intra-respondent correlation for all.

    For comparing many units: a unit's own design effect is uncertain, least of all where few are
    dissatisfied, and the units whose variance came out too small by chance would be those that
    stand out. (At 97 % satisfied and 40 respondents p-values from the units' own variances fall
    under 0.001 forty times too often; with a common correlation they do not:
    tests/analysis/test_coverage.py.)

    Parameters
    ----------
    sum_a, sum_m, sum_aa, sum_am, sum_mm, n, correlation
        As in ``clustered.ratio``, any one shape.

    Returns
    -------
    array
        Σm / (1 + (b − 1)ρ) with b = Σm²/Σm; 0 where there are no answers.

    Raises
    ------
    ValueError
        As ``clustered.ratio``.

    References
    ----------
    Kish (1965), Survey Sampling, section 5.4: deff = 1 + (b̄ − 1)·ρ.

    Examples
    --------
    Five respondents with nine answers each, and a correlation of 0.25:

    >>> common_effective_n(27, 45, 243, 243, 405, 5, correlation=0.25).round(1)
    np.float64(15.0)
    """
    found = Answers.of(sum_a, sum_m, sum_aa, sum_am, sum_mm, n)
    rho = found.given(correlation)
    effective: Floats = np.where(found.m > 0, found.m / (1 + (found.size - 1) * rho), 0.0)
    return effective


def score_limits(
    estimate: ArrayLike,
    effective_n: ArrayLike,
    people: ArrayLike,
    *,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    r"""Limits of a rate that rests on so many effective answers of so many people.

    The limits P solve (R − P)² = z²·P(1 − P)/n(P), Wilson's equation, with
    1/n(P) = (1 − w)/n_e + w/n*, w = exp(−u/4), where u is how many people are expected beyond the
    limit if it is the truth: n*(1 − P) dissatisfied at the lower one, n*·P satisfied at the upper.
    Where u is large that is Wilson's interval on n_e answers. Where it is small, none of the few
    may have been asked, and answers that are alike say nothing of those people: it then draws
    near to Wilson's on n* people.

    Parameters
    ----------
    estimate
        Rates, R.
    effective_n
        How many independent answers carry as much, n_e (``RatioEstimate.interval_n``).
    people
        n* = (Σm)²/Σm² (``RatioEstimate.people``), at most ``effective_n``.
    confidence
        Coverage, 0.95 for 95 %.

    Returns
    -------
    low, high
        Within [0, 1], around the estimate; mirrored if satisfied and dissatisfied change places;
        never outside the exact interval on n* people of whom R·n* are satisfied (Clopper and
        Pearson's, by the beta distribution). NaN where an argument is.

    References
    ----------
    Wilson (1927); effective sizes in it: Dean and Pagano (2015), Journal of Survey Statistics and
    Methodology 3:484-503, and Franco, Little, Louis, Slud (2019), 7:334-364. The allowance w is
    ours, from simulation (docs/methods.md, "Promises").

    Examples
    --------
    One answer each of 100 people; 22 answers each of 30, worth 90, of which 99 % were satisfied:

    >>> low, high = score_limits([0.96, 0.99], [100, 90], [100, 30])
    >>> low.round(4), high.round(4)
    (array([0.9016, 0.9047]), array([0.9843, 0.9984]))
    """
    r, size, persons = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (estimate, effective_n, people))
    )
    low, high, _ = limits(r, size, persons, tail(confidence))
    return low, high


def limits(
    rate: Floats, effective_n: Floats, people: Floats, alpha: float
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Both limits as ``score_limits`` gives them, and where the exact interval has cut one."""
    z = float(special.ndtri(1 - alpha))
    with np.errstate(divide="ignore", invalid="ignore"):
        low = _lower(rate, effective_n, people, z)
        high = 1 - _lower(1 - rate, effective_n, people, z)
    return within_exact(low, high, rate, people, alpha)


def within_exact(
    low: Floats, high: Floats, rate: Floats, people: Floats, alpha: float
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Limits cut to Clopper and Pearson's on these people, and where that was needed."""
    low, high, k, rest = (np.array(x) for x in (low, high, rate * people, people - rate * people))
    rate, tiny = np.asarray(rate), 1e-300
    # Quantiles of the beta distribution are dear, its probabilities are not, and few are cut.
    beyond = (special.betainc(np.maximum(k, tiny), rest + 1, low) < alpha) & (low > 0)
    above = (special.betainc(k + 1, np.maximum(rest, tiny), high) > 1 - alpha) & (high < 1)
    if beyond.any():
        exact = special.betaincinv(k[beyond], rest[beyond] + 1, alpha)
        low[beyond] = np.clip(exact, low[beyond], rate[beyond])
    if above.any():
        exact = special.betaincinv(k[above] + 1, rest[above], 1 - alpha)
        high[above] = np.clip(exact, rate[above], high[above])
    return low, high, beyond | above


def _lower(rate: Floats, effective_n: Floats, people: Floats, z: float) -> Floats:
    """The lower limit, by halving: (R − P)²/(P(1 − P)) falls in P, and 1/n(P) grows."""
    each, wholly = 1 / effective_n, 1 / people
    low, _ = wilson(rate, people, z)
    high, _ = wilson(rate, effective_n, z)
    for _ in range(_HALVINGS):
        p = (low + high) / 2
        doubt = np.exp((p - 1) * (people / PEOPLE_HEARD))
        below = (rate - p) ** 2 > z**2 * (p * (1 - p)) * (each + (wholly - each) * doubt)
        low, high = np.where(below, p, low), np.where(below, high, p)
    return low
