"""The tree that figures are asked in, over HTTP: which by itself, which by name, and refusals."""

import csv
import io
from datetime import date

import pytest

from app.access import credentials
from app.access.models import Right
from app.registry.models import Unit
from app.settings import Settings
from tests.conftest import serving
from tests.databases import BACKENDS
from tests.reorganised import AFTER, DECISION, standing

pytestmark = pytest.mark.usefixtures("month_over")
SIPAS = {"questionnaire": "sipas-desk"}
#: The last half-year before the day.
BEFORE = {"from": "2025-01-01", "to": "2025-06-30"}


@pytest.fixture(scope="module", params=BACKENDS)
def world(request, templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("structure-parameter")
    with (
        standing(request.param, templates, postgres, folder) as (made, database, url),
        serving(Settings(database_url=url, cache_s=0)) as client,
    ):
        yield made, database, client


def key(world, *rights, unit=None):
    made, database, _ = world
    with database.writing("a test") as session:
        of_unit = session.get_one(Unit, made.units[unit]) if unit else None
        secret = credentials.issue(session, "test", rights, None, None, unit=of_unit)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def ask(world):
    headers = key(world, Right.READ_FIGURES, Right.READ_SMALL_CELLS, Right.READ_REGISTRY,
                  Right.READ_COMMENTS)  # fmt: skip

    def ask(path, **params):
        answer = world[2].get(f"/api/v1/{path}", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def codes(found):
    return {row["unit"]["code"] for row in found["rows"]}


def test_rates_and_trends_are_of_today_and_comparisons_of_the_period(ask):
    for path, params in (
        ("satisfaction", {"by": "unit"}),
        ("satisfaction/trend", {"unit": "P1", "step": "month"}),
        ("satisfaction/stratified", {}),
    ):
        found = ask(path, **SIPAS, **BEFORE, **params)
        assert "P2" not in codes(found) and "P1" in codes(found)
        assert found["structure"] >= "2025-07-01" and found["change_days"] == []
    for path in ("satisfaction/ranking", "satisfaction/funnel"):
        found = ask(path, **SIPAS, **BEFORE)
        assert codes(found) == {"A1", "H1", "P1", "P2", "P3", "P4"}, path
        assert found["structure"] == "2025-06-30"
    found = ask("satisfaction/compare", **SIPAS, **BEFORE, **{"with": "previous"})
    assert {"P2", "D1"} < codes(found)
    assert ask("satisfaction/alerts", **SIPAS, **BEFORE, step="month")["structure"] == "2025-06-30"


def test_a_structure_is_asked_for_by_name_or_day(ask, world):
    made = world[0]
    rows = {
        name: {
            row["unit"]["code"]: row["respondents"]
            for row in ask("satisfaction", **SIPAS, **BEFORE, by="unit", structure=name)["rows"]
        }
        for name in ("today", "then", "2025-06-30", "2025-07-01")
    }
    assert rows["then"] == rows["2025-06-30"] and rows["today"] == rows["2025-07-01"]
    days = {"first": date(2025, 1, 1), "last": date(2025, 6, 30)}
    assert rows["then"]["P1"] == made.people("old P1", **days)
    assert rows["today"]["P1"] == made.people("old P1", "old P2", **days)
    # A share gives no whole number of people, and it is told as it is; whole numbers stay whole.
    assert rows["today"]["P6"] == made.people("old P4", **days) / 4 == 12.25
    assert isinstance(rows["today"]["P1"], int)


def test_days_of_change_within_the_period_are_named(ask):
    across = {"from": "2025-01-01", "to": "2025-12-31"}
    assert ask("satisfaction", **SIPAS, **across)["change_days"] == ["2025-07-01"]
    assert ask("response-rates", **across)["change_days"] == ["2025-07-01"]


def test_what_is_no_structure_is_refused(world):
    headers = key(world, Right.READ_FIGURES)
    for structure in ("yesterday", "2025-02-30", "2025"):
        answer = world[2].get(
            "/api/v1/satisfaction", params={**SIPAS, "structure": structure}, headers=headers
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "structure"


def test_a_unit_of_another_time_is_unknown_and_it_is_said_when_there_was_one(world):
    answer = world[2].get(
        "/api/v1/satisfaction", params={**SIPAS, "unit": "P2"},
        headers=key(world, Right.READ_FIGURES) | {"Accept-Language": "vi"},
    )  # fmt: skip
    assert answer.status_code == 404 and answer.json()["type"] == "/problems/unknown-unit"
    assert "Phường 2 (từ 01/01/2024 đến 30/06/2025)" in answer.json()["detail"]


def test_feed_comments_and_views_take_a_structure(ask, world):
    _, _, client = world
    headers = key(world, Right.READ_FIGURES, Right.READ_SMALL_CELLS)
    found = {}
    for structure in ("today", "then"):
        answer = client.get(
            "/api/v1/feed.csv", params={**SIPAS, **BEFORE, "structure": structure}, headers=headers
        )
        table = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
        found[structure] = {row["unit_code"] for row in table}
    assert "P2" in found["then"] and "P2" not in found["today"] and "77~" in found["today"]
    read = ask("comments", month="2025-06", structure="then")
    assert {each["unit"]["code"] for each in read["comments"]} == {"P1", "P3", "P4", "H1"}
    for structure, there in (("today", False), ("then", True)):
        view = ask("views/units", period="2025-Q2", kind="commune", structure=structure)
        assert ("P2" in codes(view)) is there
        assert (view["structure"] == "2025-06-30") is there and view["changed_since"]
        names = [name["vi"] for name in view["undivided"]]
        assert names == ([] if there else ["Huyện 1", "Phường 3"])


def test_units_of_a_day_have_the_names_of_then_and_say_what_became_of_them(ask):
    now = {row["code"]: row for row in ask("units", on="2025-07-01")["units"]}
    then = {row["code"]: row for row in ask("units", on="2025-06-30")["units"]}
    assert set(now) == {"77", *AFTER} and set(then) == {
        "77",
        "D1",
        "A1",
        "H1",
        "P1",
        "P2",
        "P3",
        "P4",
    }
    assert (then["A1"]["name_vi"], now["A1"]["name_vi"]) == ("Sở cũ", "Sở mới")
    assert (then["H1"]["parent"], now["H1"]["parent"]) == ("D1", "77")
    assert {each["name_vi"] for each in now["P1"]["predecessors"]} == {"Phường 1", "Phường 2"}
    assert [(each["code"], each["share"]) for each in then["P4"]["successors"]] == [
        ("P4", 0.75), ("P6", 0.25),
    ]  # fmt: skip
    assert then["P2"]["valid_to"] == "2025-06-30" and now["P1"]["valid_to"] is None
    assert {row["code"] for row in ask("units", on="2025-06-30", kind="district")["units"]} == {
        "D1"
    }
    assert len(ask("units")["units"]) == 13  # of all times


def test_a_codes_history_has_all_units_that_had_it_their_names_and_the_plan(ask, world):
    old, new = ask("units/P1/history")["units"]
    assert (old["valid_to"], new["valid_from"]) == ("2025-06-30", "2025-07-01")
    assert [each["name_vi"] for each in old["periods"]] == ["Phường 1"]
    (became,) = old["successors"]
    assert (became["code"], became["day"], became["decision"]) == ("P1", "2025-07-01", DECISION)
    assert {each["code"] for each in new["predecessors"]} == {"P1", "P2"}
    (agency,) = ask("units/A1/history")["units"]
    assert [(each["first_day"], each["name_vi"]) for each in agency["periods"]] == [
        ("2024-01-01", "Sở cũ"), ("2025-07-01", "Sở mới"),
    ]  # fmt: skip
    mine = key(world, Right.READ_REGISTRY, unit="P1")
    status = {
        code: world[2].get(f"/api/v1/units/{code}/history", headers=mine).status_code
        for code in ("P1", "P2", "P3", "nothing")
    }
    assert status == {"P1": 200, "P2": 200, "P3": 404, "nothing": 404}
