"""Days as clusters: answers of one day resemble one another too, where a day is good or bad.

Then a unit's interval with respondents as clusters is too narrow: with day effects of 0.5 on the
logit scale and 15 days it holds the truth in 83 of 100 samples (tests/promises). From a month of
days it can be told how many times larger the variance is with days as clusters.

Whoever may not see what few respondents said is told it only where many days have answers, and of
months that are over: of few days, or of the few that came since, the days themselves would follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis import clustered
from app.figures.groupings import sums_by_measure
from app.figures.rate_arrays import PARTS, Floats
from app.registry.questionnaires import Published
from app.rollups.cells import SUMS
from app.rollups.measure_counts import Measure
from app.rollups.queries import CellRows

#: Days with answers from which on it is told what days have in common.
LEAST_DAYS = 10
#: The effect from which on a page says so: intervals are 1.4 times too narrow, and of ten days that
#: have nothing in common one in fifteen shows as much, of twenty one in fifty.
NOTABLE = 2.0
#: Added to the method where days were looked at; the method where there are too few.
AS_CLUSTERS, TOO_FEW = ", days as clusters", "too few days"

_AM = [SUMS.index("a"), SUMS.index("m")]
_CHUNK = 4096


@dataclass(frozen=True)
class DayPart:
    """What k cells of one version add to the days of rows: group, day, and a and m by measure."""

    group: NDArray[np.intp]
    day: NDArray[np.int64]
    #: Shape (k, measures, 2).
    am: Floats
    #: How much of the cell stands in the row: one, but for what a plan's shares divide.
    weight: Floats

    @classmethod
    def of(
        cls,
        version: Published,
        rows: CellRows,
        index: NDArray[np.intp],
        group: NDArray[np.intp],
        weight: Floats,
        measures: Sequence[Measure],
        convention: str | None,
    ) -> DayPart:
        """Of cells, those at ``index`` (a cell may add to several rows), each with its group."""
        am = [
            sums_by_measure(version, rows.cells[at : at + _CHUNK], measures, convention)[..., _AM]
            for at in range(0, len(rows.unit_id), _CHUNK)
        ]
        every = np.concatenate(am) if am else np.zeros((0, len(measures), 2))
        day = rows.day[index].astype("datetime64[D]").astype(np.int64)
        return cls(group, day, every[index], weight)


def day_sums(parts: Sequence[DayPart], groups: int, measures: int) -> dict[str, Floats]:
    """The sums that a clustered ratio takes, over days in place of respondents.

    Shape (groups × measures,); ``n`` counts days with an answer, and a day of less than one answer
    as that. Of what shares divide a day's squares are multiplied once, like a respondent's: as if
    so many had answered, not the same people more evenly.
    """
    total = np.zeros((groups, measures, len(PARTS)))
    group = np.concatenate([part.group for part in parts] or [np.zeros(0, dtype=np.intp)])
    if len(group):
        day = np.concatenate([part.day for part in parts])
        am = np.concatenate([part.am for part in parts])
        weight = np.concatenate([part.weight for part in parts])
        day = day - day.min()
        span = int(day.max()) + 1
        used, where = np.unique(group * span + day, return_inverse=True)
        of_day = np.zeros((len(used), measures, 2))
        for j in range(measures):
            for k in (0, 1):
                of_day[:, j, k] = np.bincount(where, am[:, j, k] * weight, len(used))
        a, m = of_day[..., 0], of_day[..., 1]
        share = _shares(am[..., 1], m, where, weight)
        squares = [a * a / share, a * m / share, m * m / share]
        # A day of less than one answer, by a plan's shares, is no whole day either.
        each = np.stack([a, m, *squares, np.minimum(m, 1.0)], axis=-1)
        rows, starts = np.unique(used // span, return_index=True)
        total[rows] = np.add.reduceat(each, starts, axis=0)
    flat = total.reshape(groups * measures, len(PARTS))
    return {name: flat[:, i] for i, name in enumerate(PARTS)}


def _shares(answers: Floats, weighted: Floats, where: NDArray[np.intp], weight: Floats) -> Floats:
    """How much of a day's answers stands in a row, shape (days, measures)."""
    if (weight == 1.0).all():
        return np.ones(weighted.shape)
    every = np.stack([np.bincount(where, m, len(weighted)) for m in answers.T], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(every > 0, weighted / every, 1.0)


def effect(by_day: clustered.RatioEstimate, by_respondent: clustered.RatioEstimate) -> Floats:
    """How many times larger the variance is with days as clusters; NaN with fewer than ten."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (by_day.standard_error / by_respondent.standard_error) ** 2
    known = (by_day.n >= LEAST_DAYS) & np.isfinite(found)
    shown: Floats = np.where(known, found, np.nan)
    return shown


def may_be_shown(days: Floats, least: int, last: date | None, month: date) -> NDArray[np.bool_]:
    """Of which rows days may be clusters for those who may see no small figures.

    Parameters
    ----------
    days
        Days with answers, an entry a row.
    last
        The last day that was asked for; None for all.
    month
        The first day of the running month, whose answers are told by batches.
    """
    over = last is not None and last < month
    return (days >= max(LEAST_DAYS, least)) & over
