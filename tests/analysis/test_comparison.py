"""Heterogeneity, differences and discoveries against R, metafor and statsmodels."""

import numpy as np
import pytest
from statsmodels.stats import proportion
from statsmodels.stats.multitest import multipletests

from analysis.comparison import (
    change,
    discoveries,
    heterogeneity,
    heterogeneity_of_estimates,
    newcombe,
)
from analysis.proportions import interval
from tests.references import reference

HOUSING, UNITS = reference("housing"), reference("beta_binomial")


def test_heterogeneity_equals_r():
    found = heterogeneity([*HOUSING["high"], 0], [*HOUSING["n"], 0])
    assert found.statistic == pytest.approx(HOUSING["heterogeneity"]["chi2"], rel=1e-9)
    assert found.p == pytest.approx(HOUSING["heterogeneity"]["p"], rel=1e-6)
    assert found.degrees_of_freedom == 3
    assert np.isnan(heterogeneity([5, 9], [5, 9]).p) and np.isnan(heterogeneity([5], [9]).p)


def test_cochrans_q_equals_metafor():
    dl = UNITS["arcsine_DL"]
    found = heterogeneity_of_estimates([*dl["yi"], 1.0], [*np.sqrt(dl["vi"]), 0.0])
    assert found.statistic == pytest.approx(dl["Q"], rel=1e-9) and found.degrees_of_freedom == 39
    assert 0 < found.i_squared < 1


def test_newcombe_equals_statsmodels():
    k1, n1 = np.array([56, 9, 0, 10, 350]), np.array([70, 10, 20, 10, 400])
    k2, n2 = np.array([48, 3, 5, 20, 300]), np.array([80, 10, 29, 20, 400])
    found = newcombe(k1, n1, k2, n2)
    for i in range(5):
        low, high = proportion.confint_proportions_2indep(
            k2[i], n2[i], k1[i], n1[i], method="newcomb", compare="diff"
        )
        assert found.low[i] == pytest.approx(low) and found.high[i] == pytest.approx(high)
        if 0 < k1[i] + k2[i] < n1[i] + n2[i]:
            p = proportion.test_proportions_2indep(
                k2[i], n2[i], k1[i], n1[i], method="score", correction=False, compare="diff"
            ).pvalue
            assert found.p[i] == pytest.approx(p)
    # Newcombe 1998, table II, (a) 56/70 − 48/80: 0.0524 to 0.3339.
    assert (-found.high[0], -found.low[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_change_of_independent_answers_is_newcombes():
    first, second = interval([90, 40], [100, 50]), interval([80, 45], [100, 50])
    found = change(
        first.estimate, [100, 50], (first.low, first.high),
        second.estimate, [100, 50], (second.low, second.high),
    )  # fmt: skip
    other = newcombe([90, 40], [100, 50], [80, 45], [100, 50])
    for name in ("estimate", "low", "high", "p"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name))


def test_discoveries_equal_r_and_statsmodels():
    found = discoveries(HOUSING["pairwise_p"])
    np.testing.assert_allclose(found.adjusted_p, HOUSING["pairwise_bh"], rtol=1e-6)
    p = np.random.default_rng(1).random(50) ** 3
    rejected, adjusted, *_ = multipletests(p, 0.1, method="fdr_bh")
    ours = discoveries(np.r_[p, np.nan], 0.1)
    np.testing.assert_allclose(ours.adjusted_p[:-1], adjusted)
    assert (ours.rejected == np.r_[rejected, False]).all()


def test_impossible_input_is_named():
    for call, named in (
        (lambda: discoveries([1.5]), "p has"),
        (lambda: discoveries([0.5], 0), "q must"),
        (lambda: newcombe([3], [2], [1], [2]), "successes"),
    ):
        with pytest.raises(ValueError, match=named):
            call()
