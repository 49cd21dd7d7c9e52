"""Notes of what units did: who records them, what is refused, and that they move no figure."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.access.models import Right
from app.access.roles import RIGHTS, Role
from app.audit.models import AuditEntry
from tests.databases import BACKENDS
from tests.figures.district import FELL, FORM, MONTHS, URL, standing

DAY = f"{MONTHS[12]}-09"
TEXT = "Mở thêm quầy 3"


@pytest.fixture(scope="module", params=BACKENDS)
def world(request, templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("action-notes")
    with standing(request.param, templates, postgres, folder) as world:
        yield world


@pytest.fixture
def noter(world):
    return world.province.credential(Right.READ_FIGURES, Right.NOTE_ACTIONS)


@pytest.fixture
def note(world, noter):
    """Notes something of the commune that fell; every note is withdrawn in the end."""
    made = []

    def ask(status=201, headers=noter, **changes):
        wish = {"unit": FELL, "questionnaire": FORM.code, "day": DAY, "text": TEXT} | changes
        wish = {name: value for name, value in wish.items() if value is not None}
        answer = world.client.post(f"{URL}/action-notes", json=wish, headers=headers)
        assert answer.status_code == status, answer.text
        if status == 201:
            made.append(answer.json()["id"])
        return answer.json()

    yield ask
    for id in made:
        world.client.delete(f"{URL}/action-notes/{id}", headers=noter)


def course(world, unit=FELL, **ask):
    (row,) = world("trend", unit=unit, **ask)["rows"]
    return row


def test_a_trend_tells_what_was_noted_in_order_and_moves_no_figure(world, note, noter):
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
        gone = world.client.delete(f"{URL}/action-notes/{made['id']}", headers=noter)
        assert gone.status_code == 204
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
    found = note(status, **changes)
    fields = [error["field"] for error in found.get("errors", ())] or [found["field"]]
    assert fields == [said]


def test_two_hundred_signs_fit(note):
    assert note(text="ă" * 200)["text"] == "ă" * 200


def test_who_only_reads_notes_nothing(world, note):
    assert note(403, headers=world.analyst)["type"] == "/problems/right-missing"
    elsewhere = world.province.credential(Right.READ_FIGURES, Right.NOTE_ACTIONS, unit="H1")
    assert note(404, headers=elsewhere)["type"] == "/problems/unknown-unit"
    made = note()
    for headers, status in ((world.analyst, 403), (elsewhere, 404)):
        answer = world.client.delete(f"{URL}/action-notes/{made['id']}", headers=headers)
        assert answer.status_code == status
    answer = world.client.get(f"{URL}/action-notes", headers=elsewhere)
    assert answer.json() == {"notes": []}


def test_a_head_may_note_though_she_draws_no_limits():
    assert Right.NOTE_ACTIONS in RIGHTS[Role.UNIT_HEAD]
    assert Right.DECIDE_LIMITS not in RIGHTS[Role.UNIT_HEAD]
    assert Right.NOTE_ACTIONS not in RIGHTS[Role.DESK_STAFF] | RIGHTS[Role.AUDITOR]


def test_notes_are_kept_with_name_and_stand_in_the_log(world, note, noter):
    made = note(text="  Mở thêm   quầy 3 ")
    world.client.delete(f"{URL}/action-notes/{made['id']}", headers=noter)
    again = world.client.delete(f"{URL}/action-notes/{made['id']}", headers=noter)
    assert again.status_code == 404 and again.json()["type"] == "/problems/unknown-action-note"
    ask = {"unit": FELL, "questionnaire": FORM.code}
    listed = world.client.get(f"{URL}/action-notes", params=ask, headers=world.public).json()
    (found,) = [each for each in listed["notes"] if each["id"] == made["id"]]
    assert found["text"] == TEXT and found["day"] == DAY
    assert found["recorded_by"] == found["withdrawn_by"] and found["recorded_by"].endswith("test")
    shown = world.client.get(
        f"{URL}/action-notes", params=ask | {"withdrawn": False}, headers=world.analyst
    ).json()
    assert made["id"] not in [each["id"] for each in shown["notes"]]
    with world.province.database.reading() as session:
        entries = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject == str(made["id"]), AuditEntry.action.like("action_note.%"))
            .order_by(AuditEntry.id)
        ).all()
    assert [each.action for each in entries] == ["action_note.add", "action_note.withdraw"]
