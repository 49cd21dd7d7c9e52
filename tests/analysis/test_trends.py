"""Tests of trend against R, pymannkendall and SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import WLS

from analysis.trends import cochran_armitage, mann_kendall, theil_sen
from tests.references import reference

HOUSING, TRENDS = reference("housing"), reference("trends")


def test_cochran_armitage_equals_r():
    # R 4.2.2 prop.trend.test
    found = cochran_armitage(HOUSING["influence"]["high"], HOUSING["influence"]["n"])
    assert found.statistic**2 == pytest.approx(HOUSING["influence"]["trend_chi2"], rel=1e-9)
    assert found.p == pytest.approx(HOUSING["influence"]["trend_p"], rel=1e-6)
    assert found.statistic > 0


def test_cochran_armitage_of_many_units_at_once():
    found = cochran_armitage(
        [[9, 5, 1], [5, 5, 5], [3, 0, 0], [9, 0, 1]],
        [[10, 10, 10], [5, 5, 5], [9, 0, 0], [10, 0, 10]],
    )
    assert found.statistic[0] < 0 and np.isnan(found.statistic[1:3]).all()
    without_gap = cochran_armitage([9, 1], [10, 10], [0, 2])
    assert found.p[3] == pytest.approx(float(without_gap.p))


def test_corrected_cochran_armitage_equals_weighted_least_squares():
    # statsmodels 0.15 WLS of rates with weights n
    k, n = np.array([9, 14, 8, 20, 17, 25.0]), np.array([10, 20, 10, 22, 30, 26.0])
    found = cochran_armitage(k, n, between_periods=True)
    fit = WLS(k / n, np.column_stack([np.ones(6), np.arange(6)]), weights=n).fit()
    assert found.statistic == pytest.approx(fit.tvalues[1], rel=1e-9)
    assert found.p == pytest.approx(fit.pvalues[1], rel=1e-9)
    gap = cochran_armitage(np.insert(k, 2, 0), np.insert(n, 2, 0), [0, 1, 9, 2, 3, 4, 5],
                           between_periods=True)  # fmt: skip
    assert gap.p == pytest.approx(found.p, rel=1e-9)
    assert np.isnan(cochran_armitage([3, 4], [5, 5], between_periods=True).p)


def test_where_months_vary_only_the_corrected_test_keeps_its_promise():
    # Noise of SD 0.2 logit over 24 months, effective answers of 90 people.
    rng = np.random.default_rng(4)
    k = rng.binomial(271, 1 / (1 + np.exp(-1.735 - 0.2 * rng.standard_normal((3000, 24)))))
    assert (cochran_armitage(k, 271).p < 0.05).mean() > 0.15
    assert (cochran_armitage(k, 271, between_periods=True).p < 0.05).mean() < 0.065


@pytest.mark.parametrize("case", TRENDS["cases"], ids=lambda case: f"n={len(case['values'])}")
def test_mann_kendall_and_slope_equal_pymannkendall(case):
    # pymannkendall 1.4.3 original_test, on series with ties
    found = mann_kendall(case["values"])
    assert found.statistic == pytest.approx(case["z"], rel=1e-9)
    assert found.p == pytest.approx(case["p"], rel=1e-9)
    assert theil_sen(case["values"]).slope == pytest.approx(case["slope"], rel=1e-9)


def test_seasonal_mann_kendall_equals_pymannkendall():
    # seasonal_test with the same continuity correction
    series = TRENDS["seasonal"]
    found = mann_kendall(series["values"], season=np.arange(48) % 12)
    assert found.statistic == pytest.approx(series["z"], rel=1e-9)
    assert found.p == pytest.approx(series["p"], rel=1e-9)
    # The season hides the trend from the plain test.
    assert mann_kendall(series["values"]).p > found.p


def test_slope_and_its_limits_are_scipys():
    rng = np.random.default_rng(6)
    y = rng.normal(0, 1, (3, 20)) + 0.1 * np.arange(20)
    y[1, 4:7] = np.nan
    found = theil_sen(y)
    for i in range(3):
        known = np.isfinite(y[i])
        slope, intercept, low, high = stats.theilslopes(y[i][known], np.arange(20)[known], 0.95)
        ours = (found.slope[i], found.intercept[i], found.low[i], found.high[i])
        assert ours == (slope, intercept, low, high)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=15))
def test_turned_around_it_is_the_opposite(values):
    found, turned = mann_kendall(values), mann_kendall(values[::-1])
    np.testing.assert_allclose(found.statistic, -turned.statistic)


def test_too_little_and_the_impossible():
    assert np.isnan(mann_kendall([0.1, 0.2, np.nan]).p) and np.isnan(theil_sen([0.1, 0.2]).slope)
    with pytest.raises(ValueError, match="successes"):
        cochran_armitage([3, 1], [2, 2])
    with pytest.raises(ValueError, match="axis of periods"):
        cochran_armitage(1, 2)
    with pytest.raises(ValueError, match="scores"):
        cochran_armitage([1, 1], [2, 2], [0])
    with pytest.raises(ValueError, match="season"):
        mann_kendall([1, 2, 3], season=[0])
    with pytest.raises(ValueError, match="times"):
        theil_sen([1, 2, 3], [0])
