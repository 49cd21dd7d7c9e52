"""The runs behind signals hold the periods that a rule rested on, and no others."""

import numpy as np
import pytest

from analysis import control_charts, moving_averages, xmr
from analysis.runs import runs

NAN = float("nan")


def found(z, rule):
    z = np.array(z, dtype=float)
    average = moving_averages.ewma(z).average
    return runs(z, control_charts.marks(z, [rule]), np.zeros(len(z)), average)


def places(z, rule):
    return np.flatnonzero(found(z, rule).members[rule]).tolist()


def test_eight_in_a_row_are_all_eight_and_those_that_follow():
    rule = "8 in a row on one side"
    assert places([0.5, *[-0.5] * 8], rule) == list(range(1, 9))
    assert places([0.5, *[-0.5] * 10], rule) == list(range(1, 11))
    assert places([0.5, *[-0.5] * 7], rule) == []
    assert found([0.5, *[-0.5] * 8], rule).side.tolist() == [0, *[-1] * 8]


def test_of_two_of_three_and_four_of_five_those_that_lie_beyond():
    assert places([0, 2.5, 0.1, 2.5, 0], "2 of 3 beyond 2 sigma") == [1, 3]
    assert places([0, -1.5, -1.5, 0.2, -1.5, -1.5], "4 of 5 beyond 1 sigma") == [1, 2, 4, 5]
    # One beyond on the other side is none of them.
    assert places([2.5, -2.5, 2.5], "2 of 3 beyond 2 sigma") == [0, 2]


def test_a_period_without_a_figure_is_passed_over():
    z = [0.5, NAN, *[0.5] * 7]
    assert places(z, "8 in a row on one side") == [0, *range(2, 9)]


def test_a_period_beyond_its_limits_stands_alone():
    assert places([0, 4.0, 0], "beyond 3 sigma") == []


def test_the_ewma_stretch_begins_where_its_average_crossed_the_centre():
    z = np.array([0.8, -0.3, -1.5, -1.6, 0.1, -1.7, -1.9, -1.8, -1.5])
    average = moving_averages.ewma(z)
    assert average.signals.any()
    first = np.flatnonzero(average.average >= 0)[-1] + 1
    last = np.flatnonzero(average.signals)[-1]
    assert places(z, "ewma") == list(range(first, last + 1))
    assert set(found(z, "ewma").side[first : last + 1].tolist()) == {-1}


@pytest.mark.parametrize("rule", xmr.NHS_RULES)
def test_runs_of_the_nhs_are_what_its_rules_mark(rule):
    wave = np.tile([0.8, 0.82], 8)
    values = np.concatenate([wave, 0.8 + 0.01 * np.arange(8), [0.99]])
    chart = xmr.xmr(values)
    assert chart.signals[xmr.NHS_TREND].sum() >= 7
    nothing = np.full(len(values), NAN)
    got = runs(nothing, chart.signals, chart.side, nothing)
    alone = rule == xmr.OUTSIDE
    assert got.members[rule].tolist() == (chart.signals[rule] & (not alone)).tolist()
    inside = got.members[xmr.NHS_TREND]
    assert (got.side[inside] == chart.side[inside]).all()
