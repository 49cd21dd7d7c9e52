"""What the pages say of changes: courses, targets in time, alerts, and months that still run."""

from collections import Counter
from datetime import datetime

import numpy as np
import pytest

from app.access.roles import Role
from app.figures import alerts as figures_alerts
from app.figures import trends as figures_trends
from app.figures.periods import Step
from app.registry.volumes import keep_volumes
from app.reports.views import alerts as views_alerts
from app.settings import Settings
from tests.conftest import serving
from tests.figures.district import CODES, COMMUNES, FELL, FORM, ROSE, SENT, SMALL
from tests.reports.views.asked import PERIOD


def test_the_planted_fall_is_told_and_the_course_is_the_trend(view, api):
    # It begins in December of 2025: halves before and since hold eleven and one of its months.
    overview = view("overview")
    assert FELL in [row["unit"]["code"] for row in overview["fell"]]
    assert FELL in [row["unit"]["code"] for row in overview["alerts"]["rows"]]
    points = view("unit", unit=FELL)["trend"]["points"]
    (row,) = api("/trend", unit=FELL, step="month", **{"from": "2025-01-01"})["rows"]
    assert points == row["points"]


def test_each_unit_is_judged_as_on_its_own_page(view):
    rows = {row["unit"]["code"]: row for row in view("units")["rows"]}
    for code in (FELL, ROSE, "K05", SMALL):
        limits = view("unit", unit=code)["trend"]["limits"]
        assert [rows[code][name] for name in ("variation", "assurance")] == [
            limits["variation"], limits["assurance"],
        ], code  # fmt: skip
    assert rows[FELL]["variation"] == "concern" and rows[ROSE]["variation"] == "improvement"
    assert rows[SMALL]["variation"] is None
    beside = {row["unit"]["code"]: row for row in view("comparison")["league"]["rows"]}
    assert beside[FELL]["variation"] == "concern"


def test_more_units_than_a_trend_gives_are_not_judged(view, monkeypatch):
    monkeypatch.setattr(figures_trends, "MOST_UNITS", len(COMMUNES) - 1)
    assert {row["variation"] for row in view("units", best=7)["rows"]} == {None}


@pytest.fixture
def risen(world):
    """The same district where the target rose within the half-year, on 1 April."""
    settings = Settings(
        database_url=str(world.province.database.url), cache_s=0,
        target_rate="0.2, 2026-04-01: 0.8, 2026-07-01: 0.99",
    )  # fmt: skip
    with serving(settings) as client:

        def ask(path, **parameters):
            asked = {"questionnaire": FORM.code} | parameters
            answer = client.get(f"/api/v1{path}", params=asked, headers=world.analyst)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield ask


def test_figures_are_held_against_the_target_at_the_end_of_their_period(risen):
    targets = {"2025-H2": 0.2, "2026-Q1": 0.2, "2026-Q2": 0.8, "2026-H1": 0.8}
    for period, target in targets.items():
        asked = {"unit": "D1", "period": period}
        for name in ("overview", "units", "unit", "comparison", "sections", "items"):
            assert risen(f"/views/{name}", **asked)["target"] == target, (period, name)
        shown = risen("/views/unit", **asked)
        for row in (shown["index"], *shown["factors"], *shown["items"]):
            assert row["interval_position"] == where(row, target)
        for row in risen("/views/units", **asked)["rows"]:
            assert row["interval_position"] == where(row, target)
            assert row["position"] in (where(row, target), "not_distinguishable")


def where(row, target):
    if row["low"] is None:
        return None
    return (
        "above" if row["low"] > target
        else "below" if row["high"] < target
        else "not_distinguishable"
    )  # fmt: skip


def test_a_trend_has_its_targets_in_steps_and_assurance_by_the_last(risen):
    points = risen("/views/unit", unit="K03", period="2026-H1")["trend"]["points"]
    steps = {point["period"]: point["target"] for point in points}
    assert steps["2026-03"] == steps["2025-01"] == 0.2
    assert steps["2026-04"] == steps["2026-06"] == 0.8
    for last, target in (("2026-03-31", 0.2), ("2026-06-30", 0.8)):
        asked = {"unit": "K03", "from": "2025-01-01", "to": last}
        (row,) = risen("/satisfaction/trend", **asked)["rows"]
        limits, at = row["limits"], row["limits"]["segments"][-1]
        assert limits["target"] == row["points"][-1]["target"] == target
        passing = target < at["limit_low"]
        assert limits["assurance"] == ("consistently passing" if passing else "hit and miss")
    (row,) = risen("/satisfaction/trend", unit="K03", target=0.5)["rows"]
    assert {point["target"] for point in row["points"]} == {row["limits"]["target"]} == {0.5}


def test_of_a_period_that_runs_the_months_until_today_are_compared(view, world):
    today = datetime.now(Settings().zone).date()
    months = [today.replace(month=month, day=1) for month in range(1, today.month + 1)]
    units = [*COMMUNES, "A1", "D1", "C1", "C2"]
    with world.province.database.writing() as session:
        keep_volumes(session, [(code, day, 50) for code in units for day in months], "x")
    shown = view("overview", unit="77", period=str(today.year))
    assert shown["volume"]["cases"] == 50 * len(units) * len(months)
    assert shown["volume"]["respondents_to_cases"] == pytest.approx(
        shown["index"]["respondents"] / shown["volume"]["cases"]
    )


def test_both_looks_for_alerts_share_the_false_ones(view, monkeypatch):
    asked, alerts = [], views_alerts.find_alerts

    def noted(*args, step, q, **more):
        asked.append((step, q))
        return alerts(*args, step=step, q=q, **more)

    monkeypatch.setattr(views_alerts, "find_alerts", noted)
    monkeypatch.setattr(figures_alerts, "LEAST_JUDGED", 10_000)
    told = view("overview", unit="D1", period="2026-05")["alerts"]
    # Where each side of a shift needs so many people, nothing is told of any unit.
    assert told["rows"] == []
    assert [step for step, _ in asked] == [Step.MONTH, Step.QUARTER]
    assert sum(q for _, q in asked) == pytest.approx(told["false_discovery_rate"])
    monkeypatch.undo()
    rows = view("overview", unit="D1", period="2026-04")["alerts"]["rows"]
    assert FELL in {row["unit"]["code"] for row in rows}


def test_a_fall_of_all_units_together_is_told_and_is_nobodys_alert(view, world, monkeypatch):
    scan = figures_alerts.scanning.scan

    # Each period is asked for once: answers are kept.
    def fallen(rate, effective, **more):
        # From December of 2025 on all are a third less satisfied.
        return scan(np.where(np.arange(rate.shape[1]) < 11, rate, 0.66 * rate), effective, **more)

    before = view("overview", unit="77", period="2026-H1", kind="commune")["alerts"]
    assert before["together"]["moved"] is False
    monkeypatch.setattr(figures_alerts.scanning, "scan", fallen)
    told = view("overview", unit="77", period="2026-06", kind="commune")["alerts"]
    together = told["together"]
    assert together["moved"] and together["since"] == "2025-12" and together["season_allowed"]
    assert together["after_low"] < together["after"] < together["after_high"] < together["before"]
    assert told["noise"]["season_allowed"]
    # The one whose rate is lower as well is not told apart; the one that rose against all is.
    for row in told["rows"]:
        assert row["unit"]["code"] in (FELL, ROSE)
    page = world.client.get(
        "/api/v1/views/overview",
        params={"unit": FELL, "questionnaire": FORM.code, "period": "2026-06"},
        headers=world.province.person((Role.UNIT_HEAD, FELL)).headers,
    ).json()
    # She is told of her own unit alone.
    assert page["alerts"]["together"] is None and page["alerts"]["common_movement_removed"]


@pytest.mark.parametrize(("most", "top"), [(1_500, "77"), (16, FELL)])
def test_a_units_peers_are_those_of_the_highest_unit_that_has_not_too_many(
    view, monkeypatch, most, top
):
    asked, alerts = [], views_alerts.find_alerts

    def noted(question, **more):
        asked.append(question.query)
        return alerts(question, **more)

    monkeypatch.setattr(views_alerts, "find_alerts", noted)
    monkeypatch.setattr(views_alerts, "_MOST_PEERS", most)
    view("overview", unit=FELL, period="2026-03" if top == FELL else "2026-02")
    assert {(*query.units, *query.kinds) for query in asked} == {(top, "commune")}


def test_several_units_have_one_course_together(world):
    people = Counter(commune for commune, m, *_ in SENT if m < 18)
    two = world.province.person((Role.UNIT_HEAD, FELL), (Role.UNIT_HEAD, "K03"))
    shown = world.client.get(
        "/api/v1/views/overview", params={"period": PERIOD}, headers=two.headers
    ).json()
    course = shown["trend"]
    assert course["unit"] is None
    # In some months one of them is hidden for another's sake, and both together with it.
    shown = [point for point in course["points"] if not point["suppressed"]]
    assert 12 <= len(shown) < 18
    assert sum(point["respondents"] for point in shown) < people[FELL] + people["K03"]
    assert course["step"] == "month"
    for point in shown:
        year, month = map(int, point["period"].split("-"))
        months = {(year - 2025) * 12 + month - 1}
        values = [
            answers[code] >= 4
            for commune, m, _, answers in SENT
            if commune in (FELL, "K03") and m in months
            for code in CODES
            if code in answers
        ]
        assert point["rate"] == pytest.approx(np.mean(values))
