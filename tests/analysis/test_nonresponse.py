"""Weights and bounds for those who did not answer, against statsmodels and whole populations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from analysis import strata
from analysis.nonresponse import moved, response_weights


def test_weighted_rates_equal_statsmodels():
    invited, answered, satisfied = np.array([[100, 300, 50], [60, 30, 20], [57, 18, 12]])
    weights = response_weights(invited, answered)
    people = np.repeat(weights, answered)
    y = np.concatenate(
        [np.repeat([1, 0], [k, n - k]) for k, n in zip(satisfied, answered, strict=True)]
    )
    theirs = DescrStatsW(y, weights=people).mean
    found = strata.combine(satisfied / answered, 0.01, weights * answered)
    assert found.estimate == pytest.approx(theirs, rel=1e-12)
    # It undoes what made the unweighted rate too high: the happier group answered more.
    assert found.estimate < satisfied.sum() / answered.sum()


@given(st.integers(1, 400), st.integers(0, 400), st.floats(0, 1), st.floats(0, 1))
def test_bounds_are_those_of_a_whole_population(answering, silent, rate, difference):
    low, high = moved(rate, answering / (answering + silent), difference)
    for bound, other in ((low, max(rate - difference, 0)), (high, min(rate + difference, 1))):
        everybody = (answering * rate + silent * other) / (answering + silent)
        assert bound == pytest.approx(everybody, abs=1e-12)
    assert low <= rate + 1e-12 and high >= rate - 1e-12


def test_where_all_answered_nothing_can_move():
    low, high = moved(0.8, 1.0, [0.05, 0.2])
    np.testing.assert_allclose([low, high], 0.8)
    assert np.isnan(moved(np.nan, 0.5, 0.1)).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: response_weights([3], [4]), "answered exceeds invited"),
        (lambda: response_weights([-3], [0]), "negative"),
        (lambda: moved(1.2, 0.5, 0.1), "rate has entries outside"),
        (lambda: moved(0.2, -0.5, 0.1), "response_rate has entries outside"),
        (lambda: moved(0.2, 0.5, 5), "difference has entries outside"),
    ],
)
def test_what_cannot_be_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
