"""How complaints are dealt with: what is counted, what is told of few, and what became better."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from app.access.callers import Caller, Grant
from app.access.roles import RIGHTS, Role
from app.cases.models import Case, CaseState, Origin
from app.figures.cases import figures
from app.figures.periods import span
from app.figures.release import ReleaseRule
from app.registry.queries import UnknownUnit
from tests.cases.sent import MONTH, form, keep, sent
from tests.small_province import SmallProvince

RULE = ReleaseRule(10, date(2026, 12, 20))
DAY = date(2026, 9, 14)


@pytest.fixture
def whose(province):
    return province.caller


def made(database, unit, number, closed=None, due=date(2026, 9, 24), **changes):
    """So many cases, with no more of them than is counted."""
    state = CaseState.OPEN if closed is None else CaseState.CLOSED
    values = {
        "origin": Origin.WISH, "unit_id": unit, "handed_to_id": unit,
        "version_id": form(database).id, "month": MONTH, "opened_day": DAY, "first_due_day": due,
        "due_day": date(2027, 1, 1), "state": state, "closed_day": closed, "responses": 1,
        "low_items": "{}",
    }  # fmt: skip
    with database.writing() as session:
        session.add_all(Case(**values | changes) for _ in range(number))


def asked(database, caller, unit, period="2026-Q3"):
    with database.reading() as session:
        return figures(session, caller, period, unit, RULE)


def test_of_forty_complaints_so_many_were_in_time_and_what_they_were_about(
    database, province, whose
):
    at = province.units["C1"]
    in_time, late = date(2026, 9, 24), date(2026, 9, 25)
    made(database, at, 12, in_time, cause="waiting")
    made(database, at, 16, in_time, cause="attitude")
    made(database, at, 12, late, cause="result", escalated_day=late)
    # What the unit is not to know of is in no number, of whoever asks.
    made(database, at, 5, confidential=True, handed_to_id=province.units["D1"])
    for roles in ([(Role.CARE_DESK, "C1")], [(Role.CARE_DESK, "D1")], [(Role.UNIT_HEAD, "C1")]):
        found = asked(database, whose(*roles), "C1")
        assert (found.cases.n, found.closed_in_time.n, found.closed_late.n) == (40, 28, 12)
        assert found.escalated.few and found.not_closed.n == 0 and found.over
        assert found.median_days == 10
        assert [(each.code, each.cases.n) for each in found.causes] == [
            ("attitude", 16), ("result", 12), ("waiting", 12),
        ]  # fmt: skip
        assert not found.causes_few
    assert asked(database, whose((Role.CARE_DESK, "C1")), "C1", "2026-Q2").cases.n == 0
    with pytest.raises(UnknownUnit):
        asked(database, whose((Role.CARE_DESK, "C2")), "C1")
    # Three are not closed, and of no cause: they would be what is left of the others.
    made(database, at, 3)
    desk, analyst = whose((Role.CARE_DESK, "C1")), whose((Role.PROVINCIAL_ANALYST, None))
    found = asked(database, desk, "C1")
    assert (found.cases.n, found.closed_in_time.n) == (43, 28)
    assert found.closed_late.few and found.not_closed.few and found.median_days is None
    assert [each.code for each in found.causes] == ["attitude", "waiting"] and found.causes_few
    found = asked(database, analyst, "C1")
    assert (found.closed_late.n, found.not_closed.n, found.median_days) == (12, 3, 10)
    assert found.escalated.n == 12


def test_of_few_nothing_is_told_but_to_who_may_see_few(database, province, whose):
    at = province.units["C1"]
    made(database, at, 9, date(2026, 9, 20), cause="waiting")
    desk, analyst = whose((Role.CARE_DESK, "C1")), whose((Role.PROVINCIAL_ANALYST, None))
    found = asked(database, desk, "C1")
    assert found.cases.few and found.cases.n is None
    assert found.closed_in_time.few and found.causes == [] and found.causes_few
    assert found.median_days is None
    found = asked(database, analyst, "C1")
    assert found.closed_in_time.n == 9 and found.causes[0].cases.n == 9 and not found.causes_few
    # Of fifteen the nine would leave six.
    made(database, at, 6)
    found = asked(database, desk, "C1")
    assert found.cases.n == 15 and found.closed_in_time.few and found.closed_late.n == 0


def test_a_running_period_is_told_to_who_may_see_few_alone(database, province, whose):
    at = province.units["C1"]
    made(database, at, 30, opened_day=date(2026, 11, 3))
    desk, analyst = whose((Role.CARE_DESK, "C1")), whose((Role.PROVINCIAL_ANALYST, None))
    assert asked(database, desk, "C1", "2026-11").cases.n == 30
    for period in (
        "2026-12",
        "2026-Q4",
        "2026",
        "2026-11-01..2026-11-30",
        "2026-11-02..2026-11-30",
    ):
        found = asked(database, desk, "C1", period)
        assert found.cases.few, period
        assert found.over == (period[-2:] == "30")
        if period != "2026-12":
            assert asked(database, analyst, "C1", period).cases.n == 30


def test_what_a_district_has_beside_its_communes_is_not_told_by_subtraction(
    database, province, whose
):
    made(database, province.units["C1"], 20)
    made(database, province.units["C2"], 4)
    desk = whose((Role.CARE_DESK, "D1"))
    assert asked(database, desk, "C2").cases.few
    # 24 less 20 would be the four.
    assert None in [asked(database, desk, unit).cases.n for unit in ("C1", "D1")]
    # Nor by months beside the quarter: September has them all.
    months = [asked(database, desk, "D1", f"2026-0{month}").cases for month in (7, 8, 9)]
    assert [each.n for each in months] == [0, 0, asked(database, desk, "D1").cases.n]
    assert asked(database, whose((Role.PROVINCIAL_ANALYST, None)), "C2").cases.n == 4


def test_whether_what_a_cause_is_about_became_better_is_told_with_an_interval(
    database, province, whose
):
    at, version = province.units["C1"], form(database)
    # "waiting" is about factor B of this form: August before, October after September.
    keep(
        database,
        [
            *(sent(version, at, date(2026, 8, 3) + timedelta(days=n % 20),
                   {"A1": 5, "B1": 5 if n % 2 else 1, "B2": 5 if n % 2 else 2}) for n in range(60)),
            *(sent(version, at, date(2026, 10, 3) + timedelta(days=n % 20),
                   {"A1": 1, "B1": 1 if n % 10 == 0 else 5, "B2": 5}) for n in range(60)),
            # Else August would be hidden, as the quarter less August would tell of few.
            *(sent(version, at, date(2026, 9, 3), {"A1": 4, "B1": 4}) for _ in range(30)),
        ],
    )  # fmt: skip
    made(database, at, 12, date(2026, 9, 20), cause="waiting")
    made(database, at, 12, date(2026, 9, 20), cause="other")
    # Dealt with in November: the month after runs still.
    made(database, at, 12, date(2026, 11, 20), cause="result")
    desk, analyst = whose((Role.CARE_DESK, "C1")), whose((Role.PROVINCIAL_ANALYST, None))
    found = asked(database, desk, "C1")
    (change,) = found.changes
    assert (change.cause, change.factor, change.dealt_with) == ("waiting", "B", "2026-09")
    assert change.factor_name.vi
    assert change.before == pytest.approx(0.5) and change.after == pytest.approx(0.95)
    assert change.estimate == pytest.approx(0.45)
    assert 0.2 < change.low < 0.45 < change.high < 0.65 and change.p < 0.001
    assert change.adjusted_p == change.p and change.discovery
    assert asked(database, desk, None).changes == []
    # Of a cause of few nobody is told when the last was dealt with.
    made(database, at, 3, date(2026, 9, 20), cause="attitude")
    assert [each.cause for each in asked(database, desk, "C1").changes] == ["waiting"]
    assert {each.cause for each in asked(database, analyst, "C1").changes} >= {"waiting"}


@pytest.fixture(scope="module")
def small(own_database):
    """A province whose cases examples draw."""
    return SmallProvince.found(own_database), form(own_database).id


#: How many cases a unit, month and outcome has: often none, often few.
FEW = st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 30))
UNITS, MONTHS = ("D1", "C1", "C2"), tuple(range(1, 7))
ASKED = [f"2026-0{month}" for month in MONTHS] + ["2026-Q1", "2026-Q2", "2026-H1"]


@given(st.lists(FEW, min_size=54, max_size=54))
@settings(max_examples=12)
def test_no_two_or_three_counts_that_are_told_differ_by_few(own_database, small, drawn):
    province, version = small
    n = np.array(drawn).reshape(3, 6, 3)
    due = date(2026, 9, 1)
    closings = (due, due + timedelta(days=1), None)
    with own_database.writing() as session:
        session.execute(delete(Case))
        session.execute(insert(Case), [
            {"id": 10**8 + i, "origin": Origin.WISH, "unit_id": province.units[UNITS[unit]],
             "version_id": version, "month": MONTH, "opened_day": date(2026, month + 1, 5),
             "first_due_day": due, "due_day": due, "closed_day": closings[outcome],
             "state": CaseState.OPEN, "responses": 1, "low_items": "{}"}
            for i, (unit, month, outcome) in enumerate(
                each for each, k in np.ndenumerate(n) for _ in range(k))
        ] or [{}]) if n.any() else None  # fmt: skip
    below = {"D1": [0, 1, 2], "C1": [1], "C2": [2]}
    desk = Caller("desk", (Grant(RIGHTS[Role.CARE_DESK], None),))
    cells, told = [], []
    with own_database.reading() as session:
        for unit in UNITS:
            for period in ASKED:
                found = figures(session, desk, period, unit, RULE)
                counts = (found.cases, found.closed_in_time, found.closed_late, found.not_closed)
                for part, count in enumerate(counts):
                    cell = np.zeros(n.shape, dtype=np.int8)
                    first, last = span(period).first.month, span(period).last.month
                    months = [month - 1 for month in MONTHS if first <= month <= last]
                    of = [0, 1, 2] if part == 0 else [part - 1]
                    cell[np.ix_(below[unit], months, of)] = 1
                    exact = int((n * cell).sum())
                    assert count.few == (count.n is None)
                    if count.n is not None:
                        assert count.n == exact
                        cells.append(cell.ravel())
                        told.append(exact)
    assert told  # of nobody nothing is, at least
    of, people = np.unique(np.array(cells), axis=0).astype(np.int16), n.ravel()

    def touched(combined):
        return ((combined != 0) * people).sum(axis=-1)

    pairs = np.array([(i, j) for i in range(len(of)) for j in range(i)], dtype=np.intp)
    combined = [of]
    if len(pairs):
        apart, both = of[pairs[:, 0]] - of[pairs[:, 1]], of[pairs[:, 0]] + of[pairs[:, 1]]
        combined += [apart, *(each - third for third in of for each in (both, apart))]
    for each in combined:
        few = touched(each)
        assert not ((few > 0) & (few < 10)).any()
