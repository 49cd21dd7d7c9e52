"""What is read of a response is what the store has, whatever its form says."""

from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select, update

from app.access.callers import owner
from app.export.reading import GONE, _order, batches, tombstones
from app.export.rows import ids_of, read_rows, rows_by_id
from app.export.selection import Wish, select_responses
from app.intake.export_ids import ExportIds
from app.intake.ids import new_id
from app.intake.models import Response
from tests.export.conftest import NOW, answered
from tests.export.test_following import Copy
from tests.intake.test_store import Preparing
from tests.small_province import body


def test_a_response_is_partial_where_the_store_says_so(database, province):
    drawn, ids = answered(database, province, 16), ExportIds.of(database)
    desk = sorted(id for id, said in drawn.items() if said[1] == "sipas-desk")
    with database.writing() as session:
        session.get_one(Response, desk[0]).partial = True
    with database.reading() as session:
        selection = select_responses(session, owner("a test"), Wish("sipas-desk"))
    assert not any(each.form.keep_partial for each in selection.versions)
    rows = [row for each in batches(database, selection, ids) for row in each.to_pylist()]
    found = {row["response"]: row["partial"] for row in rows}
    assert found == {ids.of_response(id): int(id == desk[0]) for id in desk}


def test_numbers_of_a_response_leave_as_the_store_has_them(database, province):
    drawn = answered(database, province, 40)
    with database.writing() as session:
        kept = session.scalars(select(Response).where(Response.id.in_(drawn))).all()
        for n, each in enumerate(kept):
            each.duration_s = (None, 0, 1, 19, 86_400)[n % 5]
            each.partial = n % 3 == 0
    with database.reading() as session:
        selection = select_responses(session, owner("a test"), Wish("sipas-desk"))
        rows = read_rows(session, selection).rows
        query = select(Response.id, Response.unit_id, Response.duration_s, Response.partial)
        stored = {id: tuple(said) for id, *said in session.execute(query)}
    numbers = (rows[name].to_pylist() for name in ("unit_id", "duration_s", "partial"))
    found = dict(zip(ids_of(rows), zip(*numbers, strict=True), strict=True))
    assert len(found) == 20 and found == {id: stored[id] for id in found}


def test_a_sheet_that_is_damaged_is_said_to_be_and_takes_nobody_elses_answers(database, province):
    drawn = answered(database, province, 16)
    with database.writing() as session:
        desk = [id for id, said in drawn.items() if said[1] == "sipas-desk"]
        damaged = session.get_one(Response, desk[1])
        damaged.packed = damaged.packed[:-1]
    with database.reading() as session:
        selection = select_responses(session, owner("a test"), Wish("sipas-desk"))
        with pytest.raises(ValueError, match="one is damaged"):
            read_rows(session, selection)


def test_responses_by_their_ids_are_all_there_however_many_are_asked(
    database, province, monkeypatch
):
    answered(database, province, 80)
    monkeypatch.setattr("app.export.rows._KEYS_AT_ONCE", 7)
    with database.reading() as session:
        selection = select_responses(session, owner("a test"), Wish("sipas-desk"))
        ids = session.scalars(select(Response.id).where(selection.shown())).all()
        assert sorted(ids_of(rows_by_id(session, selection, ids))) == sorted(ids) and len(ids) == 40


def test_the_order_of_rows_does_not_tell_who_answered_before_whom(database, province):
    """Nor does that of what went; and it takes nothing from whoever goes on by a cursor."""
    answered(database, province, 80)
    with database.writing() as session:  # all of one day, one after the other
        days = session.scalars(select(Response.day)).all()
        session.execute(update(Response).values(day=max(days)))
    with database.reading() as session:
        selection = select_responses(session, owner("a test"), Wish("sipas-desk"))
        by_time = ExportIds.of(database).of_response
        came = [by_time(id) for id in session.scalars(
            select(Response.id).where(selection.shown()).order_by(Response.id))]  # fmt: skip
    (read,) = batches(database, selection, ExportIds.of(database))
    found = read["response"].to_pylist()
    assert found == sorted(came) != came and len(found) == 40
    pages = Copy(database, limit=9).follow().told
    assert sorted(id for _, id in pages) == sorted(came)
    for start in range(0, len(pages), 9):
        page = [id for _, id in pages[start : start + 9]]
        assert page == sorted(page) and set(page) == set(came[start : start + 9])
    gone = tombstones(selection_with_changes(database), [(GONE, id, None) for id in came])
    assert gone["response"].to_pylist() == sorted(came)


def selection_with_changes(database):
    with database.reading() as session:
        wish = Wish("sipas-desk")
        return select_responses(session, owner("a test"), wish, with_changes=True).columns


@pytest.mark.parametrize("limit", [1, 7, 25])
def test_a_page_is_of_one_moment_whatever_comes_meanwhile(database, province, limit):
    """On PostgreSQL each statement sees what was committed before it, with whatever ids."""
    answered(database, province, 100)
    prepare, coming = Preparing(database), iter(range(300, 1000))

    def meanwhile(_connection, _cursor, statement, *_more):
        if statement.startswith("SELECT count(*)"):
            sent = [
                body(province.points[("C1", "sipas-desk")], id=new_id(NOW - timedelta(days=days)))
                for days in (next(coming), 30, 50)
            ]
            prepare.store.append([prepare(each) for each in sent])

    with database.reading() as session:
        selection = select_responses(session, owner("a test"), Wish("sipas-desk"))
        there = session.scalars(select(Response.id).where(selection.shown())).all()
    found, after = [], ""
    while after is not None:
        with database.reading() as session:
            event.listen(session.connection(), "after_cursor_execute", meanwhile)
            read = read_rows(session, selection, after, limit=limit)
        assert read.rows.num_rows == limit or read.last is None
        found += ids_of(read.rows)
        assert read.last in (None, max(found)) and len(found) < 400
        after = read.last
    assert len(set(found)) == len(found) and set(there) <= set(found)


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 20_000]), st.text("01", min_size=20, max_size=20)),
        max_size=30,
    )
)
def test_rows_go_by_day_and_then_by_all_of_their_ids(rows):
    days = pa.array([day for day, _ in rows], pa.int32()).cast(pa.date32())
    order = _order(days, "".join(id for _, id in rows).encode()).to_pylist()
    assert [rows[place] for place in order] == sorted(rows)
