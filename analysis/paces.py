"""How fast a form is read, learnt from those who read it, and who was faster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis._validation import Floats
from analysis.responses import Bools, Detectors, Ints, Responses

#: The upper quartile of a normal, in standard deviations.
_QUARTILE = 0.6744897501960817
#: A duration is sent in whole seconds: 0 is less than one.
_LEAST_S = 0.5
#: Bounds of the standard deviation of log paces between varied readers of a form.
_LEAST_SPREAD, _MOST_SPREAD = 0.25, 0.8


@dataclass(frozen=True)
class Paces:
    """Pace of each response, shape (n,), in seconds an item rated; NaN without a duration.

    ``limit`` is what readers of its unit and group hardly ever fall under, ``usual`` their middle.
    """

    own: Floats
    limit: Floats
    usual: Floats


def whole_s(responses: Responses, alike: Bools, detectors: Detectors) -> float:
    """How long a reader of the form takes for all of it, in seconds."""
    log_own = np.log(_own(responses))
    readers = _readers(log_own, alike, detectors)
    if not readers.any():
        return float(detectors.usual_s * max(responses.levels.shape[1], 1))
    middle = float(np.exp(np.median(log_own[readers])))
    return middle * max(float(np.median(responses.rated)), 1.0)


def _own(responses: Responses) -> Floats:
    """Seconds an item rated, shape (n,); NaN without a duration."""
    rated = responses.rated
    found: Floats = np.where(
        rated > 0, np.maximum(responses.duration_s, _LEAST_S) / np.maximum(rated, 1), np.nan
    )
    return found


def _readers(log_own: Floats, alike: Bools, detectors: Detectors) -> Bools:
    """Those with a duration whose levels vary, or all with one where these are few."""
    measured: Bools = np.isfinite(log_own)
    readers = measured & ~alike
    return readers if np.count_nonzero(readers) >= detectors.least_readers else measured


def paces(responses: Responses, alike: Bools, close: Bools, detectors: Detectors) -> Paces:
    """Learn each unit's pace from readers whose levels vary, and the form's where these are few.

    People who rate all alike may not have read; their haste says nothing of reading. The middle
    is a median and the spread that of the slower half, so some that are stuffed move them little;
    that of a unit is of those who do not come ``close`` (n,), or one evening would make a small
    office's pace its own.
    """
    own = _own(responses)
    log_own = np.log(own)
    readers = _readers(log_own, alike, detectors)
    if not readers.any():
        nothing = np.full(len(responses), np.nan)
        return Paces(own, nothing, nothing)
    middle, spread = _of_groups(log_own, readers, responses.group, detectors)
    # A place is a unit's group of sources: people take longer at home than at a kiosk.
    groups = len(middle)
    place = responses.unit * groups + responses.group
    places, at = np.unique(place, return_inverse=True)
    calm = readers & ~close
    known, number = _medians(log_own[calm], at[calm], len(places))
    form = middle[places % groups]
    weight = number / (number + detectors.readers_as_prior)
    off = np.where(number > 0, known - form, 0.0) * weight
    off = np.clip(off, -np.log(detectors.fastest_unit), np.log(detectors.slowest_unit))
    usual = (form + off)[at]
    limit = usual + special.ndtri(detectors.fast) * spread[responses.group]
    return Paces(own, np.exp(limit), np.exp(usual))


def _of_groups(
    log_own: Floats, readers: Bools, group: Ints, detectors: Detectors
) -> tuple[Floats, Floats]:
    """Median and standard deviation of log paces of each group's readers, or of all."""
    middle, spread = np.empty(int(group.max()) + 1), np.empty(int(group.max()) + 1)
    for g in range(len(middle)):
        own = log_own[readers & (group == g)]
        if len(own) < detectors.least_readers:
            own = log_own[readers]
        half, upper = np.quantile(own, [0.5, 0.75])
        middle[g] = half
        spread[g] = np.clip((upper - half) / _QUARTILE, _LEAST_SPREAD, _MOST_SPREAD)
    return middle, spread


def _medians(value: Floats, of: Ints, number: int) -> tuple[Floats, Ints]:
    """The median of each class, NaN of an empty one, and how many are in it."""
    order = np.lexsort((value, of))
    size = np.bincount(of, minlength=number)
    start = np.cumsum(size) - size
    found = np.full(number, np.nan)
    some = size > 0
    in_order = value[order]
    low = in_order[start[some] + (size[some] - 1) // 2]
    high = in_order[start[some] + size[some] // 2]
    found[some] = (low + high) / 2
    return found, size
