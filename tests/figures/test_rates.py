"""GET /api/v1/satisfaction: figures equal those that the raw answers give, however grouped."""

from collections import defaultdict
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import update

from analysis import clustered, proportions
from app.db import Database
from app.registry.models import Installation
from app.settings import Settings
from tests.conftest import serving
from tests.databases import BACKENDS, new_database
from tests.intake.test_store import Preparing
from tests.small_province import POINTS, UNITS, SmallProvince, body

pytestmark = pytest.mark.usefixtures("month_over")

URL = "/api/v1/satisfaction"
PARENT = {code: parent for code, _, parent in UNITS}
CHANNEL = {(unit, form): channel.value for unit, form, channel in POINTS}
SIPAS = [f"{f}{i}" for f, n in zip("ABCDE", (4, 5, 6, 3, 4), strict=True) for i in range(1, n + 1)]
TODAY = datetime.now(UTC).date()


def above(unit):
    while unit:
        yield unit
        unit = PARENT[unit]


@pytest.fixture(scope="module", params=BACKENDS)
def world(request, templates, postgres, tmp_path_factory):
    """400 respondents, (unit, form, day, answers), and a client that reads what they said."""
    folder = tmp_path_factory.mktemp("rates")
    url = new_database(request.param, templates, postgres, folder)
    with closing(Database(url)) as database:
        province = SmallProvince.found(database)
        drawn = answered(database, province)
        with serving(Settings(database_url=url, cache_s=0)) as client:
            yield drawn, client, province.reader()


def answered(database, province):
    rng = np.random.default_rng(5)
    prepare, drawn, group = Preparing(database), [], []
    for _ in range(400):
        (unit, form), code = list(province.points.items())[rng.integers(len(province.points))]
        days = int(rng.integers(0, 500))
        moment = datetime.now(UTC) - timedelta(days=days)
        if form == "sipas-desk":
            level = rng.normal(3.6, 0.8)
            answers = {
                item: int(np.clip(round(rng.normal(level, 0.8)), 1, 5))
                if rng.random() < 0.9
                else None
                for item in SIPAS
                if rng.random() < 0.9
            }
        elif form == "kiosk-face":
            answers = {"S1": int(rng.integers(3, 6))}
        else:
            answers = {item: int(rng.integers(2, 6)) for item in ("A1", "B2", "E5")}
        prepared = prepare(body(code, answers, questionnaire=form, answered_at=moment.isoformat()))
        group.append(prepared)
        drawn.append((unit, form, prepared.row.day, answers))
    prepare.store.append(group)
    return drawn


@pytest.fixture
def people(world):
    return world[0]


@pytest.fixture
def ask(world):
    _, client, headers = world

    def get(**parameters):
        names = {"first": "from", "last": "to"}
        answer = client.get(
            URL, params={names.get(k, k): v for k, v in parameters.items()}, headers=headers
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


def given(group, items=None):
    """Satisfied and all answers of each respondent who answered, and their levels."""
    found = []
    for answers in group:
        levels = [v for k, v in answers.items() if v is not None and (items is None or k in items)]
        if levels:
            found.append((sum(level >= 4 for level in levels), len(levels), sum(levels)))
    return np.array(found, dtype=float).reshape(-1, 3).T


def added(a, m):
    return a.sum(), m.sum(), a @ a, a @ m, m @ m, len(m)


def expected(group, items=None, among=None):
    """Rate and interval from the raw answers of a group of respondents.

    What a respondent's answers have in common is learnt ``among`` pairs of unit and answers.
    """
    a, m, s = given(group, items)
    n, scores, whole = len(m), s.sum(), int((a == m).sum())
    if n == 0:
        return {"rate": None, "low": None, "high": None, "respondents": 0, "answers": 0}
    units = defaultdict(list)
    for unit, answers in among or []:
        units[unit].append(answers)
    sums = [added(*given(each, items)[:2]) for each in units.values()]
    # Units of fewer than ten, who are not that many together, teach nothing.
    if sum(each[-1] for each in sums if each[-1] < 10) < 10:
        sums = [each for each in sums if each[-1] >= 10] or [(0, 0, 0, 0, 0, 0)]
    alike = clustered.shared_correlation(*np.array(sums).T) if sums else 1.0
    if (m == 1).all():
        found = proportions.interval(a.sum(), n)
    else:
        assert among
        found = clustered.ratio(*added(a, m), correlation=alike)
    wholly = proportions.interval(whole, n)
    return {
        "rate": pytest.approx(float(found.estimate)),
        "low": pytest.approx(float(found.low)),
        "high": pytest.approx(float(found.high)),
        "respondents": n,
        "answers": int(m.sum()),
        "mean_score": pytest.approx(scores / m.sum()),
        "wholly_satisfied": {
            "rate": pytest.approx(float(wholly.estimate)),
            "low": pytest.approx(float(wholly.low)),
            "high": pytest.approx(float(wholly.high)),
        },
    }


def of_form(people, form):
    return [(unit, answers) for unit, f, _, answers in people if f == form]


def same(row, want):
    assert {key: row[key] for key in want} == want


def test_every_unit_with_its_descendants_and_its_own_answers_apart(ask, people):
    for descendants, scope in (("true", "with_descendants"), ("false", "own")):
        rows = ask(by="unit", questionnaire="sipas-desk", descendants=descendants)["rows"]
        assert sorted(row["unit"]["code"] for row in rows) == sorted(PARENT)
        for row in rows:
            code = row["unit"]["code"]
            group = [
                answers
                for unit, form, _, answers in people
                if form == "sipas-desk"
                and code in (above(unit) if scope == "with_descendants" else [unit])
            ]
            assert row["scope"] == scope
            same(row, expected(group, among=of_form(people, "sipas-desk")))
    district = {"unit": "D1", "questionnaire": "sipas-desk"}
    own = ask(**district, descendants="false")["rows"][0]
    pooled = ask(**district)["rows"][0]
    assert own["respondents"] < pooled["respondents"] and own["rate"] != pooled["rate"]


def test_questionnaires_are_never_summed(ask, people):
    rows = {row["questionnaire"]: row for row in ask()["rows"]}
    assert rows.keys() >= {"sipas-desk", "kiosk-face", "moh-inpatient"}
    for form, row in rows.items():
        group = [answers for _, f, _, answers in people if f == form]
        same(row, expected(group, among=of_form(people, form)))
    assert rows["online-service"]["rate"] is None and rows["online-service"]["respondents"] == 0
    assert rows["kiosk-face"]["method"] == "wilson"


def test_factors_and_items(ask, people):
    group = [answers for _, form, _, answers in people if form == "sipas-desk"]
    factors = ask(by="factor", questionnaire="sipas-desk")["rows"]
    assert [row["factor"] for row in factors] == list("ABCDE")
    among = of_form(people, "sipas-desk")
    for row in factors:
        same(row, expected(group, [item for item in SIPAS if item[0] == row["factor"]], among))
    items = ask(by="item", questionnaire="sipas-desk")["rows"]
    assert [row["item"] for row in items] == SIPAS
    for row in items:
        want = expected(group, [row["item"]])
        assert row["wholly_satisfied"] is None
        same(row, {key: value for key, value in want.items() if key != "wholly_satisfied"})
    (one,) = ask(questionnaire="sipas-desk", item="C3")["rows"]
    assert one == next(row for row in items if row["item"] == "C3")
    (factor,) = ask(questionnaire="sipas-desk", factor="D")["rows"]
    same(factor, expected(group, ["D1", "D2", "D3"], among))


@pytest.mark.parametrize("step", ["day", "week", "month", "quarter", "year"])
def test_periods(ask, people, step):
    labels = {
        "day": str,
        "week": lambda d: f"{d.isocalendar().year}-W{d.isocalendar().week:02}",
        "month": lambda d: f"{d:%Y-%m}",
        "quarter": lambda d: f"{d.year}-Q{(d.month + 2) // 3}",
        "year": lambda d: str(d.year),
    }
    groups = defaultdict(list)
    for unit, form, day, answers in people:
        if form == "sipas-desk":
            groups[labels[step](day)].append((unit, answers))
    rows = ask(by=step, questionnaire="sipas-desk")["rows"]
    periods = [row["period"] for row in rows]
    assert periods == sorted(periods) and len(set(periods)) == len(periods)
    assert set(groups) <= set(periods)
    for row in rows:
        among = groups[row["period"]]
        same(row, expected([answers for _, answers in among], among=among))
    empty = [row for row in rows if row["respondents"] == 0]
    assert all(row["rate"] is None and row["low"] is None for row in empty)
    assert all(row["mean_score"] is None for row in empty)


def test_channels_and_groupings_together(ask, people):
    rows = ask(by=["unit", "channel", "year"], questionnaire="sipas-desk", descendants="false")[
        "rows"
    ]
    groups, among = defaultdict(list), defaultdict(list)
    for unit, form, day, answers in people:
        if form == "sipas-desk":
            channel = CHANNEL[(unit, form)]
            groups[(unit, channel, str(day.year))].append(answers)
            among[(channel, str(day.year))].append((unit, answers))
    seen = set()
    for row in rows:
        key = (row["unit"]["code"], row["channel"], row["period"])
        seen.add(key)
        same(row, expected(groups.get(key, []), among=among[key[1:]]))
    assert set(groups) <= seen
    (paper,) = ask(channel="paper", questionnaire="sipas-desk")["rows"]
    on_paper = [(u, a) for u, f, _, a in people if CHANNEL[(u, f)] == "paper"]
    same(paper, expected([a for _, a in on_paper], among=on_paper))


def test_filters_of_time_and_unit(ask, people):
    first, last = TODAY - timedelta(days=300), TODAY - timedelta(days=100)
    found = ask(unit="D1", questionnaire="sipas-desk", first=str(first), last=str(last))
    group = [
        answers
        for unit, form, day, answers in people
        if form == "sipas-desk" and "D1" in above(unit) and first <= day <= last
    ]
    among = [(u, a) for u, f, d, a in people if f == "sipas-desk" and first <= d <= last]
    same(found["rows"][0], expected(group, among=among))
    assert (found["first"], found["last"]) == (str(first), str(last))
    children = ask(unit="D1", expand="children", by="unit", questionnaire="sipas-desk")["rows"]
    assert [row["unit"]["code"] for row in children] == ["C1", "C2"]
    below = ask(unit="H1", expand="all", by="unit", questionnaire="moh-inpatient")["rows"]
    assert [row["unit"]["code"] for row in below] == ["H1", "W1"]
    assert below[0]["rate"] == below[1]["rate"]
    kinds = ask(kind="commune", by="unit", questionnaire="sipas-desk")["rows"]
    assert [row["unit"]["code"] for row in kinds] == ["C1", "C2"]
    nobody = ask(unit="C1", first="2001-01-01", last="2001-12-31", questionnaire="sipas-desk")
    assert (nobody["rows"][0]["rate"], nobody["rows"][0]["answers"]) == (None, 0)


def test_confidence(ask):
    wide = ask(questionnaire="sipas-desk", confidence=0.99)["rows"][0]
    narrow = ask(questionnaire="sipas-desk", confidence=0.8)["rows"][0]
    assert wide["low"] < narrow["low"] < narrow["rate"] < narrow["high"] < wide["high"]
    assert wide["design_effect"] > 1.5
    assert wide["method"] == "score on effective answers"


@pytest.mark.parametrize(
    ("parameters", "status", "code", "field"),
    [
        ({"unit": "C9"}, 404, "unknown-unit", "unit"),
        ({"questionnaire": "x"}, 404, "unknown-questionnaire", "questionnaire"),
        ({"questionnaire": "sipas-desk", "factor": "Z"}, 404, "unknown-factor", "factor"),
        ({"questionnaire": "sipas-desk", "item": "trips"}, 404, "unknown-item", "item"),
        ({"item": "A1"}, 422, "questionnaire-needed", "questionnaire"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, 422, "period-invalid", "to"),
        ({"from": "2026-02-30"}, 422, "invalid-fields", None),
        ({"by": "colour"}, 422, "invalid-fields", None),
        ({"by": "day", "from": "0001-01-01", "to": "9999-12-31"}, 422, "too-many-rows", "by"),
        ({"confidence": "2"}, 422, "invalid-fields", None),
        ({"interval": "wald"}, 422, "invalid-fields", None),
        ({"cluster": "desk"}, 422, "invalid-fields", None),
        ({"unit": "\x00"}, 404, "unknown-unit", "unit"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_unknown_or_impossible_is_a_problem(
    client, province, parameters, status, code, field
):
    answer = client.get(URL, params=parameters, headers=province.reader())
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"/problems/{code}"
    assert answer.json().get("field") == field


def test_before_the_first_answer(client, province):
    found = client.get(URL, params={"by": ["unit", "month"]}, headers=province.reader()).json()
    assert (found["first"], found["rows"], found["synthetic"]) == (None, [], False)
    rows = client.get(URL, params={"by": "unit"}, headers=province.reader()).json()["rows"]
    assert {row["rate"] for row in rows} == {None}


def test_synthetic_answers_are_labelled(client, province, database):
    with database.writing() as session:
        session.execute(update(Installation).values(synthetic=True))
    found = client.get(URL, headers=province.reader()).json()
    assert found["synthetic"] is True and "MÔ PHỎNG" in found["notice"]["vi"]


def test_a_late_arrival_lands_on_its_own_day(client, province):
    days_ago = datetime.now(UTC) - timedelta(days=12)
    sent = body(answers={"A1": 5}, answered_at=days_ago.isoformat())
    client.post("/api/v1/responses", json=sent, headers=province.device())
    day = str((days_ago + timedelta(hours=7)).date())
    found = client.get(URL, params={"from": day, "to": day, "by": "day"}, headers=province.reader())
    (row,) = [row for row in found.json()["rows"] if row["respondents"]]
    assert (row["period"], row["rate"]) == (day, 1.0)
    assert date.fromisoformat(day) < TODAY
