"""Which of many units changed: several rules at once, with false discoveries held down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.arrays import Floats, counts
from analysis.change_points import level_shift
from analysis.comparison import discoveries
from analysis.control_charts import RULES, ewma, false_alarm_rate, signals

LEVEL_SHIFT, LAST_PERIOD, EWMA = "level shift", "last period", "ewma"
#: An average run of so many periods between false alarms of the EWMA with its default width.
_EWMA_RUN = 370.4


@dataclass(frozen=True)
class Rule:
    """What one rule says of each unit, shape (units,).

    ``since`` is the period from which it speaks (−1 where it says nothing), ``p`` its p-value (NaN
    for rules that have none), ``adjusted_p`` corrected for all units and rules with a p-value.
    """

    fired: NDArray[np.bool_]
    since: NDArray[np.int64]
    p: Floats
    adjusted_p: Floats
    expected_false: float


@dataclass(frozen=True)
class Scan:
    """What all rules say; ``logit`` is each unit's course, shape (units, periods).

    With a rule goes how many false alarms to expect in a scan if no unit had changed.
    """

    rules: dict[str, Rule]
    logit: Floats
    precision: Floats


def scan(
    estimate: ArrayLike,
    effective_n: ArrayLike,
    *,
    common: ArrayLike = 0.0,
    q: float = 0.05,
    least_periods: int = 3,
    respondents: ArrayLike | None = None,
    least_respondents: int = 10,
) -> Scan:
    """Look for units whose level shifted, or whose last period stands out.

    Parameters
    ----------
    estimate, effective_n
        Shape (units, periods): rates, and how many independent answers carry as much; 0 for a
        period without answers.
    common
        Shape (periods,): what all units share (a season, a new form), on the logit scale, to be
        taken out.
    q
        Share of false ones to be expected among the alerts of the two rules that have a p-value
        (Benjamini–Hochberg over all units and both rules). If no unit changed, an alert comes out
        of one scan in 1/q.
    respondents, least_respondents
        Shape (units, periods): people behind each rate, and how many there must be in a last period
        that is judged by itself, and on either side of a shift. Of four, one who is angry about
        everything looks like a fall. Not asked for where left out.

    Returns
    -------
    Scan
        Rules ``level shift`` (``change_points.level_shift``), ``last period`` (the last one
        against all before it) and, unadjusted, ``ewma`` and the Western Electric rules at the last
        period, of which ``expected_false`` come by chance (fewer of the EWMA, whose centre here
        is the mean of the whole series).

    Raises
    ------
    ValueError
        For impossible rates or numbers, shapes that do not fit, q outside (0, 1).

    References
    ----------
    Empirical logits with variance 1/(k+½) + 1/(n−k+½): Gart and Zweifel (1967), Biometrika
    54:181-187.
    """
    (n,) = counts(effective_n=effective_n)
    given = np.asarray(estimate, dtype=np.float64)
    if n.ndim != 2 or given.shape != n.shape:
        raise ValueError("estimate and effective_n must be of one shape (units, periods)")
    rate = np.where(n > 0, given, 0.5)
    if not np.isfinite(rate).all() or (rate < 0).any() or (rate > 1).any():
        raise ValueError("estimate has entries outside [0, 1]")
    try:
        shared = np.broadcast_to(np.asarray(common, dtype=np.float64), n.shape[1:])
    except ValueError:
        raise ValueError("common must have one entry a period") from None
    k = rate * n
    logit = np.where(n > 0, np.log((k + 0.5) / (n - k + 0.5)) - shared, np.nan)
    precision = np.where(n > 0, 1 / (1 / (k + 0.5) + 1 / (n - k + 0.5)), 0.0)

    shift = level_shift(
        logit,
        precision,
        least_periods=least_periods,
        respondents=respondents,
        least_respondents=least_respondents,
    )
    z = _against_all(logit, precision, least_periods)
    z_last = _last_against_before(logit, precision, least_periods)
    if respondents is not None:
        z_last = np.where(np.asarray(respondents)[:, -1] >= least_respondents, z_last, np.nan)
    p_last = 2 * special.ndtr(-np.abs(z_last))
    units, periods = n.shape
    found = discoveries(np.stack([shift.p, p_last]), q)
    last = np.where(np.isfinite(p_last), periods - 1, -1)
    rules = {
        # Together they have q, and share it about evenly.
        LEVEL_SHIFT: Rule(found.rejected[0], shift.since, shift.p, found.adjusted_p[0], q / 2),
        LAST_PERIOD: Rule(found.rejected[1], last, p_last, found.adjusted_p[1], q / 2),
    }
    none = np.full(units, np.nan)
    watched = int(np.isfinite(z_last).sum())
    drift = ewma(z)
    side = np.sign(drift.average) == np.sign(drift.average[:, -1:])
    rules[EWMA] = Rule(drift.signals[:, -1], _begin_of_run(side), none, none, watched / _EWMA_RUN)
    for name, fired in signals(z).items():
        of = RULES[name][1]
        since = np.full(units, max(0, periods - of))
        rules[name] = Rule(fired[:, -1], since, none, none, watched * false_alarm_rate(name))
    return Scan(rules, logit, precision)


def _against_all(y: Floats, w: Floats, least_periods: int) -> Floats:
    """z of every period against the mean of all.

    The mean of some of them would, by its own error, put all the others on one side.
    """
    total = w.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(w > 0, w * y, 0.0).sum(axis=-1, keepdims=True) / total
        z = (y - mean) / np.sqrt(1 / w - 1 / total)
    enough = (w > 0).sum(axis=-1, keepdims=True) > least_periods
    return np.where((w > 0) & enough, z, np.nan)


def _last_against_before(y: Floats, w: Floats, least_periods: int) -> Floats:
    """z of the last period against the mean of all before it, shape (units,)."""
    before = w[:, :-1]
    total = before.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(before > 0, before * y[:, :-1], 0.0).sum(axis=-1) / total
        z = (y[:, -1] - mean) / np.sqrt(1 / w[:, -1] + 1 / total)
    enough = ((before > 0).sum(axis=-1) >= least_periods) & (w[:, -1] > 0)
    return np.where(enough, z, np.nan)


def _begin_of_run(same: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first period of the run that ends with the last one."""
    backwards = same[:, ::-1]
    length = np.where(backwards.all(axis=1), same.shape[1], (~backwards).argmax(axis=1))
    begin: NDArray[np.int64] = same.shape[1] - length.astype(np.int64)
    return begin
