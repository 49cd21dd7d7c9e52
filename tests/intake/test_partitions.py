"""Monthly partitions on PostgreSQL: responses lie in their month, whenever it was made."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from app.intake import partitions
from tests.intake.test_store import Preparing
from tests.small_province import body, new_id


def where(database):
    with database.reading() as session:
        rows = session.execute(text("SELECT id::text, tableoid::regclass::text FROM response"))
        return dict(map(tuple, rows))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_ids_lie_in_their_month_and_move_when_it_is_made(database, province):
    prepare, code = Preparing(database), province.points[("C1", "sipas-desk")]
    now = datetime.now(UTC)
    this_month, long_ago = new_id(now), new_id(datetime(2001, 5, 17, tzinfo=UTC))
    prepare.store.append([prepare(body(code, id=id)) for id in (this_month, long_ago)])
    assert where(database) == {
        this_month: f"response_y{now:%Y}m{now:%m}",
        long_ago: "response_default",
    }
    with database.writing() as session:
        made = partitions.ensure(session.connection(), date(2001, 5, 31))
    assert "response_y2001m05" in made and len(made) == len(set(made))
    assert where(database)[long_ago] == "response_y2001m05"
    with database.writing() as session:
        assert partitions.ensure(session.connection(), date(2001, 5, 1)) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_none(database):
    with database.writing() as session:
        assert partitions.ensure(session.connection(), date(2026, 1, 1)) == []


def test_names_and_bounds():
    assert partitions.is_partition("response_y2026m11")
    assert not partitions.is_partition("response_text")
    first = str(partitions.first_id(date(2026, 11, 1)))
    assert first <= new_id(datetime(2026, 11, 1, tzinfo=UTC))
    assert new_id(datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)) < first
