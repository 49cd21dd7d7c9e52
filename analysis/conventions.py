"""Which answers count as satisfied: the conventions of different surveys, by name.

The same answers give different figures under different rules; a figure is only comparable with
others of its own convention.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis._validation import Floats, counts


@dataclass(frozen=True)
class Convention:
    """Levels from the top that count, and whether "no opinion" is in the denominator."""

    name: str
    top_levels: int
    with_no_opinion: bool
    source: str


CONVENTIONS = {
    each.name: each
    for each in (
        Convention(
            "sipas",
            2,
            False,
            "SIPAS index, Ministry of Home Affairs, decision 2640/QĐ-BNV of 2017: answers at the "
            "two top levels of five over all answers",
        ),
        Convention(
            "moh-3869",
            2,
            False,
            "Ministry of Health, decision 3869/QĐ-BYT of 2019, figure 1: answers at levels 4 and 5 "
            "over all answers; 0 (did not use, no opinion) in no denominator",
        ),
        Convention(
            "nhs-fft",
            2,
            True,
            "NHS England, Friends and Family Test guidance 2020: very good and good over all "
            "answers, don't know among them",
        ),
        Convention(
            "hcahps-top-box",
            1,
            False,
            "CMS, HCAHPS Quality Assurance Guidelines: the highest level over all answers",
        ),
    )
}


@dataclass(frozen=True)
class Counted:
    """Numerators and denominators under a convention; arrays without the axis of levels."""

    successes: Floats
    trials: Floats


def counted(name: str, levels: ArrayLike, no_opinion: ArrayLike = 0) -> Counted:
    """Count answers by a convention.

    Parameters
    ----------
    name
        One of ``CONVENTIONS``.
    levels
        Shape (…, levels): answers at each level, the lowest first.
    no_opinion
        Shape (…): answers of "no opinion", "did not use", "don't know".

    Raises
    ------
    ValueError
        For an unknown name, impossible counts, or fewer levels than the convention's top levels.

    Examples
    --------
    Of 100 answers 40 good, 30 very good, and 10 more who do not know:

    >>> found = counted("nhs-fft", [10, 10, 10, 40, 30], 10)
    >>> float(found.successes), float(found.trials)
    (70.0, 110.0)
    """
    try:
        rule = CONVENTIONS[name]
    except KeyError:
        raise ValueError(f"name must be one of {', '.join(CONVENTIONS)}, not {name!r}") from None
    (at,) = counts(levels=levels)
    (none,) = counts(no_opinion=no_opinion)
    if at.ndim == 0 or at.shape[-1] <= rule.top_levels:
        raise ValueError(f"levels must be more than the {rule.top_levels} that count as satisfied")
    top = at[..., -rule.top_levels :].sum(axis=-1)
    trials = at.sum(axis=-1)
    if rule.with_no_opinion:
        trials = trials + none
    return Counted(top, np.broadcast_to(trials, top.shape).astype(np.float64))


def mean_level(levels: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    """Mean and standard deviation of answers by level, shape (…); NaN without answers.

    ``values`` are the levels' numbers, shape (levels,). The Ministry of Health's figure 2.
    """
    (at,) = counts(levels=levels)
    number: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if number.shape != at.shape[-1:]:
        raise ValueError("values must have one number a level")
    n = at.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = at @ number / n
        square = at @ number**2 / n
        deviation = np.sqrt(np.maximum(square - mean**2, 0.0) * n / (n - 1))
    return mean, deviation
