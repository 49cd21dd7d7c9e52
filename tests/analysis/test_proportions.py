"""Single proportions against statsmodels, R's prop.test and binom.test, and their invariants."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.proportions import above, interval

HOUSING = json.loads(
    (Path(__file__).parents[1] / "data/references/housing.json").read_text(encoding="utf-8")
)
STATSMODELS_NAMES = {
    "wilson": "wilson",
    "clopper-pearson": "beta",
    "agresti-coull": "agresti_coull",
    "jeffreys": "jeffreys",
}


@pytest.mark.parametrize(("ours", "theirs"), STATSMODELS_NAMES.items())
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.998])
def test_equals_statsmodels(ours, theirs, confidence):
    trials = np.array([1, 2, 5, 12, 40, 333, 10_000, 1_000_000])
    for share in (0.0, 0.1, 0.5, 0.93, 1.0):
        successes = np.round(trials * share)
        if ours == "jeffreys":  # statsmodels leaves out the modification at 0 and n
            inner = (successes > 0) & (successes < trials)
            successes, kept = successes[inner], trials[inner]
        else:
            kept = trials
        low, high = proportion_confint(successes, kept, alpha=1 - confidence, method=theirs)
        found = interval(successes, kept, confidence=confidence, method=ours)
        np.testing.assert_allclose(found.low, np.clip(low, 0, 1), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.high, np.clip(high, 0, 1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("method", "key"), [("wilson", "wilson"), ("exact", "exact")])
def test_equals_r_on_copenhagen_renters(method, key):
    # R 4.2.2 prop.test(correct = FALSE) and binom.test on MASS::housing (make_references.R)
    found = interval(HOUSING["high"], HOUSING["n"], method=method)
    low, high = np.array(HOUSING[key]).T
    np.testing.assert_allclose(found.low, low, rtol=1e-6)
    np.testing.assert_allclose(found.high, high, rtol=1e-6)


def test_a_unit_nobody_answered_for_is_nan_and_harms_no_other():
    found = interval([0, 5], [0, 10])
    assert np.isnan([found.estimate[0], found.low[0], found.high[0]]).all()
    assert np.isfinite([found.estimate[1], found.low[1], found.high[1]]).all()


@pytest.mark.parametrize(
    ("successes", "trials", "named"),
    [(11, 10, "successes"), (-1, 10, "successes"), (1, np.nan, "trials"), (1, np.inf, "trials")],
)
def test_impossible_counts_are_refused_by_name(successes, trials, named):
    with pytest.raises(ValueError, match=named):
        interval(successes, trials)


def test_unknown_method_and_confidence_are_refused():
    with pytest.raises(ValueError, match="method"):
        interval(1, 2, method="wald")
    with pytest.raises(ValueError, match="confidence"):
        interval(1, 2, confidence=95)


@given(
    n=st.integers(1, 5000),
    data=st.data(),
    method=st.sampled_from(list(STATSMODELS_NAMES)),
    confidence=st.floats(0.5, 0.999),
)
def test_intervals_hold_the_estimate_and_rise_with_k(n, data, method, confidence):
    k = data.draw(st.integers(0, n))
    found = interval([k, min(k + 1, n)], n, method=method, confidence=confidence)
    assert (found.low >= 0).all() and (found.high <= 1).all()
    assert (found.low <= found.estimate).all() and (found.estimate <= found.high).all()
    assert found.low[0] <= found.low[1] + 1e-12
    assert found.high[0] <= found.high[1] + 1e-12


@given(n=st.integers(1, 2000), data=st.data())
def test_wilson_and_exact_mirror_when_labels_swap(n, data):
    k = data.draw(st.integers(0, n))
    for method in STATSMODELS_NAMES:
        found, mirrored = interval(k, n, method=method), interval(n - k, n, method=method)
        assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)


def test_the_upper_tail_is_the_binomials_and_of_fractions_lies_between():
    k, n, rate = np.meshgrid([0.0, 1, 7, 20], [20.0], [1e-9, 0.3, 0.95, 1 - 1e-9], indexing="ij")
    expected = stats.binom.sf(k, n, rate) + stats.binom.pmf(k, n, rate) / 2
    np.testing.assert_allclose(above(k, n, rate), expected, rtol=1e-9, atol=1e-15)
    course = above(np.linspace(0, 20, 401), np.float64(20), np.float64(0.9))
    assert (np.diff(course) <= 0).all()
    # Satisfied and dissatisfied change places.
    mirrored = above(np.linspace(20, 0, 401), np.float64(20), np.float64(0.1))
    np.testing.assert_allclose(course + mirrored, 1.0, atol=1e-12)
