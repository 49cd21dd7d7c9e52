"""Figures of few respondents are hidden from whoever lacks the right, on every route of reports."""

import httpx
import pytest

from app.main import create_app
from app.reports.routes import router
from app.settings import Settings
from app.web.openapi import routes_of
from tests.small_province import body

URL = "/api/v1/satisfaction"
FIGURES = (
    "rate", "low", "high", "standard_error", "respondents", "answers", "design_effect",
    "mean_score",
)  # fmt: skip


@pytest.fixture
def ask(client, province):
    """C1 has 9 respondents, D1's own desk 10."""

    def answer_times(unit, times):
        headers = province.device(unit)
        batch = [body(answers={"A1": 5 if n else 2, "B1": 4}) for n in range(times)]
        client.post("/api/v1/responses", json={"responses": batch}, headers=headers)

    answer_times("C1", 9)
    answer_times("D1", 10)

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
    assert (rows["D1"]["respondents"], rows["D1"]["suppressed"]) == (10, False)
    assert rows["D1"]["rate"] == pytest.approx(19 / 20)
    # A unit that nobody answered for is empty, which tells about nobody.
    assert (rows["C2"]["respondents"], rows["C2"]["suppressed"]) == (0, False)


def test_the_right_shows_them(ask, province):
    rows = ask(province.reader(), by="unit", descendants="false")
    assert rows["C1"]["rate"] == pytest.approx(17 / 18) and rows["C1"]["suppressed"] is False


@pytest.mark.parametrize("by", ["item", "factor", "channel", "day", "year"])
def test_however_they_are_grouped(ask, province, client, by):
    answer = client.get(
        URL,
        params={"questionnaire": "sipas-desk", "unit": "C1", "by": by},
        headers=province.public_reader(),
    )
    rows = [row for row in answer.json()["rows"] if row["respondents"] != 0]
    assert rows and all(row["suppressed"] and row["rate"] is None for row in rows)


def test_every_route_of_reports_is_asked_here(tmp_path):
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    paths = {route.path for route in routes_of(app)} & {route.path for route in router.routes}
    assert paths == {URL}, "ask the new route for a cell of 9 here"
