"""Splitting a batch: nobody but the burst is rejected, by a reviewer or by the rule later."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select

from analysis.kinds import Kind
from app.intake.models import Disposition, Response
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import DISTRUSTED, Together, change_dispositions
from app.integrity import batches
from app.integrity.batches import BatchDecided
from app.integrity.examination import Found
from app.integrity.models import State, SuspectBatch
from app.integrity.parts import Part, reject_part
from app.integrity.reading import Source
from app.integrity.recording import Recorded, keep
from app.integrity.rules import Rule, RuleVersion
from app.problems import InvalidFields
from app.retention.withdrawing import withdraw
from app.settings import Settings
from tests.integrity.stored import MONTH, ZONE, desk_form, presses, store
from tests.integrity.suspected import batch_of

UNIT = 900
RUNNING, OVER = (Together(10, day) for day in (MONTH.replace(day=20), MONTH.replace(month=11)))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(MONTH.year, MONTH.month, day, hour, minute, tzinfo=ZONE)


#: When the burst went: forty presses within.
BURST = Part(at(3, 17), at(3, 17, 20))


RULE = RuleVersion("stuffing", 1, Rule(), True, "test", None)
FLAGS = replace(RULE, rule=Rule(quarantine=None))


class Month:
    """A unit's stored responses: each group of a day is suspected as one batch has it."""

    def __init__(self, database):
        self.database, self.version = database, desk_form(database)

    def give(self, number, begin):
        return store(self.database, presses(self.version, UNIT, number, begin))

    def dispositions(self, ids):
        query = (
            select(Response.disposition, func.count())
            .where(Response.id.in_(ids))
            .group_by(Response.disposition)
        )
        with self.database.reading() as session:
            return dict(session.execute(query).all())

    def split(self, id, part, together=OVER):
        with self.database.writing("test") as session:
            return reject_part(session, together, id, "Nguyễn Thị A", "đã xem giờ", part)

    def aside(self, id, least=10):
        with self.database.writing("rule") as session:
            return batches.quarantine(session, Together(least, RUNNING.today), id).moved

    def examine(self, ids, rule=RULE, together=OVER):
        """The rule finds some, as it does hour by hour: all that it suspects of the source."""
        found = Found(
            self.version, MONTH, Source(UNIT, "kiosk", 1000 + UNIT), 0.999, len(ids), 1.0, (),
            tuple((id, Kind.PRESSED, 0.99) for id in ids),
        )  # fmt: skip
        with self.database.writing("rule") as session:
            return keep(session, together, rule, found)

    def decide(self, act, id):
        with self.database.writing("test") as session:
            return act(session, OVER, id, "Nguyễn Thị B", "đã hỏi")

    def ids(self):
        with self.database.reading() as session:
            return session.scalars(select(SuspectBatch.id).order_by(SuspectBatch.id)).all()

    def states(self):
        with self.database.reading() as session:
            return session.scalars(select(SuspectBatch.state).order_by(SuspectBatch.id)).all()


@pytest.fixture
def month(database):
    return Month(database)


def test_where_not_all_of_the_rest_come_back_nothing_is_split(month):
    """Fourteen of the third may be freed, six of the fifth not: as if of ten four had withdrawn."""
    pressed, beside = month.give(40, BURST.first), month.give(14, at(3, 9))
    later = month.give(6, at(5, 9))
    id = batch_of(month.database, UNIT, [*pressed, *beside, *later])
    assert month.aside(id, least=1) == 60
    with pytest.raises(InvalidFields) as refused:
        month.split(id, BURST, RUNNING)
    assert refused.value.errors[0].reason == "integrity.part_rest_few"
    assert month.dispositions([*pressed, *beside, *later]) == {"quarantined": 60}
    assert month.states() == [State.QUARANTINED]
    # When the month is over they are twenty together.
    assert month.split(id, BURST).moved == 60
    assert month.dispositions(pressed) == {"rejected": 40}
    assert month.dispositions([*beside, *later]) == {"counted": 20}
    assert month.states() == [State.REJECTED, State.RELEASED] and verify(month.database) == []


def test_a_part_of_which_nobody_may_move_is_not_rejected(month):
    """Six of one day and six of another are twelve, and too few of each."""
    ids = [*month.give(6, at(3, 9)), *month.give(6, at(4, 9)), *month.give(5, at(5, 9))]
    id = batch_of(month.database, UNIT, ids)
    part = Part(at(3, 8), at(4, 23))
    with pytest.raises(InvalidFields) as refused:
        month.split(id, part, RUNNING)
    assert refused.value.errors[0].reason == "integrity.part_few"
    assert month.states() == [State.OPEN]
    assert month.split(id, part).moved == 12 and month.dispositions(ids[:12]) == {"rejected": 12}


def test_who_is_let_go_of_is_neither_found_again_nor_rejected_with_others(month):
    """Twelve more of that morning were noted, and counted still, when fourteen came back."""
    pressed, beside = month.give(40, BURST.first), month.give(14, at(3, 9))
    month.examine([*pressed, *beside])
    counted = month.give(12, at(3, 10))
    every = [*pressed, *beside, *counted]
    assert month.examine(every, FLAGS) == Recorded()
    (id,) = month.ids()
    assert month.split(id, BURST).moved == 54
    for _ in range(2):
        assert month.examine(every) == Recorded()
    assert month.dispositions(pressed) == {"rejected": 40}
    assert month.dispositions([*beside, *counted]) == {"counted": 26}
    # As one were aside and came back, and the others never were.
    (_, new) = month.ids()
    assert month.decide(batches.reject, new).moved == 14
    assert month.dispositions(counted) == {"counted": 12}
    assert month.decide(batches.release, new).moved == 14
    assert month.examine(every) == Recorded() and verify(month.database) == []


def test_who_never_was_aside_when_a_split_off_batch_is_released_again_is_not_found_anew(month):
    """The rest of a batch that counted: fourteen of the third, and twelve too few of their days."""
    pressed, beside = month.give(40, BURST.first), month.give(14, at(3, 9))
    others = [*month.give(6, at(4, 9)), *month.give(6, at(5, 9))]
    every = [*pressed, *beside, *others]
    month.examine(every, FLAGS)
    month.split(*month.ids(), BURST, RUNNING)
    new = month.ids()[-1]
    with month.database.writing("test") as session:
        assert batches.reject(session, RUNNING, new, "B", "nhầm").moved == 14
    assert month.decide(batches.release, new).moved == 14
    assert month.examine(every) == Recorded()
    assert month.decide(batches.reject, new).moved == 14
    assert month.dispositions(others) == {"counted": 12} and verify(month.database) == []


@pytest.mark.parametrize(
    ("first", "last", "wrong"),
    [
        (datetime(1, 1, 1, tzinfo=ZONE), BURST.last, ["from"]),
        (BURST.first, datetime(9999, 12, 31, 23, 59, tzinfo=ZONE), ["to"]),
        (datetime(1969, 12, 31, tzinfo=ZONE), datetime(2200, 1, 2, tzinfo=ZONE), ["from", "to"]),
    ],
)
def test_ends_of_time_are_no_ends_of_a_part(own_database, first, last, wrong):
    month = Month(own_database)
    id = batch_of(own_database, UNIT, month.give(12, BURST.first))
    with pytest.raises(InvalidFields) as refused:
        month.split(id, Part(first, last))
    assert [each.field for each in refused.value.errors] == wrong


def test_what_comes_after_a_part_was_rejected_waits_for_a_reviewer(month):
    pressed, beside = month.give(40, BURST.first), month.give(14, at(3, 9))
    every = [*pressed, *beside]
    month.examine(every)
    month.split(*month.ids(), BURST)
    every += month.give(5, at(8, 9))
    assert month.examine(every) == Recorded(flagged=1)
    assert month.states() == [State.REJECTED, State.RELEASED, State.OPEN]
    every += month.give(15, at(9, 9))
    assert month.examine(every) == Recorded(quarantined=1, responses=20)
    assert month.examine(every) == Recorded()
    assert month.states() == [State.REJECTED, State.RELEASED, State.QUARANTINED]
    assert month.dispositions(every) == {"rejected": 40, "counted": 14, "quarantined": 20}
    id = month.ids()[-1]
    with month.database.reading() as session:
        later = batches.find(session, id)
        assert later.suspected == pytest.approx(20 * 0.99) and later.decided_by is None
    # It is split as the first was, and then again what comes is nobody's decision.
    month.split(id, Part(at(9, 8), at(9, 12)), Together(5, OVER.today))
    every += month.give(10, at(10, 9))
    assert month.examine(every) == Recorded(flagged=1, quarantined=1, responses=10)
    last = month.ids()[-1]
    assert month.decide(batches.release, last).moved == 10
    every += month.give(10, at(11, 9))
    assert month.examine(every) == Recorded() and verify(month.database) == []


def test_who_was_never_aside_beside_a_burst_is_released_from_it_for_good(month):
    """Three came after the rule had set forty aside, and counted all along."""
    pressed = month.give(40, BURST.first)
    month.examine(pressed)
    beside = month.give(3, at(3, 9))
    month.examine([*pressed, *beside])
    assert month.split(*month.ids(), BURST).moved == 40
    _, new = month.ids()
    assert month.decide(batches.reject, new).moved == 0
    assert month.dispositions(beside) == {"counted": 3} and verify(month.database) == []


def test_what_came_back_may_be_rejected_again_after_the_rest_was_released_later(month):
    """Twelve of the third come back, three of the fourth stay; released again, nothing changes."""
    twelve, three = month.give(12, at(3, 9)), month.give(3, at(4, 9))
    id = batch_of(month.database, UNIT, [*twelve, *three])
    assert month.aside(id, least=1) == 15

    def act(decision):
        with month.database.writing("test") as session:
            changed = decision(session, RUNNING, id, "B", "x")
            return changed.moved, changed.stayed

    assert [act(batches.release), act(batches.release)] == [(12, 3), (0, 3)]
    assert act(batches.reject)[0] == 15
    assert month.dispositions([*twelve, *three]) == {"rejected": 15}


def test_what_an_operator_set_aside_is_nothing_that_the_batch_holds(month):
    """Of a stolen device twenty are distrusted; three beside the burst go on counting."""
    pressed, beside = month.give(40, BURST.first), month.give(3, at(3, 9))
    month.examine([*pressed, *beside], FLAGS)
    with month.database.writing("operator") as session:
        change_dispositions(
            session, OVER, Disposition.COUNTED, Disposition.DISTRUSTED, DISTRUSTED,
            Response.id.in_(pressed[20:]),
        )  # fmt: skip
    assert month.split(*month.ids(), BURST).moved == 20
    assert month.dispositions(pressed) == {"rejected": 20, "distrusted": 20}
    assert month.dispositions(beside) == {"counted": 3} and verify(month.database) == []


def test_of_whom_an_operator_set_some_aside_the_others_are_released_and_rejected(month):
    """Nobody was aside as of the batch: who counts is let go of by no release, and comes along."""
    pressed = month.give(40, BURST.first)
    month.examine(pressed, FLAGS)
    with month.database.writing("operator") as session:
        change_dispositions(
            session, OVER, Disposition.COUNTED, Disposition.DISTRUSTED, DISTRUSTED,
            Response.id.in_(pressed[20:]),
        )  # fmt: skip
    (id,) = month.ids()
    assert month.decide(batches.release, id).moved == 0
    with pytest.raises(BatchDecided):
        month.decide(batches.release, id)
    assert month.decide(batches.reject, id).moved == 20
    assert month.dispositions(pressed) == {"rejected": 20, "distrusted": 20}


def test_what_was_withdrawn_is_of_no_part(month):
    """Its row has a day and no hour: at nine it was not given within what began at midnight."""
    pressed, beside = month.give(40, at(3, 0)), month.give(14, at(3, 9))
    every = {*pressed, *beside}
    month.examine([*pressed, *beside], FLAGS)
    with month.database.writing("citizen") as session:
        withdraw(session, Settings(), beside[0])
    with month.database.reading() as session:
        (left,) = session.scalars(select(Response.id).where(Response.id.not_in(every)))
    month.split(*month.ids(), Part(at(3, 0), at(3, 0, 30)))
    assert month.dispositions([left]) == {"counted": 1}
    assert month.dispositions(pressed) == {"rejected": 40}


def test_of_both_batches_it_is_said_how_many_are_likely_stuffed(month):
    month.examine([*month.give(40, BURST.first), *month.give(14, at(3, 9))])
    month.split(*month.ids(), BURST)
    with month.database.reading() as session:
        found = {each.state: each.suspected for each in batches.batches(session)}
    assert found == {
        State.REJECTED: pytest.approx(40 * 0.99), State.RELEASED: pytest.approx(14 * 0.99),
    }  # fmt: skip


def test_those_of_a_part_who_were_too_few_follow_where_the_rule_is_sure(month):
    """Ten of the third move while the month runs; six and six of two later days when it is over."""
    days = [month.give(number, at(day, 9)) for number, day in ((10, 3), (6, 4), (6, 5), (12, 9))]
    every = [id for day in days for id in day]
    month.examine(every, FLAGS)
    assert month.split(*month.ids(), Part(at(3, 8), at(5, 23)), RUNNING).moved == 10
    assert month.examine(every, FLAGS) == Recorded()
    assert month.examine(every, RULE) == Recorded(responses=12)
    assert month.dispositions(every) == {"rejected": 22, "counted": 12}
