"""Control charts: what they mark and what they leave alone, and the tables of others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.control_charts import (
    BEYOND,
    CHOSEN,
    EWMA,
    NAMED,
    RULES,
    Baseline,
    chart,
    false_alarm_rate,
    false_marks,
    marks,
    signals,
)
from analysis.moving_averages import ewma

EIGHT = "8 in a row on one side"
#: Fifteen ordinary months of a rate of 0.9, of 100 people each.
ORDINARY = [90, 91, 88, 92, 89, 90, 93, 87, 90, 91, 88, 90, 92, 89, 90]


def test_even_months_of_all_satisfied_mark_nothing():
    # Each of 20 people satisfied for fourteen months, then one of them not: once an alarm.
    found = chart([20] * 14 + [19, 18], [20] * 16)
    assert not any(fired.any() for fired in found.signals.values())
    assert np.isfinite(found.z[12:]).all() and (found.high[12:] == 1).all()
    assert 0.85 < found.low[14] < 0.95
    # A constant 100 % gave NaN.
    always = chart([20] * 20, [20] * 20)
    assert np.isfinite(always.low[12:]).all() and (always.z[12:] > 0).all()
    assert not any(fired.any() for fired in always.signals.values())


def test_near_all_satisfied_the_limits_keep_what_is_promised():
    # Laney's p' marked something in 0.36 of such courses; promised is 1 - 0.9973^24 = 0.06.
    k = np.random.default_rng(9).binomial(20, 0.97, (250, 36))
    found = chart(k, np.full(k.shape, 20), draw=False)
    assert found.signals[BEYOND].any(axis=1).mean() <= 0.09


def test_a_real_fall_is_marked_and_belongs_to_no_baseline():
    found = chart([*ORDINARY, 70, 90, 71], [100] * 18)
    assert np.flatnonzero(found.signals[BEYOND]).tolist() == [15, 17]
    assert found.left_out.tolist() == [False] * 15 + [True, False, True]
    assert found.rests_on.tolist() == [0] * 12 + [12, 13, 14, 15, 15, 16]
    assert found.low[15] > 0.7 and found.centre[17] == pytest.approx(0.9, abs=0.005)


def test_one_bad_month_in_the_baseline_does_not_hide_a_later_fall():
    bad = [*ORDINARY]
    bad[5] = 60
    found = chart([*bad, 76], [100] * 16)
    assert found.left_out[5] and found.signals[BEYOND][15]
    assert found.rests_on.tolist() == [0] * 12 + [11, 12, 13, 14]


def test_a_fall_in_the_last_month_of_the_first_baseline_is_seen_in_the_months_after_it():
    found = chart([*ORDINARY[:11], 70, 68, 71, 69], [100] * 15)
    assert np.flatnonzero(found.left_out).tolist() == [11, 12, 13, 14]
    assert found.signals[BEYOND][12:].all() and (found.rests_on[12:] == 11).all()


def test_where_less_than_two_thirds_are_ordinary_there_are_no_limits():
    odd = chart([95, 40, 94, 55, 96, 41, 93, 54, 95, 42, 96, 53, 94], [100] * 13)
    # So uneven months are one wide distribution: none of them stands out of the others.
    assert not odd.left_out.any() and odd.low[12] < 0.3
    few = chart([95] * 7 + [0] * 5 + [95] * 3, [100] * 15)
    assert few.rests_on[12:].tolist() == [0, 8, 9]


def test_no_month_is_judged_by_a_baseline_that_it_is_part_of():
    one, other = (chart([*ORDINARY, last], [100] * 16) for last in (60, 95))
    for name in ("centre", "low", "high", "between"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_fewer_than_twelve_ordinary_months_give_no_limits():
    found = chart(ORDINARY[:12], [100] * 12)
    assert np.isnan(found.z).all() and np.isnan(found.low).all() and (found.rests_on == 0).all()
    assert chart(ORDINARY[:13], [100] * 13).rests_on[-1] == 12
    gap = chart([*ORDINARY[:5], 0, *ORDINARY[6:]], [*[100] * 5, 0, *[100] * 9])
    assert gap.rests_on.tolist() == [0] * 13 + [12, 13] and np.isnan(gap.estimate[5])


def test_a_frozen_baseline_judges_by_itself_alone():
    later = [88, 93, 80, 85]
    frozen = chart([*ORDINARY, *later], [100] * 19, baselines=[Baseline(12, 0, 11)])
    assert (frozen.rests_on[12:] == 12).all()
    assert np.ptp(frozen.centre[12:]) == 0 and np.ptp(frozen.low[12:]) == 0
    # Those of the baseline are judged by the eleven others.
    whole = chart(ORDINARY, [100] * 15, baselines=[Baseline(1, 0, 14)])
    assert (whole.rests_on[1:] == 14).all() and np.isfinite(whole.z[1:]).all()


def test_new_limits_begin_by_decision_only():
    k, n = [*ORDINARY, *(np.array(ORDINARY) - 15)], [100] * 30
    before = chart(k, n)
    assert before.signals[BEYOND][15:].sum() >= 10
    after = chart(k, n, baselines=[Baseline(15, 15)])
    assert after.rests_on[15:].tolist() == [0] * 12 + [12, 13, 14]
    assert after.centre[-1] == pytest.approx(0.75, abs=0.01)
    assert not after.signals[BEYOND][27:].any()
    np.testing.assert_array_equal(after.z[:15], before.z[:15])
    # Named in full, the new limits judge the months that they rest on too, each by the others.
    full = chart(k, n, baselines=[Baseline(15, 15, 29)])
    assert (full.rests_on[15:] == 14).all() and not full.signals[BEYOND][15:].any()


def test_a_gap_neither_breaks_nor_continues_a_run():
    z = [0.5] * 4 + [np.nan] + [0.5] * 5
    assert np.flatnonzero(signals(z)[EIGHT]).tolist() == [8, 9]
    assert not signals([0.5] * 4 + [np.nan] + [0.5] * 3)[EIGHT].any()
    assert not signals([0.5] * 4 + [np.nan] + [-0.5] + [0.5] * 4)[EIGHT].any()


@given(
    z=st.lists(st.floats(-4, 4), min_size=1, max_size=30),
    gaps=st.lists(st.integers(0, 30), max_size=6),
)
def test_gaps_change_nothing_of_what_is_marked(z, gaps):
    holey = np.array(z)
    for gap in sorted(gaps, reverse=True):
        holey = np.insert(holey, min(gap, len(holey)), np.nan)
    known = np.isfinite(holey)
    for rule, fired in marks(holey, NAMED).items():
        assert not fired[~known].any()
        np.testing.assert_array_equal(fired[known], marks(z, NAMED)[rule])


def test_rules_on_series_made_for_them():
    quiet = [0.3, -0.3] * 10 + [0.0]
    assert not any(fired.any() for fired in signals(quiet).values())
    for rule, tail, at in (
        ("beyond 3 sigma", [3.1], 1),
        ("2 of 3 beyond 2 sigma", [2.1, 0.0, 2.2], 3),
        ("4 of 5 beyond 1 sigma", [1.1, 1.2, 0.0, 1.1, 1.5], 5),
        (EIGHT, [0.4] * 8, 8),
    ):
        for sign in (1, -1):
            fired = signals(np.r_[quiet, sign * np.array(tail)])[rule]
            assert np.flatnonzero(fired).tolist() == [21 + at - 1], (rule, sign)
        # Points on different sides are no run.
        mixed = np.array(tail) * np.r_[-1, np.ones(at - 1)]
        if at > 1:
            assert not signals(np.r_[quiet, mixed])[rule].any()


def test_false_alarm_rates_are_those_of_normal_noise():
    z = np.random.default_rng(2).normal(size=(20_000, 40))
    for rule, fired in signals(z).items():
        assert fired[:, 8:].mean() == pytest.approx(false_alarm_rate(rule), rel=0.08), rule
    assert set(signals(z[:1])) == set(RULES)


def test_what_a_set_of_rules_marks_in_ordinary_periods_is_said():
    assert CHOSEN == (BEYOND, EWMA)
    assert false_marks(24, (BEYOND,)) == pytest.approx(1 - (1 - 0.0027) ** 24, abs=0.005)
    z = np.random.default_rng(12).normal(size=(8000, 36))
    for rules in (CHOSEN, NAMED):
        some = np.any([fired.any(axis=1) for fired in marks(z, rules).values()], axis=0)
        assert false_marks(36, rules) == pytest.approx(some.mean(), abs=0.02)
    assert false_marks(36) < 0.18 < 0.3 < false_marks(36, NAMED)
    assert false_marks(0) == 0


def test_ewma_runs_as_long_as_lucas_and_saccucci_say():
    # Technometrics 32 (1990), table 3: weight 0.2, width 2.860 has an average run of 370 in
    # control, with limits that do not widen; ours, exact from the first period on, are a little
    # narrower in the beginning, and see a shift of one sigma sooner than in its 9.4 periods.
    rng = np.random.default_rng(3)
    found = ewma(rng.normal(size=(3000, 3000)))
    run = np.where(found.signals.any(axis=1), found.signals.argmax(axis=1) + 1, 3000)
    assert run.mean() == pytest.approx(370, rel=0.06)
    shifted = ewma(rng.normal(1.0, size=(3000, 200)))
    assert 8 < (shifted.signals.argmax(axis=1) + 1).mean() < 9.4


def test_ewma_passes_over_gaps():
    found = ewma([1.0, np.nan, 1.0])
    assert found.average[1] == found.average[0] and not found.signals[1]


def test_limits_of_an_average_have_its_own_spread_where_the_centre_is_uncertain():
    rng = np.random.default_rng(5)
    common = 0.2
    z = np.sqrt(common) * rng.normal(size=(20_000, 1)) + np.sqrt(1 - common) * rng.normal(
        size=(20_000, 24)
    )
    found = ewma(z, common=common)
    np.testing.assert_allclose(found.average.std(axis=0), found.limit[0] / 2.86, rtol=0.03)


def test_scores_by_a_frozen_baseline_are_as_alike_as_is_said():
    rng = np.random.default_rng(7)
    k = rng.binomial(150, 0.85, (600, 24))
    found = chart(k, np.full(k.shape, 150), baselines=[Baseline(12, 0, 11)], draw=False)
    alike = np.corrcoef(found.z[:, 12:].T)[np.triu_indices(12, 1)].mean()
    assert found.common[:, 12:].mean() == pytest.approx(alike, abs=0.04)
    assert (found.common[:, :12] == 0).all()


def test_many_courses_at_once_are_as_each_alone():
    rng = np.random.default_rng(1)
    k, n = rng.binomial(40, 0.9, (2, 3, 16)), rng.integers(40, 60, (2, 3, 16))
    n[1, 1, 4] = 0
    k[n == 0] = 0
    together = chart(k, n)
    for place in np.ndindex(2, 3):
        alone = chart(k[place], n[place])
        np.testing.assert_allclose(together.z[place], alone.z, atol=1e-9)
        np.testing.assert_allclose(together.low[place], alone.low, atol=1e-9)


def test_what_is_impossible_is_refused():
    n = [100] * 15
    for call, named in (
        (lambda: chart([3, 2], [2, 2]), "successes"),
        (lambda: chart(ORDINARY, n, rules=["trend"]), "rules"),
        (lambda: chart(ORDINARY, n, baselines=[Baseline(5, 0, 10)]), "fewer than 12"),
        (lambda: chart(ORDINARY, n, baselines=[Baseline(3, 4)]), "baselines"),
        (lambda: chart(ORDINARY, n, baselines=[Baseline(3, 0), Baseline(3, 0)]), "order"),
        (lambda: ewma([0.0], weight=0), "weight"),
        (lambda: ewma([0.0], width=-1), "width"),
        (lambda: ewma([0.0], common=2), "common"),
    ):
        with pytest.raises(ValueError, match=named):
            call()
    empty = chart([[0, 0, 0]], [[0, 0, 0]])
    assert np.isnan(empty.centre).all() and not empty.signals[BEYOND].any()


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 24)])
def test_a_chart_of_nothing_has_its_shape(shape):
    found = chart(np.zeros(shape), np.zeros(shape))
    assert found.z.shape == shape and not any(at.any() for at in found.signals.values())
