"""Limits for small wards: against statsmodels' HC0, and by simulation."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from analysis.casemix import adjust
from analysis.casemix_limits import limits, own_standard_error
from analysis.clustered import t_quantile

WARDS = 12


def wards(rng, small, apart=2.0, others=60):
    """Scores of wards, of which the first is small and its patients lie ``apart`` times as far."""
    size = np.array([small, *[others] * (WARDS - 1)])
    ward = np.repeat(np.arange(WARDS), size)
    age = rng.normal(50, 12, len(ward)) + 3 * rng.normal(size=WARDS)[ward]
    error = 0.5 * np.where(ward == 0, apart, 1.0) * rng.normal(size=len(ward))
    return 3.0 + 0.02 * (age - 50) + error, ward, age[:, None]


@pytest.mark.parametrize("columns", [1, 2])
def test_the_own_error_is_whites_as_statsmodels_has_it(columns):
    rng = np.random.default_rng(4)
    y, ward, x = wards(rng, 9)
    x = np.column_stack([x, rng.random(len(y)) < 0.5])[:, :columns]
    found = adjust(y, ward, x)
    full = OLS(y, np.column_stack([np.eye(WARDS)[ward], x - x.mean(axis=0)])).fit(cov_type="HC0")
    corrected = full.bse[:WARDS] * np.sqrt(found.n / (found.n - 1))
    np.testing.assert_allclose(own_standard_error(y, ward, x, found), corrected, rtol=1e-9)


def test_limits_are_never_narrower_than_with_one_variance_for_all():
    y, ward, x = wards(np.random.default_rng(5), 1)
    found = adjust(y, ward, x)
    low, high = limits(y, ward, x, found)
    t = t_quantile(np.full(WARDS, float(found.degrees_of_freedom[1])), 0.975)
    assert (high - low >= 2 * t * found.standard_error - 1e-12).all()
    # One patient shows no variance: that of all.
    assert high[0] - low[0] == pytest.approx(2 * t[0] * found.standard_error[0])
    np.testing.assert_allclose((low + high) / 2, found.adjusted)


@pytest.mark.parametrize("small", [7, 10, 20])
@pytest.mark.parametrize("apart", [0.5, 1.0, 2.0])
def test_they_hold_the_truth_of_small_wards(small, apart):
    """At least 95 of 100, less three standard errors of 600 samples; one variance does not."""
    rng = np.random.default_rng(small)
    held = before = 0
    for _ in range(600):
        y, ward, x = wards(rng, small, apart)
        found = adjust(y, ward, x)
        truth = 3.0 + 0.02 * (x.mean() - 50)
        low, high = limits(y, ward, x, found)
        held += low[0] <= truth <= high[0]
        before += abs(found.adjusted[0] - truth) <= 1.964 * found.standard_error[0]
    assert held / 600 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 600)
    if apart > 1:
        assert before / 600 < 0.75


def test_a_unit_without_respondents_is_nan_and_nothing_may_be_adjusted_for():
    y, ward, x = wards(np.random.default_rng(6), 7)
    found = adjust(y, ward + (ward > 3), x)
    low, _ = limits(y, ward + (ward > 3), x, found)
    assert np.isnan(low[4]) and np.isfinite(np.delete(low, 4)).all()
    plain = adjust(y, ward, np.empty((len(y), 0)))
    low, high = limits(y, ward, np.empty((len(y), 0)), plain)
    assert np.isfinite([low, high]).all()
