"""Shares of R² against brute force in R over all orderings."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from analysis.drivers import importance, quadrants
from tests.references import reference

BFI = reference("lmg")


def test_equals_all_orderings_in_r():
    # lm() on every subset in every order, R 4.2.2; a hair on the diagonal costs 1e-9
    found = importance(BFI["x"], BFI["y"], draws=0)
    np.testing.assert_allclose(found.share, BFI["share"], rtol=1e-6)
    assert found.r_squared == pytest.approx(BFI["r2"], rel=1e-6) and found.n == 1500


def test_shares_sum_to_the_r_squared_of_statsmodels_with_ten_factors():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(800, 1)) + rng.normal(size=(800, 10))
    y = x @ np.linspace(0, 1, 10) + rng.normal(size=800)
    found = importance(x, y, draws=0)
    fit = OLS(y, np.column_stack([np.ones(800), x])).fit()
    assert found.share.sum() == pytest.approx(fit.rsquared, rel=1e-6)
    order = rng.permutation(10)
    np.testing.assert_allclose(importance(x[:, order], y, draws=0).share, found.share[order])


def test_bootstrap_intervals_hold_the_true_share():
    # Two independent factors with weights 2 and 1 and noise of 1: shares 4/6 and 1/6.
    rng = np.random.default_rng(7)
    held = []
    for seed in range(60):
        x = rng.normal(size=(300, 2))
        y = x @ [2, 1] + rng.normal(size=300)
        found = importance(x, y, seed=seed)
        held.append((found.low <= [4 / 6, 1 / 6]) & (found.high >= [4 / 6, 1 / 6]))
    # Three standard errors of 60 draws below 95 %.
    assert np.mean(held, axis=0).min() >= 0.86


def test_a_factor_twice_shares_what_one_would_have():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(500, 2))
    y = x @ [1, 1] + rng.normal(size=500)
    found = importance(np.column_stack([x, x[:, 0]]), y, draws=20)
    single = importance(x, y, draws=0)
    assert found.share[0] == pytest.approx(found.share[2], rel=1e-4)
    assert found.share[0] + found.share[2] == pytest.approx(single.share[0], rel=0.2)
    assert found.r_squared == pytest.approx(single.r_squared, rel=1e-4)


def test_gaps_are_left_out_and_what_does_not_vary_is_nan():
    x, y = np.array(BFI["x"], dtype=float), np.array(BFI["y"])
    x = np.vstack([x, [np.nan] * 5])
    assert importance(x, np.append(y, 3), draws=0).n == 1500
    x[:, 2] = 4
    assert np.isnan(importance(x, np.append(y, 3)).share).all()
    with pytest.raises(ValueError, match="1 to 12"):
        importance(np.zeros((5, 13)), np.zeros(5))
    with pytest.raises(ValueError, match="respondents"):
        importance(np.zeros((5, 2)), np.zeros(4))


def test_quadrants():
    assert quadrants([np.nan, 0.2], [0.5, 0.9]).tolist() == ["", "keep up"]
    with pytest.raises(ValueError, match="one entry"):
        quadrants([0.1], [0.1, 0.2])
