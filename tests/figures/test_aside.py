"""What is shown of what is set aside: rates with and without, how many by rule, who is no model."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from sqlalchemy import select
from statsmodels.stats.proportion import proportion_confint

from app.access.roles import Role
from app.audit.log import record
from app.figures import periods
from app.figures.aside import AsideByRule, AsideRow
from app.figures.doubts import Doubt
from app.figures.results import Names, UnitOut
from app.figures.statistic_results import Side
from app.intake.models import Disposition, Response
from app.intake.setting_aside import Together, change_dispositions
from app.integrity.models import State, SuspectBatch
from app.messages.words import Words
from app.registry.models import Channel, Succession, Unit
from app.registry.points import current_code, open_point
from app.reports import aside_sentences
from app.web.public import routes as public
from tests.small_province import body

FORM = "sipas-desk"
#: A month that is over.
MONTH, PERIOD = "2026-01", {"from": "2026-01-01", "to": "2026-01-31"}
TOGETHER = Together(10, date.max)


def send(client, province, unit, levels, *, day=12):
    """Somebody a level, all at one unit; the ids that were sent."""
    if (unit, FORM) not in province.points:
        with province.database.writing() as session:
            place = session.get_one(Unit, province.units[unit])
            point = open_point(session, place, FORM, Channel.QR, unit)
            province.points[unit, FORM] = current_code(point)
    sent = [
        body(
            province.points[unit, FORM], {"A1": level}, answered_at=f"{MONTH}-{day}T09:00:00+07:00"
        )
        for level in levels
    ]
    province.send(client, sent)
    return [each["id"] for each in sent]


def set_aside(database, ids, rule="stuffing", to=Disposition.QUARANTINED):
    with database.writing() as session:
        return change_dispositions(
            session, TOGETHER, Disposition.COUNTED, to, rule, Response.id.in_(ids)
        )


def suspect(database, province, unit, state=State.OPEN, month=date(2026, 1, 1)):
    """A batch of a unit, as an examination finds it."""
    with database.writing() as session:
        session.add(
            SuspectBatch(
                unit_id=province.units[unit], version_id=1, channel="qr", credential_id=None,
                month=month, rule="stuffing", rule_version=1, probability=0.99, responses=20,
                suspected=15.0, reasons="[]", state=state.value, found_at=datetime.now(UTC),
            )
        )  # fmt: skip


@pytest.fixture
def world(client, database, province):
    """A month: of C1 thirty honest and twenty stuffed, of A1 four and twenty, of H1 eight.

    Who is hidden of A1 and of H1 are twelve together, so the others may be shown.
    """
    send(client, province, "H1", [2] * 8)
    send(client, province, "C1", [5] * 15 + [2] * 15)
    stuffed = send(client, province, "C1", [5] * 20)
    assert set_aside(database, stuffed).moved == 20
    send(client, province, "A1", [2] * 4)
    assert set_aside(database, send(client, province, "A1", [5] * 20)).moved == 20
    return province


def rows(client, headers, **asked):
    parameters = {"questionnaire": FORM, "by": "unit"} | PERIOD | asked
    answer = client.get("/api/v1/satisfaction", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["sensitivity"] == asked.get("sensitivity", "without")
    return {row["unit"]["code"]: row for row in answer.json()["rows"]}


def figure(row):
    return row["rate"], row["respondents"], row["suppressed"]


def test_rates_are_given_with_and_without(client, world):
    """By hand: of C1 15 of 30 and 35 of 50, of all 15 of 42 and 55 of 82; limits of statsmodels."""
    stranger = world.public_reader()
    without, with_ = (
        rows(client, stranger, unit=["C1", "A1", "77"], sensitivity=each)
        for each in ("without", "with")
    )
    assert figure(without["C1"]) == (0.5, 30, False)
    assert figure(with_["C1"]) == (0.7, 50, False)
    assert figure(without["77"]) == (pytest.approx(15 / 42), 42, False)
    assert figure(with_["77"]) == (pytest.approx(55 / 82), 82, False)
    low, high = proportion_confint(35, 50, method="wilson")
    assert (with_["C1"]["low"], with_["C1"]["high"]) == pytest.approx((low, high))
    # Of A1 four stay: neither is told.
    assert figure(without["A1"]) == figure(with_["A1"]) == (None, None, True)


def test_who_may_see_few_sees_all_of_it(client, world):
    found = rows(client, world.reader(), unit=["A1", "77"], sensitivity="with")
    assert figure(found["A1"]) == (pytest.approx(20 / 24), 24, False)
    assert figure(found["77"]) == (pytest.approx(55 / 82), 82, False)
    assert found["A1"]["day_effect"] is None


def test_a_unit_of_which_all_is_set_aside_is_hidden_with_it(client, database, province):
    send(client, province, "C1", [4] * 12)
    set_aside(database, send(client, province, "C2", [5] * 12))
    stranger = province.public_reader()
    assert figure(rows(client, stranger, unit="C2")["C2"]) == (None, 0, False)
    assert figure(rows(client, stranger, unit="C2", sensitivity="with")["C2"]) == (None, None, True)
    by_channel = rows(client, province.reader(), unit="C2", by=["unit", "channel"],
                      sensitivity="with")  # fmt: skip
    assert figure(by_channel["C2"]) == (1.0, 12, False)


def test_days_as_clusters_are_refused_by_name(client, world):
    asked = {"questionnaire": FORM, "cluster": "day", "sensitivity": "with"}
    answer = client.get("/api/v1/satisfaction", params=asked, headers=world.reader())
    assert answer.status_code == 422 and answer.json()["type"] == "/problems/not-with-aside"
    asked = {"questionnaire": FORM, "sensitivity": "perhaps"}
    assert client.get("/api/v1/satisfaction", params=asked, headers=world.reader()
                      ).status_code == 422  # fmt: skip


def test_what_is_released_is_as_if_it_had_never_been_set_aside(client, database, province):
    send(client, province, "C1", [5] * 15 + [2] * 15)
    stranger = province.public_reader()
    ids = send(client, province, "C1", [5] * 20)
    before = rows(client, stranger, unit="C1")
    set_aside(database, ids)
    with database.writing() as session:
        change_dispositions(
            session, TOGETHER, Disposition.QUARANTINED, Disposition.COUNTED, None,
            Response.id.in_(select(Response.id)),
        )  # fmt: skip
    assert rows(client, stranger, unit="C1") == before
    assert rows(client, stranger, unit="C1", sensitivity="with")["C1"]["rate"] == 0.7


def ranked(client, headers, **asked):
    parameters = {"questionnaire": FORM, "unit": ["C1", "C2", "A1"]} | PERIOD | asked
    answer = client.get("/api/v1/satisfaction/ranking", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return {row["unit"]["code"]: row for row in answer.json()["rows"]}


@pytest.mark.parametrize("state", list(State))
def test_a_unit_under_suspicion_is_ranked_and_nobodys_model(client, database, province, state):
    for unit, satisfied in (("C1", 149), ("C2", 80), ("A1", 70)):
        send(client, province, unit, [5] * satisfied + [2] * (150 - satisfied))
    suspect(database, province, "C1", state)
    stranger = province.public_reader()
    found = ranked(client, stranger, best=1)
    is_suspected = state is not State.RELEASED
    assert found["C1"]["rank"] == 1 and found["C1"]["suspected"] is is_suspected
    assert found["C1"]["may_be_best"] is not is_suspected
    assert not found["C2"]["suspected"] and not found["A1"]["suspected"]
    # The unit above is another one.
    above = ranked(client, stranger, unit=["D1", "A1"])
    assert not above["D1"]["suspected"]
    view = client.get(
        "/api/v1/views/units",
        params={"questionnaire": FORM, "period": MONTH, "kind": "commune", "unit": "77"},
        headers=stranger,
    ).json()
    (row,) = [row for row in view["rows"] if row["unit"]["code"] == "C1"]
    assert (Doubt.SUSPECTED in row["doubts"]) is is_suspected
    assert row["position"] == (None if is_suspected else "above")
    of_unit = client.get(
        "/api/v1/views/unit",
        params={"questionnaire": FORM, "period": MONTH, "unit": "C1"},
        headers=stranger,
    ).json()
    assert (of_unit["doubts"] == ["suspected"]) is is_suspected
    assert of_unit["index"]["position"] == row["position"]


def test_suspicion_is_of_its_months_alone(client, database, province):
    for unit in ("C1", "C2"):
        send(client, province, unit, [5] * 30)
    suspect(database, province, "C1", month=date(2025, 12, 1))
    stranger = province.public_reader()
    assert not ranked(client, stranger, unit=["C1", "C2"])["C1"]["suspected"]
    earlier = {"from": "2025-12-01", "to": "2026-01-31"}
    assert ranked(client, province.reader(), unit=["C1", "C2"], **earlier)["C1"]["suspected"]


def view(client, headers, name="unit", **asked):
    parameters = {"questionnaire": FORM, "period": MONTH} | asked
    answer = client.get(f"/api/v1/views/{name}", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_unit_says_by_which_rule_how_many(client, database, world):
    some = send(client, world, "C1", [3] * 12)
    with database.writing() as session:
        # Rules of what is aside already may be few: how many they are says nothing of answers.
        change_dispositions(
            session, TOGETHER, Disposition.COUNTED, Disposition.DISTRUSTED, "distrusted",
            Response.id.in_(some),
        )  # fmt: skip
        change_dispositions(
            session, TOGETHER, Disposition.DISTRUSTED, Disposition.REJECTED, "stuffing",
            Response.id.in_(some[:5]),
        )  # fmt: skip
    (row,) = view(client, world.public_reader(), unit="C1")["aside"]
    assert row["rules"] == [
        {"rule": "distrusted", "respondents": None, "fewer_than": 10},
        {"rule": "stuffing", "respondents": 25, "fewer_than": None},
    ]
    assert (row["without"]["rate"], row["without"]["respondents"]) == (0.5, 30)
    assert row["with_aside"]["respondents"] == 62
    (row,) = view(client, world.reader(), unit="C1")["aside"]
    assert [each["respondents"] for each in row["rules"]] == [7, 25]
    (row,) = view(client, world.public_reader(), unit="A1")["aside"]
    assert row["suppressed"] and row["rules"] == []
    assert row["with_aside"]["respondents"] is None
    assert view(client, world.public_reader(), unit="H1")["aside"] == []
    found = view(client, world.public_reader(), "units", unit="77", kind="commune")["aside"]
    assert [each["unit"]["code"] for each in found] == ["C1"]


def test_pages_and_reports_say_it(client, world):
    visitor = world.person((Role.OPERATOR, None))
    asked = {"questionnaire": FORM, "period": MONTH}
    for name, unit in (("unit", "C1"), ("units", "77")):
        kind = {"kind": "commune"} if name == "units" else {}
        page = client.get(
            f"/dashboard/{name}", params=asked | kind | {"unit": unit}, headers=visitor.headers
        )
        assert page.status_code == 200
        assert "20 phiếu theo quy tắc “Phiếu có thể không do người dân gửi”" in page.text
    report = client.get(
        "/api/v1/reports", params=asked | {"format": "xlsx", "unit": "C1"},
        headers=world.public_reader(),
    )  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(report.content))
    rows_ = list(book["Để riêng"].iter_rows(values_only=True))
    assert rows_[1][0] == "C1" and rows_[1][3:] == (20, 0.5, 0.7)


def test_a_badge_and_a_card_say_it_too(client, settings, world, monkeypatch):
    """What other sites show of a stuffed desk is no cleaner than the public page."""
    publishing = settings.model_copy(update={"public_page": True})
    monkeypatch.setattr(public, "published_by", lambda request: publishing)
    monkeypatch.setattr(public, "finished", lambda name, settings: periods.span("2026-Q1"))
    badge, card = (client.get(f"/public/C1/{each}").text for each in ("badge.svg", "card"))
    assert badge.count("n = 30) · 20 phiếu để riêng<") == 2
    assert "Để riêng, không tính: 20 phiếu theo quy tắc “Phiếu có thể không do" in card
    hidden, clean = (client.get(f"/public/{unit}/badge.svg").text for unit in ("A1", "C2"))
    assert "chưa đủ người trả lời · có phiếu để riêng<" in hidden and "%" not in hidden
    assert "để riêng" not in clean


@pytest.mark.parametrize(
    ("rules", "suppressed", "said"),
    [
        ([("stuffing", 75)], False, "75 phiếu để riêng"),
        ([("stuffing", None)], False, "dưới 10 phiếu để riêng"),
        ([("distrusted", None), ("stuffing", 75)], False, "hơn 75 phiếu để riêng"),
        ([], True, "có phiếu để riêng"),
    ],
)
def test_in_a_few_words_of_few_no_number_is_told(rules, suppressed, said):
    side = Side(rate=None, low=None, high=None, respondents=None)
    row = AsideRow(
        unit=UnitOut(code="C1", kind="commune", name=Names(vi="C1", en="C1"), within=None),
        suppressed=suppressed, without=side, with_aside=side,
        rules=[
            AsideByRule(rule=rule, respondents=n, fewer_than=10 if n is None else None)
            for rule, n in rules
        ],
    )  # fmt: skip
    assert aside_sentences.short(Words("vi"), [row]) == said
    assert aside_sentences.short(Words("vi"), []) == ""


def test_the_feed_says_it_too(client, world):
    answer = client.get(
        "/api/v1/feed.csv", params={"step": "month", "factors": False},
        headers=world.public_reader(),
    )  # fmt: skip
    rows_ = {
        row["unit_code"]: row
        for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
        if row["questionnaire"] == FORM
    }
    names = ("rate", "rate_with_aside", "set_aside", "set_aside_rules")
    assert [rows_["C1"][name] for name in names] == ["0.5", "0.7", "20", "stuffing"]
    assert [rows_["A1"][name] for name in names] == [""] * 4


def test_what_a_unit_under_suspicion_became_is_suspected(client, database, province):
    for unit in ("C1", "A1"):
        send(client, province, unit, [5] * 30)
    suspect(database, province, "C1")
    with database.writing() as session:
        old = session.get_one(Unit, province.units["C1"])
        new = Unit(
            code="C9", kind=old.kind, name_vi="Xã 9", name_en="Commune 9",
            parent_id=old.parent_id, valid_from=date(2026, 4, 1),
        )  # fmt: skip
        old.valid_to = date(2026, 3, 31)
        session.add(new)
        session.flush()
        session.add(Succession(from_id=old.id, to_id=new.id, day=date(2026, 4, 1)))
        record(session, "unit.change", "C9")
    stranger = province.public_reader()
    today = ranked(client, stranger, unit=["C9", "A1"], structure="today")
    assert today["C9"]["suspected"] and not today["A1"]["suspected"]
    then = ranked(client, stranger, unit=["C1", "A1"], structure="then")
    assert then["C1"]["suspected"]
