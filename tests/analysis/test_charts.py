"""Control charts against published examples and tables."""

import numpy as np
import pytest

from analysis.charts import RULES, ewma, false_alarm_rate, p_chart, signals

#: Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., table 7.1:
#: nonconforming orange juice cans in 30 samples of 50.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9,
        12, 7, 13, 9, 6]  # fmt: skip


def test_p_chart_of_montgomerys_orange_juice_cans():
    # Example 7.1: centre 0.2313, limits 0.0524 and 0.4102; samples 15 and 23 are beyond.
    found = p_chart(CANS, 50)
    assert found.centre == pytest.approx(0.2313, abs=5e-5)
    assert (found.low[0], found.high[0]) == pytest.approx((0.0524, 0.4102), abs=5e-5)
    assert (np.flatnonzero(found.signals["beyond 3 sigma"]) + 1).tolist() == [15, 23]


def test_laneys_factor_is_the_moving_range_of_z():
    found = p_chart(CANS, 50, overdispersion=True)
    p = np.array(CANS) / 50
    z = (p - p.mean()) / np.sqrt(p.mean() * (1 - p.mean()) / 50)
    sigma = np.mean(np.abs(z[1:] - z[:-1])) / 1.128  # Laney 2002, equation 4
    assert found.sigma_z == pytest.approx(sigma, rel=1e-3)
    half = 3 * sigma * np.sqrt(p.mean() * (1 - p.mean()) / 50)
    assert found.high[0] == pytest.approx(p.mean() + half, rel=1e-3)


def test_laney_signals_as_often_as_promised_where_a_p_chart_signals_all_the_time():
    rng = np.random.default_rng(8)
    true = 0.85 + rng.normal(0, 0.02, (200, 60))  # months differ by more than chance
    k = rng.binomial(20_000, true)
    plain, laney = (p_chart(k, 20_000, overdispersion=o) for o in (False, True))
    assert plain.signals["beyond 3 sigma"].mean() > 0.5
    assert laney.signals["beyond 3 sigma"].mean() < 0.01
    assert laney.sigma_z.mean() == pytest.approx(0.02 / np.sqrt(0.85 * 0.15 / 20_000), rel=0.1)


def test_rules_on_series_made_for_them():
    quiet = [0.3, -0.3] * 10 + [0.0]
    assert not any(fired.any() for fired in signals(quiet).values())
    for rule, tail, at in (
        ("beyond 3 sigma", [3.1], 1),
        ("2 of 3 beyond 2 sigma", [2.1, 0.0, 2.2], 3),
        ("4 of 5 beyond 1 sigma", [1.1, 1.2, 0.0, 1.1, 1.5], 5),
        ("8 in a row on one side", [0.4] * 8, 8),
    ):
        for sign in (1, -1):
            fired = signals(np.r_[quiet, sign * np.array(tail)])[rule]
            assert np.flatnonzero(fired).tolist() == [21 + at - 1], (rule, sign)
        # Points on different sides are no run.
        mixed = np.array(tail) * np.r_[-1, np.ones(at - 1)]
        if at > 1:
            assert not signals(np.r_[quiet, mixed])[rule].any()


def test_a_gap_breaks_a_run():
    z = [0.5] * 7 + [np.nan] + [0.5] * 7
    assert not signals(z)["8 in a row on one side"].any()


def test_false_alarm_rates_are_those_of_normal_noise():
    z = np.random.default_rng(2).normal(size=(20_000, 40))
    for rule, fired in signals(z).items():
        assert fired[:, 8:].mean() == pytest.approx(false_alarm_rate(rule), rel=0.08), rule
    assert set(signals(z[:1])) == set(RULES)


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


def test_what_is_impossible_is_refused():
    for call, named in (
        (lambda: p_chart([1, 2], [2, 2], baseline=1), "baseline"),
        (lambda: p_chart([3, 2], [2, 2]), "successes"),
        (lambda: ewma([0.0], weight=0), "weight"),
        (lambda: ewma([0.0], width=-1), "width"),
    ):
        with pytest.raises(ValueError, match=named):
            call()
    empty = p_chart([[0, 0, 0]], [[0, 0, 0]])
    assert np.isnan(empty.centre).all() and not empty.signals["beyond 3 sigma"].any()
