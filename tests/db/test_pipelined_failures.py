"""What fails on its way is told as what it is, and leaves nothing behind: no part, no lock."""

import time
from contextlib import ExitStack, closing
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    PendingRollbackError,
    ProgrammingError,
)

from app.access.models import RateBucket
from app.db import Database
from app.db.connections import Patience, driver_of
from app.db.damage import DatabaseDamaged
from app.db.later import ask_later, do_later
from app.intake import retained
from app.intake.changes import Touched, What, note_changes
from app.intake.prepared import Outcome
from app.intake.writer import Writer
from app.problems import InternalError as Defect
from tests.databases import address
from tests.db.waiting import PUT, A, B, count, put, stored
from tests.retention.history import TODAY, History

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

#: Half of a sign: it is in no encoding, so no driver can send it.
UNSENDABLE = "\ud800"


def one_by_one(session):
    session.execute(insert(RateBucket).values(key=A, full_at=1))


def many(session):
    driver_of(session.connection()).cursor().executemany(PUT, [(A, 1), (B, 1)])


def many_of_sqlalchemys(session):
    session.execute(insert(RateBucket), [{"key": A, "full_at": 1}, {"key": B, "full_at": 1}])


def many_changes(session):
    ids = [f"0190f5fe-7c00-7a00-8000-00000000000{n}" for n in range(3)]
    note_changes(session, What.CHANGED, [Touched(id, 1, 1) for id in ids])


def one_and_what_cannot_be_sent(session):
    one_by_one(session)
    put(session, B)
    with pytest.raises(ProgrammingError):
        session.connection().exec_driver_sql("SELECT %s", (object(),))


@pytest.mark.parametrize(
    "write",
    [one_by_one, many, many_of_sqlalchemys, many_changes, one_and_what_cannot_be_sent],
)
def test_an_idle_transaction_is_ended_however_it_has_written(database, province, write):
    with (
        closing(Database(address(database.url), Patience(write_s=1.0))) as impatient,
        pytest.raises(DBAPIError, match=r"idle-in-transaction|closed the connection"),
        impatient.writing() as session,
    ):
        write(session)
        time.sleep(2)
        session.execute(text("SELECT 1"))


@pytest.mark.parametrize("begun", [False, True])
def test_what_cannot_be_sent_is_told_as_what_it_is(database, begun):
    with pytest.raises(UnicodeEncodeError), database.writing() as session:
        if begun:
            session.execute(text("SELECT 1"))
            put(session, A)
        session.execute(text("SELECT :sign"), {"sign": UNSENDABLE})
    assert stored(database) == {}


def test_where_one_cannot_be_sent_the_others_wait_on(database):
    for n in range(1, 8):  # whatever the driver has prepared by then
        with database.writing() as session:
            put(session, A + bytes([n]))
            with pytest.raises(ProgrammingError):
                session.connection().exec_driver_sql("SELECT %s", (object(),))
            put(session, B + bytes([n]))
            assert session.scalar(text("SELECT count(*) FROM rate_bucket")) == 2 * n


@pytest.mark.parametrize("before", range(7))
def test_what_was_to_be_prepared_and_was_not_sent_is_prepared_anew(database, before):
    """The driver prepares what it has seen five times, and counts what was not sent as seen."""
    with database.writing() as session:
        for _ in range(before):
            do_later(session.connection(), "SELECT 1 /* later */")
            session.execute(text("SELECT 2"))
        do_later(session.connection(), "SELECT 1 /* later */")
        with pytest.raises(ProgrammingError):
            session.connection().exec_driver_sql("SELECT %s", (object(),))
        put(session, A)
    assert stored(database) == {A: 1}


def test_what_can_be_sent_only_in_part_is_not_done_in_part(database):
    """Nobody knows then what the server has heard."""
    many = ",".join(["%s"] * 70_000)
    with pytest.raises(PendingRollbackError), database.writing() as session:
        put(session, A)
        with pytest.raises(DBAPIError):
            session.connection().exec_driver_sql(f"SELECT {many}", tuple(range(70_000)))
        put(session, B)
    assert stored(database) == {}
    with database.writing() as session:
        put(session, B)
    assert stored(database) == {B: 1}


def test_a_response_that_cannot_be_sent_keeps_none_of_its_group_out(database, province):
    history = History(database)
    history.came(TODAY, 3)
    first, bad, last = (history.one(TODAY) for _ in range(3))
    bad = bad._replace(row=bad.row._replace(language=UNSENDABLE))
    outcomes = Writer(history.store, 100)._store_or_split([first, bad, last])
    assert (outcomes[0], outcomes[2]) == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert isinstance(outcomes[1], Defect)


def pids(database):
    with ExitStack() as stack:
        sessions = [stack.enter_context(database.writing()) for _ in range(4)]
        return {session.scalar(text("SELECT pg_backend_pid()")) for session in sessions}


def test_what_cannot_be_sent_costs_no_connection(database, caplog):
    before = pids(database)
    with pytest.raises(ProgrammingError), database.writing() as session:
        put(session, A)
        session.connection().exec_driver_sql("SELECT %s", (object(),))
    assert pids(database) == before
    assert caplog.records == []  # nor does the driver complain


def test_nor_does_what_fails_on_the_server(database, caplog):
    before = pids(database)
    for _ in range(3):
        with pytest.raises(IntegrityError), database.writing() as session:
            put(session, A)
            put(session, A)
            session.execute(text("SELECT 1"))
    assert pids(database) == before
    assert caplog.records == []


def test_nor_does_what_fails_as_it_is_committed(database):
    before = pids(database)
    with database.writing() as session:
        session.execute(text("CREATE TABLE unsure (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    for _ in range(7):
        with pytest.raises(IntegrityError), database.writing() as session:
            do_later(session.connection(), "INSERT INTO unsure VALUES (1), (1)")
        with database.writing() as session:
            do_later(session.connection(), "INSERT INTO unsure VALUES (%s)", (None,))
    assert pids(database) == before
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM unsure")) == 7


def test_a_connection_goes_on_after_a_commit_that_failed(database):
    with database._writing_engine.connect() as connection:
        do_later(connection, PUT, (A, 1))
        do_later(connection, PUT, (A, 1))
        with pytest.raises(IntegrityError):
            connection.commit()
        connection.rollback()
        assert connection.exec_driver_sql("SELECT count(*) FROM rate_bucket").scalar() == 0


def test_what_fails_first_in_a_session_that_reads_is_sqlalchemys(database):
    with pytest.raises(DBAPIError), database.reading() as session:
        ask_later(session.connection(), "SELECT 1/0", (), list).result()


def test_damage_is_seen_there(database):
    corrupt = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'XX001'; END $$"
    with pytest.raises(DatabaseDamaged), database.reading() as session:
        do_later(session.connection(), corrupt)
    assert database.damage.found


def test_what_is_slow_for_whoever_asks_again_about_late_ones_is_told(
    database, province, monkeypatch
):
    monkeypatch.setattr(retained, "_NOTED", "SELECT pg_sleep(3), 1, 1")
    with closing(Database(address(database.url), Patience(read_s=1.5))) as impatient:
        store = History(impatient).store
        with pytest.raises(DBAPIError):
            store.look_up(["0190f5fe-7c00-7a00-8000-000000000001"])


def test_an_answer_is_the_same_however_often_it_is_read(database):
    with database.writing() as session:
        put(session, A)
        one = count(session)
        put(session, B)
        assert (one.result(), one.result()) == (1, 1)


@pytest.mark.parametrize("undone", [False, True])
def test_a_savepoint_saves_what_waited_before_it(database, undone):
    with database.writing() as session:
        put(session, A)
        with pytest.raises(ZeroDivisionError if undone else IntegrityError), session.begin_nested():
            put(session, B)
            if undone:
                raise ZeroDivisionError
            put(session, B)
        put(session, b"c")
    assert stored(database) == {A: 1, b"c": 1}


def test_what_commits_by_itself_is_kept_and_vacuums(database):
    with database._writing_engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql(PUT, (A, 1))
        do_later(connection, PUT, (B, 1))
        connection.exec_driver_sql("SELECT 1")
        connection.exec_driver_sql("VACUUM rate_bucket")
    assert stored(database) == {A: 1, B: 1}


def test_a_connection_is_as_before_after_another_level_of_isolation(database):
    with database.writing() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        put(session, A)
    with database.writing() as session:
        assert driver_of(session.connection()).takes_later
        put(session, B)
    assert stored(database) == {A: 1, B: 1}


def test_nothing_is_streamed_past_what_waits(database):
    with database.writing() as session:
        cursor = driver_of(session.connection()).cursor()
        with pytest.raises(psycopg.NotSupportedError):
            cursor.stream("SELECT 1")


class Pair(NamedTuple):
    key: bytes
    full_at: int


def test_parameters_may_have_names(database):
    with database.writing() as session:
        do_later(session.connection(), PUT, Pair(A, 2))
    assert stored(database) == {A: 2}
