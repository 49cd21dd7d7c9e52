"""Statistics besides rates, in the tree of any day: nobody is lost, nobody counts twice."""

from dataclasses import replace
from datetime import date

import pytest

from app.access.callers import Caller, Grant, owner
from app.access.models import Right
from app.figures import comments, comparisons, nonresponse, planning, response_rates, stratification
from app.figures.comments import CommentQuery
from app.figures.comparison_days import With
from app.figures.context import Context
from app.figures.drivers import find_lowest
from app.figures.feed import lines
from app.figures.fixed_mix import fixed_mix
from app.figures.people import people_of, told_dealt_out
from app.figures.periods import Step
from app.figures.query import Key, Query
from app.figures.release import ReleaseRule
from app.figures.respondent_statistics import find_reliability
from app.settings import Settings
from app.text_keys import TextKeys
from tests.reorganised import AFTER, BEFORE, COMMENTS, DAY, INVITED, LAST, TODAY, standing_in

RULE = ReleaseRule(1, TODAY)
KEYS = TextKeys.of(Settings())
STRUCTURES = (None, date(2024, 3, 1), LAST, DAY)
OWNER = owner("a test")
world = standing_in("structure-statistics")
MAY = {"first": date(2025, 5, 1), "last": date(2025, 5, 31)}


def context(session, caller=OWNER, rule=RULE, **changes):
    return Context(session, caller, Query(questionnaire="sipas-desk", **changes), rule)


def by_code(rows):
    return {row.unit.code: row for row in rows}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_respondents_are_counted_once_whatever_the_structure(session, made, structure):
    asked = context(session, structure=structure)
    _, provenance = asked.rates()
    whole = people_of(replace(asked, query=replace(asked.query, units=["77"])), provenance)
    assert len(whole.respondents) == len(made.answers) and whole.dealt_out == 0
    assert find_reliability(asked).respondents == len(made.answers)
    assert find_lowest(asked).respondents == len(made.answers)


def test_who_a_share_deals_out_is_left_out_of_looks_at_single_respondents_and_said(session, made):
    asked = context(session, units=["P4"])
    _, provenance = asked.rates()
    found = people_of(asked, provenance)
    assert len(found.respondents) == made.people("P4")
    assert found.dealt_out == made.people("old P4")
    assert find_reliability(asked).dealt_out == made.people("old P4")
    few = replace(asked, caller=Caller("x", (Grant(frozenset({Right.READ_FIGURES})),)))
    assert told_dealt_out(few, found) is None
    assert told_dealt_out(few, replace(found, dealt_out=0)) == 0


@pytest.mark.parametrize("structure", STRUCTURES)
def test_cases_served_are_the_same_in_every_structure(session, structure):
    rows = by_code(stratification.stratified(context(session, structure=structure)).rows)
    each = [10 * people for people, _ in BEFORE.values()] * 18
    each += [10 * people for people, _ in AFTER.values()] * 12
    assert rows["77"].cases == sum(each)
    planned = by_code(
        planning.plan(
            context(session, structure=structure), month=date(2025, 5, 1), margin=0.05, drop=0.1,
            total=None, neyman=False,
        ).rows
    )  # fmt: skip
    assert planned["77"].cases == sum(10 * people for people, _ in BEFORE.values())


def test_cases_of_a_share_are_weighed(session):
    rows = by_code(stratification.stratified(context(session, **MAY)).rows)
    assert rows["P4"].cases == 0.75 * 80 and rows["P6"].cases == 0.25 * 80
    assert rows["P1"].cases == 200 and rows["77~"].cases == 10 * (6 + 3)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_invited_are_the_same_in_every_structure(session, structure):
    found = response_rates.find(
        session, OWNER, date(2025, 1, 1), date(2025, 12, 31), units=[], release_rule=RULE,
        structure=structure,
    )  # fmt: skip
    assert sum(row.issued for row in found.rows) == sum(n for n, _ in INVITED.values())
    assert sum(row.answered for row in found.rows) == sum(k for _, k in INVITED.values())
    asked = context(session, structure=structure, first=date(2025, 1, 1), last=date(2025, 12, 31))
    row = by_code(nonresponse.find_nonresponse(asked).rows)["77"].by_invitations
    assert (row.reached, row.answered) == (58, 27)


def test_the_invited_of_today_stand_where_they_live_now(session):
    found = response_rates.find(
        session, OWNER, date(2025, 5, 1), date(2025, 5, 31), units=[], release_rule=RULE
    )
    rows = {row.unit.code: (row.issued, row.answered) for row in found.rows}
    assert rows == {"P1": (20, 8), "77~": (10, 5), "P4": (12, 6), "P6": (4, 2)}
    assert found.structure == TODAY and found.change_days == []


def test_volumes_are_missing_only_of_months_in_which_a_unit_was_valid(session):
    across = context(session, units=["P1"], first=date(2025, 5, 1), last=date(2025, 8, 31))
    row = by_code(nonresponse.find_nonresponse(across).rows)["P1"].by_volumes
    assert (row.reached, row.answered) == (2 * 200 + 2 * 200, 81)


def test_comments_stand_at_the_unit_of_today_or_of_then(world, made):
    def read(caller=OWNER, **changes):
        query = CommentQuery("2025-06", **changes)
        found = comments.read(world[1], caller, query, release_rule=RULE, keys=KEYS)
        return {each.body: each.unit.code for each in found.comments}

    assert read() == {"Chờ lâu": "P1", "Tốt": "77~", "Nhanh": "77", "Sạch sẽ": "H1"}
    assert read(structure=LAST) == {body: name[-2:] for name, _, body in COMMENTS}
    assert read(units=["P1"]) == {"Chờ lâu": "P1"}
    assert read(units=["77"]) == read()
    assert read(units=["77"], descendants=False) == {"Nhanh": "77"}
    head = Caller("head", (Grant(frozenset({Right.READ_COMMENTS}), made.units["P1"]),))
    assert read(head) == {"Chờ lâu": "P1"}
    assert read(head, structure=LAST) == {"Chờ lâu": "P1"}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_feed_adds_up_in_every_structure(session, made, structure):
    asked = context(session, structure=structure, descendants=False)
    found = list(lines(session, asked, Step.YEAR, factors=False))
    assert sum(line.respondents for line in found) == pytest.approx(len(made.answers))
    undivided = [line for line in found if line.unit_kind == "undivided"]
    assert undivided and all(line.unit_code == line.parent_code + "~" for line in undivided)


def test_a_change_across_the_day_holds_the_mix_of_the_same_people(session):
    """P1 of after against P1 and P2 of before: one unit, and so no mix of units."""
    after = {"first": DAY, "last": date(2025, 12, 31)}
    before = {"first": date(2025, 1, 1), "last": LAST}
    asked = context(session, units=["P1"], **after)
    now, _ = asked.rates(Key.UNIT)
    other, _ = asked.rates(Key.UNIT, **before)
    assert fixed_mix(asked, now, other, before["first"], before["last"]) == [None]
    province = replace(asked, query=replace(asked.query, units=["77"]))
    now, _ = province.rates(Key.UNIT)
    other, _ = province.rates(Key.UNIT, **before)
    (held,) = fixed_mix(province, now, other, before["first"], before["last"])
    assert held.parts == 5  # A1, H1, P1, P4 and P6
    assert {part.unit.code for part in held.one_period_only} == {"77~", "P3", "P5"}


def test_undivided_rows_are_never_ranked_nor_in_a_funnel_nor_peers(session):
    asked = context(session)
    ranked = {row.unit.code for row in comparisons.ranking(asked, best=1).rows}
    funnel = comparisons.funnel(asked, target=None, overdispersion=False, q=0.05)
    for codes in (ranked, {row.unit.code for row in funnel.rows}):
        assert codes == {"A1", "H1", "P1", "P3", "P4", "P5", "P6"}
    peers = by_code(comparisons.compare(asked, with_=With.PEERS, q=0.05).rows)
    parents = by_code(comparisons.compare(asked, with_=With.PARENT, q=0.05).rows)
    assert peers["77~"].other.respondents is None
    rates, _ = asked.rates(Key.UNIT)
    n = {unit.code: people for unit, people in zip(rates.unit, rates.sums["n"], strict=True)}
    assert parents["A1"].other.respondents == pytest.approx(
        sum(n[code] for code in ("H1", "P1", "P3", "P4", "P5", "P6"))
    )
