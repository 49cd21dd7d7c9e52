"""The median time to an end: against published examples, and against the plain median."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.times_to_end import median_time

#: Freireich and others (1963), weeks in remission of 21 pairs, as in Cox and Oakes (1984): R's
#: survfit prints a median of 23 for 6-MP and of 8 for the placebo.
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], []


@pytest.mark.parametrize(("ended", "running", "median"), [(*TREATED, 23), (*PLACEBO, 8)])
def test_published_medians(ended, running, median):
    over = [True] * len(ended) + [False] * len(running)
    assert median_time([*ended, *running], over) == median


def test_there_is_none_until_half_is_over():
    assert math.isnan(median_time([1, 2, 9, 9, 9], [True, True, False, False, False]))
    assert math.isnan(median_time([], []))
    assert math.isnan(median_time([3, 3], [False, False]))
    # Left out, the three that wait would make it a day and a half.
    assert median_time([1, 2, 3, 9, 9], [True, True, True, False, False]) == 3
    # Half is left from 2 on to 4: between them.
    assert median_time([1, 2, 4, 6], [True] * 4) == 3


def test_what_is_no_time_is_refused():
    with pytest.raises(ValueError, match="negative"):
        median_time([-1], [True])
    with pytest.raises(ValueError, match="shape"):
        median_time([1, 2], [True])


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(0, 40))
def test_where_all_has_ended_it_is_the_median_and_what_waits_never_shortens_it(days, waiting):
    median = median_time(days, [True] * len(days))
    assert median == pytest.approx(float(np.median(days)))
    with_those = median_time([*days, *[500] * waiting], [True] * len(days) + [False] * waiting)
    assert math.isnan(with_those) or with_those >= median
    assert math.isnan(with_those) == (waiting > len(days))
