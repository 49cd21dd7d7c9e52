"""The sum over all ways to divide a batch into honest and strange responses, kind by kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis._validation import Floats
from analysis.kinds import FORKS, SIDES

Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Factors:
    """Logarithms of what habits say at one fork, by how many responses are *strange*.

    With y honest ones on a side and Y on both: ``left`` (a)_y/y!, ``right`` (b)_y/y!, ``both``
    Y!/(a + b)_Y, where (·)_y is the rising factorial; so each stays of moderate size.
    """

    left: Floats
    right: Floats
    both: Floats


@dataclass(frozen=True)
class Honest:
    """What its habits say of one batch: ``factors`` of each fork, None where nothing is below."""

    count: Ints
    factors: list[Factors | None]
    #: Of the batch in its order, all of it honest.
    log_probability: float

    @classmethod
    def of(cls, count: Ints, beta: Floats) -> Honest:
        """Of counts (kinds,) and their habits (forks, 2)."""
        factors: list[Factors | None] = []
        total = 0.0
        for left, right, (a, b) in zip(SIDES[0] @ count, SIDES[1] @ count, beta, strict=True):
            m, n = int(left), int(right)
            if not m + n:
                factors.append(None)
                continue
            total += _rising_to(a, m) + _rising_to(b, n) - _rising_to(a + b, m + n)
            factors.append(
                Factors(
                    _rising(a, m)[::-1], _rising(b, n)[::-1], -_rising(a + b, m + n)[::-1]
                )
            )  # fmt: skip
        return cls(count, factors, total)


@dataclass(frozen=True)
class Chain:
    """The product of the kinds' polynomials along the tree, of one stuffing process.

    ``logs`` (n + 1,) has the log-probability of the batch in its order by the number of strange
    responses, all sets of so many taken as equally likely. ``leaves`` has the logarithms of each
    kind's own polynomial; ``sides`` what is multiplied at each fork, None where nothing is below,
    and ``product`` the one of the whole.
    """

    logs: Floats
    honest: Honest
    leaves: list[Floats]
    sides: list[Sides | None]
    product: Floats

    @classmethod
    def of(cls, honest: Honest, alpha: Floats) -> Chain:
        """With the process's Dirichlet (kinds,), 0 for kinds that it never makes."""
        count, n = honest.count, int(honest.count.sum())
        # Of a kind that the process never makes none is strange: all polynomials stay as short.
        leaves = [
            _rising(float(of), int(number) if of else 0)
            for number, of in zip(count, alpha, strict=True)
        ]
        products: list[Floats] = []
        sides: list[Sides | None] = []
        for fork, factors in zip(FORKS, honest.factors, strict=True):
            if factors is None:
                sides.append(None)
                products.append(np.zeros(1))
                continue
            left = leaves[~fork.left] if fork.left < 0 else products[fork.left]
            right = leaves[~fork.right] if fork.right < 0 else products[fork.right]
            both = Sides.of(left + factors.left[: len(left)], right + factors.right[: len(right)])
            product = both.product()
            sides.append(both)
            products.append(product + factors.both[: len(product)])
        # Every number m of strange ones: times m!/n!, over the process's own (B)_m.
        scale = float(special.gammaln(count + 1.0).sum())
        product = products[-1]
        every = float(special.gammaln(n + 1.0)) + _rising(float(alpha.sum()), len(product) - 1)
        logs = np.full(n + 1, -np.inf)
        logs[: len(product)] = product + scale - every
        return cls(logs, honest, leaves, sides, product)

    def strange(self, weight: Floats) -> Floats:
        """How many responses of each kind are strange, summed over their number with weights."""
        found, mass = np.zeros(len(self.leaves)), weight.sum()
        there = np.isfinite(self.product)
        first = np.full(len(there), -np.inf)
        first[there] = _logs(weight[: len(there)][there]) - self.product[there]
        worth: dict[int, Floats] = {len(FORKS) - 1: first}
        for f in range(len(FORKS) - 1, -1, -1):
            factors, sides = self.honest.factors[f], self.sides[f]
            if factors is None or sides is None:
                continue
            # What each number on one side is worth, by all that the other may have.
            both = sides.worth(_added(worth.pop(f), factors.both))
            for child, own, of, here in (
                (FORKS[f].left, sides.left, factors.left, both[0]),
                (FORKS[f].right, sides.right, factors.right, both[1]),
            ):
                if child >= 0:
                    worth[child] = _added(here, of)
                elif len(own) > 1:
                    share, _ = _lifted(here + own)
                    number = share @ np.arange(len(own)) / share.sum()
                    found[~child] = number * mass
        return found


@dataclass(frozen=True)
class Sides:
    """Logarithms of two polynomials, ``left`` and ``right``, that are multiplied at a fork.

    Of a thousand responses the coefficients span more than a float can hold. So the variable is
    stretched by exp(``tilt``) while they are multiplied, which takes out what grows steadily from
    one to the next, and is put in again after.
    """

    left: Floats
    right: Floats
    tilt: float

    @classmethod
    def of(cls, left: Floats, right: Floats) -> Sides:
        """With the tilt that makes the longer of them as high at its end as at its beginning."""
        longer = left if len(left) > len(right) else right
        tilt = float(longer[0] - longer[-1]) / max(len(longer) - 1, 1)
        return cls(left, right, tilt)

    def product(self) -> Floats:
        """Logarithms of the product's coefficients."""
        if min(len(self.left), len(self.right)) == 1:
            return self.left + self.right
        left, first = _lifted(self.left + self.tilt * np.arange(len(self.left)))
        right, second = _lifted(self.right + self.tilt * np.arange(len(self.right)))
        both = _logs(np.convolve(left, right))
        return both + (first + second) - self.tilt * np.arange(len(both))

    def worth(self, whole: Floats) -> tuple[Floats, Floats]:
        """What each coefficient of the left and of the right is worth, but for a factor.

        By what each of the product is worth: ``whole``, logarithms.
        """
        if len(self.left) == len(self.right) == 1:
            return whole, whole
        back, _ = _lifted(whole - self.tilt * np.arange(len(whole)))
        found = []
        for own, other in ((self.left, self.right), (self.right, self.left)):
            term, _ = _lifted(other + self.tilt * np.arange(len(other)))
            here = _logs(np.correlate(back, term, mode="valid"))
            found.append(here + self.tilt * np.arange(len(own)))
        return found[0], found[1]


def _lifted(logs: Floats) -> tuple[Floats, float]:
    """Exponentials over the highest, and the highest's logarithm."""
    highest = float(logs.max())
    return np.exp(logs - highest), highest


def _added(worth: Floats, factor: Floats) -> Floats:
    """The logarithms of products; ``factor`` may be longer."""
    return worth + factor[: len(worth)]


def _logs(values: Floats) -> Floats:
    """Logarithms; −∞ of what is too small to be a number, or never happens."""
    with np.errstate(divide="ignore"):
        found: Floats = np.log(values)
    return found


def _rising(a: float, most: int) -> Floats:
    """log (a)_y/y! for y from 0 to most; of a = 0, −∞ but for y = 0."""
    return _table(float(a), 1 << max(most, 1).bit_length())[: most + 1]


def _rising_to(a: float, y: int) -> float:
    """log (a)_y."""
    return float(special.gammaln(a + y) - special.gammaln(a))


@lru_cache(maxsize=1024)
def _table(a: float, most: int) -> Floats:
    i = np.arange(most)
    with np.errstate(divide="ignore"):
        found: Floats = np.append(0.0, np.cumsum(np.log((a + i) / (i + 1.0))))
    return found
