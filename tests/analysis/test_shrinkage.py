"""Beta-binomial shrinkage against R's VGAM."""

import numpy as np
import pytest

from analysis.shrinkage import beta_binomial
from tests.references import reference

UNITS = reference("beta_binomial")


def test_equals_vgam():
    # VGAM 1.1.7 vglm(betabinomial); both are optimisers, so 1e-3 of the prior
    found = beta_binomial(UNITS["successes"], UNITS["trials"])
    assert found.mu == pytest.approx(UNITS["mu"], rel=1e-5)
    assert found.rho == pytest.approx(UNITS["rho"], rel=1e-3)
    assert found.alpha == pytest.approx(UNITS["alpha"], rel=1e-3)
    np.testing.assert_allclose(found.estimate, UNITS["posterior_mean"], rtol=1e-5)


def test_a_small_unit_is_drawn_in_more_and_an_empty_one_is_the_prior():
    found = beta_binomial([3, 300, 250, 280, 200, 0], [3, 330, 300, 300, 260, 0])
    raw = np.array([3, 300, 250, 280, 200]) / np.array([3, 330, 300, 300, 260])
    moved = np.abs(found.estimate[:5] - raw)
    assert moved[0] == moved.max() and found.weight[0] < 0.2 < found.weight[1]
    assert found.estimate[5] == pytest.approx(found.mu) and found.weight[5] == 0
    assert found.low[5] < found.low[1] < found.high[1] < 1


def test_units_that_differ_by_chance_only_all_get_the_pooled_rate():
    n = np.full(60, 50)
    found = beta_binomial(np.tile([42, 43], 30), n)  # less spread than chance
    # The optimiser stops on a ridge whose end depends on the processor's arithmetic.
    np.testing.assert_allclose(found.estimate, 42.5 / 50, atol=1e-3)


def test_it_is_nearer_to_the_truth_than_the_raw_rate():
    rng = np.random.default_rng(9)
    true = rng.beta(40, 8, 500)
    n = rng.integers(5, 60, 500)
    k = rng.binomial(n, true)
    found = beta_binomial(k, n)
    assert ((found.estimate - true) ** 2).mean() < 0.6 * ((k / n - true) ** 2).mean()
    covered = ((found.low <= true) & (true <= found.high)).mean()
    assert 0.92 <= covered <= 0.98


def test_nothing_and_the_impossible():
    assert np.isnan(beta_binomial([0, 0], [0, 0]).estimate).all()
    with pytest.raises(ValueError, match="successes"):
        beta_binomial([2], [1])
