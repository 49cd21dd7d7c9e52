"""Control charts of rates over periods, and the rules by which a period stands out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from analysis import predictive
from analysis._validation import Floats, at_most, counts
from analysis.moving_averages import ewma

Bools = NDArray[np.bool_]
#: The Western Electric rules (Statistical Quality Control Handbook 1956; Nelson 1984 for eight in a
#: row): name, how many of how many points, beyond how many sigma, on one side.
RULES = {
    "beyond 3 sigma": (1, 1, 3.0),
    "2 of 3 beyond 2 sigma": (2, 3, 2.0),
    "4 of 5 beyond 1 sigma": (4, 5, 1.0),
    "8 in a row on one side": (8, 8, 0.0),
}
BEYOND, EWMA = "beyond 3 sigma", "ewma"
#: What a chart marks where nothing else is chosen: a period that stands out alone, and a small
#: lasting shift. No rule for trends: it alone marks something in 38 of 100 ordinary courses.
CHOSEN = (BEYOND, EWMA)
#: All rules that may be chosen.
NAMED = (*RULES, EWMA)
#: A baseline of fewer periods gives no limits, and one of which less than this share is ordinary.
LEAST_BASELINE, _ORDINARY = 12, 2 / 3


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


@lru_cache(maxsize=256)
def false_marks(periods: int, rules: tuple[str, ...] = CHOSEN) -> float:
    """How likely some of ``rules`` marks something in so many ordinary periods.

    By 20,000 simulated courses of independent normal scores, always the same ones.

    Examples
    --------
    >>> round(false_marks(24, ("beyond 3 sigma",)), 2)  # 1 - (1 - 0.0027)^24
    0.06
    >>> round(false_marks(36, NAMED), 2)
    0.33
    """
    z = np.random.default_rng(20_261_128).standard_normal((20_000, max(periods, 1)))
    found = marks(z, rules)
    some = np.logical_or.reduce([fired.any(axis=1) for fired in found.values()])
    return float(some.mean()) if periods > 0 else 0.0


@dataclass(frozen=True)
class Baseline:
    """Which periods limits rest on, by their place in the series, counted from 0.

    The limits count from ``start`` on. They rest on ``first`` to ``last``, frozen; without a
    ``last`` on all from ``first`` to the one before the judged, those left out that stood beyond
    their own limits.
    """

    start: int
    first: int
    last: int | None = None


@dataclass(frozen=True)
class Chart:
    """A control chart: arrays of shape (…, periods).

    Attributes
    ----------
    centre, low, high
        The rate that is expected of a period and its limits; NaN where there are none.
    z
        Each period's distance from its centre, as a normal score.
    between
        Standard deviation of the true rates between periods, as far as it could be learnt.
    rests_on
        How many periods the limits rest on; 0 where there are none.
    left_out
        Periods that stood beyond their limits and therefore belong to no baseline.
    common
        Correlation of the scores that comes from their common centre.
    signals
        For each rule at which periods it fired.
    method
        In words.
    """

    estimate: Floats
    centre: Floats
    low: Floats
    high: Floats
    z: Floats
    between: Floats
    rests_on: NDArray[np.int64]
    left_out: Bools
    common: Floats
    signals: dict[str, Bools]
    method: str


def chart(
    successes: ArrayLike,
    trials: ArrayLike,
    *,
    baselines: Sequence[Baseline] = (),
    rules: Sequence[str] = CHOSEN,
    least: int = LEAST_BASELINE,
    draw: bool = True,
) -> Chart:
    """Rates against limits from the distribution that their counts have.

    A period's score is the normal score of its count's tail probability (mid-p), by the
    distribution that ``predictive.foresee`` gives from the counts of the baseline alone: binomial
    within a period, with what periods differ in besides, and with the uncertainty of both. So the
    limits hold near 100 % too, where there may be no upper one. No period is judged by a baseline
    that it is part of: those of a frozen one are judged by the others. A period of a baseline that
    stands beyond its limits is left out of it, until all that are left are ordinary.

    Parameters
    ----------
    successes, trials
        Shape (…, periods); effective numbers where a respondent gives several answers, 0 trials for
        a period without answers.
    baselines
        In the order of their ``start``; until the first one starts, and without any, limits rest on
        all periods before the judged.
    rules
        Names out of ``NAMED``. None of them looks across the start of a baseline.
    least
        With fewer periods in the baseline there are no limits, no scores and no marks; those that
        are left out of it count here, while two thirds are ordinary.
    draw
        Whether ``low`` and ``high`` are wanted: they take most of the time, and judge nothing.

    Raises
    ------
    ValueError
        For impossible counts, unknown rules, a frozen baseline of fewer than ``least`` periods, and
        one that starts before its first period or not after the one before it.

    Examples
    --------
    >>> found = chart([90, 91, 88, 92] * 3 + [89, 70], 14 * [100])
    >>> found.rests_on[11:], found.signals["beyond 3 sigma"][11:]
    (array([ 0, 12, 13]), array([False, False,  True]))
    """
    k, n = counts(successes=successes, trials=trials)
    at_most("successes", k, "trials", n)
    _check(baselines, rules, least)
    periods = k.shape[-1]
    rows = int(np.prod(k.shape[:-1]))
    k_rows, n_rows = (each.reshape(rows, periods) for each in (k, n))
    decided = [Baseline(0, 0), *baselines]
    course = _Series(k_rows, n_rows, least, draw)
    bounds: list[tuple[int, int]] = []
    for place, baseline in enumerate(decided):
        end = decided[place + 1].start if place + 1 < len(decided) else periods
        bounds.append((min(baseline.start, periods), min(end, periods)))
        if baseline.last is None:
            course.run(baseline.first, *bounds[-1])
        else:
            course.stand(baseline.first, baseline.last, *bounds[-1])
    signals_of = {rule: np.zeros(n_rows.shape, dtype=bool) for rule in rules}
    for begin, end in bounds:
        here = slice(begin, end)
        found = marks(course.z[:, here], rules, common=course.common[:, here])
        for rule, fired in found.items():
            signals_of[rule][:, here] = fired
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = k_rows / n_rows
    shape = k.shape
    return Chart(
        estimate.reshape(shape),
        course.centre.reshape(shape),
        course.low.reshape(shape),
        course.high.reshape(shape),
        course.z.reshape(shape),
        course.between.reshape(shape),
        course.rests_on.reshape(shape),
        course.left_out.reshape(shape),
        course.common.reshape(shape),
        {rule: fired.reshape(shape) for rule, fired in signals_of.items()},
        "predictive beta-binomial limits, mid-p",
    )


def _check(baselines: Sequence[Baseline], rules: Sequence[str], least: int) -> None:
    unknown = [rule for rule in rules if rule not in NAMED]
    if unknown:
        raise ValueError(f"rules has {unknown[0]!r}, which is none of {', '.join(NAMED)}")
    before = -1
    for each in baselines:
        if each.start <= before:
            raise ValueError("baselines must be in the order of their start")
        if not 0 <= each.first <= each.start:
            raise ValueError("baselines has one that starts before its first period")
        if each.last is not None and each.last - each.first + 1 < least:
            raise ValueError(f"baselines has one of fewer than {least} periods")
        before = each.start


class _Series:
    """Judges periods one after the other, all rows at once, and keeps what was found."""

    def __init__(self, k: Floats, n: Floats, least: int, draw: bool) -> None:
        self.k, self.n, self.least, self.draw = k, n, least, draw
        self.centre, self.low, self.high, self.z, self.between = (
            np.full(n.shape, np.nan) for _ in range(5)
        )
        self.common = np.zeros(n.shape)
        self.rests_on = np.zeros(n.shape, dtype=np.int64)
        self.left_out = np.zeros(n.shape, dtype=bool)

    def run(self, first: int, begin: int, end: int) -> None:
        """Judge periods from ``begin`` up to ``end``, each by all from ``first`` on before it."""
        use = np.zeros(self.n.shape, dtype=bool)
        use[:, first:begin] = self.n[:, first:begin] > 0
        sound = np.zeros(len(use), dtype=bool)
        for t in range(begin, end):
            ready = np.flatnonzero(~sound & (use.sum(axis=1) >= self.least))
            sound[ready] = self._leave_out(ready, use)
            self._judge(np.flatnonzero(sound), use, t)
            beyond = np.abs(self.z[:, t]) > RULES[BEYOND][2]
            use[:, t] = (self.n[:, t] > 0) & ~beyond
            self.left_out[beyond, t] = True

    def stand(self, first: int, last: int, begin: int, end: int) -> None:
        """Judge periods from ``begin`` up to ``end`` by those from ``first`` to ``last``."""
        use = np.zeros(self.n.shape, dtype=bool)
        use[:, first : last + 1] = self.n[:, first : last + 1] > 0
        ready = np.flatnonzero(use.sum(axis=1) >= self.least)
        ready = ready[self._leave_out(ready, use)]
        for t in range(begin, end):
            others = use.copy()
            others[:, t] = False
            self._judge(ready, others, t, frozen=not first <= t <= last)

    def _judge(self, rows: NDArray[np.int64], use: Bools, t: int, *, frozen: bool = False) -> None:
        rows = rows[self.n[rows, t] > 0]
        if not len(rows):
            return
        found = predictive.foresee(self.k[rows], self.n[rows], use[rows])
        n = self.n[rows, t]
        self.z[rows, t] = predictive.scores(found, self.k[rows, t], n)
        if self.draw:
            self.low[rows, t], self.high[rows, t] = predictive.limits(found, n)
        self.centre[rows, t], self.between[rows, t] = found.centre, found.between
        self.rests_on[rows, t] = found.used
        # Each judged by all before it, scores do not depend on one another.
        if frozen:
            self.common[rows, t] = _common(found, n)

    def _leave_out(self, rows: NDArray[np.int64], use: Bools) -> Bools:
        """Take out of some rows' baselines what is not ordinary by the others.

        For each of them whether enough is left; where not, nothing is taken out.
        """
        if not len(rows):
            return np.zeros(0, dtype=bool)
        kept = use[rows].copy()
        for _ in range(3):
            z = np.zeros(kept.shape)
            for t in np.flatnonzero(kept.any(axis=0)):
                others = kept.copy()
                others[:, t] = False
                found = predictive.foresee(self.k[rows], self.n[rows], others)
                z[:, t] = predictive.scores(found, self.k[rows, t], self.n[rows, t])
            beyond = kept & (np.abs(z) > RULES[BEYOND][2])
            if not beyond.any():
                break
            kept &= ~beyond
        enough: Bools = kept.sum(axis=1) >= _ORDINARY * self.least
        self.left_out[rows[enough]] |= (use[rows] & ~kept)[enough]
        use[rows[enough]] = kept[enough]
        return enough


def _common(found: predictive.Foreseen, n: Floats) -> Floats:
    """The part of a score's variance that is the centre's own: common to all that it judges."""
    rate = scipy.special.expit(found.level)
    of_rate = (found.weight * (rate - found.centre[:, None]) ** 2).sum(axis=1)
    of_count = (found.weight * rate * (1 - rate)).sum(axis=1) / n
    share: Floats = np.clip(of_rate - found.between**2, 0, None) / (of_rate + of_count)
    return share


def marks(
    z: ArrayLike, rules: Iterable[str] = CHOSEN, *, common: ArrayLike = 0.0
) -> dict[str, Bools]:
    """At which periods each of some ``NAMED`` rules fires; z of shape (…, periods).

    ``common`` as in ``moving_averages.ewma``.
    """
    asked = list(rules)
    found = signals(z, [rule for rule in asked if rule != EWMA])
    if EWMA in asked:
        found[EWMA] = ewma(z, common=common).signals
    return found


def signals(z: ArrayLike, rules: Iterable[str] = tuple(RULES)) -> dict[str, Bools]:
    """At which periods each of ``RULES`` fires, on either side; z of shape (…, periods).

    A period without a figure (NaN) breaks no run and continues none: the others are looked at as
    if it were not there.

    Examples
    --------
    >>> z = [0.5] * 4 + [float("nan")] + [0.5] * 5
    >>> np.flatnonzero(signals(z)["8 in a row on one side"])
    array([8, 9])
    """
    given = np.asarray(z, dtype=np.float64)
    gaps = ~np.isfinite(given)
    order = np.argsort(gaps, axis=-1, kind="stable")
    # Gaps come last, where they lie beyond nothing.
    values = np.nan_to_num(np.take_along_axis(given, order, axis=-1), nan=0.0)
    found = {}
    for name in rules:
        needed, of, sigma = RULES[name]
        fires = np.zeros(values.shape, dtype=bool)
        for side in (values, -values):
            beyond = side > sigma
            sums = np.cumsum(beyond, axis=-1)
            before = np.zeros_like(sums)
            before[..., of:] = sums[..., :-of]
            # It fires at a point that itself lies beyond.
            fires |= (sums - before >= needed) & beyond
        found[name] = np.zeros_like(fires)
        np.put_along_axis(found[name], order, fires, axis=-1)
    return found
