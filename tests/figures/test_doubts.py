"""Whose answers are to be looked at first: units whose forms stand out among the others'."""

import io

import numpy as np
import openpyxl
import pytest

from app.access.roles import Role
from app.figures.doubts import Doubt, _more_than_others
from app.messages.words import Words
from app.reports import sentences
from app.reports.views.results import Units
from app.rollups.conduct import HASTY_S
from tests.figures.district import CODES, COMMUNES, FORM, SMALL, standing
from tests.results import result
from tests.small_province import body

PERIOD = "2026-H1"
ALIKE, HASTY = "K03", "K09"


@pytest.fixture(scope="module")
def world(templates, postgres, tmp_path_factory):
    """The district, where somebody filled in forms at two communes."""
    rng = np.random.default_rng(3)
    with standing("sqlite", templates, postgres, tmp_path_factory.mktemp("doubts")) as world:
        sent = []

        def send(commune, levels, seconds):
            answers = dict(zip(CODES, map(int, levels), strict=False)) | {"trips": 1}
            at = f"2026-0{1 + len(sent) % 6}-{1 + len(sent) % 27:02}T10:00:00+07:00"
            point = world.province.points[(commune, FORM.code)]
            sent.append(body(point, answers, answered_at=at, duration_s=seconds))

        for commune in COMMUNES[:15]:
            for _ in range(12):
                send(commune, rng.choice([3, 4, 5], len(CODES)), int(rng.integers(60, 400)))
        for _ in range(30):
            send(ALIKE, np.full(len(CODES), 5), 200)
            send(HASTY, rng.choice([4, 5], len(CODES)), int(rng.integers(2, HASTY_S)))
        # Of nine of these the time is known, and five ratings: too few to say anything of.
        for n in range(20):
            send(SMALL, *((np.full(5, 5), 3) if n < 9 else (rng.choice([3, 4, 5], 4), None)))
        world.province.send(world.client, sent)
        yield world


@pytest.fixture
def view(world):
    usual = {"headers": world.public, "period": PERIOD}
    return lambda name="units", **asked: world.view(name, **usual | asked)


def test_units_whose_forms_stand_out_are_nobodys_model(view, world):
    found = view()
    doubts = {row["unit"]["code"]: row["doubts"] for row in found["rows"] if row["doubts"]}
    assert doubts == {ALIKE: ["alike"], HASTY: ["hasty"]}
    rows = {row["unit"]["code"]: row for row in found["rows"]}
    assert rows[SMALL]["respondents"] == 20
    # By its rank alone it would be one of the best.
    assert rows[ALIKE]["rank_low_simultaneous"] <= found["best"]
    assert not rows[ALIKE]["may_be_best"] and not rows[HASTY]["may_be_best"]
    view_ = Units.model_validate(found)
    for language, names in (("vi", "Xã K03, Xã K09"), ("en", "K03, K09")):
        words = Words(language)
        told = sentences.doubtful(words, view_)
        assert all(name in told for name in names.split(", ")) and "20" in told
        assert "K03" not in (sentences.best(words, view_) or "")
        assert not any("K03" in name for name in sentences.may_be_best(words, view_))
    # The same for whoever may see small figures, and on every page.
    for name, headers in (
        ("units", world.analyst), ("sections", world.public), ("units", world.public),
    ):  # fmt: skip
        rows = view(name, headers=headers)["rows"]
        assert {row["unit"]["code"] for row in rows if row["doubts"]} == {ALIKE, HASTY}
    league = view("comparison")["league"]["rows"]
    assert {row["unit"]["code"] for row in league if row["doubts"]} == {ALIKE, HASTY}


def test_the_page_and_the_report_of_such_a_unit_say_so(view, world):
    link = {"questionnaire": FORM.code, "period": PERIOD}
    for code in (ALIKE, "K05"):
        head = world.province.person((Role.UNIT_HEAD, code)).headers
        shown = view("unit", headers=head, unit=code)
        assert shown["doubts"] == (["alike"] if code == ALIKE else [])
        page = world.client.get("/dashboard/unit", params=link | {"unit": code}, headers=head)
        asked = link | {"unit": code, "format": "xlsx"}
        report = world.client.get("/api/v1/reports", params=asked, headers=world.analyst)
        book = openpyxl.load_workbook(io.BytesIO(report.content))
        summary = [str(cell) for line in book["Tóm tắt"].values for cell in line]
        told = "Cần xem lại các câu trả lời trước khi tin vào tỷ lệ này"
        assert (told in page.text) == (told in " ".join(summary)) == (code == ALIKE)


def test_of_a_period_before_nobody_is_doubted(view, world):
    assert not any(row["doubts"] for row in view(period="2025-H2")["rows"])
    days = view(headers=world.analyst, period="2026-01-01..2026-05-20")["rows"]
    assert {row["unit"]["code"] for row in days if row["doubts"]} == {ALIKE, HASTY}


def test_what_units_ordinarily_differ_in_makes_nobody_doubtful():
    """Among 82 units that differ by half a logit, any is doubted in a twentieth of runs at most."""
    rng, runs, called, found = np.random.default_rng(6), 150, 0, 0
    for _ in range(runs):
        n = rng.integers(10, 200, 82).astype(float)
        share = 1 / (1 + np.exp(3.5 - 0.5 * rng.normal(size=82)))
        k = rng.binomial(n.astype(int), share).astype(float)
        called += bool((_more_than_others(k, n) * 82 <= 0.05).any())
        k[0], n[0] = 30.0, 60.0
        found += bool(_more_than_others(k, n)[0] * 82 <= 0.05)
    assert called / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert found == runs
    assert np.isnan(_more_than_others(np.zeros(5), np.full(5, 20.0))).all()
    assert np.isnan(_more_than_others(np.array([3.0]), np.array([20.0]))).all()


def test_of_whom_fewer_are_so_than_of_the_others_nobody_is_doubtful():
    k, n = np.full(20, 30.0), np.full(20, 60.0)
    k[0], k[1] = 0.0, 60.0
    p = _more_than_others(k, n)
    assert p[0] > 0.95 and p[1] < 0.05 / 20 and (p[2:] > 0.05).all()


def row(code, low, doubts=()):
    return {
        "unit": {"code": code, "kind": "hospital", "name": {"vi": code, "en": code}},
        "rank": 1, "rank_low_simultaneous": low, "may_be_best": low == 1 and not doubts,
        "doubts": list(doubts),
    }  # fmt: skip


def test_where_nothing_is_told_apart_nothing_is_said_of_the_best():
    words = Words("en")

    def told(*rows):
        return sentences.best(words, result(Units, {"rows": rows, "best": 1, "ranked": len(rows)}))

    assert told(*(row(code, 1) for code in "ABC")) is None
    assert told(row("A", 1), row("B", 1), row("C", 1, [Doubt.HASTY])) is None
    some = told(row("A", 1), row("B", 1), row("C", 3))
    assert some is not None and "among the best 1: A, B." in some
    one = told(row("A", 1), row("B", 1, [Doubt.ALIKE]), row("C", 3))
    assert one is not None and "among the best 1: A." in one
    assert told() is None


def test_no_more_than_a_third_are_looked_for_and_the_column_says_what_the_sentence_says(view):
    found = view(period="2025-H1", best=10)
    assert found["best"] == found["ranked"] // 3 < 10
    assert view(period="2025-H1", best=2)["best"] == 2
    for row in found["rows"]:
        low = row["rank_low_simultaneous"]
        assert row["may_be_best"] == (low is not None and low <= found["best"])
    assert any(row["rank_low"] != row["rank_low_simultaneous"] for row in found["rows"])


def test_pages_show_the_ranks_that_hold_for_all_units_at_once(view, world):
    found = view(period="2025-H1", headers=world.analyst)
    link = f"unit=D1&questionnaire={FORM.code}&period=2025-H1&kind=commune"
    person = world.province.person((Role.PROVINCIAL_ANALYST, None))
    for page in ("units", "comparison"):
        text = world.client.get(f"/dashboard/{page}?{link}", headers=person.headers).text
        for each in found["rows"]:
            low, high = each["rank_low_simultaneous"], each["rank_high_simultaneous"]
            if low is not None:
                table = text[text.index('<table class="units">') :]
                shown = table.split(f"unit={each['unit']['code']}&")[1].split("</tr>")[0]
                assert (f">{low}–{high}<" if low != high else f">{low}<") in shown
