"""Readiness: true only while something was written lately, told at once and without waiting."""

import pytest
from sqlalchemy import event, text

from app.db.away import DatabaseAway, Why
from app.problems import InternalError
from app.readiness import EVERY_S, HOLDS_S, Readiness


@pytest.fixture
def passing():
    return [100.0]


@pytest.fixture
def readiness(database, passing):
    return Readiness(database, lambda: passing[0])


def test_a_proof_grows_old_where_the_writer_hangs(readiness, passing):
    """Nobody tells of a failure then: who should prove waits, too."""
    assert readiness.problem() is None
    passing[0] += HOLDS_S
    assert readiness.problem() is None
    passing[0] += 1
    assert isinstance(readiness.problem(), DatabaseAway)
    readiness.note_written()
    assert readiness.problem() is None


def test_what_was_written_just_now_needs_no_proof(database, readiness, passing, monkeypatch):
    written = []
    event.listen(database.engine, "commit", written.append)
    event.listen(database._writing_engine, "commit", written.append)
    readiness.prove()
    assert written == []
    passing[0] += EVERY_S
    readiness.prove()
    assert written and readiness.problem() is None


def test_a_write_that_fails_is_told_until_one_goes_well(database, readiness, passing):
    passing[0] += EVERY_S
    with database.writing() as session:
        session.execute(text("ALTER TABLE clock_note RENAME TO elsewhere"))
    readiness.prove()
    assert isinstance(readiness.problem(), InternalError)
    # It is tried at once again, not when a proof that was good would be old.
    with database.writing() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO clock_note"))
    readiness.prove()
    assert readiness.problem() is None


def test_what_else_is_known_is_asked_and_the_database_first(readiness, passing):
    known = [None]
    readiness.also("other", lambda: known[0])
    assert readiness.problem() is None
    known[0] = InternalError()
    assert readiness.problem() is known[0]
    passing[0] += HOLDS_S + 1
    assert readiness.problem().why is Why.SILENT
