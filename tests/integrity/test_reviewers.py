"""Who may see a batch and decide on it."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from app.access.callers import Caller, Grant
from app.access.models import Right, RoleGrant, Sector
from app.access.roles import RIGHTS, Role
from app.clock import local_today
from app.integrity.reviewing import Reviewer
from app.registry.models import Succession, Unit
from app.settings import Settings
from tests.integrity.deciding import caller_of
from tests.small_province import UNITS

TODAY = local_today(Settings().zone)
ANALYST, HEALTH = Role.PROVINCIAL_ANALYST, Role.DEPARTMENT_ANALYST


def may(database, province, *roles):
    """Of which units somebody with these roles may see batches, and decide on them."""
    who = province.person(*roles)
    with database.reading() as session:
        reviewer = Reviewer.of_caller(session, caller_of(session, who), TODAY)
        at = province.units
        reads = {code for code in at if reviewer.reads is None or at[code] in reviewer.reads}
        return reads, {code for code in at if reviewer.may_review(at[code])}


EVERY = {code for code, _, _ in UNITS}


@pytest.mark.parametrize(
    ("roles", "reads", "reviews"),
    [
        ([(ANALYST, None)], EVERY, EVERY),
        # From above, never of the unit itself, nor of one above it.
        ([(ANALYST, "D1")], {"D1", "C1", "C2"}, {"C1", "C2"}),
        ([(ANALYST, "77")], EVERY, EVERY - {"77"}),
        ([(ANALYST, "C1")], {"C1"}, set()),
        # A role of any kind makes somebody of the unit, and of those above it.
        ([(ANALYST, None), (Role.DESK_STAFF, "C1")], EVERY, EVERY - {"C1", "D1", "77"}),
        ([(ANALYST, None), (Role.UNIT_HEAD, "H1")], EVERY, EVERY - {"H1", "77"}),
        ([(ANALYST, None), (Role.OPERATOR, "A1")], EVERY, EVERY - {"A1", "77"}),
        ([(HEALTH, None, Sector.HEALTH)], {"H1", "W1"}, {"H1", "W1"}),
        ([(HEALTH, "77", Sector.HEALTH)], {"H1", "W1"}, {"H1", "W1"}),
        ([(HEALTH, "H1", Sector.HEALTH)], {"H1", "W1"}, {"W1"}),
        ([(Role.UNIT_HEAD, "D1")], {"D1", "C1", "C2"}, set()),
        ([(Role.AUDITOR, None)], EVERY, set()),
        ([(Role.DESK_STAFF, "C1")], set(), set()),
        ([(Role.OPERATOR, None)], set(), set()),
    ],
)
def test_who_may_see_and_review(database, province, roles, reads, reviews):
    assert may(database, province, *roles) == (reads, reviews)


def became(database, province, before: str, after: str, day: date) -> None:
    """A unit ends, and a new one of its people begins below the province."""
    with database.writing() as session:
        old = session.get_one(Unit, province.units[before])
        old.valid_to = day - timedelta(days=1)
        new = Unit(
            code=after, kind="commune", name_vi=after, name_en=after, valid_from=day,
            parent_id=province.units["77"],
        )  # fmt: skip
        session.add(new)
        session.flush()
        session.add(Succession(from_id=old.id, to_id=new.id, day=day))
        province.units[after] = new.id


def test_who_is_of_what_a_unit_became_or_was_does_not_review_it(database, province):
    became(database, province, "C1", "N1", date(2026, 10, 1))
    # From above what it became, too; not from the unit that it stood below alone, which goes on.
    assert may(database, province, (ANALYST, "77"))[1] == {*EVERY, "N1"} - {"77"}
    assert may(database, province, (ANALYST, "D1"))[1] == {"C1", "C2"}
    for role, unit in ((Role.DESK_STAFF, "N1"), (Role.UNIT_HEAD, "C1"), (Role.OPERATOR, "N1")):
        reviews = may(database, province, (ANALYST, None), (role, unit))[1]
        assert not reviews & {"C1", "N1"}, (role, unit)
        assert {"C2", "H1"} <= reviews
    # An analyst of what it became sees its past, and does not judge it.
    reads, reviews = may(database, province, (ANALYST, "N1"))
    assert reads == {"C1", "N1"} and reviews == set()


def test_a_role_on_a_unit_that_is_yet_to_begin_counts(database, province):
    became(database, province, "C1", "N1", TODAY + timedelta(days=40))
    who = province.person((ANALYST, None), (Role.UNIT_HEAD, "N1"))
    with database.reading() as session:
        caller = caller_of(session, who)
        # As ``app.access.callers`` leaves out what gives nothing today.
        of_today = Caller("x", tuple(g for g in caller.grants if g.unit_id is None),
                          account_id=caller.account_id)  # fmt: skip
        assert not Reviewer.of_caller(session, of_today, TODAY).may_review(province.units["C1"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_role_on_the_unit_or_below_as_a_walk_by_hand_says(own_database, data):
    """Against a walk up the tree from every role, in drawn trees without successions."""
    size = data.draw(st.integers(1, 9))
    parents = [data.draw(st.sampled_from([None, *range(n)])) for n in range(size)]
    with own_database.writing() as session:
        session.execute(delete(RoleGrant))
        session.execute(delete(Unit))
        units = []
        for n, parent in enumerate(parents):
            units.append(
                Unit(
                    code=f"U{n}", kind="agency", name_vi="", name_en="",
                    valid_from=date(2020, 1, 1),
                    parent=None if parent is None else units[parent],
                )
            )  # fmt: skip
        session.add_all(units)
        session.flush()
        drawn = data.draw(
            st.lists(
                st.tuples(st.sampled_from(list(Role)), st.none() | st.integers(0, size - 1)),
                max_size=4, unique=True,
            )
        )  # fmt: skip
        grants = tuple(
            Grant(RIGHTS[role], None if at is None else units[at].id) for role, at in drawn
        )
        reviewer = Reviewer.of_caller(session, Caller("x", grants, account_id=0), TODAY)

        def line(n):
            return [n] if parents[n] is None else [n, *line(parents[n])]

        analysts = [at for role, at in drawn if Right.REVIEW_BATCHES in RIGHTS[role]]
        for n in range(size):
            above = any(at is None or at in line(n)[1:] for at in analysts)
            of_unit = any(at is not None and n in line(at) for _, at in drawn)
            assert reviewer.may_review(units[n].id) is (above and not of_unit)
