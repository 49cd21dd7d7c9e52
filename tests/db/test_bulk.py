"""Bulk writing and reading by key give what the models read, on both stores."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from app.access.models import RateBucket
from app.db import bulk, stored_values
from app.intake.models import Response, ResponseText
from app.rollups.models import RollupCell
from tests.small_province import new_id

COLUMNS = tuple(column.name for column in Response.__table__.columns)
MOMENT = datetime(2026, 11, 24, 1, 2, 3, 456789, tzinfo=UTC)


def row(id, **changes):
    made = {
        "id": id,
        "point_id": 1,
        "unit_id": 2,
        "version_id": 3,
        "channel": "qr",
        "day": date(2026, 11, 24),
        "answered_at": MOMENT,
        "claimed_at": MOMENT,
        "received_at": MOMENT,
        "duration_s": None,
        "language": "vi",
        "disposition": "counted",
        "aside_rule": None,
        "partial": False,
        "packed": bytes(range(256)),
        "texts_hash": None,
        "credential_id": None,
    } | changes
    return tuple(made[name] for name in COLUMNS)


def insert(database, rows):
    with database.writing() as session:
        return bulk.insert_missing(session.connection(), Response.__table__, COLUMNS, rows)


def test_what_is_inserted_is_read_by_the_model(database):
    ids = sorted(new_id() for _ in range(3))
    rows = [
        row(id, duration_s=n, texts_hash=bytes([n]) * 16, credential_id=n or None)
        for n, id in enumerate(ids)
    ]
    assert insert(database, rows) == set()
    with database.reading() as session:
        read = session.scalars(select(Response).order_by(Response.id)).all()
        assert [tuple(getattr(r, name) for name in COLUMNS) for r in read] == rows


def test_what_all_some_or_none_have_is_read_by_the_model(database):
    """Null in a whole column, or one moment in two columns, is stored in another way."""
    rows = []
    for some in (set(), {1}, {0, 1, 2}):
        for have in ({}, {"duration_s": 5, "texts_hash": b"x" * 16}, {"credential_id": 3}):
            later = MOMENT + timedelta(seconds=1)
            have = have | {"partial": True, "aside_rule": "batch", "answered_at": later}
            group = [row(new_id(), **(have if n in some else {})) for n in range(3)]
            group.sort()
            assert insert(database, group) == set()
            assert insert(database, group) == {(each[0],) for each in group}
            rows += group
    with database.reading() as session:
        read = session.scalars(select(Response)).all()
        assert sorted(tuple(getattr(r, name) for name in COLUMNS) for r in read) == sorted(rows)


def test_columns_may_come_in_any_order(database):
    """Of which one, null in all rows, may stand before the key."""
    columns = COLUMNS[::-1]
    rows = [row(id)[::-1] for id in sorted(new_id() for _ in range(5))]
    for expected in (set(), {(each[-1],) for each in rows}):
        with database.writing() as session:
            connection = session.connection()
            there = bulk.insert_missing(connection, Response.__table__, columns, rows)
        assert there == expected


@pytest.mark.parametrize("empty", [set(), {0}, {1}, {0, 1, 2}])
def test_ids_may_be_null_in_some_rows(empty):
    ids = [None if n in empty else new_id() for n in range(3)]
    assert list(stored_values._without_dashes(ids)) == [id and id.replace("-", "") for id in ids]


def test_a_key_of_bytes_is_found(database):
    """As buckets have it."""
    columns, table = ("key", "full_at"), RateBucket.__table__
    with database.writing() as session:
        connection = session.connection()
        rows = [(bytes([n]) * 16, n) for n in range(3)]
        assert bulk.insert_missing(connection, table, columns, rows[1:]) == set()
        bulk.replace(connection, table, columns, [(rows[1][0], 7)])
        assert bulk.insert_missing(connection, table, columns, rows) == {
            (key,) for key, _ in rows[1:]
        }
        found = bulk.find_by_key(connection, table, [(key,) for key, _ in rows], ("full_at",))
    assert {key: full for (key,), (full,) in found.items()} == {
        rows[0][0]: 0,
        rows[1][0]: 7,
        rows[2][0]: 2,
    }


@pytest.mark.parametrize("count", [1, 5, 300, 700])
def test_those_that_are_there_are_named_and_left_alone(database, count):
    ids = sorted(new_id() for _ in range(count))
    there = set(ids[:: max(count // 7, 1)])
    assert insert(database, [row(id, unit_id=7) for id in sorted(there)]) == set()
    assert insert(database, [row(id) for id in ids]) == {(id,) for id in there}
    with database.reading() as session:
        units = dict(map(tuple, session.execute(select(Response.id, Response.unit_id))))
    assert units == {id: 7 if id in there else 2 for id in ids}
    assert insert(database, [row(id) for id in ids]) == {(id,) for id in ids}


def test_texts_of_every_kind_survive(database):
    bodies = [
        '"quoted"',
        "back\\slash",
        "{braces}, commas",
        "NULL",
        "null",
        "dòng 1\ndòng 2",
        "😀",
        "%s ?",
    ]
    rows = [(new_id(), "comment", 1, date(2026, 1, 1), text) for text in bodies]
    rows.sort()
    columns = ("response_id", "item", "unit_id", "day", "body")
    with database.writing() as session:
        bulk.insert_missing(session.connection(), ResponseText.__table__, columns, rows)
    with database.reading() as session:
        read = {t.response_id: t.body for t in session.scalars(select(ResponseText))}
    assert read == {id: text for id, *_, text in rows}


def test_cells_are_replaced_and_found_by_key(database):
    columns = ("day", "unit_id", "version_id", "channel", "packed")
    keys = [(date(2026, 1, d), 1, 1, "qr") for d in range(1, 20)]
    table = RollupCell.__table__
    with database.writing() as session:
        connection = session.connection()
        bulk.replace(connection, table, columns, [(*key, b"old") for key in keys])
        bulk.replace(connection, table, columns, [(*key, b"new") for key in keys[5:]])
        missing = (date(2027, 1, 1), 1, 1, "qr")
        found = bulk.find_by_key(connection, table, [*keys, missing], ("packed",), lock=True)
    assert {key: bytes(value) for key, (value,) in found.items()} == {
        key: b"old" if place < 5 else b"new" for place, key in enumerate(keys)
    }


def test_nothing_is_nothing(database):
    with database.writing() as session:
        connection = session.connection()
        assert bulk.insert_missing(connection, Response.__table__, COLUMNS, []) == set()
        assert bulk.find_by_key(connection, Response.__table__, [], ("day",)) == {}
        bulk.replace(connection, RollupCell.__table__, ("day",), [])


def test_moments_are_aware_or_refused(database):
    naive = row(new_id(), answered_at=datetime(2026, 1, 1))
    with pytest.raises(StatementError, match="naive"), database.writing() as session:
        session.add(Response(**dict(zip(COLUMNS, naive, strict=True))))
