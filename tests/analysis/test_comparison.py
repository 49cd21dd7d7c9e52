"""Heterogeneity, differences and discoveries against R, metafor and statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats import proportion
from statsmodels.stats.multitest import multipletests

from analysis.comparison import (
    change,
    discoveries,
    heterogeneity,
    heterogeneity_of_estimates,
    newcombe,
)
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


@pytest.mark.parametrize(
    ("sides", "low", "high"),
    [
        # Mee's limits of 56/70 − 48/80 in Newcombe (1998), table II, and in the tests of the R
        # package cicalc, ci_prop_diff_mee; all three by R 4.2.2, optimize() for the constrained
        # likelihood and uniroot() for the score.
        ((48, 80, 56, 70), 0.05333385, 0.3377295),
        ((3, 10, 9, 10), 0.1821265, 0.8369503),
        ((90, 100, 40, 80), -0.5195413, -0.273108),
    ],
)
def test_a_changes_interval_is_mees(sides, low, high):
    k1, n1, k2, n2 = sides
    found = change(k1 / n1, n1, k2 / n2, n2)
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-7)
    expected = proportion.test_proportions_2indep(
        k2, n2, k1, n1, method="score", correction=False, compare="diff"
    )
    assert found.p == pytest.approx(expected.pvalue)


rates = st.one_of(st.sampled_from([0.0, 0.5, 0.97, 1.0]), st.floats(0, 1))
shares = st.one_of(st.just(1.0), st.floats(0.04, 1))
sizes = st.one_of(st.floats(0.05, 30), st.floats(0.05, 1e6))


@given(
    st.lists(st.tuples(rates, sizes, shares, rates, sizes, shares), min_size=1, max_size=8),
    st.sampled_from([0.6, 0.8, 0.9, 0.95, 0.99, 0.999]),
)
def test_interval_and_p_of_a_change_say_the_same(sides, confidence):
    r1, n1, s1, r2, n2, s2 = np.array(sides).T
    people = (np.maximum(n1 * s1, 0.01), np.maximum(n2 * s2, 0.01))
    found = change(r1, n1, r2, n2, people=people, confidence=confidence)
    apart = (found.low > 0) | (found.high < 0)
    assert (apart == (found.p < 1 - confidence)).all()
    assert (found.low >= -1).all() and (found.high <= 1).all()
    assert (found.low <= found.estimate).all() and (found.estimate <= found.high).all()
    turned = change(r2, n2, r1, n1, people=people[::-1], confidence=confidence)
    # Each limit is found to some 1e-5 by itself, and two of them are compared.
    np.testing.assert_allclose(turned.low, -found.high, atol=3e-5)
    wider = change(r1, n1, r2, n2, people=people, confidence=1 - (1 - confidence) / 2)
    assert (wider.low <= found.low + 3e-5).all() and (wider.high >= found.high - 3e-5).all()


def test_a_change_of_nobody_is_none_and_of_the_unanimous_is_bounded():
    nothing = change([np.nan, 0.5], [10, 0], 0.9, 20)
    assert np.isnan([nothing.low, nothing.high, nothing.p]).all()
    same = change(1.0, 30, 1.0, 40)
    assert same.p == 1.0 and -0.2 < same.low < 0 < same.high < 0.2
    # As the change of −3.5 points, "−11.2 … +96.0": 12 people at 99.6 %, then 40 at 96.1 %.
    found = change(0.996, 60, 0.961, 120, people=(12, 40))
    assert -0.15 < found.low < -0.07 and 0.05 < found.high < 0.22


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
        (lambda: change(1.2, 5, 0.5, 5), "estimate_1"),
        (lambda: change(0.5, 5, -0.1, 5), "estimate_2"),
        (lambda: change(0.5, -5, 0.5, 5), "effective_n_1"),
        (lambda: change(0.5, 5, 0.5, np.inf), "effective_n_2"),
        (lambda: change(0.5, 5, 0.5, 5, people=(5, -1)), "people"),
        (lambda: change([0.5, 0.5], 5, [0.5] * 3, 5), "fit"),
        (lambda: change(0.5, 5, 0.5, 5, confidence=1), "confidence"),
    ):
        with pytest.raises(ValueError, match=named):
            call()
