"""Intervals over HTTP: the same whoever asks, R's where asked for, with days as clusters."""

from collections import defaultdict
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit

from analysis import clustered
from app.access.roles import Role
from app.db import Database
from app.figures import within_correlation as resemblance
from app.figures.day_effects import DayPart, day_sums
from app.figures.release import ReleaseRule
from app.messages.words import Words
from app.reports import sentences
from app.reports.views.results import UnitView
from app.settings import Settings
from tests.conftest import serving
from tests.databases import BACKENDS, new_database
from tests.intake.test_store import Preparing
from tests.small_province import SmallProvince, body

URL = "/api/v1/satisfaction"
ITEMS = [f"{f}{i}" for f, n in zip("ABCDE", (4, 5, 6, 3, 4), strict=True) for i in range(1, n + 1)]
UNITS = ("A1", "D1", "C1", "C2")
#: Two whole months that are over, and the running one.
TODAY = date(2026, 9, 20)
MONTHS = ("2026-07", "2026-08", "2026-09")


def drawn():
    """(unit, day, answers) of 40 people a month; of C2 in August 12 people on three days."""
    rng = np.random.default_rng(15)
    for unit in UNITS:
        for month in MONTHS:
            few = unit == "C2" and month == "2026-08"
            mood = {day: rng.normal(0, 0.9) for day in range(1, 20)}
            for person in range(12 if few else 40):
                day = int(5 + person % 3) if few else 1 + person % 16
                felt = 3.9 + 0.6 * mood[day] + rng.normal(0, 0.8) + rng.normal(0, 0.7, len(ITEMS))
                levels = np.clip(np.round(felt), 1, 5).astype(int)
                kept = rng.random(len(ITEMS)) < (0.9 if person % 3 else 0.1)
                answers = {i: int(v) for i, v, k in zip(ITEMS, levels, kept, strict=True) if k}
                yield unit, f"{month}-{day:02}", answers or {"A1": 4}


SENT = list(drawn())


@pytest.fixture(scope="module", params=BACKENDS)
def world(request, templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("intervals")
    url = new_database(request.param, templates, postgres, folder)
    with pytest.MonkeyPatch.context() as patch, closing(Database(url)) as database:
        patch.setattr(
            ReleaseRule, "of",
            classmethod(lambda cls, settings: cls(settings.least_respondents, TODAY)),
        )  # fmt: skip
        province = SmallProvince.found(database)
        prepare = Preparing(database)
        prepare.store.append(
            [
                prepare(
                    body(
                        province.points[(unit, "sipas-desk")], answers,
                        answered_at=f"{day}T09:00:00+07:00",
                    )
                )
                for unit, day, answers in SENT
            ]
        )  # fmt: skip
        with serving(Settings(database_url=url, cache_s=0)) as client:
            yield client, province


@pytest.fixture
def ask(world):
    client, province = world
    readers = {"analyst": province.reader(), "public": province.public_reader()}

    def get(path="", *, who="analyst", **parameters):
        names = {"first": "from", "last": "to"}
        answer = client.get(
            URL + path,
            params={"questionnaire": "sipas-desk"}
            | {names.get(k, k): v for k, v in parameters.items()},
            headers=readers[who] if isinstance(who, str) else who,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    return get


def counted(units, months, of=lambda unit, day, place: place):
    """Σa, Σm, Σa², Σam, Σm² and n over clusters: respondents, unless ``of`` names others."""
    clusters = defaultdict(lambda: np.zeros(2))
    for place, (unit, day, answers) in enumerate(SENT):
        if unit in units and day[:7] in months:
            levels = list(answers.values())
            clusters[of(unit, day, place)] += [sum(v >= 4 for v in levels), len(levels)]
    a, m = np.array(list(clusters.values())).T
    return np.array([a.sum(), m.sum(), a @ a, a @ m, m @ m, len(m)])


def learnt(months):
    return clustered.shared_correlation(*np.array([counted([u], months) for u in UNITS]).T)


def test_what_few_said_teaches_nothing_that_could_be_told_from_it():
    # Twelve people in one unit, three in another: whether one of the three is angry is no part of
    # what their neighbours' interval rests on. Of ten such together it is.
    def alike(*units):
        sums = np.zeros((len(units), 6))
        for at, (a, m) in zip(sums, units, strict=True):
            at[:] = a.sum(), m.sum(), a @ a, a @ m, m @ m, len(m)
        rows = np.zeros((len(units), 1, 6))
        rows[:, 0] = sums
        return resemblance.among(rows, 10)[0]

    twelve = (np.array([20.0] * 10 + [5, 0]), np.full(12, 22.0))
    content, angry = (
        (np.array([21.0, 22, 22]), np.full(3, 22.0)),
        (np.array([0.0, 22, 22]), np.full(3, 22.0)),
    )
    assert alike(twelve, content) == alike(twelve, angry) == alike(twelve)
    many = [angry] * 4
    assert alike(twelve, *many) != alike(twelve)


AUGUST = {"first": "2026-08-01", "last": "2026-08-31"}


def limits(row):
    return row["rate"], row["low"], row["high"]


def test_a_units_interval_is_the_same_whoever_asks_and_among_however_many(world, ask):
    expected = clustered.ratio(*counted(["C1"], MONTHS[1:2]), correlation=learnt(MONTHS[1:2]))
    (alone,) = ask(unit="C1", **AUGUST)
    assert limits(alone) == pytest.approx(
        tuple(map(float, (expected.estimate, expected.low, expected.high)))
    )
    # With what only its own answers tell, or those of both communes, it would be another one.
    others = [clustered.shared_correlation(*counted([u], MONTHS[1:2])) for u in ("C1", "D1")]
    assert learnt(MONTHS[1:2]) not in others
    head = world[1].person((Role.UNIT_HEAD, "C1")).headers
    asked = {
        "by a head": ask(unit="C1", who=head, **AUGUST),
        "by whoever reads what is published": ask(unit="C1", who="public", **AUGUST),
        "by a head who names nothing": ask(by="unit", who=head, **AUGUST),
        "among all": ask(by="unit", **AUGUST),
        "among two": ask(by="unit", unit="D1", expand="children", **AUGUST),
        "as one of some months": ask(unit="C1", by=["unit", "month"], first="2026-07-01"),
        "as one of some months, by a head": ask(unit="C1", by=["unit", "month"], who=head),
    }
    for how, rows in asked.items():
        (row,) = [
            row for row in rows
            if row.get("unit", {"code": "C1"})["code"] == "C1"
            and row.get("period", "2026-08") == "2026-08"
        ]  # fmt: skip
        assert limits(row) == limits(alone), how
    (course,) = ask("/trend", unit="C1", first="2026-07-01", last="2026-08-31")
    assert limits(course["points"][1]) == limits(alone)
    # A unit with others below it is measured by the same correlation.
    parent = clustered.ratio(
        *counted(["D1", "C1", "C2"], MONTHS[1:2]), correlation=learnt(MONTHS[1:2])
    )
    (row,) = ask(unit="D1", who="public", **AUGUST)
    assert row["low"] == pytest.approx(float(parent.low))


def test_who_asks_for_rs_interval_gets_it_to_the_digit(ask):
    # R survey 4.1.1, svyciprop(method="xlogit", df=n-1): tests/analysis holds it to R's figures.
    a, m, aa, am, mm, n = counted(["C1"], MONTHS[1:2])
    rate = a / m
    se = np.sqrt(n / (n - 1) * (aa - 2 * rate * am + rate**2 * mm)) / m
    half = stats.t.ppf(0.975, n - 1) * se / (rate * (1 - rate))
    (row,) = ask(unit="C1", interval="r-xlogit", **AUGUST)
    assert limits(row) == pytest.approx(
        (rate, expit(logit(rate) - half), expit(logit(rate) + half)), rel=1e-12
    )
    assert row["method"] == "clustered ratio, logit, t"
    (usual,) = ask(unit="C1", **AUGUST)
    assert usual["low"] != row["low"] and usual["rate"] == row["rate"]


@pytest.mark.parametrize("path", ["ranking", "funnel", "compare", "trend", "stratified"])
def test_statistics_give_rs_intervals_too_and_say_so(world, path):
    client, province = world
    got = {}
    for interval in ("score", "r-xlogit"):
        parameters = {
            "questionnaire": "sipas-desk", "unit": ["C1", "C2"], "from": "2026-07-01",
            "to": "2026-07-31", "interval": interval,
        }  # fmt: skip
        if path == "compare":
            parameters |= {"from": "2026-08-01", "to": "2026-08-31"}
        answer = client.get(f"{URL}/{path}", params=parameters, headers=province.reader())
        assert answer.status_code == 200, answer.text
        got[interval] = answer.json()
    assert "r-xlogit" in got["r-xlogit"]["method"] and "r-xlogit" not in got["score"]["method"]
    first = [each["rows"][0] for each in got.values()]
    place = {"compare": "rate", "stratified": "pooled"}.get(path)
    if path == "trend":
        first = [row["points"][0] for row in first]
    lows = [(row[place] if place else row)["low"] for row in first]
    assert lows[0] != lows[1]
    refused = client.get(
        f"{URL}/{path}",
        params={"questionnaire": "sipas-desk", "interval": "wald"},
        headers=province.reader(),
    )
    assert refused.status_code == 422 and "interval" in refused.text


def test_days_as_clusters_take_the_days_as_they_are(ask):
    def of_day(unit, day, place):
        return day

    for units, asked in ((["C1"], "C1"), (["D1", "C1", "C2"], "D1")):
        people = clustered.ratio(*counted(units, MONTHS[1:2]), correlation=learnt(MONTHS[1:2]))
        by_day = clustered.ratio(*counted(units, MONTHS[1:2], of_day), interval=clustered.CLUSTER_T)
        expected = clustered.wider(people, by_day)
        (row,) = ask(unit=asked, cluster="day", **AUGUST)
        assert (row["low"], row["high"]) == pytest.approx(
            (float(expected.low), float(expected.high))
        )
        effect = float((by_day.standard_error / people.standard_error) ** 2)
        assert row["day_effect"] == pytest.approx(effect)
        assert row["method"].endswith("days as clusters")
        (usual,) = ask(unit=asked, **AUGUST)
        assert usual["day_effect"] == pytest.approx(effect)
        assert (row["low"], row["high"]) != (usual["low"], usual["high"])
        assert row["respondents"] == usual["respondents"]
        if asked == "C1":  # two or three people a day, and days with moods of their own
            assert effect > 1.2


def test_nothing_of_a_day_follows_for_whoever_may_not_see_few(world, ask):
    both = {"by": "unit", "unit": ["C1", "C2"], **AUGUST}
    c1, c2 = ask(who="public", cluster="day", **both)
    assert c1["low"] is not None and c1["day_effect"] is not None
    # Twelve people on three days: their figure is shown, and of the days nothing.
    assert c2["respondents"] == 12 and c2["rate"] is not None
    assert c2["low"] is c2["high"] is c2["standard_error"] is c2["day_effect"] is None
    assert (c2["method"], c2["design_effect"]) == ("too few days", None)
    c2 = ask(cluster="day", **both)[1]
    assert c2["low"] is not None and c2["day_effect"] is None
    # Answers of the running month are told by batches, which are few days.
    for period in ({}, {"first": "2026-07-01"}, {"first": "2026-09-01", "last": "2026-09-30"}):
        (row,) = ask(unit="C1", who="public", cluster="day", **period)
        assert row["low"] is row["day_effect"] is None
    # Nor may days be asked for.
    client, province = world
    for parts in ({"by": "day"}, {"from": "2026-08-02", "to": "2026-08-20"}):
        answer = client.get(
            URL,
            params={"questionnaire": "sipas-desk", "cluster": "day"} | parts,
            headers=province.public_reader(),
        )
        assert answer.json()["type"] == "/problems/calendar-periods-only"


@given(st.data())
def test_sums_over_days_are_those_of_days(data):
    """Cells of two versions, of any group, day and size, in any order."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    groups, measures, parts = 3, 2, []
    clusters = defaultdict(lambda: np.zeros((measures, 2)))
    for _ in range(2):
        cells = data.draw(st.integers(0, 12))
        group, day = rng.integers(0, groups, cells), rng.integers(0, 5, cells) + 20_000
        m = rng.integers(0, 4, (cells, measures))
        am = np.stack([rng.integers(0, m + 1), m], axis=-1).astype(float)
        parts.append(DayPart(group, day, am, np.ones(cells)))
        for g, d, each in zip(group, day, am, strict=True):
            clusters[g, d] += each
    found = day_sums(parts, groups, measures)
    for g in range(groups):
        for j in range(measures):
            a, m = np.array([c[j] for (of, _), c in clusters.items() if of == g]).reshape(-1, 2).T
            expected = (a.sum(), m.sum(), a @ a, a @ m, m @ m, (m > 0).sum())
            assert tuple(v[g * measures + j] for v in found.values()) == expected


def test_a_day_of_less_than_one_answer_by_shares_is_no_whole_day():
    """A quarter of one answer, and of eight: days never outnumber the answers that they have."""
    am = np.array([[[1.0, 1.0]], [[6.0, 8.0]]])
    part = DayPart(np.zeros(2, dtype=np.intp), np.array([20_000, 20_001]), am, np.full(2, 0.25))
    found = day_sums([part], 1, 1)
    assert found["n"].tolist() == [1.25] and found["m"].tolist() == [2.25]


@pytest.mark.usefixtures("month_over")
def test_limits_of_a_mean_score_stay_on_the_scale_of_the_levels(client, province):
    """Three people who gave 5 5 5, 5 5 5 and 4 5 5: 5.3 of 5 at most, by the normal interval."""
    moment = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    bodies = [
        body(province.points[("C1", "sipas-desk")], {"A1": v, "B1": 5, "C1": 5}, answered_at=moment)
        for v in (5, 5, 4)
    ] + [
        body(province.points[("C2", "sipas-desk")], {"A1": v, "B1": 1, "C1": 1}, answered_at=moment)
        for v in (1, 1, 2)
    ]
    client.post("/api/v1/responses", json={"responses": bodies}, headers=province.importer())
    for by in ([], ["factor"], ["item"]):
        rows = client.get(
            URL,
            params={"questionnaire": "sipas-desk", "by": ["unit", *by], "unit": ["C1", "C2"]},
            headers=province.reader(),
        ).json()["rows"]
        told = [row for row in rows if row["mean_score_low"] is not None]
        assert len(told) >= 2
        for row in told:
            mean = row["mean_score"]
            assert 1 <= row["mean_score_low"] <= mean <= row["mean_score_high"] <= 5
        if not by:
            assert (told[0]["mean_score_high"], told[1]["mean_score_low"]) == (5, 1)
            assert told[0]["mean_score_low"] > 4 and told[1]["mean_score_high"] < 2


def test_a_units_page_says_when_days_matter(world, ask):
    client, province = world
    shown = client.get(
        "/api/v1/views/unit",
        params={"unit": "C1", "questionnaire": "sipas-desk", "period": "2026-08"},
        headers=province.public_reader(),
    ).json()
    (row,) = ask(unit="C1", **AUGUST)
    assert shown["index"]["day_effect"] == pytest.approx(row["day_effect"])
    for language, said in (("vi", "rộng gấp khoảng 2,0 lần"), ("en", "some 2.0 times as wide")):
        words = Words(language)
        assert said not in " ".join(sentences.index(words, UnitView.model_validate(shown)))
        matters = shown | {"index": shown["index"] | {"day_effect": 4.0}}
        assert said in " ".join(sentences.index(words, UnitView.model_validate(matters)))
