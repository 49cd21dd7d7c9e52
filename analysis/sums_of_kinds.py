"""The sum over all ways to divide a batch into honest and strange responses, kind by kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from analysis._validation import Floats

Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Honest:
    """What the habits say of one batch, by how many of its responses are left to them.

    Kinds are taken from the last of the order to the first, those alone that are there:
    ``kinds`` are their places in the order, ``count`` how many there are. With y honest ones of a
    kind and Y of it and all later ones, ``own`` has log (a)_y/y! by x = c − y; ``passed`` has, by
    X = C − Y, the logarithm of what multiplies before the kind is added (and after the last one):
    Y!/(a + b)_Y of the kind before, (b)_Y/Y! of this one. So every factor stays of moderate size.
    """

    kinds: Ints
    count: Ints
    own: list[Floats]
    passed: list[Floats]
    #: Of the whole batch in its order, all of it honest.
    log_probability: float

    @classmethod
    def of(cls, count: Ints, beta: Floats) -> Honest:
        """Of counts in the order of the kinds, and their habits (kinds − 1, 2)."""
        own, passed, kinds = [], [], []
        found, below, last = 0.0, 0, len(count) - 1
        waiting: Floats = np.zeros(1)
        for k in range(last, -1, -1):
            here = int(count[k])
            if not here and (k == last or not below):
                continue
            # By Y from below to 0, which is by X from 0 up.
            if k < last:
                waiting = waiting + _rising(beta[k, 1], below)[::-1]
                found += _rising_to(beta[k, 0], here) + _rising_to(beta[k, 1], below)
                found -= _rising_to(beta[k].sum(), here + below)
            if here:
                own.append(np.zeros(here + 1) if k == last else _rising(beta[k, 0], here)[::-1])
                passed.append(waiting)
                kinds.append(k)
                below += here
                waiting = np.zeros(below + 1)
            if k < last:
                waiting = waiting - _rising(beta[k].sum(), below)[::-1]
        passed.append(waiting)
        return cls(np.array(kinds, dtype=np.intp), count, own, passed, found)


@dataclass(frozen=True)
class Chain:
    """The product of the kinds' polynomials, of one stuffing process.

    ``logs`` (n + 1,) has the log-probability of the batch in its order with each number of strange
    responses, all sets of that number taken as equally likely. ``before`` has the product before
    each kind, ``terms`` the kind's own, ``after`` the product after all.
    """

    logs: Floats
    honest: Honest
    terms: list[Floats]
    before: list[Floats]
    after: Floats

    @classmethod
    def of(cls, honest: Honest, alpha: Floats) -> Chain:
        """With the process's Dirichlet in the order of the kinds."""
        count = honest.count
        n = int(count.sum())
        product, scale = np.ones(1), float(special.gammaln(count + 1.0).sum())
        terms, before = [], []
        for k, own, passed in zip(honest.kinds, honest.own, honest.passed[:-1], strict=True):
            product, lifted = _highest_one(np.log(product) + passed)
            before.append(product)
            term, higher = _highest_one(own + _rising(float(alpha[k]), int(count[k])))
            terms.append(term)
            product = np.maximum(np.convolve(product, term), 1e-300)
            scale += lifted + higher
        product, lifted = _highest_one(np.log(product) + honest.passed[-1])
        # Every number m: times m!/n!, and the process's own sum (B)_m.
        every = float(special.gammaln(n + 1.0)) + _rising(float(alpha.sum()), n)
        logs = np.log(np.maximum(product, 1e-300)) + scale + lifted - every
        return cls(logs, honest, terms, before, product)

    def strange(self, weight: Floats) -> Floats:
        """How many responses of each kind there are strange, summed over m with these weights."""
        found = np.zeros(len(self.terms))
        mass = weight.sum()
        back = weight / np.maximum(self.after, 1e-300)
        for i in range(len(found) - 1, -1, -1):
            passed = self.honest.passed[i + 1]
            back = back * np.exp(passed - passed.max())
            back /= max(back.max(), 1e-300)
            # What each x of this kind is worth: by all that the others may be.
            worth = np.correlate(back, self.before[i], mode="valid") * self.terms[i]
            found[i] = worth @ np.arange(len(worth)) / max(worth.sum(), 1e-300) * mass
            back = np.correlate(back, self.terms[i], mode="valid")
        return found


def _highest_one(logs: Floats) -> tuple[Floats, float]:
    """Exponentials over the highest, never 0, and the highest's logarithm."""
    highest = float(logs.max())
    return np.maximum(np.exp(logs - highest), 1e-300), highest


def _rising(a: float, most: int) -> Floats:
    """log (a)_y/y! for y from 0 to most."""
    return _table(a, 1 << max(most, 1).bit_length())[: most + 1]


def _rising_to(a: float, y: int) -> float:
    """log (a)_y."""
    return float(special.gammaln(a + y) - special.gammaln(a))


@lru_cache(maxsize=1024)
def _table(a: float, most: int) -> Floats:
    i = np.arange(most)
    return np.append(0.0, np.cumsum(np.log((a + i) / (i + 1.0))))
