"""One critical value for comparing all units with one another at once, step by step down.

As in ``many_to_one``, of the largest difference among all pairs: what falls then holds together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from analysis._validation import Floats
from analysis.many_to_one import Integers, classes

#: Of a direction standing between every two: how often the level is exceeded, in times of what is
#: promised. Less would be nearer to the critical value, and may turn out to lie above it.
_OFTEN = 5.0
#: Numbers in the largest arrays: some megabytes, so that memory hardly grows with the units.
_CHUNK = 1_000_000


def critical(x: Floats, s: Floats, confidence: float, *, seed: int, draws: int) -> float:
    """One critical value for all pairs at once.

    The chance that some difference exceeds c is far smaller than the sum over pairs, and simulated
    where it happens: draw a pair and its difference beyond a level that is a little below c, all
    else given that, and divide the sum of the chances by how many exceed the level (Adler,
    Blanchet, Liu 2012). Of a unit's error z and another's, squares must add to c² for their
    difference to reach c (Cauchy and Schwarz): few pairs are looked at, none is missed.

    Parameters
    ----------
    x, s
        Estimates and standard errors, shape (units,); at least two units.
    seed, draws
        Of the simulation.

    Returns
    -------
    float
        After the last step.

    References
    ----------
    Mogstad, Romano, Shaikh, Wilhelm (2024), Review of Economic Studies 91:476-518, algorithm 1;
    Adler, Blanchet, Liu (2012), Annals of Applied Probability 22:1167-1214, and Owen, Maximov,
    Chertkov (2019), Electronic Journal of Statistics 13:231-254, for the simulation. With equal
    estimates and standard errors it is the studentised range over √2: 3.314 / √2 for three.

    Examples
    --------
    >>> round(critical(np.zeros(3), np.full(3, 0.01), 0.95, seed=1, draws=4000), 1)
    2.3
    """
    alpha, pairs = 1 - confidence, len(x) * (len(x) - 1)
    # Of each pair at least one direction stands at the end: by then this is some times too often.
    tail = min(_OFTEN * alpha / pairs, 0.5)
    while True:
        level = -float(ndtri(tail))
        drawn = _exceeding(x, s, level, pairs * tail, alpha, np.random.default_rng(seed), draws)
        value, chance = _stepped(drawn, alpha, level)
        if chance > alpha or tail >= 0.5:
            return value
        tail = min(tail * max(2.0, 3 * alpha / max(chance, alpha / 30)), 0.5)


@dataclass(frozen=True)
class _Drawn:
    """Draws in which some difference exceeds a level, each with how much it counts.

    The largest difference of each draw, and the largest of those that stand whatever falls; the
    ones whose standing depends on the critical value follow one by one: of which draw, how large,
    and how large the estimates' own difference is.
    """

    weight: Floats
    largest: Floats
    certain: Floats
    draw: Integers
    difference: Floats
    distance: Floats


def _stepped(drawn: _Drawn, alpha: float, level: float) -> tuple[float, float]:
    """The critical value after the last step, and how often what stands exceeds the level."""
    largest, critical = drawn.largest, np.inf
    while True:
        order = np.argsort(-largest, kind="stable")
        chance = np.cumsum(drawn.weight[order])
        above = largest[order] > level
        total = float(chance[above][-1]) if above.any() else 0.0
        if total <= alpha:
            return level, total
        found = float(largest[order][np.searchsorted(chance, alpha, side="right")])
        if found >= critical:
            return critical, total
        critical = found
        largest = drawn.certain.copy()
        stands = drawn.distance <= critical
        np.maximum.at(largest, drawn.draw[stands], drawn.difference[stands])


def _exceeding(
    x: Floats,
    s: Floats,
    level: float,
    expected: float,
    alpha: float,
    rng: np.random.Generator,
    draws: int,
) -> _Drawn:
    """Draw given that one pair, taken at random, differs by more than the level."""
    n = len(x)
    order = np.argsort(s, kind="stable")
    x, s = x[order], s[order]
    size = classes(s)[1]
    kinds = np.cumsum(size) - size, size
    # Strata of the difference that is given: its distribution is not left to chance.
    part = (rng.permutation(draws) + rng.random(draws)) / draws
    given = -ndtri(part * ndtr(-level))
    upper = rng.integers(0, n, draws)
    lower = (upper + rng.integers(1, n, draws)) % n
    # No critical value is above Bonferroni's: what lies farther apart falls at the first step.
    bonferroni = -float(ndtri(alpha / (n * (n - 1))))
    count = np.zeros(draws)
    largest, certain = np.full(draws, level), np.full(draws, level)
    depends: list[tuple[Integers, Floats, Floats]] = []
    for here in np.array_split(np.arange(draws), 1 + draws * n // _CHUNK):
        row, unit, z = _errors(s, kinds, upper[here], lower[here], given[here], level, rng)
        for one, other in _near(row, z, level):
            a, b = unit[one], unit[other]
            h = np.hypot(s[a], s[b])
            difference = (s[a] * z[one] - s[b] * z[other]) / h
            distance = np.sign(difference) * (x[a] - x[b]) / h
            difference, draw = np.abs(difference), here[row[one]]
            reached = difference > level
            count += np.bincount(draw[reached], minlength=draws)
            np.maximum.at(largest, draw, difference)
            stands = distance <= level
            np.maximum.at(certain, draw[stands], difference[stands])
            may = reached & ~stands & (distance <= bonferroni)
            depends.append((draw[may], difference[may], distance[may]))
    draw, difference, distance = (np.concatenate(each) for each in zip(*depends, strict=True))
    # At least the pair that was taken exceeds the level, whatever rounding says.
    weight = expected / draws / np.maximum(count, 1)
    return _Drawn(weight, largest, certain, draw, difference, distance)


def _errors(
    s: Floats,
    kinds: tuple[Integers, Integers],
    upper: Integers,
    lower: Integers,
    given: Floats,
    level: float,
    rng: np.random.Generator,
) -> tuple[Integers, Integers, Floats]:
    """Each draw's errors that may be one of a pair at the level, as (draw, unit, error), by draw.

    One of a pair has half of the level's square. Beside a unit that has, only those of a class are
    drawn that are far enough from 0 for the level to be reached.
    """
    n, draws, (start, size) = len(s), len(given), kinds
    row = np.arange(draws)
    h = np.hypot(s[upper], s[lower])
    first, second = rng.standard_normal((2, draws))
    more = given - (s[upper] * first - s[lower] * second) / h
    first, second = first + s[upper] / h * more, second - s[lower] / h * more
    far = np.full((draws, len(size)), 2 * ndtr(-level / np.sqrt(2)))
    rows, units, tails = _beyond(np.zeros_like(far), far, kinds, rng)
    room = far.copy()
    for at, unit, z in (
        (row, upper, np.abs(first)),
        (row, lower, np.abs(second)),
        (rows, units, -ndtri(tails / 2)),
    ):
        half = z >= level / np.sqrt(2)
        at, own, z = at[half], s[unit[half]][:, None], z[half][:, None]
        # The least error that suffices, over the class's standard errors: at one end or between.
        ratio = np.sqrt(np.maximum((level / z) ** 2 - 1, 0.0))
        ratio = np.clip(ratio, s[start] / own, s[start + size - 1] / own)
        least = (level * np.hypot(1, ratio) - z) / ratio
        np.maximum.at(room, at, 2 * ndtr(-np.maximum(least, 0.0)))
    rest = _beyond(far, room, kinds, rng)
    rows, units = np.concatenate([rows, rest[0]]), np.concatenate([units, rest[1]])
    z = ndtri(np.concatenate([tails, rest[2]]) / 2) * rng.choice([-1.0, 1.0], len(rows))
    # The pair comes first, then who is far, then the rest: of each unit the first that was said.
    key = np.concatenate([row * n + upper, row * n + lower, rows * n + units])
    key, place = np.unique(key, return_index=True)
    return key // n, key % n, np.concatenate([first, second, z])[place]


def _beyond(
    above: Floats, below: Floats, kinds: tuple[Integers, Integers], rng: np.random.Generator
) -> tuple[Integers, Integers, Floats]:
    """Units whose two-sided tail probability lies between two bounds: (draw, unit, probability).

    Given that it is not below the lower bound; bounds have shape (draws, classes). Few are found
    by throwing points on all, where one may be hit twice; where many are wanted each is asked.
    """
    start, size = kinds
    chance = (below - above) / np.maximum(1 - above, 1e-300)
    dense = chance > 0.2
    times = rng.poisson(-size * np.log1p(-np.where(dense, 0.0, chance)))
    row, group = np.divmod(np.repeat(np.arange(chance.size), times.ravel()), len(size))
    unit = start[group] + rng.integers(0, size[group])
    n = int(size.sum())
    found = [np.unique(row * n + unit)]
    asked, group = np.nonzero(dense)
    length = size[group]
    ramp = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    hit = rng.random(len(ramp)) < np.repeat(chance[asked, group], length)
    found.append((np.repeat(asked * n + start[group], length) + ramp)[hit])
    key = np.concatenate(found)
    row, unit = key // n, key % n
    group = np.searchsorted(start, unit, side="right") - 1
    low, high = above[row, group], below[row, group]
    tail = low + (high - low) * (1 - rng.random(len(row)))
    return row, unit, tail


def _near(row: Integers, z: Floats, level: float) -> Iterator[tuple[Integers, Integers]]:
    """Pairs in one draw whose squared errors add to the level's square, as places, in parts.

    The larger of the two has half of it, so that the pairs are those of few with some.
    """
    square, needed = z * z, level * level * (1 - 1e-12)
    starts = np.searchsorted(row, np.arange(row[-1] + 2))
    large = np.flatnonzero(square >= needed / 2)
    length = np.diff(starts)[row[large]]
    done = np.cumsum(length)
    for part in np.split(large, np.searchsorted(done, np.arange(_CHUNK, done[-1], _CHUNK))):
        length = np.diff(starts)[row[part]]
        one = np.repeat(part, length)
        begin = np.repeat(starts[row[part]] - np.cumsum(length) + length, length)
        other = begin + np.arange(len(one))
        kept = (square[other] < square[one]) & (square[one] + square[other] >= needed)
        yield one[kept], other[kept]
