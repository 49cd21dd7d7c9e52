"""What units are called on a day, and who goes on with the work of one that is closed."""

from datetime import date, timedelta

import pytest

from app.registry.models import Succession, Unit
from app.registry.places import UnitClosed, called_on, check_open, nearest_unit, successors
from app.registry.queries import UnknownUnit
from tests import changed_tree

DAY, LATER = date(2025, 7, 1), date(2026, 1, 1)
BEFORE = date(2025, 6, 30)


@pytest.fixture
def session(database, province):
    with database.writing() as session:
        yield session


@pytest.fixture
def units(session, province):
    return {code: session.get_one(Unit, id) for code, id in province.units.items()}


def test_a_unit_has_the_name_of_the_day(session, units):
    changed_tree.rename(session, units["C1"], "Mới", DAY, today=BEFORE)
    assert called_on(session, units["C1"], BEFORE).name_vi == "Đơn vị C1"
    assert called_on(session, units["C1"], DAY).name_en == "Mới en"
    assert called_on(session, units["C2"], DAY).name_en == "Unit C2"


def test_successors_are_followed_to_those_of_the_day(session, units):
    old = [units["C1"], units["C2"]]
    first = changed_tree.merge(session, old, "C1", DAY, today=LATER, points=False)
    last = changed_tree.merge(session, [first], "C9", LATER, today=LATER, points=False)
    assert [each.code for each in successors(session, old[0].id, DAY)] == ["C1"]
    assert [each.code for each in successors(session, old[0].id, LATER)] == ["C9"]
    assert successors(session, last.id, LATER) == []


def test_what_was_undone_is_nobodys_successor(session, units):
    new = changed_tree.merge(session, [units["C1"]], "C8", DAY, today=LATER, points=False)
    changed_tree.end(new, DAY)
    session.add(Succession(from_id=units["C1"].id, to_id=units["C2"].id, day=DAY))
    session.flush()
    assert [each.code for each in successors(session, units["C1"].id, DAY)] == ["C2"]
    with pytest.raises(UnknownUnit):
        nearest_unit(session, "C8", DAY)


def test_a_code_names_the_unit_of_the_day_or_the_nearest(session, units):
    new = changed_tree.merge(session, [units["C1"]], "C1", DAY, today=BEFORE)
    assert nearest_unit(session, "C1", BEFORE) is units["C1"]
    assert nearest_unit(session, "C1", DAY) is nearest_unit(session, "C1", LATER) is new
    assert nearest_unit(session, "C1", date(2019, 1, 1)) is units["C1"]


def test_a_closed_unit_is_refused_by_the_names_of_those_who_go_on(session, units):
    changed_tree.merge(session, [units["C1"]], "C9", DAY, today=LATER)
    changed_tree.end(units["C2"], DAY)
    check_open(session, units["C1"], DAY - timedelta(days=1))
    with pytest.raises(UnitClosed) as closed:
        check_open(session, units["C1"], DAY)
    assert "30/06/2025" in closed.value.detail("vi")
    assert "nay do Đơn vị mới C9 thực hiện" in closed.value.detail("vi")
    assert closed.value.detail("en").endswith("Its work is now done at New unit C9.")
    with pytest.raises(UnitClosed) as alone:
        check_open(session, units["C2"], DAY)
    assert alone.value.detail("en") == "The unit with code C2 ended with 30/06/2025."
