"""From SQLite to PostgreSQL: every row of every table, cells and figures equal, or nothing."""

import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Uuid,
    create_engine,
    func,
    inspect,
    select,
    text,
)

from app.access.roles import Role
from app.audit import log
from app.db import Base, Database, UtcDateTime
from app.intake.models import Disposition
from app.intake.prepared import Outcome
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import Together, change_dispositions
from app.registry.models import Unit
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.retention.history import History, months_ago
from tests.server import ROOT
from tests.small_province import SmallProvince, body, new_id

FIGURES = (
    "/api/v1/satisfaction?by=unit&questionnaire=sipas-desk",
    "/api/v1/satisfaction?by=day&by=channel&questionnaire=sipas-desk",
    "/api/v1/satisfaction/trend?questionnaire=sipas-desk&unit=C1",
)
MOST_MEMORY = 32 << 20
#: What is awkward in a text: quotes, signs of PostgreSQL's COPY, line ends, many bytes a letter.
AWKWARD = 'Ý kiến "\\N" \\. \t\r\n \'; -- 👍 e\u0302'


@pytest.fixture
def file(templates, tmp_path):
    return copy_sqlite(templates("sqlite"), tmp_path / "hải lòng #1.db").database


@pytest.fixture
def origin(file):
    with closing(Database(f"sqlite:///{file}")) as database:
        yield database


@pytest.fixture
def target(postgres):
    url = postgres.create()
    yield address(url)
    postgres.drop(url)


@pytest.fixture
def move(hailong, file, monkeypatch):
    def run(to, **more):
        monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{file}")
        return hailong("move", to, **more)

    return run


# What tests of other rooms call it on both stores; here a move begins on SQLite.
@pytest.fixture
def database_url(file):
    return f"sqlite:///{file}"


def filled(origin):
    """Answers by HTTP and people, and some of whatever table is empty after that."""
    province = SmallProvince.found(origin)
    settings = Settings(database_url=address(origin.url), cache_s=0)
    with serving(settings) as client:
        for unit, form in (("C1", "sipas-desk"), ("D1", "sipas-desk")):
            device = province.device(unit, form)
            bodies = [
                body(answers={"A1": 1 + n % 5, "comment": f"{AWKWARD} {n}"}) for n in range(60)
            ]
            bodies += [body(answers={"C1": 2}, age_s=86_400 * n) for n in range(1, 25)]
            told = client.post(
                "/api/v1/responses", json={"responses": bodies}, headers=device
            ).json()
            assert {each["status"] for each in told["responses"]} == {"accepted"}, told
        province.person((Role.OPERATOR, None), password="a long enough password")
        reader = province.reader()
    with origin.writing() as session:
        change_dispositions(
            session, Together.of(Settings()), Disposition.COUNTED, Disposition.QUARANTINED,
            "stuffing",
        )  # fmt: skip
        connection = session.connection()
        assert connection.scalar(text("SELECT count(*) FROM aside_cell")), "an empty one is drawn"
        for table in Base.metadata.sorted_tables:
            if not connection.scalar(select(func.count()).select_from(table)):
                for number in range(3):
                    connection.execute(table.insert(), drawn(connection, table, number))
    origin.close()
    # Of a copy: a server tidies up what is over.
    copied = copy_sqlite(origin.url, Path(origin.url.database).with_name("copy.db"))
    return reader, figures(address(copied), reader)


def figures(url, reader):
    with serving(Settings(database_url=url, cache_s=0)) as client:
        answers = [client.get(each, headers=reader) for each in FIGURES]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.text for answer in answers]


def drawn(connection, table, number):
    """A row with awkward values; the last one has nothing where nothing may be."""
    row = {}
    for column in table.columns:
        if column.foreign_keys:
            (key,) = column.foreign_keys
            ids = connection.scalars(select(key.column).order_by(key.column)).all()
            # Of a table that names itself the first row has nothing to name.
            own = key.column.table is table
            row[column.name] = ids[number % len(ids)] if ids and not (own and number == 2) else None
        elif column.nullable and number == 2:
            row[column.name] = None
        else:
            row[column.name] = value(column, number)
    return row


def value(column, number):
    kind = column.type
    values = (
        (UtcDateTime, datetime(1969 + number, 12, 31, 23, 59, 59, 999_999, UTC)),
        (Uuid, new_id(datetime(2020 + number, 1, 1, tzinfo=UTC))),
        (Boolean, number % 2 == 0),
        (Date, date(1999, 12, 31) + timedelta(days=number)),
        (SmallInteger, 32_767 - number),
        (BigInteger, 2**62 + number),
        (Integer, 2**31 - 1 - number),
        (Float, 0.1 + number),
        (
            LargeBinary,
            (bytes(range(256)) * 4)[number : number + (getattr(kind, "length", None) or 256)],
        ),
        (String, (f"{number}{AWKWARD}" + "ă" * 500)[: getattr(kind, "length", None) or 600]),
    )
    return next(made for of, made in values if isinstance(kind, of))


def everything(url):
    """All rows of all tables, as a set of what they say."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            name: sorted(
                repr(tuple(bytes(v) if isinstance(v, memoryview) else v for v in row))
                for row in connection.execute(select(table))
            )
            for name, table in Base.metadata.tables.items()
        }
    engine.dispose()
    return found


def names(url):
    engine = create_engine(url)
    found = inspect(engine).get_table_names()
    engine.dispose()
    return found


@pytest.mark.timeout(600)
def test_all_rows_of_all_tables_are_there_and_figures_are_equal(origin, file, target, move):
    reader, told = filled(origin)
    before = everything(f"sqlite:///{file}")
    assert "respondents" in told[0]
    assert min(map(len, before.values())) > 0, "a table was left empty"
    said = move(target)
    assert f"{sum(map(len, before.values()))} rows of {len(before)} tables moved" in said
    after = everything(target)
    moved = after["audit_entry"].pop(last_entry(after["audit_entry"]))
    assert "database.move" in moved and str(file) in moved and '"response": 168' in moved
    assert after == before == everything(f"sqlite:///{file}")
    assert figures(target, reader) == told
    with closing(Database(target)) as database:
        assert verify(database) == []
        with database.reading() as session:
            verdict = log.verify(session)
            # The server that told the figures has noted what it tidied away.
            assert verdict.breach is None and verdict.entries > len(before["audit_entry"])
            # Months have their partitions, and numbers go on after those that were given.
            assert session.scalar(text("SELECT count(*) FROM ONLY response_default")) == 0
        with database.writing() as session:
            last = session.scalar(select(func.max(Unit.id)))
            unit = Unit(code="NEW", kind="agency", name_vi="Mới", name_en="New",
                        valid_from=date(2026, 1, 1))  # fmt: skip
            session.add(unit)
            session.flush()
            assert unit.id == last + 1
            foreign_keys = inspect(session.connection()).get_foreign_keys("unit")
            assert not any(key["options"].get("deferrable") for key in foreign_keys)


def last_entry(entries):
    return max(range(len(entries)), key=lambda n: int(entries[n][1:].split(",")[0]))


def test_days_whose_responses_were_deleted_move_as_sums(origin, target, move):
    SmallProvince.found(origin)
    history = History(origin)
    old = history.came(months_ago(5), 11)
    history.came(months_ago(2), 11)
    cells = history.cells()
    history.delete(months_ago(3))
    origin.close()
    move(target)
    with closing(Database(target)) as database:
        moved = History(database)
        assert moved.cells() == cells and verify(database) == []
        assert moved.store.append(old) == [Outcome.DUPLICATE] * 11
        moved.delete(months_ago(1))
        assert moved.cells() == cells and verify(database) == [] and not moved.ids()


def test_a_unit_may_come_before_the_one_above_it(origin, target, move):
    SmallProvince.found(origin)
    with origin.writing() as session:
        units = {unit.code: unit for unit in session.scalars(select(Unit))}
        units["A1"].parent = units["W1"]
    origin.close()
    move(target)
    with closing(Database(target)) as database, database.reading() as session:
        unit = session.scalars(select(Unit).where(Unit.code == "A1")).one()
        assert unit.parent_id > unit.id and unit.parent.code == "W1"


def test_a_text_with_a_nul_arrives_as_what_cannot_be_read_and_is_told(origin, target, move):
    SmallProvince.found(origin)
    with origin.writing() as session:
        session.execute(text("UPDATE unit SET name_vi = 'a' || char(0) || 'b' WHERE code = 'C1'"))
    origin.close()
    assert "1 texts had a NUL" in move(target)
    with closing(Database(target)) as database, database.reading() as session:
        assert session.scalar(select(Unit.name_vi).where(Unit.code == "C1")) == "a\ufffdb"


def test_while_anybody_has_the_file_open_it_is_refused(origin, file, target, move):
    with origin.reading() as session:
        session.scalar(text("SELECT count(*) FROM unit"))
    assert "open in another program: stop the server first" in move(target, code=1)
    assert names(target) == []
    origin.close()
    move(target)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("UPDATE rollup_cell SET packed = zeroblob(length(packed))", "rollups rebuild"),
        ("UPDATE unit SET kind = 'a kind that is longer than any'", "does not take unit"),
        ("PRAGMA foreign_keys = OFF; UPDATE unit SET parent_id = 4711 WHERE code = 'C1'",
         "refers to what it has not"),
        ("UPDATE alembic_version SET version_num = '0001'", "run hailong migrate"),
        ("CREATE TABLE another (id INTEGER)", "nothing is known.*another"),
        ("DROP TRIGGER audit_entry_no_update; UPDATE audit_entry SET subject = 'x'",
         "audit log of the SQLite database breaks"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_moved(origin, target, move, wrong, said):
    province = SmallProvince.found(origin)
    with serving(Settings(database_url=address(origin.url), cache_s=0)) as client:
        client.post("/api/v1/responses", json=body(), headers=province.device())
    province.person((Role.OPERATOR, None))
    raw = origin.engine.raw_connection()
    for statement in wrong.split("; "):
        raw.driver_connection.execute(statement)
    raw.close()
    origin.close()
    assert re.search(said, move(target, code=1), re.DOTALL)
    assert names(target) == []


def test_other_databases_are_refused_in_a_sentence(hailong, move, file, target, monkeypatch):
    assert "to PostgreSQL only" in move(f"sqlite:///{file}.2", code=1)
    assert "no address" in move("nowhere", code=1)
    assert "nothing answers" in move("postgresql://nobody@127.0.0.1:1/none", code=1)
    with closing(Database(target)) as database, database.writing() as session:
        session.execute(text("CREATE TABLE theirs (id int)"))
    assert "is not empty (theirs" in move(target, code=1)
    monkeypatch.setenv("HAILONG_DATABASE_URL", target)
    hailong("migrate")
    assert "names no SQLite database" in hailong("move", target, code=1)
    monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{file}.none")
    assert "there is no database" in hailong("move", target, code=1)
    Path(f"{file}.none").write_bytes(b"no database at all" * 500)
    assert "no database of SQLite" in hailong("move", target, code=1)


def test_killed_half_way_it_left_nothing_and_is_run_again(origin, file, target, move):
    SmallProvince.found(origin)
    with origin.writing() as session:
        connection = session.connection()
        table = Base.metadata.tables["response_text"]
        rows = [
            {"response_id": new_id(), "item": "comment", "unit_id": 1, "day": date(2026, 1, 1),
             "body": f"{AWKWARD} {n}"}
            for n in range(100_000)
        ]  # fmt: skip
        connection.execute(table.insert(), rows)
    origin.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "move", target],
        cwd=ROOT,
        env=os.environ | {"HAILONG_DATABASE_URL": f"sqlite:///{file}"},
    )
    engine = create_engine(target, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        until = time.monotonic() + 60
        copying = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND query LIKE 'COPY \"response_text%'"
        )
        while not connection.scalar(copying):
            assert process.poll() is None and time.monotonic() < until
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    engine.dispose()
    assert names(target) == []
    assert "100036 rows" in move(target)
    assert everything(target)["response_text"] == everything(f"sqlite:///{file}")["response_text"]


def test_memory_does_not_grow_with_the_rows(origin, file, postgres, hailong, monkeypatch):
    monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{file}")
    SmallProvince.found(origin)
    table = Base.metadata.tables["aside_response"]
    for told in (0, 1500):
        rows = [
            {"credential_id": 1, "response_id": str(n), "point_id": 1, "unit_id": 1, "rule": "x",
             "body": f"{n:06}" * 10_000, "received_at": datetime(2026, 1, 1, tzinfo=UTC)}
            for n in range(told)
        ]  # fmt: skip
        with origin.writing() as session:
            if rows:
                session.connection().execute(table.insert(), rows)
        del rows
        origin.close()
        tracemalloc.start()
        try:
            hailong("move", address(postgres.create()))
            assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY < 1500 * 60_000
        finally:
            tracemalloc.stop()
