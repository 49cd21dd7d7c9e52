"""What a reviewer, a rule and a citizen do at the same time: nobody fails, and nobody is rejected
whom nobody judged.
"""

from threading import Event, Thread

import pytest
from sqlalchemy import text

from app.intake.rollup_rebuild import hold_off_writers
from app.integrity import batches
from app.integrity.parts import reject_part
from app.retention.withdrawing import withdraw
from app.settings import Settings
from tests.integrity.suspected import batch_of
from tests.integrity.test_parts import BURST, FLAGS, OVER, UNIT, Month, at

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def month(database):
    return Month(database)


@pytest.fixture
def beside(month):
    """Begins something in a thread, which it returns; what fails there fails the test."""
    failed = []

    def begin(act):
        def run():
            try:
                act()
            except Exception as error:  # noqa: BLE001 - the test fails by it
                failed.append(error)

        thread = Thread(target=run)
        thread.start()
        return thread

    yield begin
    assert failed == []


def until_it_waits(month):
    """Wait until somebody waits for a lock of the database."""
    for _ in range(600):
        with month.database.reading() as session:
            if session.scalar(text(_WAITING)):
                return
        Event().wait(0.05)
    raise AssertionError("nobody waited")


def test_a_rule_that_waits_for_a_batch_sees_that_it_was_split(month, beside):
    pressed, others = month.give(40, BURST.first), month.give(14, at(3, 9))
    every = [*pressed, *others]
    month.examine(every)
    later = month.give(12, at(8, 9))
    (id,) = month.ids()
    with month.database.writing("reviewer") as session:
        reject_part(session, OVER, id, "A", "x", BURST)
        rule = beside(lambda: month.examine([*every, *later]))
        until_it_waits(month)
    rule.join(60)
    assert month.dispositions(later) == {"quarantined": 12}
    assert month.dispositions(pressed) == {"rejected": 40}


def test_a_citizen_withdraws_while_a_batch_is_split(month, beside):
    pressed, others = month.give(40, BURST.first), month.give(14, at(3, 9))
    month.examine([*pressed, *others])
    (id,) = month.ids()
    with month.database.writing("citizen") as session:
        hold_off_writers(session)
        reviewer = beside(lambda: month.split(id, BURST))
        until_it_waits(month)
        withdraw(session, Settings(), others[0])
    reviewer.join(60)
    assert month.dispositions(pressed) == {"rejected": 40}


def test_a_citizen_withdraws_while_a_batch_is_released(month, beside):
    pressed, others = month.give(40, BURST.first), month.give(14, at(3, 9))
    month.examine(pressed)
    month.examine([*pressed, *others], FLAGS)  # these count, and are let go of
    (id,) = month.ids()
    with month.database.writing("citizen") as session:
        hold_off_writers(session)
        reviewer = beside(lambda: month.decide(batches.release, id))
        until_it_waits(month)
        withdraw(session, Settings(), others[0])
    reviewer.join(60)
    assert month.dispositions(pressed) == {"counted": 40}


def test_a_rule_sets_one_source_aside_while_a_reviewer_rejects_another(month, beside):
    pressed, others = month.give(40, BURST.first), month.give(30, at(5, 9))
    id = batch_of(month.database, UNIT + 1, others)
    with month.database.writing("reviewer") as session:
        hold_off_writers(session)
        rule = beside(lambda: month.examine(pressed))
        until_it_waits(month)
        batches.reject(session, OVER, id, "B", "x")
    rule.join(60)
    assert month.dispositions(pressed) == {"quarantined": 40}
    assert month.dispositions(others) == {"rejected": 30}
