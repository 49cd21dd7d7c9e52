"""How complaints are dealt with: what is counted, what is told of few, and what became better."""

from datetime import date, timedelta

import pytest

from app.access.callers import Caller, grants_of
from app.access.models import Account
from app.access.roles import Role
from app.cases.models import CaseState
from app.figures.cases import figures
from app.figures.release import ReleaseRule
from app.registry.queries import UnknownUnit
from tests.cases.sent import case_about, form, keep, sent

RULE = ReleaseRule(10, date(2026, 12, 20))
DAY = date(2026, 9, 14)


@pytest.fixture
def whose(database, province):
    def somebody(*roles):
        account_id = province.person(*roles).account_id
        with database.reading() as session:
            account = session.get_one(Account, account_id)
            return Caller(account.email, grants_of(account), account_id=account.id)

    return somebody


def made(database, unit, number, closed=None, due=date(2026, 9, 24), **changes):
    state = CaseState.OPEN if closed is None else CaseState.CLOSED
    for _ in range(number):
        case_about(
            database, unit, opened_day=DAY, first_due_day=due, due_day=date(2027, 1, 1),
            state=state, closed_day=closed, **changes,
        )  # fmt: skip


def asked(database, caller, unit, period="2026-Q3"):
    with database.reading() as session:
        return figures(session, caller, period, unit, RULE)


def test_of_forty_complaints_so_many_were_in_time_and_what_they_were_about(
    database, province, whose
):
    at = province.units["C1"]
    in_time, late = date(2026, 9, 24), date(2026, 9, 25)
    made(database, at, 12, in_time, cause="waiting")
    made(database, at, 14, in_time, cause="attitude")
    made(database, at, 11, late, cause="result", escalated_day=late)
    made(database, at, 3)
    # What the unit is not to know of is in no number, of whoever asks.
    made(database, at, 5, confidential=True, handed_to_id=province.units["D1"])
    for roles in ([(Role.CARE_DESK, "C1")], [(Role.CARE_DESK, "D1")], [(Role.UNIT_HEAD, "C1")]):
        found = asked(database, whose(*roles), "C1")
        assert (found.cases.n, found.closed_in_time.n, found.closed_late.n) == (40, 26, 11)
        assert found.escalated.n == 11
        assert [(each.code, each.cases.n) for each in found.causes] == [
            ("attitude", 14), ("waiting", 12), ("result", 11),
        ]  # fmt: skip
    assert asked(database, whose((Role.CARE_DESK, "C1")), "C1", "2026-Q4").cases.n == 0
    with pytest.raises(UnknownUnit):
        asked(database, whose((Role.CARE_DESK, "C2")), "C1")


def test_of_few_nothing_is_told_but_to_who_may_see_few(database, province, whose):
    at = province.units["C1"]
    made(database, at, 9, date(2026, 9, 20), cause="waiting")
    desk, analyst = whose((Role.CARE_DESK, "C1")), whose((Role.PROVINCIAL_ANALYST, None))
    found = asked(database, desk, "C1")
    assert found.cases.few and found.cases.n is None
    assert found.closed_in_time.few and found.causes[0].cases.few
    assert asked(database, analyst, "C1").closed_in_time.n == 9
    # Of fifteen the nine would leave six.
    made(database, at, 6)
    found = asked(database, desk, "C1")
    assert found.cases.n == 15 and found.closed_in_time.few and found.closed_late.n == 0


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
    made(database, at, 1, date(2026, 9, 20), cause="waiting")
    made(database, at, 1, date(2026, 9, 20), cause="other")
    # Dealt with in November: the month after runs still.
    made(database, at, 1, date(2026, 11, 20), cause="result")
    found = asked(database, whose((Role.CARE_DESK, "C1")), "C1")
    (change,) = found.changes
    assert (change.cause, change.factor, change.dealt_with) == ("waiting", "B", "2026-09")
    assert change.before == pytest.approx(0.5) and change.after == pytest.approx(0.95)
    assert change.estimate == pytest.approx(0.45)
    assert 0.2 < change.low < 0.45 < change.high < 0.65 and change.p < 0.001
    assert asked(database, whose((Role.CARE_DESK, "C1")), None).changes == []
