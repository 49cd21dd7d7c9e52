"""Figures in the tree of then, of today and of any day: totals equal, weights by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from app.access.callers import Caller, Grant, owner
from app.access.models import Right
from app.figures.context import Context
from app.figures.plan_figures import before_and_after
from app.figures.query import Key, Query
from app.figures.rates import find
from app.figures.release import ReleaseRule
from app.figures.visible import units_of_all_times
from app.problems import Problem
from app.registry.queries import UnknownUnit
from tests.reorganised import AFTER, BEFORE, COMMENTS, DAY, FOUNDED, LAST, TODAY, standing_in

RULE = ReleaseRule(1, TODAY)
STRUCTURES = (None, date(2024, 3, 1), LAST, DAY)
OWNER = owner("a test")
world = standing_in("structures")


def asked(session, *by, caller=OWNER, rule=RULE, **changes):
    query = Query(questionnaire="sipas-desk", by=list(by), **changes)
    return find(session, query, caller, rule)


def by_code(found, name="n"):
    (rates,) = found.rates
    return {unit.code: value for unit, value in zip(rates.unit, rates.sums[name], strict=True)}


def reader(made, *names, small=False):
    rights = {Right.READ_FIGURES} | ({Right.READ_SMALL_CELLS} if small else set())
    return Caller("head", tuple(Grant(frozenset(rights), made.units[name]) for name in names))


@pytest.mark.parametrize("structure", STRUCTURES)
def test_totals_are_equal_in_every_structure(session, made, structure):
    (whole,) = asked(session).rates
    (rates,) = asked(session, structure=structure).rates
    for name, values in rates.sums.items():
        assert values[0] == pytest.approx(whole.sums[name][0], abs=1e-9)
    assert rates.sums["n"][0] == len(made.answers)
    assert rates.low[0] == whole.low[0] and rates.high[0] == whole.high[0]
    own = by_code(asked(session, Key.UNIT, descendants=False, structure=structure))
    assert sum(own.values()) == pytest.approx(len(made.answers))
    months = asked(session, Key.MONTH, structure=structure).rates[0].sums["n"]
    assert months.tolist() == asked(session, Key.MONTH).rates[0].sums["n"].tolist()
    assert by_code(asked(session, Key.UNIT, structure=structure))["77"] == len(made.answers)


def test_today_a_merged_unit_has_what_became_it_and_a_divided_one_stands_apart(session, made):
    found = by_code(asked(session, Key.UNIT))
    assert found["P1"] == made.people("P1", "old P1", "old P2")
    assert found["P3"] == made.people("P3") and found["P5"] == made.people("P5")
    # What was divided, and the own answers of the district, which became nothing.
    assert found["77~"] == made.people("old P3", "D1")
    assert "D1" not in found


def test_a_share_weighs_every_sum_by_hand(session, made):
    found = asked(session, Key.UNIT)
    divided = asked(session, Key.UNIT, structure=LAST, units=["P4"], last=LAST)
    since = asked(session, Key.UNIT, first=DAY)
    for name in ("n", "m", "a", "aa", "am", "mm"):
        all_time, before, after = (by_code(each, name) for each in (found, divided, since))
        assert all_time["P4"] == pytest.approx(0.75 * before["P4"] + after["P4"])
        assert all_time["P6"] == pytest.approx(0.25 * before["P4"] + after["P6"])
    assert by_code(found)["P6"] == pytest.approx(0.25 * made.people("old P4") + made.people("P6"))


def test_a_plan_is_told_with_figures_before_and_after_in_which_shares_weigh(session, made):
    of = (("old P4", "old P1"), ("P4", "P6", "P1"))
    among = tuple({made.units[name] for name in names} for names in of)
    told = before_and_after(
        session, units_of_all_times(session), (LAST, DAY), (FOUNDED, LAST), among
    )
    before, after = ({each.unit_id: each for each in side} for side in (told.before, told.after))
    n = made.people("old P4")
    assert before[made.units["old P4"]].respondents == n
    assert after[made.units["P4"]].respondents == pytest.approx(0.75 * n)
    assert after[made.units["P6"]].respondents == pytest.approx(0.25 * n)
    assert after[made.units["P6"]].rate == pytest.approx(before[made.units["old P4"]].rate)
    assert after[made.units["P1"]].respondents == made.people("old P1", "old P2")


def test_the_interval_of_a_share_is_as_wide_as_of_so_many_people(session, made):
    """A quarter of the people gives twice the standard error."""
    whole, quarter = (
        asked(session, Key.UNIT, units=[code], last=LAST, structure=day)
        .rates[0].ratio.standard_error[0]
        for code, day in (("P4", LAST), ("P6", None))
    )  # fmt: skip
    n = made.people("old P4")
    assert quarter / whole == pytest.approx(2.0 * np.sqrt((n - 1) / n * (n / 4) / (n / 4 - 1)),
                                            rel=0.02)  # fmt: skip


def test_days_of_a_share_weigh_as_much_as_its_people(session):
    rates = [
        find(
            session,
            Query(questionnaire="sipas-desk", by=[Key.UNIT], units=[code], last=LAST,
                  structure=day),
            OWNER, RULE, by_days=True,
        ).rates[0]
        for code, day in (("P4", LAST), ("P6", None))
    ]  # fmt: skip
    assert rates[1].day_effect[0] == pytest.approx(rates[0].day_effect[0], rel=0.03)


def test_then_the_old_tree_has_its_names_and_what_came_later_stands_where_it_came_from(
    session, made
):
    found = asked(session, Key.UNIT, structure=LAST)
    counts = by_code(found)
    assert counts["P1"] == made.people("old P1") and counts["P2"] == made.people("old P2")
    assert counts["P3"] == made.people("old P3", "P3", "P5")
    assert counts["P4"] == made.people("old P4", "P4", "P6")
    assert counts["D1~"] == made.people("P1")  # nobody knows who of them lives where
    names = {unit.code: unit.name_vi for unit in found.rates[0].unit}
    assert names["A1"] == "Sở cũ"
    assert {u.code: u.name_vi for u in asked(session, Key.UNIT).rates[0].unit}["A1"] == "Sở mới"
    assert found.structure == LAST and found.change_days == [DAY]


def test_a_code_of_another_time_says_which_unit_it_named_and_when(session):
    with pytest.raises(UnknownUnit) as refused:
        asked(session, Key.UNIT, units=["P2"])
    assert "Phường 2 (từ 01/01/2024 đến 30/06/2025)" in refused.value.detail("vi")
    assert "P2" in refused.value.detail("en")
    with pytest.raises(UnknownUnit) as unknown:
        asked(session, Key.UNIT, units=["nothing"])
    assert unknown.value.detail("vi") == "Không có đơn vị mang mã nothing."


def test_the_head_of_a_merged_commune_sees_one_line_across_the_day(session, made):
    head = reader(made, "P1")
    (rates,) = asked(session, Key.UNIT, Key.MONTH, caller=head).rates
    assert {unit.code for unit in rates.unit} == {"P1"}
    assert rates.sums["n"].tolist() == [20.0] * 17 + [21.0] + [20.0] * 12
    assert {u.code for u in asked(session, Key.UNIT, caller=head, structure=LAST).rates[0].unit} \
        == {"P1", "P2", "D1~"}  # fmt: skip
    with pytest.raises(UnknownUnit):
        asked(session, Key.UNIT, units=["P3"], caller=head)


def test_small_cells_are_exempt_only_while_no_predecessor_has_people(session, made):
    """Her own few are hers to see; a sum with a predecessor's people is gated as a stranger's."""
    rule = replace(RULE, least=25)
    head = reader(made, "P1", small=True)
    (rates,) = asked(session, Key.UNIT, Key.MONTH, caller=head, rule=rule).rates
    assert rates.hidden.tolist() == [True] * 18 + [False] * 12
    # And a period that is hers alone may begin on any day.
    week = asked(session, Key.UNIT, caller=head, rule=rule, first=date(2026, 3, 2),
                 last=date(2026, 3, 8))  # fmt: skip
    assert not week.rates[0].hidden.any() and by_code(week)["P1"] == 7
    with pytest.raises(Problem):
        asked(session, Key.UNIT, caller=head, rule=rule, first=date(2025, 3, 2),
              last=date(2025, 3, 8))  # fmt: skip


def test_the_question_of_a_context_names_its_structure(session):
    context = Context(session, OWNER, Query(questionnaire="sipas-desk", structure=LAST), RULE)
    _, provenance = context.rates(Key.UNIT)
    assert (provenance.structure, provenance.change_days) == (LAST, [DAY])
    _, provenance = replace(context, query=replace(context.query, last=LAST)).rates()
    assert provenance.change_days == []


def test_the_world_is_as_it_says(made):
    assert (
        made.people(*BEFORE, last=LAST) == 18 * 46 + len(COMMENTS)
        and made.people(*AFTER, first=DAY) == 12 * 44
    )
    assert min(day for _, day, _ in made.answers) == FOUNDED
