"""Planned sizes against the closed form of Wilson's limits, and against the limits shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from analysis.effective_sizes import score_limits
from analysis.precision import respondents_within


def farthest(rate, n, each, people, confidence=0.95):
    low, high = score_limits(rate, n * each, n * people, confidence=confidence)
    return np.maximum(rate - low, high - rate)


@pytest.mark.parametrize("margin", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("rate", [0.2, 0.5, 0.7, 0.9])
def test_one_answer_each_is_wilsons_interval_as_statsmodels_has_it(rate, margin):
    n = int(respondents_within(margin, rate=rate))
    for size, holds in ((n, True), (n - 1, False)):
        low, high = proportion_confint(rate * size, size, method="wilson")
        assert (max(rate - low, high - rate) <= margin + 1e-9) == holds


@given(
    st.floats(0.05, 0.95), st.floats(1, 20), st.floats(0.3, 1), st.floats(0.02, 0.3),
    st.sampled_from([0.9, 0.95, 0.99]),
)  # fmt: skip
def test_so_many_hold_the_margin_and_one_less_does_not(rate, each, people, margin, confidence):
    n = int(
        respondents_within(
            margin, rate=rate, answers_each=each, people_each=people, confidence=confidence
        )
    )
    assert farthest(rate, n, each, people, confidence) <= margin + 1e-9
    assert n == 1 or farthest(rate, n - 1, each, people, confidence) > margin
    assert (farthest(rate, n + np.arange(50.0), each, people, confidence) <= margin + 1e-9).all()


@pytest.mark.parametrize(
    ("options", "name"),
    [({"margin": 5}, "margin"), ({"margin": 0.1, "rate": 1}, "rate"),
     ({"margin": 0.1, "answers_each": 0}, "answers_each")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(options, name):
    with pytest.raises(ValueError, match=name):
        respondents_within(**options)
