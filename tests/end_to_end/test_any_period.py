"""Every figure of any period: one without a beginning, without an end, to come, or with no answers.

The routes are found by walking the application, so that a new one is asked too. None is ever a
defect, and what is JSON is what the document says.
"""

import json
import random
from datetime import date
from functools import cache

import httpx
import pytest
from jsonschema import Draft202012Validator

from app.access.roles import Role
from app.main import create_app
from app.registry.volumes import keep_volumes
from app.web.openapi import routes_of
from tests.conftest import serving
from tests.small_province import SmallProvince, body

#: The first day and the last: the answers are of January 2026.
DAYS = (
    (None, None), ("2026-10-01", None), (None, "2026-10-31"), (None, "2025-12-31"),
    ("2026-01-01", "2026-01-31"), ("2099-01-01", "2099-12-31"), ("2000-01-01", "2000-12-31"),
    ("2099-01-01", None), ("0001-01-01", None), (None, "9999-12-31"),
    ("0001-01-01", "0001-01-01"), ("9999-12-31", "9999-12-31"), ("0001-01-01", "9999-12-31"),
)  # fmt: skip
PERIODS = (
    None, "2026-Q1", "2026-01", "2000-01", "2099-12", "2026-10-02..2026-10-02",
    "2000-01-01..2099-12-31",
)  # fmt: skip
#: What else a route is asked with, where it takes a parameter of this name.
VALUES = {
    "questionnaire": ("sipas-desk", "moh-inpatient"),
    "kind": ("hospital", None),
    "month": ("2026-01", "2026-10", "2099-12"),
    "step": ("month", "quarter", None),
    "adjust": ("trips",),
    "margin": ("trips:1=5,2=5",),
    "with": ("previous", "year-before", "peers"),
    "by": ("unit", "month", "day"),
    "format": ("xlsx",),
}
#: In an address, where there is something of that name.
PARTS = {
    "name": "unit", "figure": "trend", "file_format": "svg", "unit": "C1", "code": "nothing",
    "token": "nothing", "id": "1", "language": "vi", "version": "2",
}  # fmt: skip
APP = create_app()
#: What ``/openapi.json`` answers (tests/web/test_pages.py), made once for all worlds.
DOCUMENT = cache(lambda: json.loads(json.dumps(APP.openapi())))
ROUTES = [
    route
    for route in routes_of(APP)
    # A stream has no end; tests/reports/test_feed.py reads it.
    if "GET" in route.methods and not route.path.endswith("/stream")
]


def taken(dependant):
    """The names of the parameters that a route and its dependencies take."""
    names = {each.alias for each in dependant.query_params}
    return names.union(*(taken(each) for each in dependant.dependencies))


def questions(route, draw):
    """The parameters by which a route is asked: every period, the others drawn."""
    known = taken(route.dependant)
    if {"from", "to"} <= known:
        periods = [{"from": first, "to": last} for first, last in DAYS]
    elif "period" in known:
        periods = [{"period": name} for name in PERIODS]
    else:
        periods = [{}]
    for period in periods:
        others = {name: draw.choice(values) for name, values in VALUES.items() if name in known}
        yield {name: value for name, value in (period | others).items() if value is not None}


def fill(client, province):
    """Answers of one month about one unit, and cases of the unit beside it."""
    for number in range(31):
        answers = {"A1": 4, "B1": 5 - number % 2, "C1": 2 + number % 3, "trips": 1 + number % 2}
        sent = body(province.points[("C1", "sipas-desk")], answers)
        sent["answered_at"] = f"2026-01-{1 + number % 28:02}T10:00:00+07:00"
        done = client.post("/api/v1/responses", json=sent, headers=province.importer())
        assert done.status_code == 201, done.text


WORLDS = ("no unit", "no answer", "answers of one unit")


@pytest.fixture
def world(request, settings, database):
    province = SmallProvince(database)
    if request.param != "no unit":
        province = SmallProvince.found(database)
        with database.writing() as session:
            keep_volumes(session, [("W1", date(2026, 11, 1), 40)], "a test")
    open_to_all = settings.model_copy(update={"public_page": True, "public_rate": "100000/minute"})
    with serving(open_to_all) as client:
        if request.param == "answers of one unit":
            fill(client, province)
        yield client, province


@pytest.mark.parametrize(
    ("world", "database_url"),
    [*((name, "sqlite") for name in WORLDS), ("no answer", "postgresql")],
    indirect=True,
)
def test_no_period_is_a_defect(world):
    client, province = world
    document = DOCUMENT()
    callers = [province.person((Role.PROVINCIAL_ANALYST, None)).headers, province.public_reader()]
    draw = random.Random(2026)
    wrong = []
    for route in ROUTES:
        schema = {}
        if route.include_in_schema:
            told = document["paths"][route.path_format]["get"]["responses"]["200"]
            schema = told.get("content", {}).get("application/json", {}).get("schema", {})
        check = Draft202012Validator(schema | {"components": document["components"]})
        path = route.path_format.format_map(PARTS)
        for parameters in questions(route, draw):
            try:
                answer = client.get(path, params=parameters, headers=draw.choice(callers))
            except httpx.TransportError:
                answer = httpx.Response(500)
            if answer.status_code >= 500:
                wrong.append((path, parameters, "a defect"))
            elif answer.headers.get("content-type") == "application/json":
                found = check.iter_errors(answer.json())
                wrong += [(path, parameters, each.message) for each in found]
    assert not wrong, wrong[:20]


@pytest.mark.parametrize("world", ["no answer"], indirect=True)
def test_what_units_without_answers_serve_is_counted_in_an_open_period(world):
    client, province = world
    asked = {"questionnaire": "moh-inpatient", "kind": "hospital"}
    url, headers = "/api/v1/satisfaction/stratified", province.reader()
    for days, cases in (
        ({"from": "2026-10-01"}, 40), ({"to": "2026-10-31"}, 0), ({}, 40),
        ({"from": "2026-12-01"}, 0), ({"to": "2026-11-30"}, 40),
    ):  # fmt: skip
        (row,) = client.get(url, params=asked | days, headers=headers).json()["rows"]
        assert (row["cases"], row["respondents"]) == (cases, 0), days
        assert row["stratified"]["rate"] is None


def test_a_comparison_with_a_time_before_the_calendar_is_refused(client, province):
    answer = client.get(
        "/api/v1/satisfaction/compare",
        params={"questionnaire": "sipas-desk", "from": "0001-01-01", "to": "0001-12-31"},
        headers=province.reader(),
    )
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/period-invalid" and answer.json()["field"] == "from"
