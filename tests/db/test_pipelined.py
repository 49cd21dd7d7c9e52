"""What waits for the next statement goes with it, in one piece, and fails with it."""

import time
from contextlib import closing

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, InternalError, ProgrammingError

from app.access.models import RateBucket
from app.db import Database, pipelined
from app.db.connections import Patience, driver_of
from app.db.later import ask_later, do_later
from tests.databases import address
from tests.db.waiting import PUT, A, B, count, put, stored
from tests.faults import Proxy

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

#: How the end of a message looks on the wire: a Sync of four bytes.
END = b"S\0\0\0\4"


@pytest.fixture
def way(database):
    """A way to the database that hears what is sent."""
    url = database.url
    host = url.query.get("host") or url.host
    with closing(Proxy(url.port or 5432, host)) as way:
        yield way


@pytest.fixture
def heard(database, way):
    """A database by that way."""
    url = database.url.set(host="127.0.0.1", port=way.port, query={})
    with closing(Database(address(url))) as heard:
        with heard.writing() as session:
            session.execute(text("SELECT 1"))
        way.heard.clear()
        yield heard


def test_what_waits_is_done_in_order_before_what_is_executed(heard, way):
    with heard.writing() as session:
        none = count(session)
        put(session, A)
        one = count(session)
        put(session, B)
        assert way.heard == []
        assert session.scalar(text("SELECT count(*) FROM rate_bucket")) == 2
        assert (none.result(), one.result()) == (0, 1)
    assert stored(heard) == {A: 1, B: 1}


def test_a_transaction_that_asks_nothing_is_sent_with_its_commit(heard, way):
    with heard.writing() as session:
        put(session, A)
        put(session, B)
        assert way.heard == []
    assert b"".join(way.heard).count(END) == 1  # with its begin and its commit
    assert stored(heard) == {A: 1, B: 1}


def test_whoever_asks_before_anything_else_is_sent_is_answered(heard, way):
    with heard.writing() as session:
        put(session, A)
        assert count(session).result() == 1


def test_who_does_nothing_says_nothing(heard, way):
    with heard.writing() as session:
        session.connection()
    with pytest.raises(ZeroDivisionError), heard.writing() as session:
        session.connection()
        raise ZeroDivisionError
    assert way.heard == []


def test_what_is_sent_ends_with_the_end_of_a_message(heard, way):
    """A server that hears no more is then idle in a transaction, which it ends by itself."""
    with heard.writing() as session:
        for n in range(5):
            put(session, bytes([n]))
            put(session, bytes([n, n]))
            session.scalar(text("SELECT 1 WHERE :n > 0"), {"n": n})
    assert len(way.heard) == 6 and all(said.endswith(END) for said in way.heard[:-1])
    assert all(said.count(END) == 1 for said in way.heard[:-1])
    assert len(stored(heard)) == 10


@pytest.mark.parametrize("ahead", [False, True])
def test_a_server_ends_a_transaction_that_is_idle_for_too_long(database, ahead):
    """Its locks would stay else where the connection fell silent."""
    with (
        closing(Database(address(database.url), Patience(write_s=1.0))) as impatient,
        pytest.raises(InternalError, match="idle-in-transaction"),
        impatient.writing() as session,
    ):
        if ahead:
            put(session, A)
        session.execute(text("SELECT 1"))
        time.sleep(2)
        session.execute(text("SELECT 1"))
    assert stored(database) == {}


def test_what_is_undone_was_never_sent(heard, way):
    with pytest.raises(ZeroDivisionError), heard.writing() as session:
        put(session, A)
        raise ZeroDivisionError
    assert way.heard == []
    with heard.writing() as session:
        put(session, B)
    assert stored(heard) == {B: 1}


@pytest.mark.parametrize("asks", [False, True])
def test_what_fails_is_told_by_what_goes_with_it_and_nothing_is_done(database, asks):
    with pytest.raises(IntegrityError), database.writing() as session:
        put(session, A)
        put(session, A)
        put(session, B)
        if asks:
            session.execute(text("SELECT 1"))
    assert stored(database) == {}
    with database.writing() as session:
        put(session, A, 2)
    assert stored(database) == {A: 2}


@pytest.mark.parametrize("times", [1, 4, 5, 6])
def test_after_a_failure_at_the_commit_all_is_done_or_nothing(database, times):
    """Whatever the driver had prepared by then, or thinks that it had."""
    for _ in range(times):
        with pytest.raises(IntegrityError), database.writing() as session:
            put(session, A)
            put(session, A)
            do_later(session.connection(), "SELECT 1 /* later */")
    for key in (A, B):
        with database.writing() as session:
            put(session, key)
            do_later(session.connection(), "SELECT 1 /* later */")
    assert stored(database) == {A: 1, B: 1}


@pytest.mark.parametrize("patience", [Patience(), None])
def test_what_has_no_beginning_writes_nothing(database, monkeypatch, patience):
    """Whatever keeps a transaction from beginning, nothing is done outside one."""
    add = pipelined._Message.add

    def without_beginning(message, cursor, statement, *more, **how):
        add(message, cursor, statement.replace("BEGIN", "BEGIN no"), *more, **how)

    with closing(Database(address(database.url), patience)) as other:
        with monkeypatch.context() as broken:
            broken.setattr(pipelined._Message, "add", without_beginning)
            with pytest.raises(ProgrammingError), other.writing() as session:
                put(session, A)
                put(session, B)
        assert stored(database) == {}
        with other.writing() as session:
            put(session, B)
    assert stored(database) == {B: 1}


@pytest.mark.parametrize("ahead", [False, True])
def test_what_is_slow_is_not_silent(database, ahead):
    """Each statement has its own time, although they go together."""
    silent = []
    with (
        closing(Database(address(database.url), Patience(write_s=2.0))) as impatient,
        impatient.writing() as session,
    ):
        driver_of(session.connection()).fell_silent = lambda: silent.append(True)
        for _ in range(3):
            if ahead:
                do_later(session.connection(), "SELECT pg_sleep(0.8)")
            else:
                session.execute(text("SELECT pg_sleep(0.8)"))
    assert not silent


def test_what_waits_is_there_for_whoever_reads_some_rows_at_a_time(database):
    with database.writing() as session:
        put(session, A)
        rows = session.execute(select(RateBucket.key).execution_options(yield_per=1)).all()
        assert [bytes(key) for (key,) in rows] == [A]


def test_one_that_waits_and_cannot_be_sent_is_told(database):
    with pytest.raises(ProgrammingError), database.writing() as session:
        put(session, A)
        put(session, object())
    assert stored(database) == {}


def test_what_is_larger_than_the_system_sends_at_once_is_sent(database):
    body = "x" * 20_000_000
    with database.writing() as session:
        later = ask_later(
            session.connection(), "SELECT length(%s), %s", (body, body), lambda rows: rows[0]
        )
        assert session.scalar(text("SELECT 1")) == 1
        assert later.result() == (len(body), body)


@pytest.mark.parametrize("way", ["copy", "executemany"])
@pytest.mark.parametrize("undone", [False, True])
def test_rows_may_come_in_other_ways_after_what_waits(database, way, undone):
    """Within the transaction, which nothing else would have begun."""

    def putting(session):
        put(session, A)
        cursor = driver_of(session.connection()).cursor()
        if way == "copy":
            with cursor.copy("COPY rate_bucket FROM STDIN") as copy:
                copy.write_row(("\\x62", 1))
        else:
            cursor.executemany(PUT, [(B, 1)])

    if undone:
        with pytest.raises(ZeroDivisionError), database.writing() as session:
            putting(session)
            raise ZeroDivisionError
        assert stored(database) == {}
    with database.writing() as session:
        putting(session)
    assert stored(database) == {A: 1, B: 1}


def test_another_level_of_isolation_is_begun_by_the_driver(database):
    with database.writing() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        put(session, A)
        assert session.scalar(text("SHOW transaction_isolation")) == "repeatable read"
    with database.writing() as session:
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"
        put(session, B)
    assert stored(database) == {A: 1, B: 1}


def test_a_nul_is_kept_as_what_cannot_be_read(database):
    with database.writing() as session:
        asked = ask_later(
            session.connection(), "SELECT %s::text", ("a\0b",), lambda rows: rows[0][0]
        )
        assert asked.result() == "a\ufffdb"


def test_a_connection_without_a_transaction_begins_one(database):
    with database._writing_engine.connect() as connection:
        do_later(connection, PUT, (A, 1))
    assert stored(database) == {}
    with database._writing_engine.connect() as connection:
        do_later(connection, PUT, (A, 1))
        connection.commit()
    assert stored(database) == {A: 1}
