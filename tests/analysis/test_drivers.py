"""Shares of R² against brute force in R over all orderings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS

from analysis.drivers import importance, quadrants, rates_apart, to_improve_first
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


def people(n, weights, under, seed):
    """Scores, satisfied, answers and overall of factors with weights, some with a lower rate."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 1)) + rng.normal(size=(n, len(weights)))
    overall = scores @ weights + 2 * rng.normal(size=n)
    answers = np.ones(scores.shape)
    return scores, (scores > np.array(under) - 1.5).astype(float), answers, overall


def test_importance_and_rate_must_both_be_told_apart():
    for weights, under, named in (
        ([3, 1, 1, 1], [0.8, 0, 0, 0], [True, False, False, False]),
        ([3, 1, 1, 1], [0, 0.8, 0, 0], [False] * 4),  # the lower one matters no more than others
        ([1, 1, 1, 1], [0.8, 0, 0, 0], [False] * 4),
        ([3, 1, 1, 1], [0, 0, 0, 0], [False] * 4),
    ):
        scores, satisfied, answers, overall = people(800, weights, under, seed=11)
        found = importance(scores, overall)
        rates = rates_apart(satisfied, answers)
        assert to_improve_first(found, rates).tolist() == named, (weights, under)
        assert (quadrants(found, rates) == "concentrate here").tolist() == named


def test_differences_are_those_of_the_rates_and_limits_are_of_all_at_once():
    _, satisfied, answers, _ = people(300, [1, 1, 1], [0.5, 0, 0], seed=2)
    answers[::7, 1] = 0
    satisfied *= answers
    rate = satisfied.sum(axis=0) / answers.sum(axis=0)
    found = rates_apart(satisfied, answers)
    others = [(rate.sum() - rate[j]) / 2 for j in range(3)]
    np.testing.assert_allclose(found.difference, rate - others, rtol=1e-12)
    # With answers of everybody, beside t of the paired differences (SciPy 1.17.1): the limits of
    # three at once are those of one, widened by 15 to 30 %.
    answers[:] = 1
    _, satisfied, _, _ = people(300, [1, 1, 1], [0.5, 0, 0], seed=2)
    found = rates_apart(satisfied, answers, draws=4000)
    paired = satisfied - (satisfied.sum(axis=1, keepdims=True) - satisfied) / 2
    alone = stats.t.interval(0.95, 299, paired.mean(axis=0), stats.sem(paired, axis=0))
    wider = (found.high - found.low) / (alone[1] - alone[0])
    assert (wider > 1.1).all() and (wider < 1.3).all()
    assert found.below().tolist() == [True, False, False] and not found.below().all()


def test_many_respondents_are_drawn_by_groups_and_vary_as_much():
    _, satisfied, answers, _ = people(1500, [1, 1, 1], [0.5, 0, 0], seed=3)
    by_groups = rates_apart(satisfied, answers, draws=2000)
    paired = satisfied - (satisfied.sum(axis=1, keepdims=True) - satisfied) / 2
    np.testing.assert_allclose(by_groups.spread, stats.sem(paired, axis=0), rtol=0.06)


@given(st.permutations(range(4)), st.integers(0, 2**16))
@settings(max_examples=15, deadline=None)
def test_the_order_of_factors_changes_nothing_but_the_order(order, seed):
    scores, satisfied, answers, overall = people(90, [3, 1, 1, 1], [1, 0, 0, 0], seed)
    one = rates_apart(satisfied, answers, draws=100)
    other = rates_apart(satisfied[:, order], answers[:, order], draws=100)
    np.testing.assert_allclose(other.low, one.low[order], rtol=1e-9, atol=1e-12)
    one, other = (importance(scores[:, o], overall, draws=60) for o in (list(range(4)), order))
    np.testing.assert_allclose(other.apart.high, one.apart.high[order], rtol=1e-6, atol=1e-9)


def test_quadrants_where_nothing_can_be_said():
    scores, satisfied, answers, overall = people(200, [1, 1, 1], [0, 0, 0], seed=5)
    found, rates = importance(scores, overall), rates_apart(satisfied, answers)
    assert set(quadrants(found, rates)) == {"not distinguishable"}
    answers[:, 2] = 0
    assert quadrants(found, rates_apart(satisfied * answers, answers)).tolist()[2] == ""
    constant = importance(np.ones((200, 3)), overall)
    assert set(quadrants(constant, rates)) == {""}
    assert not to_improve_first(constant, rates).any()
    everybody = rates_apart(np.ones((50, 3)), np.ones((50, 3)))
    assert everybody.difference.tolist() == [0, 0, 0] and not everybody.below().any()
    assert np.isnan(rates_apart(np.ones((50, 1)), np.ones((50, 1))).difference).all()
    with pytest.raises(ValueError, match="one entry"):
        quadrants(found, rates_apart(satisfied[:, :2], answers[:, :2]))
    with pytest.raises(ValueError, match="satisfied exceeds answers"):
        rates_apart([[2, 1]], [[1, 1]])
    with pytest.raises(ValueError, match="respondents, factors"):
        rates_apart([1, 1], [1, 1])
