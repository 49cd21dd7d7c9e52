"""What is read of a response is what the store has, whatever its form says."""

from sqlalchemy import select, update

from app.access.callers import owner
from app.export.reading import GONE, batches, tombstones
from app.export.selection import Wish, select_responses
from app.intake.export_ids import ExportIds
from app.intake.models import Response
from tests.export.conftest import answered
from tests.export.test_following import Copy


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
