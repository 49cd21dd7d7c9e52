"""Drivers of an overall question over HTTP: what is named, what the pages say, what is drawn."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import drivers
from app.access.models import Right
from app.messages.words import Words
from app.reports import sentences
from app.reports.charts import unit_charts
from app.reports.views.results import UnitView
from surveys.loader import FORMS, load_file
from tests.results import result
from tests.small_province import body

FORM = load_file(FORMS / "moh-inpatient.yaml")
ITEMS = {f.code: [item.code for item in FORM.index_items(f)] for f in FORM.index_factors}
OF_W1 = {"unit": "W1", "questionnaire": FORM.code}
PEOPLE = 300


@pytest.fixture
def answers():
    """Answers of patients who mind the rooms (C) most, and like them least."""
    rng = np.random.default_rng(8)
    general = rng.normal(size=(PEOPLE, 1))
    factor = 0.6 * general + 0.8 * rng.normal(size=(PEOPLE, len(ITEMS)))
    at = list(ITEMS).index("C")
    expectation = 70 + 4 * factor.sum(axis=1) + 14 * factor[:, at] + 6 * rng.normal(size=PEOPLE)
    made = []
    for i in range(PEOPLE):
        levels = {}
        for j, items in enumerate(ITEMS.values()):
            height = 4.4 - 0.9 * (j == at) + 0.7 * factor[i, j]
            drawn = np.clip(np.round(height + 0.5 * rng.normal(size=len(items))), 1, 5)
            levels |= dict(zip(items, drawn.astype(int).tolist(), strict=True))
        made.append(levels | {"G1": int(np.clip(round(expectation[i]), 0, 150))})
    return made


@pytest.fixture
def ask(client, province, answers):
    sent = [
        body(
            province.points[("W1", FORM.code)], each,
            questionnaire=FORM.code, answered_at=f"2026-08-{1 + i % 28:02}T10:00:00+07:00",
        )
        for i, each in enumerate(answers)
    ]  # fmt: skip
    for start in range(0, PEOPLE, 100):
        batch = {"responses": sent[start : start + 100]}
        done = client.post("/api/v1/responses", json=batch, headers=province.importer())
        assert {each["status"] for each in done.json()["responses"]} == {"accepted"}, done.text
    headers = province.credential(Right.READ_FIGURES)

    def ask(path, status=200, **options):
        answer = client.get(f"/api/v1{path}", params=OF_W1 | options, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_overall_question_is_the_outcome_and_what_is_told_apart_is_named(ask, answers):
    found = ask("/satisfaction/drivers")
    assert found["outcome"] == "G1" and found["respondents"] == PEOPLE
    levels = [np.array([[a[i] for i in items] for a in answers]) for items in ITEMS.values()]
    scores = np.stack([each.mean(axis=1) for each in levels], axis=1)
    overall = np.array([each["G1"] for each in answers], dtype=float)
    important = drivers.importance(scores, overall)
    below = drivers.rates_apart(
        np.stack([(each >= 4).sum(axis=1) for each in levels], axis=1),
        np.stack([np.full(PEOPLE, each.shape[1]) for each in levels], axis=1),
    )
    for i, row in enumerate(found["rows"]):
        assert row["share"] == pytest.approx(important.share[i])
        assert row["rate_difference"] == pytest.approx(below.difference[i])
        # Drawn from the respondents in another order: the same up to the draws.
        assert row["share_difference_low"] == pytest.approx(important.apart.low[i], abs=0.02)
        assert row["rate_difference_high"] == pytest.approx(below.high[i], abs=0.01)
        assert row["improve_first"] == (row["factor"] == "C")
        assert (row["quadrant"] == "concentrate here") == row["improve_first"]

    unit, items = ask("/views/unit", period="2026-Q3"), ask("/views/items", period="2026-Q3")
    assert unit["drivers"]["rows"] == found["rows"] and unit["no_drivers"] is None
    assert unit["drivers"]["improve_first"] == ["C"]
    rates = {row["item"]: row["rate"] for row in items["items"] if row["factor"] == "C"}
    assert items["improve_first"] == sorted(rates, key=rates.get)[:5]
    words = Words("vi")
    first, how, size, second = sentences.improve(words, UnitView.model_validate(unit))
    assert "kiểm định một phía" in how
    assert first.startswith("Cải thiện trước: C. ") and second.startswith("Câu hỏi nên bắt đầu: C")
    lowest = unit["lowest"]["rows"][0]
    assert size.startswith("C. ") and lowest["factor"] == "C" and lowest["below"]
    assert f"{words.points(lowest['difference'])} điểm phần trăm so với trung bình" in size
    table = unit_charts.drivers(words, UnitView.model_validate(unit)).table
    assert [line[-1] for line in table.rows if line[0].startswith("C.")] == ["Cần cải thiện trước"]

    again = ask("/satisfaction/drivers", outcome="G1")
    assert again["rows"] == found["rows"]
    for outcome in ("index", "C1"):
        refused = ask("/satisfaction/drivers", 422, outcome=outcome)
        assert refused["type"] == "/problems/outcome-needed"
        assert "G1" not in refused["title"] and refused["field"] == "outcome"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_first_to_improve_whose_shown_interval_holds_zero(ask, monkeypatch):
    """The analysis looks to one side, what is shown has two: what is told follows from it."""
    apart = drivers.rates_apart

    def wide(*args, **options):
        found = apart(*args, **options)
        lowest = found.difference == np.nanmin(found.difference)
        return replace(found, high=np.where(lowest, 0.001, found.high))

    assert [r["factor"] for r in ask("/satisfaction/drivers")["rows"] if r["improve_first"]] == [
        "C"
    ]
    monkeypatch.setattr(drivers, "rates_apart", wide)
    for row in ask("/satisfaction/drivers")["rows"]:
        assert not row["improve_first"] and row["quadrant"] != "concentrate here"
        assert row["factor"] != "C" or row["rate_difference_high"] > 0
    unit = ask("/views/unit", period="2026-Q3")
    said = " ".join(sentences.improve(Words("en"), UnitView.model_validate(unit)))
    assert "No factor is told apart" in said and "Improve first" not in said


def row(factor, difference, low, high, rate=0.8):
    return {
        "factor": factor, "name": {"vi": f"Yếu tố {factor}", "en": f"Factor {factor}"},
        "rate": rate, "difference": difference, "low": low, "high": high,
        "below": high is not None and high < 0,
    }  # fmt: skip


def told(lowest, drivers=None, why="outcome-needed", language="en"):
    items = [
        {"item": f"{f}1", "factor": f, "rate": rate, "name": {"vi": f, "en": f}}
        for f, rate in (("A", 0.95), ("B", 0.8))
    ]
    answer = {"drivers": drivers, "no_drivers": why, "lowest": lowest, "items": items}
    return sentences.improve(Words(language), result(UnitView, answer))


def test_without_an_overall_question_only_what_is_lower_is_told():
    apart = {"rows": [row("B", -0.15, -0.2, -0.1), row("A", 0.15, 0.1, 0.2)]}
    sure = told(apart)
    assert "nothing can be said of effects" in sure[0]
    assert sure[1].startswith("B. Factor B: −15.0 percentage points") and "−20.0" in sure[1]
    assert sure[2] == "Questions to begin with: B1. B (80.0%)." and len(sure) == 3
    assert not any("Improve first" in each or "much effect" in each for each in sure)
    # The highest one is never called lower, nor any whose limits hold 0.
    unsure = told({"rows": [row("B", -0.15, -0.32, 0.02), row("A", 0.15, -0.02, 0.32)]})
    assert "No factor is clearly lower" in unsure[1]
    assert unsure[2].startswith("Questions with the lowest rates: B1.")
    assert "Too few" in told(None, why="too-few-respondents")[0]
    none = {"improve_first": [], "rows": []}
    vietnamese = told(apart, drivers=none, why=None, language="vi")
    assert vietnamese[0].startswith("Chưa phân biệt được yếu tố nào")
    assert vietnamese[1].startswith("B. Yếu tố B: ")
