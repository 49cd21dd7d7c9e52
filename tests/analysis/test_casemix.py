"""Case-mix adjustment against statsmodels' OLS with a dummy for every unit."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from analysis.casemix import adjust


def hospital(seed=1, n=600, units=8):
    rng = np.random.default_rng(seed)
    unit = rng.integers(0, units, n)
    age = rng.normal(50 + 3 * unit, 10)
    female = rng.random(n) < 0.4 + 0.03 * unit
    score = 3.5 + 0.02 * age + 0.1 * female + rng.normal(0, 0.5, n)
    return score, unit, np.column_stack([age, female])


def test_equals_ols_with_dummies():
    y, unit, x = hospital()
    found = adjust(y, unit, x)
    centred = x - x.mean(axis=0)
    full = OLS(y, np.column_stack([np.eye(8)[unit], centred])).fit()
    np.testing.assert_allclose(found.adjusted, full.params[:8], rtol=1e-9)
    np.testing.assert_allclose(found.standard_error, full.bse[:8], rtol=1e-9)
    np.testing.assert_allclose(found.coefficient, full.params[8:], rtol=1e-9)
    f, p, _ = full.compare_f_test(OLS(y, np.eye(8)[unit]).fit())
    assert (found.f, found.p) == pytest.approx((f, p))
    assert found.degrees_of_freedom == (2, 590)


def test_it_takes_out_what_the_mix_did_and_reorders_units():
    y, unit, x = hospital(n=20_000)
    found = adjust(y, unit, x)
    # Units differ by their patients' age only: raw means rise, adjusted ones are alike.
    assert np.ptp(found.raw) > 0.3 and np.ptp(found.adjusted) < 0.06
    np.testing.assert_allclose(found.difference, found.adjusted - found.raw)
    assert found.difference[0] > 0 > found.difference[-1]


def test_without_respondents_a_unit_is_nan_and_adjusters_may_be_none():
    y, unit, x = hospital()
    found = adjust(y, unit + (unit > 3), x)
    assert np.isnan(found.adjusted[4]) and np.isfinite(np.delete(found.adjusted, 4)).all()
    plain = adjust(y, unit, np.empty((len(y), 0)))
    np.testing.assert_allclose(plain.adjusted, plain.raw)


def test_what_is_impossible_is_refused():
    y, unit, x = hospital()
    for arguments, named in (
        ((y, unit[1:], x), "respondent"),
        ((np.where(y > 9, y, np.nan), unit, x), "finite"),
        ((y, unit - 1, x), "unit"),
        ((y[:4], unit[:4], x[:4]), "too few"),
        ((y, unit, np.column_stack([x, unit])), "adjusters"),
    ):
        with pytest.raises(ValueError, match=named):
            adjust(*arguments)


def test_what_adjusters_are_measured_in_does_not_matter():
    """Incomes in đồng differ by far more than a dummy does."""
    rng = np.random.default_rng(4)
    unit, sex = rng.integers(0, 5, 100), rng.integers(0, 2, 100)
    income = rng.normal(1.2, 0.6, 100)
    outcome = 3 + 0.2 * income + 0.1 * sex + rng.normal(size=100)
    small = adjust(outcome, unit, np.column_stack([income, sex]))
    large = adjust(outcome, unit, np.column_stack([1e8 * income, sex]))
    np.testing.assert_allclose(large.adjusted, small.adjusted)
    np.testing.assert_allclose(large.standard_error, small.standard_error)
    np.testing.assert_allclose(large.coefficient, small.coefficient / [1e8, 1])


def test_an_adjuster_constant_within_units_is_refused_whatever_rounding_leaves_of_it():
    rng = np.random.default_rng(4)
    unit = rng.integers(0, 9, 200)
    for adjusters in ([0.1 * (unit + 1)], [rng.normal(45, 15, 200), 0.1 * (unit + 1)]):
        with pytest.raises(ValueError, match="adjusters cannot be told"):
            adjust(rng.normal(size=200), unit, np.column_stack(adjusters))


def test_without_adjusters_a_unit_without_respondents_has_no_standard_error():
    found = adjust([1, 2, 3, 5], [0, 0, 2, 2], np.empty((4, 0)))
    np.testing.assert_array_equal(np.isnan(found.standard_error), [False, True, False])
