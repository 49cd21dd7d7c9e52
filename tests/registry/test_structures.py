"""Trees of days: what stands where, by hand and over drawn histories."""

from datetime import date

import pytest

from app.registry.carrying_back import carried_back, readable_nodes
from app.registry.models import Unit
from app.registry.structures import Step, UnitHistory, Units, UnitState, read_units

FIRST, DAY, LATER = date(2020, 1, 1), date(2025, 7, 1), date(2026, 1, 1)
BEFORE, LAST = date(2025, 6, 1), date(2025, 6, 30)


def unit(id, code, parent, first=FIRST, last=None, kind="commune"):
    return UnitHistory(id, code, first, last, (UnitState(first, kind, code, code, parent),))


def units(*histories, steps=()):
    after, before = {}, {}
    for from_id, to_id, share in steps:
        after.setdefault(from_id, []).append(Step(to_id, share))
        before.setdefault(to_id, []).append(from_id)
    return Units({each.id: each for each in histories}, after, before)


@pytest.fixture
def merged():
    """Province 1 with district 2, whose communes 3 and 4 become 5, and 6, divided into 7 and 8."""
    return units(
        unit(1, "77", None, kind="province"),
        unit(2, "747", 1, last=LAST, kind="district"),
        unit(3, "A", 2, last=LAST),
        unit(4, "B", 2, last=LAST),
        unit(5, "A", 1, first=DAY),
        unit(6, "C", 2, last=LAST),
        unit(7, "C", 1, first=DAY),
        unit(8, "D", 1, first=DAY),
        steps=[(3, 5, None), (4, 5, None), (6, 7, None), (6, 8, None)],
    )


def where(structure):
    return {id: placement.whole for id, placement in structure.placements.items()}


def test_today_what_was_merged_is_the_successors_and_what_was_divided_stands_apart(merged):
    today = merged.on(LATER)
    assert where(today) == {1: 1, 2: -2, 3: 5, 4: 5, 5: 5, 6: -2, 7: 7, 8: 8}
    assert today.tree.nodes[-2].parent_id == 1 and today.tree.nodes[-2].code == "77~"


def test_before_the_day_what_came_later_stands_where_it_came_from(merged):
    then = merged.on(BEFORE)
    # A merged commune cannot be dealt out to those that it was made of.
    assert where(then) == {1: 1, 2: 2, 3: 3, 4: 4, 5: -3, 6: 6, 7: 6, 8: 6}
    assert then.tree.nodes[-3].parent_id == 2


def test_one_code_names_another_unit_on_each_side_of_the_day(merged):
    assert merged.on(BEFORE).tree.find("A").id == 3
    assert merged.on(LATER).tree.find("A").id == 5


def test_shares_divide_by_weight():
    found = units(
        unit(1, "77", None), unit(2, "C", 1, last=LAST), unit(3, "C", 1, first=DAY),
        unit(4, "D", 1, first=DAY), steps=[(2, 3, 0.75), (2, 4, 0.25)],
    ).on(LATER)  # fmt: skip
    assert found.placements[2].parts == ((3, 0.75), (4, 0.25))
    assert found.held[3] == {3} and found.shared[3] == {2}


def test_shares_that_miss_one_a_little_divide_everybody_all_the_same():
    found = units(
        unit(1, "77", None), unit(2, "C", 1, last=LAST), unit(3, "C", 1, first=DAY),
        unit(4, "D", 1, first=DAY), steps=[(2, 3, 0.333), (2, 4, 0.666)],
    ).on(LATER)  # fmt: skip
    parts = dict(found.placements[2].parts)
    assert parts == pytest.approx({3: 1 / 3, 4: 2 / 3}) and sum(parts.values()) == 1


def test_a_name_of_the_last_day_is_the_one_that_a_unit_had_last():
    states = tuple(UnitState(day, "commune", str(day), "", None) for day in (FIRST, LAST, DAY))
    ended = UnitHistory(1, "A", FIRST, LAST, states)
    assert ended.on(BEFORE) == states[0]
    assert ended.on(LAST) == ended.on(LATER) == states[1]


def test_a_plan_that_was_undone_leaves_its_answers_undivided():
    undone = units(
        unit(1, "77", None), unit(2, "A", 1), unit(3, "B", 1),
        unit(4, "A", 1, first=DAY, last=LAST), steps=[],
    )  # fmt: skip
    known = Units(undone.histories, {}, {4: [2, 3]})
    assert where(known.on(LATER)) == {1: 1, 2: 2, 3: 3, 4: -2}


def test_who_reads_a_successor_reads_what_became_it_and_nothing_that_was_divided(merged):
    assert carried_back(merged, {5}, LATER) == {5, 3, 4}
    assert carried_back(merged, {5, 7}, LATER) == {5, 3, 4, 7}
    assert readable_nodes(merged.on(BEFORE), {5, 3, 4}) == {3, 4, -3}
    assert readable_nodes(merged.on(LATER), {5, 3, 4}) == {5}


def test_days_on_which_the_tree_changes(merged):
    assert merged.change_days() == [FIRST, DAY]


def test_successions_that_lead_round_end_all_the_same():
    found = units(
        unit(1, "77", None), unit(2, "A", 1, last=LAST), unit(3, "B", 1, last=LAST),
        steps=[(2, 2, None), (2, 3, None), (3, 2, None)],
    ).on(LATER)  # fmt: skip
    assert where(found) == {1: 1, 2: -2, 3: -2}


def test_units_above_themselves_are_tops():
    tree = units(unit(1, "A", 1), unit(2, "B", 3), unit(3, "C", 2), unit(4, "D", 3)).on(LATER).tree
    assert all(tree.above(id) is not None for id in (1, 2, 3, 4))
    assert tree.nodes[1].parent_id is None and None in {tree.nodes[id].parent_id for id in (2, 3)}


def test_a_unit_until_the_last_day_that_there_is_has_no_end(database, province):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C1"])
        unit.valid_to = date.max
        first = unit.valid_from
    with database.reading() as session:
        units = read_units(session)
    assert units.histories[province.units["C1"]].last_day is None
    assert units.change_days() == [first]
