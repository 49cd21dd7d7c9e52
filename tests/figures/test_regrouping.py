"""Regrouping at its edges: shares that make a whole, months cut by a plan, plans undone."""

from datetime import date

import numpy as np
import pytest

from app.access.callers import Caller, Grant, owner
from app.access.models import Right
from app.figures import visible
from app.figures.context import Context
from app.figures.periods import Step
from app.figures.query import Query
from app.figures.regrouping import together, whole_number
from app.figures.release import ReleaseRule
from app.figures.reorganised import begins_anew, days_anew, reorganised
from app.figures.served import without_cases
from app.figures.trend_results import Reorganising
from app.registry.models import ServiceVolume, Unit
from app.registry.queries import UnknownUnit
from tests.registry.plans import EVE, MERGER, TODAY, apply, plan, undone

OWNER = owner("a test")
JULY = date(2025, 7, 1)


def context(session, **changes):
    query = Query(questionnaire="sipas-desk", **changes)
    return Context(session, OWNER, query, ReleaseRule(1, TODAY))


def marks(session, *labels):
    """What is marked of each node of today, by its code."""
    asked = context(session)
    nodes = asked.regrouping.units.nodes
    found = reorganised(asked, list(nodes.values()), labels, Step.MONTH)
    return {nodes[id].code: each for id, each in found.items()}


def test_parts_that_come_together_are_exactly_a_whole():
    weight = np.full(10, 0.1)
    zero = np.zeros(10, dtype=np.intp)
    assert np.bincount(zero, weight)[0] != 1.0
    index, target, total = together(zero, zero, weight)
    assert (index.tolist(), target.tolist(), total.tolist()) == ([0], [0], [1.0])
    _, _, total = together(zero[:8], zero[:8], weight[:8])
    assert total.tolist() == [pytest.approx(0.8)]


def test_people_are_whole_numbers_but_for_what_shares_divide():
    assert whole_number(60.0000000001) == 60 and isinstance(whole_number(60.0), int)
    assert whole_number(59.5) == 59.5 and whole_number(0.25) == 0.25


def test_cases_of_the_month_that_a_plan_cuts_are_asked_of_both_sides(province, tmp_path):
    apply(province, plan(tmp_path, *MERGER, day="2025-07-15"))

    def missing(session):
        asked = context(session, first=JULY, last=date(2025, 7, 31))
        nodes = asked.regrouping.structure.tree.nodes
        return {nodes[id].code for id in without_cases(asked, JULY, date(2025, 7, 31))}

    with province.database.writing() as session:
        ids = {unit.code: unit.id for unit in session.query(Unit)}
        for code in ("A1", "C1", "C2", "D1"):
            session.add(ServiceVolume(unit_id=ids[code], month=JULY, cases=20))
    with province.database.reading() as session:
        assert missing(session) == {"N1"}
    with province.database.writing() as session:
        session.add(ServiceVolume(unit_id=ids["N1"], month=JULY, cases=20))
    with province.database.reading() as session:
        assert missing(session) == set()
    with province.database.writing() as session:
        session.delete(session.get(ServiceVolume, (ids["C2"], JULY)))
    with province.database.reading() as session:
        assert missing(session) == {"N1"}


def test_a_unit_with_another_code_is_renewed_and_judged_on(province, tmp_path):
    lines = ("found|N1|name_vi=Mới|kind=commune|parent=D1", "merge|C1|to=N1")
    apply(province, plan(tmp_path, *lines, day="2025-07-31"))
    with province.database.reading() as session:
        found = marks(session, "2025-06", "2025-07")
        (mark,) = found["N1"]
        assert (mark.how, mark.day) == (Reorganising.RENEWED, date(2025, 7, 31))
        # On the last day of what is looked at as well.
        assert mark.decisions == ["1685/NQ-UBTVQH15"]
        assert set(found) == {"N1"} and days_anew([mark]) == ()


def test_what_an_undone_plan_founded_marks_nothing(province, tmp_path):
    done = apply(province, plan(tmp_path, *MERGER[:2]))
    with province.database.reading() as session:
        assert set(marks(session, "2025-06", "2025-07")) == {"N1"}
    undone(province, done.id)
    # The day is one on which the tree changes all the same.
    apply(province, plan(tmp_path, "move|C2|parent=77"))
    with province.database.reading() as session:
        assert marks(session, "2025-06", "2025-07") == {}


def test_a_series_begins_anew_after_the_last_day_and_not_the_first():
    labels = [f"2025-{month:02}" for month in range(1, 13)]
    days = [date(2025, 3, 1), date(2025, 7, 15)]
    assert begins_anew(days, labels, Step.MONTH) == labels.index("2025-08")
    assert begins_anew(days[:1], labels, Step.MONTH) == labels.index("2025-03")
    assert begins_anew([], labels, Step.MONTH) == 0


def test_whoever_has_older_rights_alone_is_shown_the_last_day_of_the_last_of_them(
    province, tmp_path
):
    apply(province, plan(tmp_path, *MERGER))
    lines = ("found|N2|name_vi=Sở Mới|kind=agency|parent=77", "merge|A1|to=N2", "merge|H1|to=N2")
    apply(province, plan(tmp_path, *lines, day="2026-01-01"))
    rights = frozenset({Right.READ_FIGURES})

    def day(*codes):
        grants = tuple(Grant(rights, province.units[code]) for code in codes)
        with province.database.reading() as session:
            return visible.usual_day(session, Caller("head", grants), TODAY)

    assert day("C1") == EVE
    assert day("C1", "A1") == day("A1", "C1") == date(2025, 12, 31)
    assert day("C1", "W1") == TODAY


def test_a_code_that_was_undone_never_named_anything(province, tmp_path):
    def told():
        with province.database.reading() as session:
            units = visible.units(session, OWNER, EVE, TODAY)
            with pytest.raises(UnknownUnit) as refused:
                visible.find(session, units, "N1", EVE)
            return refused.value.detail("vi")

    done = apply(province, plan(tmp_path, *MERGER))
    assert "Xã Mới" in told()
    undone(province, done.id)
    assert "Xã Mới" not in told()
