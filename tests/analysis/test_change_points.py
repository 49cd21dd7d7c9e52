"""One level shift: the statistic against statsmodels, the p-value by simulation."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import GLS, WLS

from analysis.change_points import level_shift
from analysis.noise import covariances, fixed


def test_the_statistic_is_the_best_of_all_regressions_on_a_step():
    # WLS of statsmodels on a step at each place with known variances: estimate / its standard
    # error with scale 1.
    rng = np.random.default_rng(2)
    y, w = rng.normal(size=20) + np.repeat([0, 0.8], [13, 7]), rng.uniform(0.5, 5, 20)
    found = level_shift(y, w)
    best = (0.0, 0, 0.0)
    for place in range(2, 19):
        step = (np.arange(20) >= place).astype(float)
        fit = WLS(y, np.column_stack([np.ones(20), step]), weights=w).fit()
        z = fit.params[1] / np.sqrt(fit.normalized_cov_params[1, 1])
        best = max(best, (abs(z), place, fit.params[1]))
    assert (found.statistic, found.since, found.change) == pytest.approx(best)


def test_under_noise_and_a_season_it_is_the_best_of_all_generalised_regressions():
    rng = np.random.default_rng(3)
    y, variance = rng.normal(size=20) + np.repeat([0, 1.0], [13, 7]), rng.uniform(0.2, 1, 20)
    wave = np.column_stack([f(2 * np.pi * np.arange(20) / 12) for f in (np.cos, np.sin)])
    sigma = np.diag(variance) + covariances(20, [0.4], [0.6])[0]
    best = (0.0, 0, 0.0)
    for place in range(2, 19):
        step = (np.arange(20) >= place).astype(float)
        fit = GLS(y, np.column_stack([np.ones(20), step, wave]), sigma=sigma).fit()
        z = fit.params[1] / np.sqrt(fit.normalized_cov_params[1, 1])
        best = max(best, (abs(z), place, fit.params[1]))
    found = level_shift(y[None], 1 / variance[None], noise=fixed(0.4, 0.6, 1), explained=wave)
    assert (found.statistic[0], found.since[0], found.change[0]) == pytest.approx(best)
    last = level_shift(y[None], 1 / variance[None], last_only=True)
    assert last.since[0] == 19 and last.p[0] == pytest.approx(2 * stats.norm.sf(last.statistic[0]))


def test_p_of_a_skewed_sum_is_that_of_pearsons_curve_and_not_smaller_on_the_other_side():
    # Means of gamma distributions, which fall far more easily than they rise.
    shape = 4.0
    y = (shape - stats.gamma.rvs(shape, size=(40_000, 2), random_state=1)) / np.sqrt(shape)
    y[:, 0] = 0.0
    third = np.array([0.0, -2 / np.sqrt(shape)])
    found = level_shift(y, [1e9, 1.0], third=third, least_periods=1)
    plain = level_shift(y, [1e9, 1.0], least_periods=1)
    fell = y[:, 1] < 0
    for level in (0.01, 0.001):
        assert (found.p[fell] < level).sum() / len(y) == pytest.approx(level / 2, rel=0.4)
        assert (plain.p[fell] < level).sum() / len(y) > 1.5 * level
    np.testing.assert_allclose(found.p[~fell], plain.p[~fell])


def test_working_responses_of_noise_are_bent_and_p_allows_for_it():
    rng = np.random.default_rng(7)
    e = 0.3 * rng.normal(size=(20_000, 8))
    pi = 0.9
    y = (1 / (1 + np.exp(-(np.log(9) + e))) - pi) / (pi * (1 - pi))
    known = {"noise": fixed(0.3, 0.0, len(y)), "last_only": True, "least_periods": 3}
    bent = level_shift(y, 1e6, bent=1 - 2 * pi, **known)
    straight = level_shift(y, 1e6, **known)
    assert (straight.p < 0.001).mean() > 0.003
    assert (bent.p < 0.001).mean() < 0.0017


@pytest.mark.parametrize("periods", [8, 24, 60])
def test_without_a_shift_p_is_uniform_or_cautious(periods):
    rng = np.random.default_rng(periods)
    precision = rng.uniform(1, 30, (3000, periods))
    found = level_shift(rng.normal(size=(3000, periods)) / np.sqrt(precision), precision)
    for level in (0.1, 0.05, 0.01):
        share = (found.p < level).mean()
        assert 0.5 * level <= share <= 1.25 * level, level


def test_it_finds_when_and_how_much():
    rng = np.random.default_rng(4)
    y = rng.normal(0, 0.2, (300, 24)) + 0.6 * (np.arange(24) >= 15)
    found = level_shift(y, 25.0)
    assert (found.p < 0.01).mean() > 0.98
    assert (np.abs(found.since - 15) <= 1).mean() > 0.9
    assert np.median(found.change) == pytest.approx(0.6, abs=0.05)


def test_gaps_are_passed_over():
    y = np.array([0.0, np.nan, 0.1, 0.0, np.nan, 2.0, 2.1, 1.9])
    found = level_shift(y, [9, 0, 9, 9, 5, 9, 9, 9])
    assert found.since == 5 and found.p < 0.001
    few = level_shift([[0.1, 0.2, np.nan], [0.1, np.nan, np.nan]], 1.0)
    assert few.since.tolist() == [-1, -1] and np.isnan(few.p).all()


def test_no_shift_is_told_from_a_handful_of_people():
    # Four people with twenty answers each in the first quarter: one of them makes the mean.
    y, w = np.array([-2.0, -2.0, -2.0, 0.0, 0.1, -0.1, 0.0, 0.1, 0.0]), 8.0
    people = np.array([2, 1, 1, 9, 8, 9, 8, 9, 9])
    hasty = level_shift(y, w, least_periods=3)
    assert hasty.since == 3 and hasty.p < 0.001
    careful = level_shift(y, w, least_periods=3, respondents=people, least_respondents=10)
    assert careful.since == 4 and careful.p > hasty.p
    ended = level_shift(y[::-1], w, least_periods=3, respondents=people[::-1], least_respondents=10)
    assert ended.since == 5 and ended.p == pytest.approx(careful.p)
    none = level_shift(y, w, least_periods=3, respondents=people, least_respondents=50)
    assert none.since == -1 and np.isnan(none.p)


def test_where_some_places_are_left_out_p_is_corrected_for_the_others_alone():
    rng = np.random.default_rng(77)
    precision, people = rng.uniform(1, 30, (3000, 20)), rng.integers(0, 6, (3000, 20))
    found = level_shift(
        rng.normal(size=(3000, 20)) / np.sqrt(precision), precision,
        respondents=people, least_respondents=15,
    )  # fmt: skip
    for level in (0.1, 0.05, 0.01):
        share = (found.p < level).mean()
        assert 0.5 * level <= share <= 1.25 * level, level


def test_what_is_impossible_is_refused():
    with pytest.raises(ValueError, match="respondents"):
        level_shift([1, 2, 3], 1.0, respondents=[1, -1, 1])
    with pytest.raises(ValueError, match="precision"):
        level_shift([1, 2, 3], [-1, 1, 1])
    with pytest.raises(ValueError, match="least_periods"):
        level_shift([1, 2, 3], 1.0, least_periods=0)
    with pytest.raises(ValueError, match="noise"):
        level_shift([1, 2, 3], 1.0, noise=fixed(0.1, 0.0, 2))
