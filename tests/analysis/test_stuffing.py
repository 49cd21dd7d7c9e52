"""The mixture against sums over all subsets, with SciPy's probabilities of counts."""

import itertools

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import dirichlet_multinomial

from analysis import stuffing
from analysis.habits import log_probability
from analysis.kinds import FORKS, KINDS

K = len(KINDS)
#: An ordinary desk: what is telling is rare, crowds and straight lines are not.
HABITS = np.array(
    [[3, 9], [4, 6], [2, 9], [1, 20], [3, 5], [1, 9], *([[0.3, 80]] * (len(FORKS) - 6))],
    dtype=float,
)


def batch(**kinds):
    return np.array([kinds.get(kind.name, 0) for kind in KINDS], dtype=float)


def in_order(counted, alpha):
    """P of responses in their order: SciPy's of the counts, over how many orders there are."""
    counted = np.asarray(counted, dtype=int)
    made = alpha > 0
    if counted[~made].any():
        return 0.0
    if not counted.sum():
        return 1.0
    orders = gammaln(counted.sum() + 1) - gammaln(counted + 1).sum()
    found = dirichlet_multinomial.logpmf(counted[made], alpha[made], counted.sum())
    return np.exp(found - orders)


def by_brute_force(counted, habits, model):
    """Every subset of the responses as the strange ones, one by one."""
    responses = np.repeat(np.arange(K), counted.astype(int))
    n = len(responses)
    possible = np.arange(model.least, n + 1)
    weights = np.array([process.weight for process in model.processes])
    guilty = innocent = 0.0
    expected = np.zeros(K)
    for flags in itertools.product((0, 1), repeat=n):
        strange = np.bincount(responses[np.array(flags, dtype=bool)], minlength=K)
        m = int(strange.sum())
        of = 1 / binomial(n, m)
        honest = np.exp(log_probability(counted - strange, habits))
        like = honest * of * sum(
            weight / weights.sum() * in_order(strange, process.alpha)
            for weight, process in zip(weights, model.processes, strict=True)
        )  # fmt: skip
        if m >= model.least:
            part = model.prior * (1 / m) / (1 / possible).sum() * like
            guilty += part
            expected += part * strange
        played = model.play * (1 - model.goes_on) * model.goes_on ** (m - 1)
        if m == 0:
            played = 1 - model.play * (1 - model.goes_on**n)
        innocent += (1 - model.prior) * played * like
    total = guilty + innocent
    with np.errstate(invalid="ignore"):
        return guilty / total, np.nan_to_num(expected / total / counted)


def binomial(n, m):
    return np.exp(gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1))


SMALL = [
    batch(PRESSED=6, ORDINARY=2),
    batch(PRESSED=3, INSTANT=2, BUNCHED=1, ALIKE=2, ORDINARY=2),
    batch(COPIED=5, ALIKE=3, SKIMMED=1),
    batch(EVEN=5, REPEATED=1, UNMEASURED=1, AFTER_HOURS=1, HASTY=1),
    batch(SKIMMED=9),
]


@pytest.mark.parametrize("counted", SMALL)
def test_the_probability_is_the_sum_over_all_subsets(counted):
    model = stuffing.Stuffing(prior=0.2, play=0.1)
    found = stuffing.weigh(counted[None], HABITS[None], model)
    probability, by_kind = by_brute_force(counted, HABITS, model)
    # Of processes none of whose kinds is there, none is played with either.
    assert found.probability[0] == pytest.approx(probability, rel=2e-3)
    assert found.by_kind[0] == pytest.approx(by_kind, rel=5e-3, abs=1e-4)
    assert found.expected[0] == pytest.approx((by_kind * counted).sum(), rel=5e-3)
