"""What was received since a moment is found by its ids, however old these are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from app.intake.contents import ResponseRow
from app.intake.ids import FIRST_ID, LAST_ID, made_uuid7, ms_of
from app.intake.models import ReceivedDay
from app.intake.received_days import ReceivedDays, first_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOURS = st.integers(-24 * 400, 24 * 3).map(lambda hours: timedelta(hours=hours))
RECEIVED = st.lists(
    st.lists(st.tuples(st.integers(0, 24 * 9), HOURS), min_size=1, max_size=4), max_size=6
)


def row(received, begins, digest=b"\xff" * 10):
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
    assert all(each.id >= first for each in rows if each.received_at > moment)


def test_a_day_is_noted_once_and_again_when_older_ids_come(database):
    days, said = ReceivedDays(database), []
    event.listen(
        database._writing_engine, "before_cursor_execute",
        lambda _c, _cursor, statement, *_more: said.append(statement),
    )  # fmt: skip
    for late in (0, 1, 1, 30, 5, 30):
        days.note([row(NOON, NOON), row(NOON, NOON - timedelta(days=late))])
    with database.reading() as session:
        found = session.scalars(select(ReceivedDay.begins).order_by(ReceivedDay.begins)).all()
        assert first_id(session, NOON) == str(
            made_uuid7(datetime(2026, 1, 31, tzinfo=UTC), bytes(10))
        )
        assert first_id(session, NOON + timedelta(days=1)) == LAST_ID
    assert [(NOON.date() - each).days for each in found] == [30, 1, 0]
    assert sum("received_day" in statement for statement in said) == 3


@pytest.mark.parametrize("ms", [0, 1, (1 << 48) - 1])
def test_ids_of_any_moment_have_a_day(database, ms):
    id = str(UUID(int=ms << 80 | 7 << 76 | 2 << 62))
    assert ms_of(id) == ms and FIRST_ID < id < LAST_ID
    ReceivedDays(database).note([row(NOON, NOON)._replace(id=id)])
    with database.reading() as session:
        assert first_id(session, NOON) <= id
