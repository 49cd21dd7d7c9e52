"""Which of many units changed: against what periods vary in anyway, false alarms held down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis._validation import Floats
from analysis.change_points import LevelShift, level_shift
from analysis.common_movement import Movement, UnitSeries, movement, take_apart
from analysis.comparison import discoveries
from analysis.noise import FEW_UNITS, Noise, fixed, learnt, likelihoods

LEVEL_SHIFT, LAST_PERIOD = "level shift", "last period"
#: Fewer periods than this teach nothing about how periods vary.
_FEW_PERIODS = 6
#: Units whose shift is as rare as this teach how periods vary without it.
_CHANGED = 0.01
_ROUNDS = 4
#: Of more units than this so many teach enough.
_TEACHERS = 400


@dataclass(frozen=True)
class Rule:
    """What one rule says of each unit, shape (units,).

    ``since`` is the period from which it speaks (−1 where it says nothing), ``change`` in logits
    what it saw, ``p`` its p-value, ``adjusted_p`` corrected for all units, both rules and the
    looks of a year.
    """

    fired: NDArray[np.bool_]
    since: NDArray[np.int64]
    change: Floats
    p: Floats
    adjusted_p: Floats


@dataclass(frozen=True)
class Scan:
    """What both rules say, of the units and of all together.

    ``together`` is the shift of all units, with ``together_fired``; None of fewer than
    ``common_movement.LEAST_UNITS``, whose common course stays in each unit's own. ``noise`` is
    what periods vary in besides chance; ``noise_learnt`` whether there were units and periods
    enough to learn it; ``season_allowed`` whether every unit may have a yearly wave of its own,
    which takes more than a year.
    """

    rules: dict[str, Rule]
    together: Movement | None
    together_fired: bool
    noise: Noise
    noise_learnt: bool
    season_allowed: bool
    courses: UnitSeries


def scan(
    estimate: ArrayLike,
    effective_n: ArrayLike,
    *,
    a_year: int = 12,
    looks: int | None = None,
    q: float = 0.05,
    least_periods: int = 3,
    respondents: ArrayLike | None = None,
    least_respondents: int = 10,
    known: tuple[float, float, bool] | None = None,
) -> Scan:
    """Look for units whose level shifted, or whose last period stands out.

    Parameters
    ----------
    estimate, effective_n
        Shape (units, periods): rates, and how many independent answers carry as much; 0 for a
        period without answers.
    a_year, looks
        Periods in a year, the length of a season; and how often in a year one looks, as often as
        there are periods if left out.
    q
        Where nothing changed, the probability of any false alert in a year of looks. One look
        spends q / ``looks``, as the share of false ones among its alerts (Benjamini–Hochberg over
        all units and both rules). What all units do together is tested apart, with q of its own.
    respondents, least_respondents
        Shape (units, periods): people behind each rate, and how many there must be in a last period
        that is judged by itself, and on either side of a shift. Of four, one who is angry about
        everything looks like a fall. Not asked for where left out.
    known
        Deviation and correlation of the noise, and whether units have seasons, where they need
        not be learnt: for simulation.

    Returns
    -------
    Scan
        Rules ``level shift`` (the best single change of level) and ``last period`` (the last one
        against all before it), against a model of logits: level of the unit + what all share + a
        yearly wave of the unit (once there is more than a year) + AR(1) noise + chance. The
        noise is learnt from all units, those that changed without their change, and what it may
        be is averaged over.

    Raises
    ------
    ValueError
        For impossible rates or numbers, shapes that do not fit, q outside (0, 1).

    References
    ----------
    ``noise.learn``, ``change_points.level_shift``, ``common_movement.take_apart``; Bonferroni over
    the looks, Benjamini and Hochberg (1995) over the units.

    Examples
    --------
    >>> rate = np.tile([0.9, 0.88, 0.92, 0.9, 0.91, 0.89, 0.9, 0.9, 0.9, 0.91], (12, 1))
    >>> rate[0, 6:] = 0.6
    >>> found = scan(rate, np.full(rate.shape, 60))
    >>> np.flatnonzero(found.rules["level shift"].fired), found.rules["level shift"].since[0]
    (array([0]), np.int64(6))
    """
    if not 0 < q < 1:
        raise ValueError(f"q must lie between 0 and 1, not {q}")
    looks = a_year if looks is None else looks
    if a_year < 1 or looks < 1:
        raise ValueError(f"a_year and looks must be at least 1, not {a_year} and {looks}")
    courses = take_apart(estimate, effective_n)
    units, periods = courses.apart.shape
    seasonal = periods > a_year and a_year > 2 if known is None else known[2]
    wave = _wave(periods, a_year) if seasonal else None
    seen = np.isfinite(courses.variance)
    with np.errstate(divide="ignore"):
        precision = 1 / courses.variance
    watched = {
        "noise": fixed(*known[:2], units) if known else _learn(courses, wave, least_periods),
        "explained": wave,
        "third": courses.third,
        "bent": courses.bent,
        "least_periods": least_periods,
        "respondents": respondents,
        "least_respondents": least_respondents,
    }
    shift = level_shift(courses.apart, precision, **watched)  # type: ignore[arg-type]
    last = level_shift(courses.apart, precision, last_only=True, **watched)  # type: ignore[arg-type]
    look = q / looks
    found = discoveries(np.stack([shift.p, last.p]), look)
    rules = {
        name: _rule(each, found.rejected[i], found.adjusted_p[i] * looks)
        for i, (name, each) in enumerate({LEVEL_SHIFT: shift, LAST_PERIOD: last}.items())
    }
    together = None
    if np.isfinite(courses.error).sum() > 1:
        together = movement(
            courses.common, courses.error, explained=wave, least_periods=least_periods
        )
    noise = watched["noise"]
    assert isinstance(noise, Noise)
    return Scan(
        rules,
        together,
        together is not None and together.p <= look,
        noise,
        int((seen.sum(axis=1) >= _FEW_PERIODS).sum()) > FEW_UNITS,
        seasonal,
        courses,
    )


def _rule(shift: LevelShift, fired: NDArray[np.bool_], adjusted: Floats) -> Rule:
    return Rule(fired, shift.since, shift.change, shift.p, np.minimum(adjusted, 1.0))


def _wave(periods: int, a_year: int) -> Floats:
    """A wave of one year, whatever its phase; shape (periods, 2)."""
    angle = 2 * np.pi * np.arange(periods) / a_year
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _learn(courses: UnitSeries, wave: Floats | None, least_periods: int) -> Noise:
    """The noise, from all units, those that changed without their change."""
    units, periods = courses.apart.shape
    columns = np.ones((periods, 1)) if wave is None else np.column_stack([np.ones(periods), wave])
    fitted = np.broadcast_to(columns, (units, *columns.shape))
    with np.errstate(divide="ignore"):
        precision = 1 / courses.variance
    teachers = np.unique(np.linspace(0, units - 1, min(units, _TEACHERS)).astype(int))
    changed, now = np.full(units, -1), np.full(units, -2)
    each = np.empty((len(teachers), 0, 0))
    for _ in range(_ROUNDS):
        # From above: if no noise were thought of at first, all of it would be taken for shifts.
        anew = (changed != now)[teachers]
        some = teachers[anew]
        steps = (np.arange(periods) >= changed[some, None]) & (changed >= 0)[some, None]
        part = likelihoods(
            courses.apart[some],
            courses.variance[some],
            np.concatenate([fitted[some], steps[..., None]], axis=-1),
        )
        if each.size == 0:
            each = part
        each[anew] = part
        noise = learnt(each, teachers, units)
        middle = Noise(
            noise.deviation,
            noise.correlation,
            noise.deviations.mean(axis=1, keepdims=True),
            noise.correlations.mean(axis=1, keepdims=True),
        )
        shift = level_shift(
            courses.apart, precision, noise=middle, explained=wave, least_periods=least_periods
        )
        now, changed = changed, np.where(shift.p < _CHANGED, shift.since, -1)
        if (now == changed).all():
            break
    return noise
