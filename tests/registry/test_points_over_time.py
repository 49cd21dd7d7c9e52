"""Of which unit a survey point is on a day."""

from datetime import date, timedelta

import pytest

from app.registry.models import Unit
from app.registry.points import as_point, find_by_code
from tests import changed_tree

DAY, LATER = date(2025, 7, 1), date(2026, 1, 1)
BEFORE, ONE = date(2025, 6, 30), timedelta(days=1)
FIRST = date(2020, 1, 1)


@pytest.fixture
def session(database, province):
    with database.writing() as session:
        yield session


@pytest.fixture
def units(session, province):
    return {code: session.get_one(Unit, id) for code, id in province.units.items()}


@pytest.fixture
def row(session, province):
    return find_by_code(session, province.points[("C1", "sipas-desk")])


def test_a_point_that_never_moved_is_of_its_unit_as_long_as_that_exists(units, row):
    point = as_point(row)
    assert point.unit_on(FIRST) == point.unit_on(LATER) == units["C1"].id
    assert point.unit_on(FIRST - ONE) is None
    changed_tree.end(units["C1"], DAY)
    point = as_point(row)
    assert point.unit_on(BEFORE) == units["C1"].id and point.unit_on(DAY) is None


@pytest.mark.parametrize("today", [BEFORE, DAY])
def test_a_point_moves_on_its_day_whether_that_has_come_or_not(session, units, row, today):
    old = [units["C1"], units["C2"]]
    new = changed_tree.merge(session, old, "C1", DAY, today=today)
    session.refresh(row)
    point = as_point(row)
    assert (point.unit_on(BEFORE), point.unit_on(DAY)) == (units["C1"].id, new.id)
    # Its day has come, and a merger of mergers follows: each day has its own.
    row.unit_id = new.id
    session.flush()
    last = changed_tree.merge(session, [new], "C9", LATER, today=LATER)
    session.refresh(row)
    point = as_point(row)
    days = (FIRST, BEFORE, DAY, LATER - ONE, LATER)
    assert [point.unit_on(day) for day in days] == [
        units["C1"].id, units["C1"].id, new.id, new.id, last.id
    ]  # fmt: skip


def test_a_point_is_of_nobody_between_its_units_end_and_its_move(session, units, row):
    changed_tree.end(units["C1"], DAY)
    changed_tree.move(session, row, units["C2"], LATER, today=LATER)
    session.refresh(row)
    point = as_point(row)
    assert point.unit_on(DAY) is None and point.unit_on(LATER) == units["C2"].id
