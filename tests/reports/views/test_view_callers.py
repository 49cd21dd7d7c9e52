"""What the pages show to whom: nobody's few, a head's own unit, and periods that are theirs."""

from datetime import date, datetime, timedelta
from itertools import chain

import pytest

from app.access.models import Sector
from app.access.roles import Role
from app.figures.periods import Length, name_of, span
from app.registry.models import Unit
from app.settings import Settings
from surveys.loader import FORMS, load_file
from tests.figures.district import FELL, FORM, SMALL
from tests.reports.views.asked import PERIOD, VIEWS
from tests.small_province import body


def rows_about(document, code):
    """Every object within an answer that is about a unit."""
    if isinstance(document, list):
        yield from chain.from_iterable(rows_about(each, code) for each in document)
    elif isinstance(document, dict):
        if isinstance(document.get("unit"), dict) and document["unit"].get("code") == code:
            yield document
        yield from chain.from_iterable(rows_about(each, code) for each in document.values())


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_shows_a_small_cell_to_who_may_not_see_it(view, world, name):
    """The small unit has its four respondents in the first half of 2025."""
    ask = {"headers": world.public, "period": "2025-H1"}
    beside = {"beside": [SMALL]} if name == "comparison" else {}
    found = list(rows_about(view(name, **ask, **beside), SMALL))
    for row in found:
        assert not row.get("respondents") or "needed_to_publish" in row
        assert all(row.get(key) is None for key in ("rate", "low", "high", "mean_score"))
    own = view(name, unit=SMALL, **ask)
    if "index" in own:
        assert own["index"]["suppressed"] and own["index"]["rate"] is None
        assert all(row["rate"] is None for row in [*own.get("factors", []), *own.get("items", [])])
    if name == "levels":
        assert own["whole"]["suppressed"] and own["besides"] == []
        assert all(i["levels"] == [] for s in own["sections"] for i in s["items"])
    if name == "quality":
        assert own["straight_lining"] is None and own["no_opinion"] == []


def test_a_head_sees_her_unit_against_the_whole_and_nobody_elses(view, world):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    shown = view("unit", unit=FELL, headers=head.headers)
    whole = view("overview", unit="77")["index"]
    reference = shown["index"]["reference"]
    assert [reference["rate"], reference["low"], reference["high"]] == [
        whole["rate"], whole["low"], whole["high"],
    ]  # fmt: skip
    assert reference["difference_high"] < 0  # it fell
    for other in ("K02", "D1", "77"):
        view("unit", unit=other, headers=head.headers, status=404)
    # Only periods of the calendar are shown, so that none is subtracted from one a little longer.
    days = view(
        "unit", unit=FELL, headers=head.headers, period="2026-01-01..2026-05-31", status=422
    )
    assert days["type"] == "/problems/calendar-periods-only"


def test_what_a_link_leaves_out_is_chosen_for_the_caller(world):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    shown = world.client.get("/api/v1/views/overview", headers=head.headers).json()
    assert (shown["unit"]["code"], shown["questionnaire"]) == (FELL, FORM.code)
    two = world.province.person((Role.UNIT_HEAD, FELL), (Role.UNIT_HEAD, "K03"))
    shown = world.client.get(
        "/api/v1/views/units", params={"period": PERIOD}, headers=two.headers
    ).json()
    assert shown["unit"] is None
    assert {row["unit"]["code"] for row in shown["rows"]} == {FELL, "K03"}


def test_a_head_is_alerted_to_her_own_unit(view, world):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    told = view("overview", unit=FELL, period="2026-05", headers=head.headers)
    assert told["standing"] is None
    (shift,) = [row for row in told["alerts"]["rows"] if row["rule"] == "level shift"]
    assert (shift["unit"]["code"], shift["since"]) == (FELL, "2025-12")
    assert shift["change"]["high"] < 0
    # As it stands out among all communes, of which she is told no other.
    assert {row["unit"]["code"] for row in told["alerts"]["rows"]} == {FELL}
    among = view("overview", unit="77", period="2026-05", kind="commune")["alerts"]
    # Months that are hidden from her for another's sake tell her page nothing.
    both = [
        [(row["rule"], row["since"]) for row in rows if row["unit"]["code"] == FELL]
        for rows in (told["alerts"]["rows"], among["rows"])
    ]
    assert both[0] == [("level shift", "2025-12")] and set(both[0]) <= set(both[1])
    assert shift["adjusted_p"] < 0.02  # of the months that are shown
    assert view("overview", unit="K05", period="2026-05")["alerts"]["rows"] == []
    # Nothing was looked at, which is not the same as nothing found; of parts of months, neither.
    days = {"period": "2026-01-05..2026-05-20"}
    assert view("overview", unit="C1", period="2026-05")["alerts"] is None
    refused = view("overview", unit=FELL, **days, headers=head.headers, status=422)
    assert refused["type"] == "/problems/calendar-periods-only"
    of_few = view("overview", unit=SMALL, period="2026-05", headers=world.public)
    assert of_few["alerts"] is None
    assert view("overview", unit="H1", questionnaire="moh-inpatient")["alerts"] is None


def test_nobody_waits_for_answers_to_a_questionnaire_that_a_unit_does_not_use(view, world):
    codes = {row["unit"]["code"] for row in view("units", unit="77", kind="commune")["rows"]}
    # C1 has a survey point and no answers yet, C3 has no point.
    with world.province.database.writing() as session:
        district = session.get_one(Unit, world.province.units["D1"])
        session.add(
            Unit(
                code="C3", kind="commune", name_vi="Xã C3", name_en="C3", parent=district,
                valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip
    for name, rows in (("units", "rows"), ("quality", "silent"), ("sections", "rows")):
        shown = view(name, unit="77", kind="commune", period="2025-H2")
        told = {row["unit"]["code"]: row["respondents"] for row in shown[rows]}
        assert told["C1"] == 0 and "C3" not in told
    assert "C3" not in codes
    # A hospital has no point itself: its wards have.
    for name, rows in (("units", "rows"), ("quality", "silent")):
        shown = view(name, unit="77", questionnaire="moh-inpatient", kind="hospital")[rows]
        assert [row["unit"]["code"] for row in shown] == ["H1"]


def test_a_page_opens_with_the_last_whole_period_that_its_caller_is_told_of(world):
    # Somebody answers in the running quarter, and that is no period to open with.
    today = datetime.now(Settings().zone).date()
    sent = [body(world.province.points[("A1", FORM.code)])]
    # And twelve patients of a ward answered in February.
    ward = load_file(FORMS / "moh-inpatient.yaml")
    answers = {item.code: 4 for factor in ward.index_factors for item in ward.index_items(factor)}
    sent += [
        body(
            world.province.points[("W1", ward.code)], answers, questionnaire=ward.code,
            answered_at=f"2026-02-{day:02}T09:00:00+07:00",
        )
        for day in range(1, 13)
    ]  # fmt: skip
    for each in sent:
        answer = world.client.post(
            "/api/v1/responses", json=each, headers=world.province.importer()
        )
        assert answer.status_code == 201, answer.text
    person = world.province.person
    callers = {
        "chairman": person((Role.UNIT_HEAD, FELL)).headers,
        "chairman of few": person((Role.UNIT_HEAD, SMALL)).headers,
        "head of a ward": person((Role.UNIT_HEAD, "W1")).headers,
        "department": person((Role.DEPARTMENT_ANALYST, None, Sector.HEALTH)).headers,
        "province": world.analyst,
        "anybody": world.public,
    }
    opened = {}
    for who, headers in callers.items():

        def ask(**parameters):
            answer = world.client.get(
                "/api/v1/views/unit",
                params=parameters,
                headers=headers,  # noqa: B023
            )
            assert answer.status_code == 200, answer.text
            return answer.json()

        shown = ask()
        opened[who] = shown["period"]
        assert date.fromisoformat(shown["last"]) < today and shown["running_to"] is None
        later, told = date.fromisoformat(shown["last"]) + timedelta(days=1), []
        while (quarter := span(name_of(later, Length.QUARTER))).last < today:
            told.append(ask(period=quarter.name)["index"]["rate"])
            later = quarter.last + timedelta(days=1)
        # Nothing is told of any whole quarter after that one.
        assert told == [None] * len(told)
        running = ask(period=name_of(today, Length.QUARTER))
        assert running["running_to"] == today.isoformat()
    assert opened["chairman"] == opened["province"] == opened["anybody"] == "2026-Q2"
    assert opened["head of a ward"] == opened["department"] == "2026-Q1"
    # Of four respondents nothing is told of any quarter: the last whole one says so.
    before = span(name_of(today, Length.QUARTER)).first - timedelta(days=1)
    assert opened["chairman of few"] == name_of(before, Length.QUARTER)


def test_a_unit_that_waits_for_release_is_not_said_to_be_silent(view, world):
    today = datetime.now(Settings().zone).date()
    for _ in range(3):
        sent = body(world.province.points[("C1", FORM.code)])
        answer = world.client.post(
            "/api/v1/responses", json=sent, headers=world.province.importer()
        )
        assert answer.status_code == 201, answer.text
    head = world.province.person((Role.UNIT_HEAD, "D1")).headers
    month = name_of(today, Length.MONTH)
    shown = view("units", period=month, kind="commune", headers=head)
    rows = {row["unit"]["code"]: row for row in shown["rows"]}
    # Three answered about C1, and the head is told that of them and nothing else.
    assert rows["C1"]["waiting"] and rows["C1"]["rate"] is None
    assert not rows["C2"]["waiting"] and rows["C2"]["respondents"] == 0
    assert shown["waiting"] == sum(row["waiting"] for row in shown["rows"]) >= 1
    assert shown["silent"] == sum(
        row["respondents"] == 0 and not row["waiting"] for row in shown["rows"]
    )
    assert shown["compared"] == 0
    quality = view("quality", period=month, kind="commune", headers=head)
    assert "C1" in {row["unit"]["code"] for row in quality["waiting"]}
    silent = {row["unit"]["code"] for row in quality["silent"]}
    assert "C1" not in silent and "C2" in silent
    # Who may see small figures waits for nothing.
    assert view("units", period=month, kind="commune")["waiting"] == 0


def test_nobody_collects_answers_to_a_form_that_a_unit_does_not_use(view):
    assert view("unit", unit="W1")["collecting"]["rows"] == []
    rows = view("unit", unit="W1", questionnaire="moh-inpatient")["collecting"]["rows"]
    assert [row["unit"]["code"] for row in rows] == ["W1"]
