"""What is done about what a rule found: flagged, set aside, and what people decided stays so."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from analysis.kinds import Kind
from app.audit.models import AuditEntry
from app.intake.models import Disposition, Response
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import Together
from app.integrity import batches
from app.integrity.examination import Found
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.passes import run
from app.integrity.reading import Source
from app.integrity.reasons import Reason
from app.integrity.recording import Recorded, keep, withdraw
from app.integrity.rules import Rule, RuleVersion, set_rule
from app.settings import Settings
from tests.integrity.stored import MONTH, desk_form, desks, honest, presses, store

RULE = RuleVersion("stuffing", 1, Rule(), True, "test", None)
FLAGS = replace(RULE, rule=Rule(quarantine=None))
TOGETHER = Together(10, date(2026, 11, 20))
UNIT = 900


class Desk:
    """A unit's stored presses, and what a rule found of them."""

    def __init__(self, database, number=40):
        self.database, self.version = database, desk_form(database)
        self.ids = self.press(number)
        self.source = Source(UNIT, "kiosk", 1000 + UNIT)

    def press(self, number):
        return store(self.database, presses(self.version, UNIT, number))

    def found(self, ids=None, probability=0.999, **changes):
        ids = self.ids if ids is None else ids
        found = Found(
            self.version, MONTH, self.source, probability, len(ids), float(len(ids)),
            (Reason("pressed", len(ids), len(ids), 0.01, float(len(ids))),),
            tuple((id, Kind.PRESSED, 0.99) for id in ids),
        )  # fmt: skip
        return replace(found, **changes)

    def keep(self, found, rule=RULE):
        with self.database.writing("test") as session:
            return keep(session, TOGETHER, rule, found)

    def withdraw(self, *found, rule=RULE):
        with self.database.writing("test") as session:
            return withdraw(session, rule, MONTH, found)

    def decide(self, act, id):
        with self.database.writing("reviewer") as session:
            return act(session, TOGETHER, id, "a reviewer", "looked at it")

    def batch(self):
        with self.database.reading() as session:
            (one,) = batches.batches(session)
            return one

    def dispositions(self):
        query = select(Response.disposition, func.count()).group_by(Response.disposition)
        with self.database.reading() as session:
            return dict(session.execute(query).all())

    def actions(self):
        with self.database.reading() as session:
            found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [each.action for each in found if each.action.startswith("batch.")]

    def noted(self):
        with self.database.reading() as session:
            return set(session.scalars(select(SuspectResponse.response_id)))


@pytest.fixture
def desk(database):
    return Desk(database)


def test_what_a_rule_sets_aside_counts_no_longer(desk):
    done = desk.keep(desk.found())
    assert done == Recorded(flagged=1, quarantined=1, responses=40)
    batch = desk.batch()
    assert batch.state is State.QUARANTINED and batch.reasons[0].why == "pressed"
    assert (batch.unit_id, batch.channel, batch.credential_id) == (UNIT, "kiosk", 1000 + UNIT)
    assert (batch.rule, batch.rule_version, batch.responses) == ("stuffing", 1, 40)
    assert desk.noted() == set(desk.ids) and desk.dispositions() == {"quarantined": 40}
    assert verify(desk.database) == []
    with desk.database.reading() as session:
        assert set(session.scalars(select(Response.aside_rule))) == {"stuffing"}
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.startswith("batch."))
        ).all()
    assert [(each.action, each.subject) for each in entries] == [
        ("batch.flag", str(batch.id)),
        ("batch.quarantine", str(batch.id)),
    ]
    assert "40" in entries[1].details and {each.actor for each in entries} == {"test"}


def test_found_again_there_is_nothing_new(desk):
    desk.keep(desk.found())
    before = desk.actions()
    again = desk.keep(desk.found(probability=0.9999), replace(RULE, version=2))
    assert again == Recorded() and desk.actions() == before
    batch = desk.batch()
    assert (batch.probability, batch.rule_version) == (0.9999, 2)
    # What came since is set aside with the rest, though it is no new batch.
    more = desk.press(12)
    assert desk.keep(desk.found(desk.ids + more)) == Recorded(responses=12)
    assert desk.dispositions() == {"quarantined": 52} and verify(desk.database) == []


def test_a_rule_that_flags_only_lets_all_count(desk):
    assert desk.keep(desk.found(), FLAGS) == Recorded(flagged=1)
    low = desk.found(probability=0.9)
    assert desk.keep(low) == Recorded()
    assert desk.batch().state is State.OPEN and desk.dispositions() == {"counted": 40}
    # The rule sets aside from now on, or is surer: the same batch.
    assert desk.keep(desk.found()) == Recorded(quarantined=1, responses=40)
    assert desk.batch().state is State.QUARANTINED


def test_released_stays_released(desk):
    desk.keep(desk.found())
    assert desk.decide(batches.release, desk.batch().id).moved == 40
    more = desk.press(15)
    assert desk.keep(desk.found(desk.ids + more)) == Recorded()
    batch = desk.batch()
    assert batch.state is State.RELEASED and batch.decided_by == "a reviewer"
    assert desk.dispositions() == {"counted": 55} and desk.noted() == set(desk.ids)
    assert desk.withdraw() == Recorded() and verify(desk.database) == []


def test_to_a_rejected_batch_is_added_what_came_since(desk):
    desk.keep(desk.found())
    desk.decide(batches.reject, desk.batch().id)
    more = desk.press(15)
    assert desk.keep(desk.found(desk.ids + more)) == Recorded(responses=15)
    assert desk.batch().state is State.REJECTED and desk.batch().decided_by == "a reviewer"
    assert desk.dispositions() == {"rejected": 55} and verify(desk.database) == []


def test_an_open_batch_is_withdrawn_where_it_is_found_no_more(desk):
    desk.keep(desk.found(), FLAGS)
    assert desk.withdraw(desk.found()) == Recorded()
    assert desk.withdraw(rule=replace(RULE, name="another")) == Recorded()
    assert desk.withdraw() == Recorded(withdrawn=1)
    batch = desk.batch()
    assert batch.state is State.RELEASED and batch.decided_by is None
    assert desk.actions() == ["batch.flag", "batch.withdraw"]
    # Nobody decided: it may be suspected again, by the same number.
    desk.keep(desk.found(), FLAGS)
    assert desk.batch().state is State.OPEN and desk.batch().id == batch.id


def test_what_is_set_aside_waits_for_eyes(desk):
    desk.keep(desk.found())
    assert desk.withdraw() == Recorded()
    assert desk.batch().state is State.QUARANTINED and desk.dispositions() == {"quarantined": 40}


def test_fewer_than_ten_stay_counted(database):
    desk = Desk(database, 9)
    assert desk.keep(desk.found()) == Recorded(flagged=1)
    assert desk.batch().state is State.OPEN and desk.dispositions() == {"counted": 9}
    assert desk.actions() == ["batch.flag"]
    more = desk.press(1)
    assert desk.keep(desk.found(desk.ids + more)) == Recorded(quarantined=1, responses=10)
    assert verify(database) == []


def test_another_channel_or_source_is_another_batch(desk):
    desk.keep(desk.found(desk.ids[:20]), FLAGS)
    none = Source(UNIT, "kiosk", None)
    for _ in range(2):
        desk.keep(desk.found(desk.ids[20:], source=none), FLAGS)
    with desk.database.reading() as session:
        found = session.scalars(select(SuspectBatch.credential_id)).all()
    assert sorted(found, key=str) == [1000 + UNIT, None]
    # A response is of one batch: the first.
    desk.keep(desk.found(desk.ids, source=none), FLAGS)
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SuspectResponse)) == 40


def test_two_that_examine_at_once_find_one_batch(desk):
    with ThreadPoolExecutor(4) as examiners:
        done = list(examiners.map(lambda _: desk.keep(desk.found()), range(8)))
    assert sum(done, Recorded()) == Recorded(flagged=1, quarantined=1, responses=40)
    assert desk.batch().state is State.QUARANTINED and desk.noted() == set(desk.ids)
    assert verify(desk.database) == []


def test_recorded_adds_up():
    assert Recorded(1, 2, 3, 4) + Recorded(flagged=1, responses=1) == Recorded(2, 2, 3, 5)


def test_a_pass_again_finds_nothing_new(database):
    """From stored responses to cells: examined, set aside, released, and examined again."""
    version, units = desk_form(database), desks(database, 20)
    store(database, honest(version, units))
    pressed = store(database, presses(version, units[-1]))
    with database.writing("test") as session:
        set_rule(session, "stuffing", Rule(), active=True, by="test")
    heard = []
    first = run(database, Settings(), [MONTH], tell=heard.append)
    assert (first.flagged, first.quarantined, first.withdrawn) == (1, 1, 0)
    assert first.responses >= 38 and sum(heard) == 340 and verify(database) == []
    assert run(database, Settings(), [MONTH]) == Recorded()
    with database.reading() as session:
        (batch,) = batches.batches(session)
        aside = set(
            session.scalars(
                select(Response.id).where(Response.disposition != Disposition.COUNTED.value)
            )
        )
    assert batch.unit_id == units[-1] and len(aside - set(pressed)) <= 1
    with database.writing("reviewer") as session:
        batches.release(session, TOGETHER, batch.id, "a reviewer", "a class of thirty")
    assert run(database, Settings(), [MONTH]) == Recorded() and verify(database) == []
    with database.reading() as session:
        assert batches.find(session, batch.id).state is State.RELEASED
