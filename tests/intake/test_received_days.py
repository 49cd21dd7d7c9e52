"""What was received since a moment is found by its ids, however old these are."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from app.intake.contents import ResponseRow
from app.intake.ids import FIRST_ID, LAST_ID, least_id, made_uuid7, ms_of, new_id
from app.intake.models import ReceivedDay, Response, ResponseChange
from app.intake.received_days import ReceivedDays, first_id
from tests.intake.test_store import Preparing
from tests.small_province import body

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOURS = st.integers(-24 * 400, 24 * 3).map(lambda hours: timedelta(hours=hours))
RECEIVED = st.lists(
    st.lists(st.tuples(st.integers(0, 24 * 9), HOURS), min_size=1, max_size=4), max_size=6
)


def row(received, begins, digest=bytes(10)):
    values = dict.fromkeys(ResponseRow._fields)
    return ResponseRow(**values | {"id": str(made_uuid7(begins, digest)), "received_at": received})


@given(groups=RECEIVED, since=st.integers(-24, 24 * 10))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_that_came_since_has_an_id_before_the_first(database, groups, since):
    """Whichever of two processes noted it, beside what was noted before."""
    processes = [ReceivedDays(database), ReceivedDays(database)]
    rows = []
    for n, group in enumerate(groups):
        received = [NOON + timedelta(hours=hours) for hours, _ in group]
        made = [row(at, at + off) for at, (_, off) in zip(received, group, strict=True)]
        processes[n % 2].note(made)
        rows += made
    moment = NOON + timedelta(hours=since)
    with database.reading() as session:
        first = first_id(session, moment)
    assert all(each.id > first for each in rows if each.received_at > moment)


def days_noted(database):
    with database.reading() as session:
        return [*session.execute(select(ReceivedDay.day, ReceivedDay.begins))]


def test_a_day_is_noted_once_and_again_when_older_ids_come(database):
    days, said = ReceivedDays(database), []
    event.listen(
        database._writing_engine, "before_cursor_execute",
        lambda _c, _cursor, statement, *_more: said.append(statement),
    )  # fmt: skip
    for late in (0, 1, 1, 30, 5, 30):
        days.note([row(NOON, NOON), row(NOON, NOON - timedelta(days=late))])
    assert days_noted(database) == [(NOON.date(), (NOON - timedelta(days=30)).date())]
    with database.reading() as session:
        assert first_id(session, NOON) == least_id(datetime(2026, 1, 31, tzinfo=UTC))
        assert first_id(session, NOON + timedelta(days=1)) == LAST_ID
    assert sum("INSERT INTO received_day" in statement for statement in said) == 3


def test_a_moment_may_be_said_by_any_clock(database):
    """An operator says since when by the clock on the wall, which may show another day."""
    received = datetime(2026, 3, 1, 21, tzinfo=UTC)
    old = row(received, received - timedelta(days=30))
    ReceivedDays(database).note([old])
    for hours in (7, -8, 0):
        since = received.astimezone(timezone(timedelta(hours=hours))) - timedelta(hours=1)
        with database.reading() as session:
            assert first_id(session, since) < old.id
            assert first_id(session, since + timedelta(days=1)) == LAST_ID


def test_what_was_not_committed_is_noted_again(database, monkeypatch):
    days = ReceivedDays(database)
    with monkeypatch.context() as broken:
        broken.setattr("app.intake.received_days.bulk.insert_missing", raising)
        with pytest.raises(OSError, match="no room"):
            days.note([row(NOON, NOON)])
    assert days_noted(database) == []
    days.note([row(NOON, NOON)])
    assert days_noted(database) == [(NOON.date(), NOON.date())]


def raising(*given):
    raise OSError("no room")


def test_nothing_is_stored_of_a_day_that_is_not_noted(database, province, monkeypatch):
    prepare = Preparing(database)
    prepared = prepare(body(province.points[("C1", "sipas-desk")]))
    with monkeypatch.context() as broken:
        broken.setattr(ReceivedDays, "note", raising)
        with pytest.raises(OSError, match="no room"):
            prepare.store.append([prepared])
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 0


def test_a_stranger_with_an_old_id_has_nobody_look_through_everything(client, province, database):
    """Who follows is told of it as of a change; a device's old id is looked for."""
    today = datetime.now(UTC)
    point = province.points[("C1", "sipas-desk")]
    sent = [body(point, id=new_id(today - timedelta(days=days))) for days in (0, 300, 1)]
    for each in sent:
        assert client.post("/api/v1/responses", json=each).status_code == 201
    assert [day[1] for day in days_noted(database)] == [(today - timedelta(days=1)).date()]
    with database.reading() as session:
        changed = session.scalars(select(ResponseChange.response_id)).all()
    assert changed == [sent[1]["id"]]
    old = body(id=new_id(today - timedelta(days=300)))
    answer = client.post("/api/v1/responses", json=old, headers=province.device())
    assert answer.status_code == 201
    assert [day[1] for day in days_noted(database)] == [(today - timedelta(days=300)).date()]


@pytest.mark.parametrize("ms", [0, 1, (1 << 48) - 1])
def test_ids_of_any_moment_have_a_day(database, ms):
    id = str(UUID(int=ms << 80 | 7 << 76 | 2 << 62))
    assert ms_of(id) == ms and FIRST_ID < id < LAST_ID
    ReceivedDays(database).note([row(NOON, NOON)._replace(id=id)])
    with database.reading() as session:
        assert first_id(session, NOON) <= id
