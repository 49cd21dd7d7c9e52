"""Trends, changes and alerts over HTTP, of communes of which two were made to change.

Every figure is computed again from the answers that were sent, by other software where there is
some: the routes are to hand on what ``analysis`` says, about the right units, days and answers.
"""

import numpy as np
import pytest
from scipy import stats

from analysis import control_charts, xmr
from tests.api.statistics.sent import by_unit, sums
from tests.figures.district import FELL, MONTHS, ROSE, SMALL


def test_all_that_is_known_is_compared_in_whole_months(children, world):
    """The last answer is of 12 June; who may not see small cells may ask for it all the same."""
    for with_, first, last in (
        ("previous", "2023-07-01", "2024-12-31"), ("year-before", "2024-01-01", "2025-06-30"),
    ):  # fmt: skip
        for reader in (world.analyst, world.public):
            found = children("compare", headers=reader, **{"with": with_})
            assert found["other_period"] == {"first": first, "last": last}


def test_a_trend_shows_points_limits_and_what_fired(world):
    found = world("trend", unit=FELL)
    (row,) = found["rows"]
    assert [point["period"] for point in row["points"]] == MONTHS
    expected = np.array([sums([FELL], [m])[:, 0] for m in range(18)]).T
    rates = expected[0] / expected[1]
    np.testing.assert_allclose([point["rate"] for point in row["points"]], rates)
    assert row["slope"]["a_period"] == pytest.approx(stats.theilslopes(rates).slope)
    assert row["trend"]["statistic"] < 0 and row["trend"]["p"] < 0.05
    assert row["linear"]["p"] < 0.001
    # The fall is in the twelfth month, which the baseline does without: those after it stand out.
    assert row["limits"]["segments"][0]["left_out"][0] == MONTHS[11]
    assert all("beyond 3 sigma" in point["signals"] for point in row["points"][12:17])
    for point in row["points"][:12]:
        assert point["limit_low"] is point["centre"] is point["z"] is None
    for point in row["points"][12:]:
        assert point["limit_low"] <= point["centre"] <= point["limit_high"]
    assert row["limits"]["variation"] == "concern" and row["limits"]["least_periods"] == 12
    assert row["limits"]["rules"] == ["beyond 3 sigma", "ewma"]
    assert [point["variation"] for point in row["points"]] == [None] * 12 + ["concern"] * 6


def test_a_point_tells_of_which_run_it_is_part(world):
    (row,) = world("trend", unit=FELL, rules="western-electric")["rows"]
    for rule in ("2 of 3 beyond 2 sigma", "4 of 5 beyond 1 sigma"):
        marked = [rule in point["signals"] for point in row["points"]]
        parts = [rule in point["part_of"] for point in row["points"]]
        assert any(marked) and sum(parts) > sum(marked), rule
        assert not any(m and not p for m, p in zip(marked, parts, strict=True))
    assert not any("beyond 3 sigma" in point["part_of"] for point in row["points"])


@pytest.mark.parametrize("step", ["month", "quarter", "week"])
def test_alerts_find_what_changed_and_leave_the_others_alone(children, step):
    found = children("alerts", step=step)
    assert {row["unit"]["code"] for row in found["rows"]} == {FELL, ROSE}
    row = next(r for r in found["rows"] if r["unit"]["code"] == FELL)
    assert row["rule"] == "level shift" and row["adjusted_p"] < 0.05
    if step == "month":
        assert row["since"] in MONTHS[10:13]
        since = MONTHS.index(row["since"])
        before, after = sums([FELL], range(since)), sums([FELL], range(since, 18))
        assert row["before"] == pytest.approx(float(before[0, 0] / before[1, 0]))
        assert row["respondents_after"] == after[5, 0]
        assert row["change"]["low"] < row["change"]["estimate"] < row["change"]["high"] < 0
    # Rules that cannot say how often they are false are left to the control charts.
    assert [rule["rule"] for rule in found["rules"]] == ["level shift", "last period"]
    assert sum(rule["expected_false_a_year"] for rule in found["rules"]) == pytest.approx(0.05)
    assert found["looks_a_year"] == {"month": 12, "quarter": 4, "week": 52}[step]
    noise = found["noise"]
    assert noise["learnt"] and noise["season_allowed"]
    assert 0 <= noise["deviation_low"] <= noise["deviation"] <= noise["deviation_high"]
    assert not row["against_others"]
    assert found["together"]["moved"] is False and found["together"]["season_allowed"]
    assert found["common_movement_removed"] is True


def test_a_course_is_computed_from_the_periods_that_are_shown(children, world):
    """A commune guards K16 in some months: nothing of its course depends on them."""
    rows = by_unit(children("trend", headers=world.public))
    row = next(
        row
        for code, row in rows.items()
        if code != SMALL and 0 < sum(point["suppressed"] for point in row["points"]) < len(MONTHS)
    )
    shown = [m for m, point in enumerate(row["points"]) if not point["suppressed"]]
    monthly = np.array([sums([row["unit"]["code"]], [m])[:, 0] for m in shown])
    rates = monthly[:, 0] / monthly[:, 1]
    assert row["slope"]["a_period"] == pytest.approx(stats.theilslopes(rates, shown).slope)
    for point in row["points"]:
        if point["suppressed"]:
            assert point["z"] is point["rate"] is point["ewma"] is None
    # Enough for XmR limits, which rest on all of them, and for few months to be judged by twelve.
    assert 12 <= len(shown) < len(MONTHS) and row["limits"]["periods_judged"] == len(shown) - 12
    nhs = by_unit(children("trend", headers=world.public, rules="nhs"))[row["unit"]["code"]]
    assert nhs["centre"] == pytest.approx(rates.mean())
    ranges = np.abs(np.diff(rates))
    ranges = ranges[ranges < 3.267 * ranges.mean()]
    low = nhs["points"][-1]["limit_low"]
    assert low == pytest.approx(rates.mean() - 2.66 * ranges.mean(), abs=1e-9)
    assert nhs["limits"]["segments"][0]["rests_on"] == len(shown)


@pytest.mark.parametrize("rules", ["default", "western-electric", "nhs"])
def test_a_course_says_by_which_rules_it_marks_and_how_often_they_err(world, rules):
    (row,) = world("trend", unit="K03", rules=rules)["rows"]
    told = row["limits"]
    expected = {"default": control_charts.CHOSEN, "western-electric": control_charts.NAMED}
    assert told["rules"] == list(expected.get(rules, xmr.NHS_RULES))
    assert told["periods_judged"] == (18 if rules == "nhs" else 6)
    assert 0.01 < told["false_marks"] < 0.2
    assert set(row["points"][-1]["signals"]) <= set(told["rules"])
    assert told["target"] == 0.9  # of the settings
    low, high = (row["points"][-1][f"limit_{side}"] for side in ("low", "high"))
    for target in (low - 0.02, (low + high) / 2, min(high + 0.02, 0.999)):
        (again,) = world("trend", unit="K03", rules=rules, target=target)["rows"]
        assert again["limits"]["assurance"] == xmr.assurance(low, high, target)


def test_rules_may_be_chosen_one_by_one(world):
    ask = {"unit": FELL, "rule": ["8 in a row on one side", "beyond 3 sigma"]}
    (row,) = world("trend", **ask)["rows"]
    assert row["limits"]["rules"] == ["beyond 3 sigma", "8 in a row on one side"]
    assert {name for point in row["points"] for name in point["signals"]} == {"beyond 3 sigma"}
    assert world("trend", unit=FELL, rule="trend", status=422)["type"] == "/problems/invalid-fields"


def test_one_unit_has_no_ranking_and_many_have_no_course_at_once(world):
    assert world("ranking", unit=FELL, status=422)["type"] == "/problems/too-few-units"
    unknown = world("ranking", unit="nowhere", status=404)
    assert unknown["type"] == "/problems/unknown-unit"
    assert world("trend", questionnaire="nothing", status=404)


@pytest.mark.parametrize("name", ["trend", "alerts"])
def test_a_course_of_thousands_of_periods_is_refused(world, name):
    refused = world(name, unit=FELL, status=422, **{"from": "1900-01-01"})
    assert (refused["type"], refused["field"]) == ("/problems/too-many-rows", "from")
