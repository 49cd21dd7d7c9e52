"""Units as a tree, and what a unit's name needs to be told from others."""

from datetime import date

from sqlalchemy import select

from app.registry.models import Unit
from app.registry.queries import tree


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
