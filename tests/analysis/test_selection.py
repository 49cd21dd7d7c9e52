"""Gaps between channels against statsmodels's score test."""

import numpy as np
import pytest
from statsmodels.stats.proportion import test_proportions_2indep as score_test

from analysis.selection import channel_gaps


def test_p_is_that_of_the_one_sided_score_test():
    found = channel_gaps([98, 80], [100, 100], [40, 41], [60, 50])
    for i, (k, n, other, others) in enumerate(((98, 100, 40, 60), (80, 100, 41, 50))):
        expected = score_test(
            k, n, other, others, method="score", correction=False, alternative="larger"
        )
        assert found.p[i] == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.selection.tolist() == [True, False]


def test_a_channel_alone_has_no_gap():
    found = channel_gaps([10, 9], [10, 10], [0, 5], [0, 10])
    assert np.isnan(found.gap[0]) and not found.selection[0]


def test_a_small_gap_is_no_selection_however_sure():
    found = channel_gaps([9700], [10000], [9300], [10000])
    assert found.p[0] < 1e-9 and not found.selection[0]
