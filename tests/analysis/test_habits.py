"""Habits against SciPy's Dirichlet-multinomial and beta-binomial, and its maximum of these."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from scipy.special import gammaln
from scipy.stats import betabinom, dirichlet_multinomial

from analysis.habits import Breadth, Habits, fit, log_probability
from analysis.kinds import FORKS, KINDS, RUSH_FORKS, SIDES, parted, shares

K = len(KINDS)


def orders(counted):
    """Logarithm of how many orders the responses could have come in."""
    return gammaln(counted.sum() + 1) - gammaln(counted + 1).sum()


@given(st.lists(st.integers(0, 20), min_size=K, max_size=K))
@settings(max_examples=40, deadline=None)
def test_a_tree_of_sums_is_the_dirichlet_multinomial(numbers):
    counted = np.array(numbers)
    alpha = np.linspace(0.2, 6.0, K)
    expected = dirichlet_multinomial.logpmf(counted, alpha, counted.sum()) - orders(counted)
    beta = np.stack([SIDES[0] @ alpha, SIDES[1] @ alpha], axis=-1)
    assert log_probability(counted, beta) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


def test_a_fork_is_fitted_as_by_scipys_beta_binomial():
    rng = np.random.default_rng(3)
    n = rng.integers(30, 200, 300)
    k = betabinom.rvs(n, 3.0, 40.0, random_state=rng)
    counted = np.zeros((300, K))
    counted[:, 0], counted[:, KINDS.index("even")] = n - k, k

    def cost(at):
        a, b = np.exp(at)
        prior = 0.5 * ((np.log(a + b) - np.log(60)) / 1.0) ** 2
        return prior - betabinom.logpmf(k, n, a, b).sum()

    expected = np.exp(optimize.minimize(cost, [0.0, 3.0], method="Nelder-Mead").x)
    found = fit(counted, breadth=Breadth(caution=1.0, most=1e6))
    even = [fork.left for fork in FORKS].index(~KINDS.index("even"))
    assert found[even] == pytest.approx(expected, rel=0.01)
    cautious = fit(counted, breadth=Breadth(caution=0.5, most=1e6))
    assert cautious[even].sum() == pytest.approx(expected.sum() / 2, rel=0.01)


def test_what_weighs_nothing_is_not_learnt_from():
    counted = np.zeros((20, K))
    counted[:, 0], counted[:2, KINDS.index("pressed")] = 50, 50
    weight = np.ones(20)
    weight[:2] = 0
    assert fit(counted, weight) == pytest.approx(fit(counted[2:]), rel=1e-3)


def test_earlier_months_count_as_remembered():
    habits = Habits(np.full((2, len(FORKS), 2), 3.0), Breadth(memory=60))
    earlier = np.zeros((2, K))
    earlier[0, 0], earlier[1, 0] = 30, 600
    found = habits.of([0, 1], earlier) - habits.of([0, 1])
    assert found[:, -1].tolist() == [[0, 30], [0, 60]]


@given(st.lists(st.integers(0, 9), min_size=K, max_size=K))
def test_the_root_parts_all(numbers):
    found = parted(np.array(numbers, dtype=float))
    assert found[-1].sum() == sum(numbers)
    assert (found.sum(axis=-1) <= sum(numbers)).all()


def test_shares_add_up_to_one():
    left = np.random.default_rng(1).uniform(0.01, 0.99, (5, len(FORKS)))
    assert shares(left).sum(axis=1) == pytest.approx(1.0)


def test_of_rushes_habit_is_held_however_few_months_are_known():
    """Else one source in eight could be one that rushes, and no rush would be improbable."""
    counted = np.zeros((5, len(KINDS)))
    counted[:, 0] = 60
    assert fit(counted)[RUSH_FORKS].sum() == pytest.approx(Breadth().of_rushes)
