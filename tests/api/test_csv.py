"""Answers as CSV: the same figures, one a column, as spreadsheets and scripts read them."""

import csv
import io

import pandas as pd
import pytest

from app.api import csv as tables
from tests.small_province import body

URL = "/api/v1/satisfaction"
ASK = {"questionnaire": "sipas-desk"}


@pytest.fixture
def ask(client, province):
    for unit, levels in (("C1", [5, 4, 2, 5]), ("D1", [3, 4, 4, 5]), ("A1", [1, 5, 5, 5])):
        for level in levels * 4:
            answers = {f"{factor}1": level for factor in "ABCDE"} | {"trips": 1 + level % 2}
            sent = body(answers=answers)
            client.post("/api/v1/responses", json=sent, headers=province.device(unit))
    reader = province.reader()

    def get(path="", accept="text/csv", **parameters):
        answer = client.get(
            URL + path, params=ASK | parameters, headers=reader | {"Accept": accept}
        )
        assert answer.status_code == 200, answer.text
        return answer

    return get


def table(answer):
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "Accept" in answer.headers["vary"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_rates_are_the_same_in_both_forms(ask):
    rows = ask(accept="application/json", by="unit").json()["rows"]
    lines = table(ask(by="unit"))
    assert len(lines) == len(rows) == 7
    for line, row in zip(lines, rows, strict=True):
        assert line["unit.code"] == row["unit"]["code"]
        assert line["unit.name.vi"] == row["unit"]["name"]["vi"]
        assert (float(line["rate"]) if line["rate"] else None) == row["rate"]
        assert line["respondents"] == str(row["respondents"])
        assert line["suppressed"] == "false" and line["questionnaire"] == "sipas-desk"


def test_pandas_reads_it_as_numbers_and_vietnamese(ask):
    frame = pd.read_csv(io.BytesIO(ask(by="unit").content))
    assert frame["rate"].dtype == float and frame["respondents"].dtype == int
    assert frame["unit.name.vi"].iloc[0] == "Đơn vị 77"
    assert frame["low"].le(frame["rate"]).sum() == frame["rate"].notna().sum()


@pytest.mark.parametrize(
    ("path", "columns", "more"),
    [
        ("/ranking", {"rank", "rank_low", "rank_high"}, {"expand": "all", "unit": "77"}),
        ("/funnel", {"low_95", "high_998", "position"}, {"expand": "all", "unit": "77"}),
        ("/compare", {"change.estimate", "other.rate"}, {"unit": "C1", "with": "peers"}),
        ("/trend", {"points.period", "points.rate", "slope.a_period"}, {"unit": "C1"}),
        ("/drivers", {"factor", "share"}, {"outcome": "trips"}),
        ("/reliability", {"factor", "alpha"}, {}),
        ("/stratified", {"stratified.rate", "pooled.rate"}, {"unit": "D1"}),
        ("/planning", {"needed_to_publish"}, {"unit": "C1", "month": "2026-01"}),
        ("/weighted", {"rate", "unweighted.rate"}, {"margin": "A1:1-3=1,4-5=1"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_statistic_has_its_table(ask, path, columns, more):
    lines = table(ask(path, **more))
    assert lines and columns <= set(lines[0]) and lines[0]["version"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_excel_set_to_vietnamese_opens_the_same_figures(ask, client, province):
    """Semicolons, and a comma before decimals: pandas told so reads the very same."""
    for path, more in (("", {"by": "unit"}), ("/trend", {"unit": "C1"})):
        plain, theirs = ask(path, **more), ask(path, csv="semicolon", **more)
        assert theirs.text.startswith("\ufeff") and theirs.headers["etag"] != plain.headers["etag"]
        one = pd.read_csv(io.BytesIO(plain.content))
        other = pd.read_csv(io.BytesIO(theirs.content), sep=";", decimal=",")
        pd.testing.assert_frame_equal(one, other)
        assert one.select_dtypes(float).notna().to_numpy().any()
    feed = {
        name: client.get("/api/v1/feed.csv", params={"csv": name}, headers=province.reader())
        for name in ("comma", "semicolon")
    }
    assert all(answer.status_code == 200 for answer in feed.values())
    pd.testing.assert_frame_equal(
        pd.read_csv(io.BytesIO(feed["comma"].content)),
        pd.read_csv(io.BytesIO(feed["semicolon"].content), sep=";", decimal=","),
    )
    wrong = client.get(URL, params=ASK | {"csv": "tab"}, headers=province.reader())
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "csv"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_json_is_what_everybody_else_gets(ask):
    for accept in ("*/*", "application/json", "application/json, text/csv", "text/html"):
        assert ask(accept=accept, by="unit").headers["content-type"] == "application/json"
    assert table(ask(accept="text/csv;q=1, */*"))


def test_no_cell_is_a_formula_and_what_is_undefined_is_empty():
    rows = [{"unit": {"name": "=cmd|'/c calc'!A1"}, "rate": None, "shown": True, "points": []}]
    (line,) = csv.DictReader(io.StringIO(tables.table(rows)[1:]))
    assert line["unit.name"] == "'=cmd|'/c calc'!A1"
    assert line["rate"] == "" and line["shown"] == "true" and line["points"] == ""
    rows = [
        {"unit": {"code": "W1", "within": {"code": "H1", "name": {"vi": "BV", "en": "H"}}}},
        {"unit": {"code": "77", "within": None}},
    ]
    lines = list(csv.DictReader(io.StringIO(tables.table(rows)[1:])))
    columns = ["unit.code", "unit.within.code", "unit.within.name.vi", "unit.within.name.en"]
    assert [list(line) for line in lines] == [columns, columns]
    assert [list(line.values()) for line in lines] == [["W1", "H1", "BV", "H"], ["77", "", "", ""]]
    # Columns do not depend on which units there are.
    assert tables.table(rows[1:])[1:].split()[0].split(",") == columns
    mixed = [{"change": None}, {"change": {"estimate": 1.5}}]
    assert tables.table(mixed)[1:].split() == ["change.estimate", '""', "1.5"]
    assert tables.table([]) == "\ufeff\r\n"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_is_taken_for_a_formula_and_every_number_for_one(sign):
    text = tables.table([{"name": f"{sign}1+1", "figure": -0.5}])
    (line,) = csv.DictReader(io.StringIO(text[1:], newline=""))
    assert line == {"name": f"'{sign}1+1", "figure": "-0.5"}
