"""What is usual: how the kinds of responses are shared out in a source's month, by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from analysis._validation import Floats, counts
from analysis.kinds import EVERYDAY_FORKS, RUSH_FORKS, SETUP_FORKS, parted

Ints = NDArray[np.intp]


@dataclass(frozen=True)
class Breadth:
    """What is held of habits before any source-month is looked at.

    Of each fork: ``concentration`` is the middle of a log-normal prior of a + b, ``spread`` its
    standard deviation on the log scale. ``caution`` multiplies what was learnt: months to come
    are less like one another than those that the habits were fitted to. ``most`` is what a + b is
    held under, ``most_everyday`` where both sides have everyday kinds, ``most_of_setup`` of what
    depends on a source's hours and device, of which its group says little. Rushes are nobody's
    habit, so theirs is held at ``of_rushes``, however few are known. No side of a fork is
    rarer than ``rarest``, though none was ever found. ``memory`` is how many responses of a
    source's own earlier months count at most.
    """

    concentration: float = 60.0
    spread: float = 1.0
    caution: float = 0.7
    most: float = 200.0
    most_everyday: float = 8.0
    most_of_setup: float = 10.0
    of_rushes: float = 200.0
    rarest: float = 0.001
    memory: float = 60.0


@dataclass(frozen=True)
class Habits:
    """Beta parameters of each fork of the tree of kinds, by group: ``beta`` (groups, forks, 2).

    Of the responses that come to a fork, the share that goes to its left is drawn for every source
    and month from Beta(a, b).
    """

    beta: Floats
    breadth: Breadth

    def of(self, group: ArrayLike, earlier: ArrayLike | None = None) -> Floats:
        """Each batch's habits: its group's, narrowed by its own earlier months.

        Parameters
        ----------
        group
            Shape (batches,), a number of a group.
        earlier
            Shape (batches, kinds): counts of the same source's earlier months, without what was
            set aside. They count for ``memory`` responses at most, all together.

        Returns
        -------
        Floats
            Shape (batches, forks, 2).
        """
        prior: Floats = self.beta[np.asarray(group, dtype=np.intp)]
        if earlier is None:
            return prior
        (own,) = counts(earlier=earlier)
        total = own.sum(axis=1, keepdims=True)
        weight = np.minimum(1.0, self.breadth.memory / np.maximum(total, 1.0))
        return prior + parted(own * weight)


def log_probability(counted: ArrayLike, beta: ArrayLike) -> Floats:
    """Log-probability of honest responses *in their order*: without multinomial coefficients.

    Π B(a + left, b + right)/B(a, b) over the forks, the Dirichlet-tree multinomial. Where a and b
    of each fork are the sums of one parameter a kind over its sides, it is the
    Dirichlet-multinomial.

    Parameters
    ----------
    counted
        Shape (batches, kinds).
    beta
        Shape (batches, forks, 2), or without its first dimension.

    References
    ----------
    Dennis (1991), Communications in Statistics: Theory and Methods 20:4069-4081. Held against
    ``scipy.stats.dirichlet_multinomial`` and ``betabinom`` (tests).
    """
    of = np.asarray(beta, dtype=np.float64)
    after = of + parted(np.asarray(counted, dtype=np.float64))
    logs = special.betaln(after[..., 0], after[..., 1]) - special.betaln(of[..., 0], of[..., 1])
    found: Floats = logs.sum(axis=-1)
    return found


def fit(
    counted: ArrayLike,
    weight: ArrayLike | None = None,
    breadth: Breadth | None = None,
) -> Floats:
    """The Beta of each fork that source-months of one group are drawn from, (forks, 2).

    The maximum of the beta-binomial likelihood and the priors of ``Breadth``. How far sources and
    months differ is in a + b, each fork by itself: straight lines may differ widely from desk to
    desk where bursts of them hardly do.

    Parameters
    ----------
    counted
        Shape (source-months, kinds).
    weight
        Shape (source-months,), between 0 and 1; what is not believed to be honest has less.
    """
    wide = breadth or Breadth()
    (c,) = counts(counted=counted)
    w = np.ones(len(c)) if weight is None else np.asarray(weight, dtype=np.float64)
    sides = parted(c)
    found = np.array([_fit_one(sides[:, fork], w, wide) for fork in range(sides.shape[1])])
    most = np.where(EVERYDAY_FORKS, wide.most_everyday, wide.most)
    most = np.where(SETUP_FORKS, wide.most_of_setup, most)
    scale = np.minimum(1.0, most / found.sum(axis=1))
    scale = np.where(RUSH_FORKS, wide.of_rushes / found.sum(axis=1), scale)
    result: Floats = found * scale[:, None]
    return result


def _fit_one(pairs: Floats, weight: Floats, wide: Breadth) -> Floats:
    """Beta parameters of one fork, by how many are on its sides: ``pairs`` (source-months, 2)."""
    k, n = pairs[:, 0], pairs.sum(axis=1)
    start = np.array(
        [special.logit((weight @ k + 0.5) / (weight @ n + 1)), np.log(wide.concentration)]
    )

    def cost(at: Floats) -> tuple[float, Floats]:
        share, total = special.expit(at[0]), np.exp(at[1])
        a, b = share * total, (1 - share) * total
        height = weight @ (special.betaln(a + k, b + n - k) - special.betaln(a, b))
        both = special.digamma(a + b + n) - special.digamma(a + b)
        by_a = weight @ (special.digamma(a + k) - special.digamma(a) - both)
        by_b = weight @ (special.digamma(b + n - k) - special.digamma(b) - both)
        away = (at[1] - np.log(wide.concentration)) / wide.spread
        slope = np.array(
            [-(by_a - by_b) * a * (1 - share), away / wide.spread - by_a * a - by_b * b]
        )
        return float(0.5 * away**2 - height), slope

    found = optimize.minimize(
        cost, start, jac=True, method="L-BFGS-B", bounds=[(-12.0, 12.0), (0.0, 9.0)],
        # A likelihood that differs by a millionth says nothing of habits.
        options={"ftol": 1e-8},
    ).x  # fmt: skip
    total = float(np.exp(found[1])) * wide.caution
    share = float(np.clip(special.expit(found[0]), wide.rarest, 1 - wide.rarest))
    result: Floats = max(total, 1.0) * np.array([share, 1 - share])
    return result
