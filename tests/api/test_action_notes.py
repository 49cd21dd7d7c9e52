"""Notes of what units did: who records them, what is refused, and that they move no figure."""

from datetime import UTC, datetime, timedelta

import pytest

from app.access.models import Right
from app.access.roles import RIGHTS, Role
from tests.api.unit_entries import keeping, listed_once_ended, only_holders_keep, wrong_fields
from tests.figures.district import FELL, MONTHS, district

DAY = f"{MONTHS[12]}-09"
TEXT = "Mở thêm quầy 3"


world = district()


@pytest.fixture
def note(world):
    """Notes something of the commune that fell; every note is withdrawn in the end."""
    with keeping(world, "action-notes", Right.NOTE_ACTIONS, day=DAY, text=TEXT) as book:
        yield book


def course(world, unit=FELL, **ask):
    (row,) = world("trend", unit=unit, **ask)["rows"]
    return row


def test_a_trend_tells_what_was_noted_in_order_and_moves_no_figure(world, note):
    before = course(world)
    assert before["action_notes"] == []
    late = note(day=f"{MONTHS[14]}-01", text="Đào tạo lại cán bộ", questionnaire=None)
    early = note()
    after = course(world)
    assert [each["id"] for each in after["action_notes"]] == [early["id"], late["id"]]
    told = after["action_notes"][0]
    assert (told["day"], told["text"]) == (DAY, TEXT)
    assert told["recorded_by"].endswith("test")
    assert after | {"action_notes": []} == before
    for made in (early, late):
        note.end(made)
    assert course(world) == before


@pytest.mark.parametrize("step", ["week", "month", "quarter"])
def test_only_notes_of_the_days_asked_for_are_told(world, note, step):
    note(day="2025-12-31")
    first = note(day="2026-01-01")
    last = note(day="2026-06-28")
    note(day="2026-07-20")
    found = course(world, step=step, **{"from": "2026-01-01", "to": "2026-06-30"})["action_notes"]
    within = [each["id"] for each in found if "2026-01-01" <= each["day"] <= "2026-06-28"]
    assert within == [first["id"], last["id"]]
    assert all(each["day"] < "2026-07-06" for each in found)


def test_a_note_is_of_its_unit_and_its_questionnaire(world, note):
    note(questionnaire="moh-inpatient")
    assert course(world)["action_notes"] == []
    note()
    assert course(world, "K03")["action_notes"] == []
    assert course(world, "D1", expand="given")["action_notes"] == []


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"day": str((datetime.now(UTC) + timedelta(days=2)).date())}, 422, "day"),
        ({"day": "1999-01-01"}, 422, "day"),
        ({"day": "2026-02-30"}, 422, "day"),
        ({"day": None}, 422, "day"),
        ({"text": "   "}, 422, "text"),
        ({"text": "x" * 201}, 422, "text"),
        ({"text": "two\nlines"}, 422, "text"),
        ({"recorded_by": "somebody else"}, 422, "recorded_by"),
        ({"unit": "nowhere"}, 404, "unit"),
        ({"questionnaire": "nowhere"}, 404, "questionnaire"),
    ],
)
def test_what_cannot_be_noted_is_refused_by_field(note, changes, status, said):
    assert wrong_fields(note(status, **changes)) == [said]


def test_two_hundred_signs_fit(note):
    assert note(text="ă" * 200)["text"] == "ă" * 200


def test_who_only_reads_notes_nothing(note):
    only_holders_keep(note)


def test_a_head_may_note_though_she_draws_no_limits():
    assert Right.NOTE_ACTIONS in RIGHTS[Role.UNIT_HEAD]
    assert Right.DECIDE_LIMITS not in RIGHTS[Role.UNIT_HEAD]
    assert Right.NOTE_ACTIONS not in RIGHTS[Role.DESK_STAFF] | RIGHTS[Role.AUDITOR]


def test_notes_are_kept_with_name_and_stand_in_the_log(note):
    made = note(text="  Mở thêm   quầy 3 ")
    actions = ("action_note.add", "recorded"), ("action_note.withdraw", "withdrawn")
    found = listed_once_ended(note, made, *actions)
    assert found["text"] == TEXT and found["day"] == DAY
    assert note.end(made, 404).json()["type"] == "/problems/unknown-action-note"
