"""What a period's count is likely to be: against SciPy's beta-binomial, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from analysis.predictive import foresee, limits, scores


def all_of(k):
    return np.ones(np.shape(k), dtype=bool)


def test_even_months_give_the_beta_binomial_tail(monkeypatch):
    # Without any spread between months the prediction is beta-binomial with Jeffreys' prior:
    # SciPy 1.14's betabinom, mid-p.
    monkeypatch.setattr("analysis.predictive._SPREADS", np.array([0.0, 1e-6]))
    k, n = np.array([[17, 19, 18, 20, 16, 18] * 2]), np.full((1, 12), 20)
    found = foresee(k, n, all_of(k))
    a, b = k.sum() + 0.5, (n - k).sum() + 0.5
    for count in (11, 14, 18, 20):
        lower = stats.betabinom.cdf(count, 20, a, b) - stats.betabinom.pmf(count, 20, a, b) / 2
        assert scores(found, [count], [20])[0] == pytest.approx(stats.norm.ppf(lower), abs=1e-4)


def test_a_count_that_is_not_whole_lies_between_those_that_are():
    k = np.array([[17, 19, 18, 20, 16, 18] * 2])
    found = foresee(k, np.full(k.shape, 20), all_of(k))
    fine = [scores(found, [count], [20])[0] for count in np.arange(10, 20.01, 0.25)]
    assert np.all(np.diff(fine) > 0)


def test_the_spread_between_months_is_learnt():
    rng = np.random.default_rng(1)
    logit = np.log(0.85 / 0.15) + rng.normal(0, 0.3, (300, 24))
    k = rng.binomial(400, 1 / (1 + np.exp(-logit)))
    found = foresee(k, np.full(k.shape, 400), all_of(k))
    # 0.3 on the logit scale are 0.3·0.85·0.15 of the rate; even months have next to none.
    assert found.between.mean() == pytest.approx(0.3 * 0.85 * 0.15, rel=0.1)
    even = rng.binomial(400, 0.85, (300, 24))
    assert foresee(even, np.full(k.shape, 400), all_of(k)).between.mean() < 0.009


def test_scores_are_standard_normal_where_months_are_as_they_were():
    rng = np.random.default_rng(4)
    logit = np.log(0.9 / 0.1) + rng.normal(0, 0.15, (2000, 25))
    k = rng.binomial(200, 1 / (1 + np.exp(-logit)))
    use = all_of(k)
    use[:, 24] = False
    z = scores(foresee(k, np.full(k.shape, 200), use), k[:, 24], np.full(2000, 200))
    assert z.std() == pytest.approx(1, abs=0.06) and abs(z.mean()) < 0.07
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.05, abs=0.015)


@given(
    counts=st.lists(st.integers(0, 40), min_size=12, max_size=12),
    count=st.floats(0, 40),
    n=st.integers(40, 45),
)
def test_a_count_lies_beyond_a_limit_where_its_score_does(counts, count, n):
    found = foresee([counts], [[n] * 12], [[True] * 12])
    (low,), (high,) = limits(found, [n])
    (z,) = scores(found, [count], [n])
    assert 0 <= low <= found.centre[0] <= high <= 1
    if abs(abs(z) - 3) > 0.05:
        assert (z < -3) == (count / n < low - 1e-9) and (z > 3) == (count / n > high + 1e-9)


def test_without_a_baseline_or_answers_there_is_no_figure():
    found = foresee([[5, 5], [5, 5]], [[6, 6], [6, 6]], [[False, False], [True, True]])
    assert np.isnan(found.centre[0]) and found.used.tolist() == [0, 2]
    assert np.isnan(scores(found, [5, 5], [6, 6])).tolist() == [True, False]
    assert np.isnan(scores(found, [0, 0], [0, 0])).all()
    assert np.isnan(limits(found, [6, 0])).tolist() == [[True, True], [True, True]]
    with pytest.raises(ValueError, match="successes"):
        foresee([[7]], [[6]], [[True]])


@pytest.mark.parametrize("n", [1e4, 1e5, 1e7])
@pytest.mark.parametrize("rate", [0.5, 0.9, 0.999])
def test_limits_of_very_many_answers_lie_where_their_scores_are_three(n, rate):
    counts = np.random.default_rng(4).binomial(int(n), rate, (3, 24)).astype(float)
    trials = np.full(counts.shape, n)
    found = foresee(counts, trials, np.ones(counts.shape, dtype=bool))
    for limit, score in zip(limits(found, trials[:, 0]), (-3, 3), strict=True):
        np.testing.assert_allclose(scores(found, limit * n, trials[:, 0]), score, atol=0.05)


def test_scores_of_fractions_are_the_tails_of_two_beta_functions():
    found = foresee([[18, 19, 17, 20]] * 4, [[20] * 4] * 4, [[True] * 4] * 4)
    k, n = np.array([0.0, 3.7, 19.2, 20.0]), 20.0
    rate = special.expit(found.level)
    at_least = np.where(k > 0, special.betainc(np.maximum(k, 1e-9), n - k + 1, rate.T), 1.0)
    more = np.where(k < n, special.betainc(k + 1, np.maximum(n - k, 1e-9), rate.T), 0.0)
    lower = (found.weight * (1 - (at_least + more).T / 2)).sum(axis=1)
    np.testing.assert_allclose(special.ndtr(scores(found, k, [n] * 4)), lower, rtol=1e-6)
