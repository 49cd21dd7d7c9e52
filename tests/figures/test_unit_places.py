"""Which sets of units of all times have a place, by hand, and that they are a tree."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.figures.unit_places import Members, members, structures, unit_places
from tests.figures.test_lattice_structures import TODAY, drawn_units
from tests.registry.test_structures import BEFORE, DAY, LAST, LATER, unit, units

ALL = range(1, 20)


def stands(found, *ids):
    """Whether a set of units has a place."""
    return not found.find(Members(frozenset(ids))).left_out


def merged_within():
    """District 2 of province 1: its communes 3 and 4 become 5, commune 6 goes on."""
    return units(
        unit(1, "77", None), unit(2, "D", 1), unit(3, "A", 2, last=LAST),
        unit(4, "B", 2, last=LAST), unit(5, "A", 2, first=DAY), unit(6, "C", 2),
        steps=[(3, 5, None), (4, 5, None)],
    )  # fmt: skip


def test_rows_of_all_structures_are_one_tree():
    found = unit_places(merged_within(), LATER, ALL)
    for ids in ((3,), (4,), (3, 4, 5), (6,), (2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6)):
        assert stands(found, *ids), ids
    assert not stands(found, 3, 6)
    above = found.axis.parent
    merged = found.of[frozenset({3, 4, 5})]
    assert [above[found.alone[id]] for id in (3, 4, 5)] == [merged] * 3
    assert above[merged] == found.of[frozenset({2, 3, 4, 5, 6})]


def test_a_merger_over_the_border_leaves_the_districts_of_then_out():
    border = units(
        unit(1, "77", None), unit(2, "D", 1), unit(3, "E", 1), unit(4, "A", 2, last=LAST),
        unit(5, "B", 3, last=LAST), unit(6, "A", 2, first=DAY), unit(7, "C", 3),
        steps=[(4, 6, None), (5, 6, None)],
    )  # fmt: skip
    found = unit_places(border, LATER, ALL)
    assert stands(found, 4, 5, 6) and stands(found, 2, 4, 5, 6) and stands(found, 3, 7)
    then = border.on(BEFORE)
    for district in (2, 3):
        assert found.find(members(then, then.tree, district)).left_out
    # As long as the day lies ahead, it is the other way round.
    ahead = unit_places(border, BEFORE, ALL)
    assert not ahead.find(members(then, then.tree, 2)).left_out
    assert not stands(ahead, 4, 5, 6)


def test_a_row_of_what_is_undivided_gives_way_to_a_district_of_then():
    closed = units(
        unit(1, "77", None), unit(2, "D", 1, last=LAST), unit(3, "E", 1, last=LAST),
        unit(4, "A", 2, last=LAST), unit(5, "B", 3, last=LAST), unit(6, "A", 1, first=DAY),
        unit(7, "B", 1, first=DAY), steps=[(4, 6, None), (5, 7, None)],
    )  # fmt: skip
    today, then = closed.on(LATER), closed.on(BEFORE)
    assert members(today, today.tree, -2) == Members(frozenset({2, 3}))
    found = unit_places(closed, LATER, ALL)
    assert found.find(members(today, today.tree, -2)).left_out
    assert not found.find(members(then, then.tree, 2)).left_out
    # Where no district has answers of its own, nothing crosses.
    found = unit_places(closed, LATER, range(4, 8))
    assert found.find(members(today, today.tree, -2)).places == ()


def test_an_old_province_is_told_and_the_offices_of_both_together_are_not():
    provinces = units(
        unit(1, "P", None, last=LAST), unit(2, "Q", None, last=LAST), unit(3, "R", None, first=DAY),
        unit(4, "A", 1, last=LAST), unit(5, "A", 3, first=DAY), unit(6, "B", 2, last=LAST),
        unit(7, "B", 3, first=DAY), steps=[(1, 3, None), (2, 3, None), (4, 5, None), (6, 7, None)],
    )  # fmt: skip
    found, today, then = unit_places(provinces, LATER, ALL), provinces.on(LATER), provinces.on(LAST)
    assert not found.find(members(today, today.tree, 3)).left_out
    assert not found.find(members(then, then.tree, 1)).left_out
    offices = members(today, today.tree, 3, descendants=False)
    assert offices == Members(frozenset({1, 2, 3})) and found.find(offices).left_out


def test_of_what_shares_divide_every_part_is_looked_at_by_itself():
    divided = units(
        unit(1, "77", None), unit(2, "C", 1, last=LAST), unit(3, "C", 1, first=DAY),
        unit(4, "D", 1, first=DAY), steps=[(2, 3, 0.75), (2, 4, 0.25)],
    )  # fmt: skip
    found, today = unit_places(divided, LATER, ALL), divided.on(LATER)
    own = members(today, today.tree, 3)
    assert own == Members(frozenset({3}), frozenset({2}))
    assert set(found.find(own).places) == {found.alone[3], found.alone[2]}
    # Above both parts nothing is divided any more.
    assert members(today, today.tree, 1) == Members(frozenset({1, 2, 3, 4}))
    assert found.find(members(today, today.tree, 1)).places == (found.of[frozenset({1, 2, 3, 4})],)


def test_what_shares_divide_over_two_districts_is_of_neither():
    border = units(
        unit(1, "77", None), unit(2, "D", 1), unit(3, "E", 1), unit(4, "A", 2, last=LAST),
        unit(5, "A", 2, first=DAY), unit(6, "B", 3, first=DAY),
        steps=[(4, 5, 0.5), (4, 6, 0.5)],
    )  # fmt: skip
    found = unit_places(border, LATER, ALL)
    assert stands(found, 2, 5) and stands(found, 3, 6) and stands(found, 1, 2, 3, 4, 5, 6)
    assert not stands(found, 2, 4, 5) and not stands(found, 3, 4, 6)


def test_what_is_summed_over_some_nodes_alone_is_another_set():
    whole = merged_within().on(LATER)
    part = whole.among({2, 6})
    assert members(whole, part, 2) == Members(frozenset({2, 6}))
    assert unit_places(merged_within(), LATER, ALL).find(members(whole, part, 2)).left_out


def test_structures_are_asked_newest_first_and_those_ahead_last():
    days = [each.day for each in structures(merged_within(), date(2021, 1, 1))]
    assert days == [date(2020, 1, 1), date(2019, 12, 31), DAY]


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_places_are_disjoint_parts_of_what_stands_above_them(seed):
    rng = np.random.default_rng(seed)
    drawn = drawn_units(rng)
    within = {id for id in drawn.histories if rng.random() < 0.8}
    found = unit_places(drawn, TODAY, within)
    sets = {place: units for units, place in found.of.items()}
    parts = {}
    for place, above in enumerate(found.axis.parent.tolist()):
        if above >= 0:
            assert sets[place] < sets[above]
            parts.setdefault(above, []).append(sets[place])
    for place, each in parts.items():
        assert sum(map(len, each)) == len(sets[place]) == len(frozenset().union(*each))
    today = drawn.on(TODAY)
    for id, node in today.tree.nodes.items():
        of = members(today, today.tree, id)
        assert node.kind == "undivided" or not found.find(of).left_out
