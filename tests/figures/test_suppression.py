"""Figures of few respondents are hidden from whoever lacks the right, on every route of reports."""

from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from scipy.optimize import linprog

from app.access.roles import Role
from app.api.comments import router as comment_router
from app.api.rates import router as rate_router
from app.api.statistics import router as statistics_router
from app.main import create_app
from app.settings import Settings
from app.web.openapi import routes_of
from tests.small_province import body

pytestmark = pytest.mark.usefixtures("month_over")

URL, COMMENTS = "/api/v1/satisfaction", "/api/v1/comments"
THEMES = f"{COMMENTS}/themes"
RESPONSE_RATES = "/api/v1/response-rates"  # asked in tests/invitations
FIGURES = (
    "rate", "low", "high", "standard_error", "respondents", "answers", "design_effect",
    "mean_score",
)  # fmt: skip


@pytest.fixture
def ask(client, province):
    """C1 has 9 respondents, D1's own desk 10, the agency A1 10."""

    def answer_times(unit, times):
        headers = province.device(unit)
        batch = [body(answers={"A1": 5 if n else 2, "B1": 4}) for n in range(times)]
        client.post("/api/v1/responses", json={"responses": batch}, headers=headers)

    answer_times("C1", 9)
    answer_times("D1", 10)
    answer_times("A1", 10)

    def get(headers, **parameters):
        answer = client.get(
            URL, params={"questionnaire": "sipas-desk"} | parameters, headers=headers
        )
        httpx.Response.raise_for_status(answer)
        return {row.get("unit", {}).get("code"): row for row in answer.json()["rows"]}

    return get


def test_nine_are_hidden_and_ten_are_shown(ask, province):
    rows = ask(province.public_reader(), by="unit", descendants="false")
    assert [rows["C1"][name] for name in FIGURES] == [None] * len(FIGURES)
    assert rows["C1"]["suppressed"] is True and rows["C1"]["method"] == "suppressed"
    assert rows["C1"]["wholly_satisfied"] == {"rate": None, "low": None, "high": None}
    assert (rows["A1"]["respondents"], rows["A1"]["suppressed"]) == (10, False)
    assert rows["A1"]["rate"] == pytest.approx(19 / 20)
    # The district's own desk would give C1 away, since the whole district can be asked for.
    assert (rows["D1"]["respondents"], rows["D1"]["suppressed"]) == (None, True)
    assert ask(province.public_reader(), by="unit")["D1"]["respondents"] == 19
    # A unit that nobody answered for is empty, which tells about nobody.
    assert (rows["C2"]["respondents"], rows["C2"]["suppressed"]) == (0, False)


def test_the_right_shows_them(ask, province):
    rows = ask(province.reader(), by="unit", descendants="false")
    assert rows["C1"]["rate"] == pytest.approx(17 / 18) and rows["C1"]["suppressed"] is False


def test_no_small_row_follows_from_all_that_can_be_asked(client, province):
    """Every margin is asked for as a stranger to small cells; what they tell is solved."""
    told = {"C1": 3, "C2": 25, "D1": 14, "A1": 40, "W1": 0}
    for unit, times in told.items():
        if times:
            batch = [body(answers={"A1": 5, "B1": 4}) for _ in range(times)]
            headers = province.device(unit)
            sent = client.post("/api/v1/responses", json={"responses": batch}, headers=headers)
            assert sent.status_code == 200, sent.text
    reader, known = province.public_reader(), {}
    for descendants in ("true", "false"):
        for by in (["unit"], ["unit", "month"], ["unit", "channel"]):
            answer = client.get(
                URL,
                params={"questionnaire": "sipas-desk", "by": by, "descendants": descendants},
                headers=reader,
            )
            for row in answer.json()["rows"]:
                key = (row["unit"]["code"], descendants, row.get("period"), row.get("channel"))
                known[key] = row["respondents"]
    # The unknowns are what each unit's own people said; a row over units below is their sum.
    units = ["77", "A1", "D1", "C1", "C2", "H1", "W1"]
    below = {"77": units, "D1": ["D1", "C1", "C2"], "H1": ["H1", "W1"]}
    rows, right = [], []
    for (unit, descendants, _, channel), respondents in known.items():
        if respondents is not None:
            parts = below.get(unit, [unit]) if descendants == "true" else [unit]
            if channel is not None:  # C2's point is paper, all others are QR codes
                parts = [part for part in parts if (part == "C2") == (channel == "paper")]
            rows.append([float(each in parts) for each in units])
            right.append(respondents)
    target = [-float(each == "C1") for each in units]
    low, high = (
        linprog(sign * np.array(target), A_eq=rows, b_eq=right, bounds=(0, None)).x[3]
        for sign in (1, -1)
    )
    assert abs(high - low) >= 10
    assert known[("77", "true", None, None)] == sum(told.values())
    pooled = client.get(
        URL, params={"questionnaire": "sipas-desk", "unit": ["C1", "A1"]}, headers=reader
    ).json()
    assert pooled["type"] == "/problems/too-fine"  # less A1 it would be C1


@pytest.mark.parametrize("by", ["item", "factor", "channel", "month", "year"])
def test_however_they_are_grouped(ask, province, client, by):
    answer = client.get(
        URL,
        params={"questionnaire": "sipas-desk", "unit": "C1", "by": by},
        headers=province.public_reader(),
    )
    rows = [row for row in answer.json()["rows"] if row["respondents"] != 0]
    assert rows and all(row["suppressed"] and row["rate"] is None for row in rows)


def test_rates_of_few_are_shown_where_the_right_is_held_and_nowhere_else(ask, province, client):
    """Somebody with two roles: an analyst of the district C1, a head of all."""
    both = province.person((Role.PROVINCIAL_ANALYST, "C1"), (Role.UNIT_HEAD, "77"))

    def rows(**parameters):
        answer = client.get(
            URL, params={"questionnaire": "sipas-desk"} | parameters, headers=both.headers
        )
        return answer.json()["rows"]

    shown = {row["unit"]["code"]: row for row in rows(by="unit", descendants="false")}
    assert shown["C1"]["respondents"] == 9 and shown["C1"]["suppressed"] is False
    assert rows(unit="C1")[0]["respondents"] == 9
    for _ in range(3):
        answer = client.post("/api/v1/responses", json=body(), headers=province.device("C2"))
        assert answer.status_code == 201
    assert rows(unit="C2")[0]["suppressed"] is True
    # Over C1, whose few may be seen, and C2, whose few may not, all of them may not.
    with_few = {row["unit"]["code"]: row for row in rows(by="unit", descendants="false")}
    assert with_few["C2"]["suppressed"] is True


@pytest.mark.parametrize(("respondents", "shown"), [(9, 0), (10, 10)])
def test_comments_of_nine_are_withheld(client, province, respondents, shown):
    headers = province.device("D1")
    batch = [body(answers={"A1": 4, "comment": f"chờ lâu {n}"}) for n in range(respondents)]
    client.post("/api/v1/responses", json={"responses": batch}, headers=headers)
    month = f"{datetime.now(Settings().zone):%Y-%m}"
    head = province.person((Role.UNIT_HEAD, "D1"))
    found = client.get(COMMENTS, params={"month": month}, headers=head.headers).json()
    assert (len(found["comments"]), found["few"]) == (shown, int(not shown))
    themes = client.get(THEMES, params={"month": month}, headers=head.headers).json()
    assert [each["months"][-1]["about"] for each in themes["trends"]] == [shown] * bool(shown)
    analyst = province.person((Role.PROVINCIAL_ANALYST, "77"))
    found = client.get(COMMENTS, params={"month": month}, headers=analyst.headers).json()
    assert (len(found["comments"]), found["few"]) == (respondents, 0)


def test_every_route_of_reports_is_asked_for_few(tmp_path):
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    routes = [*rate_router.routes, *comment_router.routes]
    paths = {route.path for route in routes_of(app)} & {route.path for route in routes}
    assert paths == {URL, COMMENTS, THEMES, RESPONSE_RATES}, (
        "ask the new route for a cell of 9 here"
    )
    asked = (Path(__file__).parents[1] / "api/statistics/test_few.py").read_text("utf-8")
    asked = asked.split("def test_the_small_unit_is_seen_in_no_statistic")[1]
    asked += "planning"  # tells counts, and a test of its own says what it does not tell
    for route in statistics_router.routes:
        assert route.path.rpartition("/")[2] in asked, f"ask {route.path} for a cell of 4 there"
