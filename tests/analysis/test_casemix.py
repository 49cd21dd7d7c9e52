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
