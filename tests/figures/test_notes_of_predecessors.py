"""What was noted of units that became another one stands on its trend, with their names."""

from dataclasses import replace
from datetime import date

import pytest

from app.access.callers import Caller, Grant, owner
from app.access.models import Right
from app.figures import trends
from app.figures.action_notes import NewNote, add
from app.figures.context import Context
from app.figures.limit_decisions import Wish, _goes_on, decide, decisions, revoke
from app.figures.periods import Step
from app.figures.query import Query
from app.figures.release import ReleaseRule
from app.messages.words import Words
from app.registry.structures import Step as Step_
from app.registry.structures import UnitHistory, Units, UnitState
from app.reports.charts.trend_chart import _decided_before, _noted
from tests.databases import BACKENDS
from tests.reorganised import LAST, TODAY, standing

OWNER = owner("a test")
BEFORE, AFTER = date(2025, 3, 4), date(2025, 9, 8)


@pytest.fixture(scope="module", params=BACKENDS)
def world(request, templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predecessors")
    with standing(request.param, templates, postgres, folder) as (made, database, _):
        with database.writing("a test") as session:
            new = add(session, OWNER, NewNote("P1", AFTER, "Mở thêm quầy"), TODAY)
            for name, text in (("old P1", "Đổi giờ"), ("old P2", "Sơn lại"), ("old P3", "Máy mới"),
                               ("old P4", "Ghế mới")):  # fmt: skip
                session.flush()
                note = add(session, OWNER, NewNote("P1", BEFORE, text), TODAY)
                note.unit_id = made.units[name]
            assert new.unit_id == made.units["P1"]
        yield made, database


@pytest.fixture
def notes(world):
    _, database = world

    def read(unit, caller=OWNER, **changes):
        query = Query(questionnaire="sipas-desk", units=[unit], last=date(2026, 6, 30), **changes)
        with database.reading() as session:
            asked = Context(session, caller, query, ReleaseRule(1, TODAY))
            (row,) = trends.trend(asked, step=Step.MONTH).rows
        return row.action_notes

    return read


def said(notes):
    return [(note.text, note.of.vi if note.of else None) for note in notes]


def test_a_merged_unit_shows_its_predecessors_notes_by_name_and_its_own_without(notes):
    found = notes("P1")
    assert said(found) == [
        ("Đổi giờ", "Phường 1"), ("Sơn lại", "Phường 2"), ("Mở thêm quầy", None)
    ]  # fmt: skip
    words = Words("vi")
    assert _noted(words, found[0]).startswith("04/03/2025, Phường 1: Đổi giờ (")
    assert _noted(words, found[2]).startswith("08/09/2025: Mở thêm quầy (")


def test_the_head_of_the_merged_unit_reads_them_and_others_do_not(world, notes):
    made, _ = world
    rights = frozenset({Right.READ_FIGURES})
    head = Caller("head", (Grant(rights, made.units["P1"]),))
    assert len(notes("P1", head)) == 3
    # Whoever had one part alone reads what was noted of that, in the tree of then.
    one = Caller("former", (Grant(rights, made.units["old P1"]),))
    assert said(notes("P1", one, structure=LAST)) == [("Đổi giờ", None)]


def test_what_only_partly_became_a_unit_leaves_no_note_on_it(notes):
    assert said(notes("P4")) == [] and said(notes("P3")) == []
    assert ("Máy mới", "Phường 3") in said(notes("77~"))


@pytest.fixture
def decided(world):
    """Limits of 12 months of two predecessors and of the unit itself, decided and undone again."""
    made, database = world
    with database.writing("a test") as session:
        for name, start in (("old P1", "2025-02"), ("old P4", "2025-03"), ("P1", "2025-10")):
            wish = Wish("P1", "sipas-desk", Step.MONTH, start, f"Vì {name}")
            decide(session, OWNER, wish).unit_id = made.units[name]
            session.flush()
    yield
    with database.writing("a test") as session:
        for each in decisions(session, OWNER, revoked=False):
            revoke(session, OWNER, each.id)


@pytest.fixture
def row(world):
    _, database = world

    def read(unit, **changes):
        query = Query(questionnaire="sipas-desk", units=[unit], last=date(2026, 6, 30), **changes)
        with database.reading() as session:
            asked = Context(session, OWNER, query, ReleaseRule(1, TODAY))
            (row,) = trends.trend(asked, step=Step.MONTH).rows
        return row

    return read


def test_what_was_decided_about_a_predecessor_is_told_and_moves_no_limit(decided, row):
    found = row("P1")
    (earlier,) = found.earlier_decisions
    assert (earlier.reason, earlier.start, earlier.of.vi) == ("Vì old P1", "2025-02", "Phường 1")
    taken = [each.decision for each in found.limits.segments if each.decision]
    assert [each.reason for each in taken] == ["Vì P1"] and taken[0].of is None
    told = _decided_before(Words("vi"), earlier)
    assert "Phường 1" in told and "tháng 2 năm 2025" in told and "Vì old P1" in told
    assert not row("P4").earlier_decisions  # of which it is a part alone
    (then,) = [each.decision for each in row("P1", structure=LAST).limits.segments if each.decision]
    assert then.reason == "Vì old P1" and then.of is None


def test_a_unit_that_only_goes_on_under_another_code_keeps_its_decisions():
    day = [date(2024, 1, 1), date(2025, 7, 1), date(2026, 1, 1)]
    ends = [date(2025, 6, 30), date(2025, 12, 31), None]
    histories = {
        id: UnitHistory(
            id, "X", day[at], ends[at], (UnitState(day[at], "commune", "X", "X", None),)
        )
        for id, at in ((1, 0), (2, 1), (3, 2), (4, 1))
    }
    alone = Units(histories, {1: [Step_(2, None)], 2: [Step_(3, None)]}, {2: [1], 3: [2]})
    assert _goes_on(alone, 1, 3) and _goes_on(alone, 3, 3)
    joined = replace(alone, after={**alone.after, 4: [Step_(3, None)]}, before={2: [1], 3: [2, 4]})
    assert not _goes_on(joined, 1, 3) and _goes_on(joined, 1, 2)
    divided = replace(alone, after={1: [Step_(2, 0.5), Step_(4, 0.5)]}, before={2: [1], 4: [1]})
    assert not _goes_on(divided, 1, 2)
