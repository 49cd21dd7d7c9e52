"""Where only the mix of units moves nobody is said to have fallen: over HTTP, against a recount."""

from datetime import date

import pytest

from app.access.callers import Caller, Grant
from app.access.models import Right
from app.access.roles import Role
from app.figures import alerts
from app.figures.context import Context
from app.figures.periods import Step
from app.figures.query import Query
from app.figures.release import ReleaseRule
from app.figures.trend_results import AlertRow
from app.messages.words import Words
from app.settings import Settings
from tests.figures.mixed import FORM, mixed, sums
from tests.results import result

DAYS = {"from": "2026-07-01", "to": "2026-09-30", "questionnaire": FORM}


world = mixed()


@pytest.fixture
def compare(world):
    client, province = world

    def ask(unit, headers=None, **more):
        answer = client.get(
            "/api/v1/satisfaction/compare",
            params={"unit": unit, **DAYS} | more,
            headers=headers or province.reader(),
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    return ask


def by_hand(*units):
    """Rates and shares of units in both quarters: the crude change, the rates' part, the mix's."""
    a, m = ([[sums(unit, q)[i] for q in (0, 1)] for unit in units] for i in (0, 1))
    whole = [sum(each[q] for each in m) for q in (0, 1)]
    share = [[each[q] / whole[q] for q in (0, 1)] for each in m]
    rate = [[x[q] / y[q] for q in (0, 1)] for x, y in zip(a, m, strict=True)]
    pairs = list(zip(share, rate, strict=True))
    own = sum((s[0] + s[1]) / 2 * (r[1] - r[0]) for s, r in pairs)
    mix = sum((s[1] - s[0]) * (r[0] + r[1]) / 2 for s, r in pairs)
    return own, mix


def test_a_mix_that_moved_is_told_from_a_change(compare):
    (row,) = compare("D1")
    own, mix = by_hand("C1", "C2.paper", "C2.kiosk")
    assert row["change"]["high"] < 0 and row["change"]["discovery"]
    held = row["fixed_mix"]
    assert held["estimate"] == pytest.approx(own, abs=1e-12)
    assert held["mix"] == pytest.approx(mix, abs=1e-12)
    assert held["crude"] == pytest.approx(row["change"]["estimate"])
    assert held["elsewhere"] == pytest.approx(0, abs=1e-12) and held["one_period_only"] == []
    assert held["unseparated"] == 0
    assert held["low"] < 0 < held["high"] and not held["discovery"] and held["p"] > 0.05
    assert (held["parts"], held["covered"], held["covered_before"]) == (3, 1, 1)


def test_who_is_made_of_one_part_has_a_change_of_its_own_alone(compare):
    rows = {row["unit"]["code"]: row for row in compare("D1", expand="children")}
    assert rows["C1"]["fixed_mix"] is None and rows["C1"]["change"]["p"] is not None
    assert rows["C2"]["fixed_mix"]["parts"] == 2
    assert all(row["fixed_mix"] is None for row in compare("D1", **{"with": "peers"}))


def test_parts_that_answered_in_one_period_alone_are_named_with_their_share(compare):
    (row,) = compare("77")
    (alone,) = row["fixed_mix"]["one_period_only"]
    assert alone["unit"]["code"] == "A1" and alone["channel"] == "qr"
    answers = [sums(unit, 1)[1] for unit in ("C1", "C2", "A1")]
    assert alone["share"] == pytest.approx(answers[2] / sum(answers))
    assert alone["share_before"] == 0
    held = row["fixed_mix"]
    assert held["covered"] == pytest.approx(1 - alone["share"]) and held["covered_before"] == 1
    parts = held["estimate"] + held["mix"] + held["elsewhere"]
    assert parts == pytest.approx(row["change"]["estimate"]) and held["elsewhere"] != 0


def test_parts_that_a_caller_may_not_see_stand_together_as_the_rest(world, compare):
    _, province = world
    public = province.public_reader()
    # Five answered at the second commune's kiosk before: its channels are one part.
    (row,) = compare("D1", headers=public)
    held = row["fixed_mix"]
    own, mix = by_hand("C1", "C2")
    assert held["estimate"] == pytest.approx(own) and held["mix"] == pytest.approx(mix)
    sent = [sums("C2", q)[1] for q in (0, 1)]
    everything = [sums(unit, q)[1] for unit in ("C1", "C2") for q in (0, 1)]
    assert held["unseparated"] == pytest.approx(sum(sent) / sum(everything))
    # Of that commune nothing is told apart, and what is said of it is its own change.
    (row,) = compare("C2", headers=public)
    assert row["fixed_mix"]["unseparated"] == 1 and row["fixed_mix"]["mix"] == 0
    assert row["fixed_mix"]["estimate"] == pytest.approx(row["change"]["estimate"])
    # The agency is shown, and answered in one of the periods alone.
    (row,) = compare("77", headers=public)
    (alone,) = row["fixed_mix"]["one_period_only"]
    assert alone["unit"]["code"] == "A1"


def test_one_channel_alone_has_its_own_parts(compare):
    (row,) = compare("D1", channel="qr")
    assert row["fixed_mix"] is None  # one commune answers by QR code


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_and_reports_say_what_is_held_fixed(world, language):
    client, province = world
    view = client.get(
        "/api/v1/views/overview",
        params={"unit": "77", "questionnaire": FORM, "period": "2026-Q3", "kind": "district"},
        headers=province.reader(),
    ).json()
    assert view["fell"] == [] and view["rose"] == []
    held = view["index"]["previous"]["fixed_mix"]
    words = Words(language)
    person = province.person((Role.PROVINCIAL_ANALYST, None))
    page = client.get(
        "/dashboard/overview",
        params={"unit": "77", "kind": "district", "questionnaire": FORM, "period": "2026-Q3"},
        headers={"Cookie": f"{person.headers['Cookie']}; language={language}"},
    )
    assert words.points(held["estimate"]) in page.text
    crude = words(
        "tell.fixed_mix", crude=words.points(held["crude"]), mix=words.points(held["mix"])
    )
    assert crude in page.text
    for key in ("tell.fell", "tell.rose"):
        assert words(key, than=words("tell.than_previous"), change="", interval="")[:25] not in (
            page.text
        )


def test_units_whose_mix_alone_moved_are_named_as_such(world):
    client, province = world
    asked = {"unit": "77", "questionnaire": FORM, "period": "2026-Q3", "kind": "district"}
    units = client.get("/api/v1/views/units", params=asked, headers=province.reader()).json()
    assert [unit["code"] for unit in units["only_mix"]] == ["D1"]
    (row,) = [row for row in units["rows"] if row["unit"]["code"] == "D1"]
    assert row["change"]["discovery"] and not row["fixed_mix"]["discovery"]


def test_an_alert_of_a_parent_carries_its_change_without_the_mix(world):
    _, province = world
    caller = Caller("x", (Grant(frozenset({Right.READ_FIGURES, Right.READ_SMALL_CELLS})),))
    query = Query(questionnaire=FORM, first=date(2026, 4, 1), last=date(2026, 9, 30))
    units = [{"code": "D1"}, {"code": "C1"}]
    rows = [result(AlertRow, {"unit": unit, "since": "2026-07"}) for unit in units]
    with province.database.reading() as session:
        context = Context(session, caller, query, ReleaseRule.of(Settings()))
        parent, leaf = alerts._with_mix(context, Step.MONTH, rows, {})
    own, mix = by_hand("C1", "C2.paper", "C2.kiosk")
    assert parent.fixed_mix.estimate == pytest.approx(own)
    assert parent.fixed_mix.mix == pytest.approx(mix) and leaf.fixed_mix is None
