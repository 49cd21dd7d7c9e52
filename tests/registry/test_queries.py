"""Units as a tree, and what a unit's name needs to be told from others."""

from datetime import date

from sqlalchemy import select

from app.registry.models import Unit
from app.registry.queries import UnitNode, UnitTree, ids_with_all_above, tree


def within(database, among=None):
    with database.reading() as session:
        chosen = None if among is None else select(Unit.id).where(Unit.code.in_(among))
        nodes = tree(session, chosen).by_code
    return {code: node.within.code if node.within else None for code, node in nodes.items()}


def add(province, code, kind, name, parent):
    with province.database.writing() as session:
        session.add(
            Unit(
                code=code, kind=kind, name_vi=name, name_en=name,
                parent_id=province.units[parent], valid_from=date(2020, 1, 1),
            )
        )  # fmt: skip


def test_a_part_is_named_with_what_it_is_part_of(province):
    found = within(province.database)
    assert found.pop("W1") == "H1"
    assert set(found.values()) == {None}
    # Somebody who sees the ward alone still reads whose it is.
    assert within(province.database, ["W1"]) == {"W1": "H1"}


def test_two_of_one_name_are_told_apart(province):
    add(province, "C9", "commune", "Đơn vị C1", "A1")
    found = within(province.database)
    assert (found["C1"], found["C9"], found["C2"]) == ("D1", "A1", None)
    assert within(province.database, ["C1", "C2"])["C1"] is None


def node(id, parent_id):
    return UnitNode(id, f"U{id}", "district", f"U{id}", f"U{id}", parent_id)


def test_the_units_above_one_the_nearest_first():
    units = UnitTree([node(1, None), node(2, 1), node(3, 2), node(4, 1)])
    assert [each.id for each in units.above(3)] == [2, 1]
    assert units.above(1) == []
    # A part of the registry: what its top stands below is not in it.
    part = UnitTree([node(2, 1), node(3, 2)], whole=False)
    assert [each.id for each in part.above(3)] == [2]
    assert part.above(2) == []


def test_some_units_and_all_above_them():
    units = UnitTree([node(1, None), node(2, 1), node(3, 2), node(4, 1), node(5, 9)])
    assert units.with_all_above([3]) == {1, 2, 3}
    assert units.with_all_above([3, 4, 5, 99]) == {1, 2, 3, 4, 5}
    assert units.with_all_above([]) == set()


def test_the_same_as_a_statement(database, province):
    with database.reading() as session:
        whole = tree(session, None)
        for id in whole.nodes:
            assert set(session.scalars(ids_with_all_above(id))) == whole.with_all_above([id])
