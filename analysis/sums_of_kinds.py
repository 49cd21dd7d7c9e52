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
    responses, all sets of so many taken as equally likely. ``leaves`` has each kind's own
    polynomial; ``sides`` what is multiplied at each fork, and ``product`` the one of the whole.
    """

    logs: Floats
    honest: Honest
    leaves: list[Floats]
    sides: list[tuple[Floats, Floats]]
    product: Floats

    @classmethod
    def of(cls, honest: Honest, alpha: Floats) -> Chain:
        """With the process's Dirichlet (kinds,), 0 for kinds that it never makes."""
        count, n = honest.count, int(honest.count.sum())
        nothing = np.ones(1)
        scale = float(special.gammaln(count + 1.0).sum())
        leaves = []
        for number, of in zip(count, alpha, strict=True):
            term, lifted = _lifted(_rising(float(of), int(number)))
            leaves.append(term)
            scale += lifted
        products: list[Floats] = []
        sides: list[tuple[Floats, Floats]] = []
        for fork, factors in zip(FORKS, honest.factors, strict=True):
            if factors is None:
                sides.append((nothing, nothing))
                products.append(nothing)
                continue
            left = leaves[~fork.left] if fork.left < 0 else products[fork.left]
            right = leaves[~fork.right] if fork.right < 0 else products[fork.right]
            left, first = _lifted(np.log(left) + factors.left)
            right, second = _lifted(np.log(right) + factors.right)
            sides.append((left, right))
            both = np.maximum(np.convolve(left, right), _LEAST)
            product, third = _lifted(np.log(both) + factors.both)
            products.append(product)
            scale += first + second + third
        # Every number m of strange ones: times m!/n!, over the process's own (B)_m.
        every = float(special.gammaln(n + 1.0)) + _rising(float(alpha.sum()), n)
        return cls(np.log(products[-1]) + scale - every, honest, leaves, sides, products[-1])

    def strange(self, weight: Floats) -> Floats:
        """How many responses of each kind are strange, summed over their number with weights."""
        found, mass = np.zeros(len(self.leaves)), weight.sum()
        worth: dict[int, Floats] = {len(FORKS) - 1: weight / self.product}
        for f in range(len(FORKS) - 1, -1, -1):
            factors = self.honest.factors[f]
            if factors is None:
                continue
            back = worth.pop(f) * np.exp(factors.both - factors.both.max())
            back /= max(back.max(), _LEAST)
            left, right = self.sides[f]
            for child, own, of, other in (
                (FORKS[f].left, left, factors.left, right),
                (FORKS[f].right, right, factors.right, left),
            ):
                # What each number on this side is worth, by all that the other may have.
                here = np.correlate(back, other, mode="valid")
                if child >= 0:
                    worth[child] = here * np.exp(of - of.max())
                elif len(own) > 1:
                    share = here * own
                    number = share @ np.arange(len(own)) / max(share.sum(), _LEAST)
                    found[~child] = number * mass
        return found


_LEAST = 1e-300


def _lifted(logs: Floats) -> tuple[Floats, float]:
    """Exponentials over the highest, never 0, and the highest's logarithm."""
    highest = float(logs.max())
    return np.maximum(np.exp(logs - highest), _LEAST), highest


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
