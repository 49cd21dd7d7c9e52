"""Moving ranges: the NHS's R package, Montgomery's example and Laney's formula."""

import numpy as np
import pytest

from analysis.xmr import (
    ASSURANCES,
    FAILING,
    HIT_AND_MISS,
    NEAR,
    NHS_RULES,
    NHS_TREND,
    OUTSIDE,
    PASSING,
    SHIFT,
    assurance,
    mean_range,
    nhs_false_marks,
    p_chart,
    variation,
    xmr,
)
from tests.references import reference

#: Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., table 7.1:
#: nonconforming orange juice cans in 30 samples of 50.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9,
        12, 7, 13, 9, 6]  # fmt: skip
#: The example of NHSRplotthedots' vignette on its deviations from the NHS's Excel files.
VIGNETTE = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]


def named(cause):
    """Our name of the package's cause."""
    if cause == "Common Cause":
        return None
    if "Trend" in cause:
        return NHS_TREND
    return {"2": NEAR, "7": SHIFT}.get(cause[0], OUTSIDE)


@pytest.mark.parametrize("kind", ["whole", "rebased"])
def test_every_point_is_marked_as_by_the_nhs_package(kind):
    # NHSRplotthedots 0.2.2, improvement upwards, screened: eight series of 30 points each.
    types = {"improvement": 1, "concern": -1, "cause": 0}
    seen = set()
    for each in reference("making_data_count")[kind]:
        found = xmr(each["values"], starts=[15] if kind == "rebased" else [])
        for name in ("low", "centre", "high"):
            expected = np.ravel(each[name])
            assert getattr(found, name)[[0, -1]] == pytest.approx(expected[[0, -1]], abs=1e-9)
        assert found.side.tolist() == [types[name.split("_")[-1]] for name in each["type"]]
        causes = [next((r for r in NHS_RULES if found.signals[r][i]), None) for i in range(30)]
        assert causes == [named(cause) for cause in each["cause"]]
        seen |= set(causes)
    assert seen == {None, *NHS_RULES} - (set() if kind == "whole" else {NHS_TREND})


def test_limits_of_the_vignette_screened_and_as_in_excel():
    screened, plain = xmr(VIGNETTE), xmr(VIGNETTE, screen=False)
    assert [screened.low[0], screened.centre[0], screened.high[0]] == pytest.approx(
        [-0.72, 1.94, 4.6], abs=0.005
    )
    assert [plain.low[0], plain.centre[0], plain.high[0]] == pytest.approx(
        [-3.06, 1.94, 6.95], abs=0.006
    )
    assert screened.screened[0] == 2 and plain.screened[0] == 0


def test_a_falling_course_is_a_concern_and_the_way_on_decides_at_a_peak():
    up_and_down = np.r_[np.arange(8), np.arange(6, -2, -1)] + 20.0
    found = xmr(np.r_[[28.0, 18.0] * 6, up_and_down])
    assert np.flatnonzero(found.signals[NHS_TREND]).tolist() == list(range(11, 28))
    assert found.side[11:19].tolist() == [1] * 8 and found.side[19:].tolist() == [-1] * 9
    assert variation(found.side[-1]) == "concern" and variation(0) == "common cause"


def test_a_gap_breaks_no_run_of_seven():
    x = np.r_[[0.8, 0.9] * 6, [0.86] * 4, np.nan, [0.86] * 3]
    x[:12] += np.r_[[0.0, -0.002] * 6]
    assert xmr(x).signals[SHIFT][[12, 15, 17, 19]].all() and not xmr(x).signals[SHIFT][16]


def test_limits_want_twelve_points_of_their_own_segment():
    x = np.r_[[0.8, 0.82] * 6, [0.9, 0.92] * 3]
    found = xmr(x, starts=[12])
    assert found.rests_on.tolist() == [12] * 12 + [0] * 6
    assert np.isnan(found.high[12:]).all() and (found.side[12:] == 0).all()
    # After the rebase the target is judged by the new limits.
    long = xmr(np.r_[x, [0.9, 0.92] * 3], starts=[12])
    assert assurance(long.low[0], long.high[0], 0.87) == FAILING
    assert assurance(long.low[-1], long.high[-1], 0.84) == PASSING
    frozen = xmr(x, starts=[12], baselines=[(0, 11), (0, 11)])
    assert frozen.centre[-1] == pytest.approx(0.81) and (frozen.side[12:] == 1).all()


def test_assurance_by_where_the_target_lies():
    assert [assurance(0.7, 0.8, target) for target in (0.65, 0.85, 0.75)] == list(ASSURANCES)
    assert assurance(0.7, 0.8, 0.8) == HIT_AND_MISS
    assert assurance(np.nan, 0.8, 0.75) is None


def test_the_nhs_rules_mark_as_often_as_they_are_said_to():
    # Another generator and another seed; rules as loops over the points.
    rng = np.random.Generator(np.random.MT19937(5))
    some = 0
    for x in rng.normal(size=(1500, 24)):
        d = x - x.mean()
        r = np.abs(np.diff(x))
        reach = 2.66 * r[r < 3.267 * r.mean()].mean()
        hit = any(abs(d) > reach)
        for i in range(24):
            seven, three = d[i : i + 7], d[i : i + 3]
            whole = len(seven) == 7
            hit |= whole and abs(np.sign(seven).sum()) == 7
            hit |= whole and abs(np.sign(np.diff(seven)).sum()) == 6
            close = sum((abs(three) > reach * 2 / 3) & (abs(three) <= reach))
            hit |= len(three) == 3 and abs(np.sign(three).sum()) == 3 and close >= 2
        some += hit
    assert nhs_false_marks(24) == pytest.approx(some / 1500, abs=0.035)
    assert nhs_false_marks(0) == 0


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
    assert found.sigma_z == pytest.approx(sigma, rel=1e-3) and found.screened == 0
    half = 3 * sigma * np.sqrt(p.mean() * (1 - p.mean()) / 50)
    assert found.high[0] == pytest.approx(p.mean() + half, rel=1e-3)


def test_one_bad_month_does_not_widen_the_limits():
    rng = np.random.default_rng(6)
    k = rng.binomial(200, 0.85, (400, 24))
    ordinary = p_chart(k, 200, overdispersion=True).sigma_z.mean()
    k[:, 10] = rng.binomial(200, 0.65, 400)
    plain = p_chart(k, 200, overdispersion=True, screen=False)
    found = p_chart(k, 200, overdispersion=True)
    assert plain.sigma_z.mean() > 1.4 * ordinary
    assert found.sigma_z.mean() == pytest.approx(ordinary, rel=0.06)
    assert (found.screened[found.screened > 0] >= 1).all() and found.screened.mean() > 1.5


def test_laney_signals_as_often_as_promised_where_a_p_chart_signals_all_the_time():
    rng = np.random.default_rng(8)
    true = 0.85 + rng.normal(0, 0.02, (200, 60))  # months differ by more than chance
    k = rng.binomial(20_000, true)
    plain, laney = (p_chart(k, 20_000, overdispersion=o) for o in (False, True))
    assert plain.signals["beyond 3 sigma"].mean() > 0.5
    assert laney.signals["beyond 3 sigma"].mean() < 0.01
    assert laney.sigma_z.mean() == pytest.approx(0.02 / np.sqrt(0.85 * 0.15 / 20_000), rel=0.1)


def test_ranges_of_a_constant_course_are_none_too_large():
    assert [float(each) for each in mean_range([0.9] * 5)] == [0.0, 0.0]
    assert np.isnan(mean_range([0.9])[0])
    found = xmr([0.95] * 20)
    assert (found.low[0], found.high[0]) == pytest.approx((0.95, 0.95))
    assert (found.side == 0).all()


def test_what_is_impossible_is_refused():
    for call, name in (
        (lambda: p_chart([1, 2], [2, 2], baseline=1), "baseline"),
        (lambda: p_chart([3, 2], [2, 2]), "successes"),
        (lambda: xmr([0.1] * 30, starts=[5, 5]), "starts"),
        (lambda: xmr([0.1] * 30, starts=[5], baselines=[(0, 11)]), "baselines"),
    ):
        with pytest.raises(ValueError, match=name):
            call()
