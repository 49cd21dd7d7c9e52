"""What the pages show: each figure is the API's own, or a recount of the answers that were sent.

Past 400 lines because all views are asked of one world, which takes long to fill.
"""

from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import chain

import numpy as np
import pytest

from app.access.models import Sector
from app.access.roles import Role
from app.db import Database
from app.figures import alerts as figures_alerts
from app.figures import trends as figures_trends
from app.figures.periods import Length, Step, name_of, span
from app.registry.models import Unit
from app.registry.volumes import keep_volumes
from app.reports.views import alerts as views_alerts
from app.settings import Settings
from surveys.loader import FORMS, load_file
from tests.conftest import serving
from tests.databases import BACKENDS, new_database
from tests.figures.district import (
    CODES,
    COMMUNES,
    FELL,
    FORM,
    ITEMS,
    ROSE,
    SENT,
    SMALL,
    VOLUMES,
    standing,
)
from tests.small_province import SmallProvince, body, new_id

PERIOD = "2026-H1"
DAYS = {"from": "2026-01-01", "to": "2026-06-30"}
FIGURE = ("rate", "low", "high", "respondents")
VIEWS = ("overview", "units", "unit", "comparison", "sections", "items", "quality", "levels")


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    """One store; the last test asks every view on both, of the same answers."""
    folder = tmp_path_factory.mktemp("views")
    with standing("sqlite", templates, postgres, folder) as world:
        yield world


@pytest.fixture
def view(world):
    return lambda name, **asked: world.view(name, **{"period": PERIOD} | asked)


@pytest.fixture
def api(world):
    def ask(path, *, headers=None, **parameters):
        asked = {"questionnaire": FORM.code, **DAYS} | parameters
        answer = world.client.get(
            f"/api/v1/satisfaction{path}", params=asked, headers=headers or world.analyst
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def figures(row):
    return [row[name] for name in FIGURE]


def in_period():
    """Answers of the communes in the period."""
    return [(commune, answers) for commune, m, _, answers in SENT if m >= 12]


def test_the_index_is_the_rate_and_its_changes_are_those_of_compare(view, api):
    index = view("overview")["index"]
    (row,) = api("", unit="D1")["rows"]
    assert figures(index) == figures(row)
    assert index["wholly_satisfied"] == row["wholly_satisfied"]["rate"]
    for name, with_ in (("previous", "previous"), ("year_before", "year-before")):
        answer = api("/compare", unit="D1", **{"with": with_})
        (compared,) = answer["rows"]
        shown = index[name]
        assert [shown["first"], shown["last"]] == list(answer["other_period"].values())
        assert [shown[k] for k in ("estimate", "low", "high", "p")] == [
            compared["change"][k] for k in ("estimate", "low", "high", "p")
        ]
        assert shown["other"] == compared["other"]["rate"]


def test_units_are_ranked_and_compared_as_the_statistics_say(view, api):
    shown = {row["unit"]["code"]: row for row in view("units")["rows"]}
    asked = {"unit": "D1", "expand": "all", "kind": "commune"}
    ranked = {row["unit"]["code"]: row for row in api("/ranking", best=5, **asked)["rows"]}
    changed = {row["unit"]["code"]: row for row in api("/compare", **asked)["rows"]}
    for code in COMMUNES[:-1]:
        assert figures(shown[code]) == figures(ranked[code])
        for name in ("rank_low", "rank_low_simultaneous", "rank_high_simultaneous"):
            assert shown[code][name] == ranked[code][name]
        assert shown[code]["may_be_best"] == ranked[code]["may_be_best"]
        assert shown[code]["change"] == changed[code]["change"]
    # Its four respondents answered before.
    assert shown[SMALL]["respondents"] == 0 and shown[SMALL]["rank"] is None


def test_the_planted_fall_is_told_and_the_course_is_the_trend(view, api):
    # It begins in December of 2025: halves before and since hold eleven and one of its months.
    overview = view("overview")
    assert FELL in [row["unit"]["code"] for row in overview["fell"]]
    assert FELL in [row["unit"]["code"] for row in overview["alerts"]["rows"]]
    points = view("unit", unit=FELL)["trend"]["points"]
    (row,) = api("/trend", unit=FELL, step="month", **{"from": "2025-01-01"})["rows"]
    assert points == row["points"]


def test_a_comparison_tells_the_whole_and_whose_unit_is_the_callers(view, world):
    shown = view("comparison")
    assert figures(shown["whole"]) == figures(view("overview")["index"])
    assert shown["own"] is None
    both = world.province.person((Role.PROVINCIAL_ANALYST, None), (Role.UNIT_HEAD, FELL))
    assert view("comparison", headers=both.headers)["own"]["code"] == FELL
    above = world.province.person((Role.PROVINCIAL_ANALYST, None), (Role.UNIT_HEAD, "D1"))
    assert view("comparison", headers=above.headers)["own"] is None
    two = world.province.person((Role.UNIT_HEAD, FELL), (Role.UNIT_HEAD, ROSE))
    two_communes = view("comparison", headers=two.headers, unit=FELL)
    assert two_communes["own"] is None


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


def test_a_units_page_shows_factors_items_channels_drivers(view, api):
    shown = view("unit", unit=FELL)
    for name, by in (("factors", "factor"), ("items", "item"), ("channels", "channel")):
        rows = api("", unit=FELL, by=by)["rows"]
        assert [figures(row) for row in shown[name]] == [figures(row) for row in rows]
    # The form has no overall question.
    assert shown["drivers"] is None and shown["no_drivers"] == "outcome-needed"


def test_the_lowest_factors_are_told_with_how_sure_it_is(view):
    rows = view("unit", unit=FELL)["lowest"]["rows"]
    rates = {row["factor"]: row["rate"] for row in view("unit", unit=FELL)["factors"]}
    for row in rows:
        others = [rate for factor, rate in rates.items() if factor != row["factor"]]
        assert row["rate"] == pytest.approx(rates[row["factor"]])
        assert row["difference"] == pytest.approx(row["rate"] - sum(others) / len(others))
        assert row["low"] < row["difference"] < row["high"]
        assert row["below"] == (row["high"] < 0)
    assert [row["rate"] for row in rows] == sorted(row["rate"] for row in rows)


def test_what_is_still_to_be_collected_is_the_plans(view, api):
    plan = view("unit", unit=FELL)["collecting"]
    answer = api("/planning", unit=FELL, month=plan["month"])
    assert plan["rows"] == answer["rows"]


def test_where_a_period_has_few_respondents_the_lowest_are_a_years(view):
    shown = view("unit", unit=FELL, period="2026-02")["lowest"]
    assert (shown["first"], shown["last"]) == ("2025-03-01", "2026-02-28")
    assert shown["respondents"] >= 30


def test_the_comparison_holds_the_funnel_and_the_chosen_side_by_side(view, api):
    shown = view("comparison", beside=["K02", "K05"])
    funnel = api("/funnel", unit="D1", expand="all", kind="commune")
    assert shown["funnel"]["rows"] == funnel["rows"]
    assert shown["funnel"]["curve"] == funnel["curve"]
    rows = api("", unit=["K02", "K05"], by=["unit", "factor"])["rows"]
    assert [figures(f) for unit in shown["side_by_side"] for f in unit["factors"]] == [
        figures(row) for row in rows
    ]


def test_sections_are_the_factors_of_each_unit(view, api):
    shown = view("sections")
    rows = api("", unit="D1", expand="all", kind="commune", by=["unit", "factor"])["rows"]
    by_unit = {}
    for row in rows:
        by_unit.setdefault(row["unit"]["code"], []).append(figures(row))
    for row in shown["rows"]:
        assert [figures(section) for section in row["sections"]] == by_unit[row["unit"]["code"]]


def test_items_to_improve_first_are_the_lowest_of_the_factors_that_are_told_apart(view):
    shown = view("items")
    below = {row["factor"] for row in shown["lowest"]["rows"] if row["below"]}
    told = [row for row in shown["items"] if row["factor"] in below]
    told.sort(key=lambda row: row["rate"])
    assert shown["improve_first"] == [row["item"] for row in told[:5]]


def test_counts_by_level_equal_a_recount(view):
    shown = view("levels")
    sent = in_period()
    for section in shown["sections"]:
        for item in section["items"]:
            given = Counter(answers.get(item["item"]) for _, answers in sent)
            assert item["levels"] == [given[value] for value in shown["values"]]
            n = sum(item["levels"])
            total = sum(v * k for v, k in zip(shown["values"], item["levels"], strict=True))
            assert item["mean_score"] == pytest.approx(total / n)
            assert item["rate"] == pytest.approx(sum(item["levels"][3:]) / n)
    (trips,) = [row for row in shown["besides"] if row["item"] == "trips"]
    given = Counter(answers["trips"] for _, answers in sent)
    assert [option["n"] for option in trips["options"][:3]] == [given[v] for v in (1, 2, 3)]


def test_quality_equals_a_recount(view):
    shown = view("quality")
    sent = [answers for _, answers in in_period()]
    levels = [[answers[code] for code in CODES if code in answers] for answers in sent]
    alike = sum(len(set(given)) == 1 for given in levels if len(given) >= 5)
    assert shown["straight_lining"]["alike"] == alike
    assert shown["responses"]["counted"] == len(sent)
    assert shown["set_aside"] == {"responses": len(sent), "set_aside": 0, "share": 0.0}
    assert SMALL in [row["unit"]["code"] for row in shown["silent"]]


def test_a_response_makes_the_next_answer_another_one(view, world):
    before = view("overview", unit="A1", period="2026-11")["index"]["respondents"]
    sent = {
        "id": "0196aa00-0000-7000-8000-00000000000" + str(before),
        "questionnaire": FORM.code, "version": FORM.version,
        "point": world.province.points[("A1", FORM.code)],
        "answered_at": "2026-11-02T09:00:00+07:00", "answers": {"A1": 5},
    }  # fmt: skip
    importer = world.province.importer()
    answer = world.client.post("/api/v1/responses", json=sent, headers=importer)
    assert answer.status_code == 201, answer.text
    assert view("overview", unit="A1", period="2026-11")["index"]["respondents"] == before + 1


def rows_about(document, code):
    """Every object within an answer that is about a unit."""
    if isinstance(document, list):
        yield from chain.from_iterable(rows_about(each, code) for each in document)
    elif isinstance(document, dict):
        if isinstance(document.get("unit"), dict) and document["unit"].get("code") == code:
            yield document
        yield from chain.from_iterable(rows_about(each, code) for each in document.values())


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_shows_a_small_cell_to_who_may_not_see_it(view, world, name):
    """The small unit has its four respondents in the first half of 2025."""
    ask = {"headers": world.public, "period": "2025-H1"}
    beside = {"beside": [SMALL]} if name == "comparison" else {}
    found = list(rows_about(view(name, **ask, **beside), SMALL))
    for row in found:
        assert not row.get("respondents") or "needed_to_publish" in row
        assert all(row.get(key) is None for key in ("rate", "low", "high", "mean_score"))
    own = view(name, unit=SMALL, **ask)
    if "index" in own:
        assert own["index"]["suppressed"] and own["index"]["rate"] is None
        assert all(row["rate"] is None for row in [*own.get("factors", []), *own.get("items", [])])
    if name == "levels":
        assert own["whole"]["suppressed"] and own["besides"] == []
        assert all(i["levels"] == [] for s in own["sections"] for i in s["items"])
    if name == "quality":
        assert own["straight_lining"] is None and own["no_opinion"] == []


def test_a_head_sees_her_unit_against_the_whole_and_nobody_elses(view, world):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    shown = view("unit", unit=FELL, headers=head.headers)
    whole = view("overview", unit="77")["index"]
    reference = shown["index"]["reference"]
    assert [reference["rate"], reference["low"], reference["high"]] == [
        whole["rate"], whole["low"], whole["high"],
    ]  # fmt: skip
    assert reference["difference_high"] < 0  # it fell
    for other in ("K02", "D1", "77"):
        view("unit", unit=other, headers=head.headers, status=404)
    # Only periods of the calendar are shown, so that none is subtracted from one a little longer.
    days = view(
        "unit", unit=FELL, headers=head.headers, period="2026-01-01..2026-05-31", status=422
    )
    assert days["type"] == "/problems/calendar-periods-only"


def test_what_a_link_leaves_out_is_chosen_for_the_caller(world):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    shown = world.client.get("/api/v1/views/overview", headers=head.headers).json()
    assert (shown["unit"]["code"], shown["questionnaire"]) == (FELL, FORM.code)
    two = world.province.person((Role.UNIT_HEAD, FELL), (Role.UNIT_HEAD, "K03"))
    shown = world.client.get(
        "/api/v1/views/units", params={"period": PERIOD}, headers=two.headers
    ).json()
    assert shown["unit"] is None
    assert {row["unit"]["code"] for row in shown["rows"]} == {FELL, "K03"}


def test_the_volume_is_of_the_units_that_use_the_questionnaire(view, world):
    months = [date(2026, month, 1) for month in range(1, 7)]
    with world.province.database.writing() as session:
        # Visits of a hospital, and of a ward that has another form.
        keep_volumes(session, [(code, day, 9_000) for code in ("H1", "W1") for day in months], "x")
    cases = sum(6 * VOLUMES[commune] for commune in COMMUNES)
    people = len(in_period())
    shown = view("overview", unit="77")["volume"]
    # Of some units nobody told how many they served.
    assert (shown["cases"], shown["respondents_to_cases"]) == (cases, None)
    others = ("A1", "D1", "C1", "C2")
    with world.province.database.writing() as session:
        keep_volumes(session, [(code, day, 100) for code in others for day in months], "x")
    for name in ("overview", "quality"):
        shown = view(name, unit="77")["volume"]
        assert shown["cases"] == cases + 2_400
        assert shown["respondents_to_cases"] == pytest.approx(people / (cases + 2_400))
    # Not all months of the year have been told of.
    assert view("overview", unit="77", period="2026")["volume"]["respondents_to_cases"] is None
    for unit in ("W1", "H1"):  # what the hospital does besides is asked about by no such form
        assert view("unit", unit=unit, questionnaire="moh-inpatient")["volume"]["cases"] == 54_000
    hidden = view("unit", unit=SMALL, period="2025-Q1", headers=world.public)["volume"]
    assert hidden["respondents_to_cases"] is None


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


def test_a_head_is_alerted_to_her_own_unit(view, world):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    told = view("overview", unit=FELL, period="2026-05", headers=head.headers)
    assert told["standing"] is None
    (shift,) = [row for row in told["alerts"]["rows"] if row["rule"] == "level shift"]
    assert (shift["unit"]["code"], shift["since"]) == (FELL, "2025-12")
    assert shift["change"]["high"] < 0
    # As it stands out among all communes, of which she is told no other.
    assert {row["unit"]["code"] for row in told["alerts"]["rows"]} == {FELL}
    among = view("overview", unit="77", period="2026-05", kind="commune")["alerts"]
    # Months that are hidden from her for another's sake tell her page nothing.
    both = [
        [(row["rule"], row["since"]) for row in rows if row["unit"]["code"] == FELL]
        for rows in (told["alerts"]["rows"], among["rows"])
    ]
    assert both[0] == [("level shift", "2025-12")] and set(both[0]) <= set(both[1])
    assert shift["adjusted_p"] < 0.02  # of the months that are shown
    assert view("overview", unit="K05", period="2026-05")["alerts"]["rows"] == []
    # Nothing was looked at, which is not the same as nothing found; of parts of months, neither.
    days = {"period": "2026-01-05..2026-05-20"}
    assert view("overview", unit="C1", period="2026-05")["alerts"] is None
    refused = view("overview", unit=FELL, **days, headers=head.headers, status=422)
    assert refused["type"] == "/problems/calendar-periods-only"
    of_few = view("overview", unit=SMALL, period="2026-05", headers=world.public)
    assert of_few["alerts"] is None
    assert view("overview", unit="H1", questionnaire="moh-inpatient")["alerts"] is None


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


def test_nobody_waits_for_answers_to_a_questionnaire_that_a_unit_does_not_use(view, world):
    codes = {row["unit"]["code"] for row in view("units", unit="77", kind="commune")["rows"]}
    # C1 has a survey point and no answers yet, C3 has no point.
    with world.province.database.writing() as session:
        district = session.get_one(Unit, world.province.units["D1"])
        session.add(
            Unit(
                code="C3", kind="commune", name_vi="Xã C3", name_en="C3", parent=district,
                valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip
    for name, rows in (("units", "rows"), ("quality", "silent"), ("sections", "rows")):
        shown = view(name, unit="77", kind="commune", period="2025-H2")
        told = {row["unit"]["code"]: row["respondents"] for row in shown[rows]}
        assert told["C1"] == 0 and "C3" not in told
    assert "C3" not in codes
    # A hospital has no point itself: its wards have.
    for name, rows in (("units", "rows"), ("quality", "silent")):
        shown = view(name, unit="77", questionnaire="moh-inpatient", kind="hospital")[rows]
        assert [row["unit"]["code"] for row in shown] == ["H1"]


@pytest.mark.parametrize(
    ("wrong", "status", "problem"),
    [
        ({"period": "2026-13"}, 422, "period-unknown"),
        ({"period": "2026-06-30..2026-06-01"}, 422, "period-invalid"),
        ({"unit": "none"}, 404, "unknown-unit"),
        ({"questionnaire": "none"}, 404, "unknown-questionnaire"),
        ({"kind": "ward"}, 404, "unknown-kind"),
    ],
)
def test_what_is_not_there_is_refused_with_its_field(view, wrong, status, problem):
    refused = view("overview", status=status, **wrong)
    assert refused["type"].endswith(problem)
    assert refused["field"] in (*wrong, "to")


def test_a_form_of_one_question_and_a_unit_without_answers_have_their_views(view):
    for name in VIEWS:
        empty = view(name, unit="H1", questionnaire="moh-inpatient")
        assert empty["unit"]["code"] == "H1"
        assert view(name, unit="77", questionnaire="kiosk-face")["questionnaire"] == "kiosk-face"
    assert set(ITEMS) == {row["factor"] for row in view("items")["factors"]}


def test_a_page_opens_with_the_last_whole_period_that_its_caller_is_told_of(world):
    # Somebody answers in the running quarter, and that is no period to open with.
    today = datetime.now(Settings().zone).date()
    sent = [body(world.province.points[("A1", FORM.code)])]
    # And twelve patients of a ward answered in February.
    ward = load_file(FORMS / "moh-inpatient.yaml")
    answers = {item.code: 4 for factor in ward.index_factors for item in ward.index_items(factor)}
    sent += [
        body(
            world.province.points[("W1", ward.code)], answers, questionnaire=ward.code,
            answered_at=f"2026-02-{day:02}T09:00:00+07:00",
        )
        for day in range(1, 13)
    ]  # fmt: skip
    for each in sent:
        answer = world.client.post(
            "/api/v1/responses", json=each, headers=world.province.importer()
        )
        assert answer.status_code == 201, answer.text
    person = world.province.person
    callers = {
        "chairman": person((Role.UNIT_HEAD, FELL)).headers,
        "chairman of few": person((Role.UNIT_HEAD, SMALL)).headers,
        "head of a ward": person((Role.UNIT_HEAD, "W1")).headers,
        "department": person((Role.DEPARTMENT_ANALYST, None, Sector.HEALTH)).headers,
        "province": world.analyst,
        "anybody": world.public,
    }
    opened = {}
    for who, headers in callers.items():

        def ask(**parameters):
            answer = world.client.get(
                "/api/v1/views/unit",
                params=parameters,
                headers=headers,  # noqa: B023
            )
            assert answer.status_code == 200, answer.text
            return answer.json()

        shown = ask()
        opened[who] = shown["period"]
        assert date.fromisoformat(shown["last"]) < today and shown["running_to"] is None
        later, told = date.fromisoformat(shown["last"]) + timedelta(days=1), []
        while (quarter := span(name_of(later, Length.QUARTER))).last < today:
            told.append(ask(period=quarter.name)["index"]["rate"])
            later = quarter.last + timedelta(days=1)
        # Nothing is told of any whole quarter after that one.
        assert told == [None] * len(told)
        running = ask(period=name_of(today, Length.QUARTER))
        assert running["running_to"] == today.isoformat()
    assert opened["chairman"] == opened["province"] == opened["anybody"] == "2026-Q2"
    assert opened["head of a ward"] == opened["department"] == "2026-Q1"
    # Of four respondents nothing is told of any quarter: the last whole one says so.
    before = span(name_of(today, Length.QUARTER)).first - timedelta(days=1)
    assert opened["chairman of few"] == name_of(before, Length.QUARTER)


def test_a_unit_that_waits_for_release_is_not_said_to_be_silent(view, world):
    today = datetime.now(Settings().zone).date()
    for _ in range(3):
        sent = body(world.province.points[("C1", FORM.code)])
        answer = world.client.post(
            "/api/v1/responses", json=sent, headers=world.province.importer()
        )
        assert answer.status_code == 201, answer.text
    head = world.province.person((Role.UNIT_HEAD, "D1")).headers
    month = name_of(today, Length.MONTH)
    shown = view("units", period=month, kind="commune", headers=head)
    rows = {row["unit"]["code"]: row for row in shown["rows"]}
    # Three answered about C1, and the head is told that of them and nothing else.
    assert rows["C1"]["waiting"] and rows["C1"]["rate"] is None
    assert not rows["C2"]["waiting"] and rows["C2"]["respondents"] == 0
    assert shown["waiting"] == sum(row["waiting"] for row in shown["rows"]) >= 1
    assert shown["silent"] == sum(
        row["respondents"] == 0 and not row["waiting"] for row in shown["rows"]
    )
    assert shown["compared"] == 0
    quality = view("quality", period=month, kind="commune", headers=head)
    assert "C1" in {row["unit"]["code"] for row in quality["waiting"]}
    silent = {row["unit"]["code"] for row in quality["silent"]}
    assert "C1" not in silent and "C2" in silent
    # Who may see small figures waits for nothing.
    assert view("units", period=month, kind="commune")["waiting"] == 0


def test_nobody_collects_answers_to_a_form_that_a_unit_does_not_use(view):
    assert view("unit", unit="W1")["collecting"]["rows"] == []
    rows = view("unit", unit="W1", questionnaire="moh-inpatient")["collecting"]["rows"]
    assert [row["unit"]["code"] for row in rows] == ["W1"]


def test_both_stores_say_the_same(templates, postgres, tmp_path):
    """Every view, of the same few people, from a SQLite file and from a PostgreSQL server."""
    rng = np.random.default_rng(5)
    sent = [
        (new_id(), unit, f"2026-0{1 + n % 6}-{1 + n % 27:02}T09:00:00+07:00",
         {code: int(rng.integers(1, 6)) for code in CODES} | {"trips": 1 + n % 3})
        for unit in ("A1", "C1", "C2", "D1")
        for n in range(14)
    ]  # fmt: skip
    told = {}
    for backend in BACKENDS:
        url = new_database(backend, templates, postgres, tmp_path)
        with closing(Database(url)) as database:
            province = SmallProvince.found(database)
            bodies = [
                body(province.points[(unit, FORM.code)], answers, answered_at=at, id=id)
                for id, unit, at, answers in sent
            ]
            with serving(Settings(database_url=url, cache_s=0)) as client:
                province.send(client, bodies)
                for name in VIEWS:
                    for reader in (province.reader(), province.public_reader()):
                        answer = client.get(
                            f"/api/v1/views/{name}",
                            params={"questionnaire": FORM.code, "period": "2026-H1"},
                            headers=reader,
                        )
                        assert answer.status_code == 200, answer.text
                        told.setdefault(backend, []).append(answer.json())
    one, other = (told[backend] for backend in BACKENDS)
    for left, right in zip(one, other, strict=True):
        assert_alike(left, right)


def assert_alike(left, right):
    """The same answer, save for the last digits that another order of rows gives."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_alike(left[key], right[key])
    elif isinstance(left, list):
        assert len(left) == len(right)
        for pair in zip(left, right, strict=True):
            assert_alike(*pair)
    elif isinstance(left, float):
        assert left == pytest.approx(right, rel=1e-6, abs=1e-9)
    else:
        assert left == right
