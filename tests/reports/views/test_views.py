"""What the pages show: each figure is the API's own, or a recount of the answers that were sent."""

from collections import Counter
from contextlib import closing
from datetime import date

import numpy as np
import pytest

from app.access.roles import Role
from app.db import Database
from app.registry.volumes import keep_volumes
from app.settings import Settings
from tests.conftest import serving
from tests.databases import BACKENDS, new_database
from tests.figures.district import CODES, COMMUNES, FELL, FORM, ITEMS, ROSE, SENT, SMALL, VOLUMES
from tests.reports.views.asked import VIEWS
from tests.small_province import SmallProvince, body, new_id

FIGURE = ("rate", "low", "high", "respondents")


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
