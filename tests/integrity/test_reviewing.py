"""Who may see a batch and decide on it, and what is shown of it to whom."""

import contextlib
import itertools
import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from analysis.kinds import Kind
from app.access import accounts, credentials
from app.access.callers import Caller, Grant, as_caller, grants_of
from app.access.doors import RightMissing
from app.access.models import Account, Credential, Right, RoleGrant, Sector
from app.access.roles import RIGHTS, Role
from app.audit.models import AuditEntry
from app.clock import local_today
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import Changed, Together
from app.integrity import batches, reviewing
from app.integrity.batches import BatchDecided, UnknownBatch
from app.integrity.examination import Found
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.parts import BatchReleased, Divided, Part, reject_part
from app.integrity.reading import Source
from app.integrity.reasons import Reason
from app.integrity.recording import keep
from app.integrity.reviewing import Reviewer, ReviewerOfUnit, ReviewerUnnamed
from app.integrity.rules import Rule, RuleVersion
from app.problems import InvalidFields, Problem
from app.registry.models import Succession, Unit
from app.registry.questionnaires import published
from app.settings import Settings
from tests.integrity.stored import desk_form, presses, store
from tests.integrity.suspected import CLOSING, MONTH, TOGETHER, batch_of, suspected
from tests.small_province import UNITS, SignedIn

TODAY = local_today(Settings().zone)
ANALYST, HEALTH = Role.PROVINCIAL_ANALYST, Role.DEPARTMENT_ANALYST


def caller_of(session, who: SignedIn) -> Caller:
    account = session.get_one(Account, who.account_id)
    return Caller(account.email, grants_of(account), account_id=account.id)


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


@pytest.fixture
def batch(province, client):
    return suspected(province, client)


def decide(database, who, id, decision, reason="đã hỏi đơn vị"):
    with database.writing("test") as session:
        caller = who if isinstance(who, Caller) else caller_of(session, who)
        return reviewing.decide(session, caller, TOGETHER, id, decision, reason)


def dispositions(database):
    with database.reading() as session:
        rows = select(Response.disposition, func.count()).group_by(Response.disposition)
        return dict(session.execute(rows).all())


def test_a_reviewer_rejects_and_releases_by_name_and_the_cells_follow(database, province, batch):
    analyst = province.person((ANALYST, "D1"))
    assert decide(database, analyst, batch.id, State.REJECTED).moved == 30
    assert dispositions(database) == {"counted": 40, "rejected": 30} and verify(database) == []
    with pytest.raises(BatchDecided):
        decide(database, analyst, batch.id, State.REJECTED)
    assert decide(database, analyst, batch.id, State.RELEASED, "  nhầm \n lẫn ").moved == 30
    assert dispositions(database) == {"counted": 70} and verify(database) == []
    with database.reading() as session:
        row = session.get_one(SuspectBatch, batch.id)
        assert (row.state, row.decided_by, row.decision_reason) == (
            "released", "Người thứ 1", "nhầm lẫn",
        )  # fmt: skip
        log = session.scalars(
            select(AuditEntry).where(AuditEntry.action.in_(["batch.reject", "batch.release"]))
        ).all()
    assert [(e.action, e.subject) for e in log] == [
        ("batch.reject", str(batch.id)), ("batch.release", str(batch.id)),
    ]  # fmt: skip
    assert json.loads(log[1].details) == {"reason": "nhầm lẫn", "responses": 30}


def burst(first, last):
    """From one press to another: they came every twenty seconds, so three of them in a minute."""
    return Part(CLOSING + timedelta(seconds=20 * first), CLOSING + timedelta(seconds=20 * last))


def split(database, who, id, part, reason="đã xem giờ"):
    with database.writing("test") as session:
        caller = caller_of(session, who)
        return reviewing.decide(session, caller, TOGETHER, id, State.REJECTED, reason, part)


def aside(database):
    with database.reading() as session:
        return set(
            session.scalars(select(Response.id).where(Response.disposition != "counted")).all()
        )


def test_what_was_given_beside_a_burst_is_released_and_suspected_no_more(
    database, province, batch, client
):
    """Thirty presses, of which the last three are honest people's."""
    analyst, part = province.person((ANALYST, None)), burst(0, 24)
    with database.reading() as session:
        caller = caller_of(session, analyst)
        found = reviewing.divide(session, caller, TOGETHER, batch.id, part)
    assert found == Divided(27, 3)
    assert split(database, analyst, batch.id, part) == Changed(27, 0)
    assert aside(database) == set(batch.responses[:27]) and verify(database) == []
    with database.reading() as session:
        first, new = session.scalars(select(SuspectBatch).order_by(SuspectBatch.id)).all()
        assert (first.state, new.state, new.decided_by) == ("rejected", "released", "Người thứ 1")
        rest = select(SuspectResponse.response_id).where(SuspectResponse.batch_id == new.id)
        assert set(session.scalars(rest)) == set(batch.responses[27:])
        version = next(each for each in published(session) if each.id == first.version_id)
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "batch.reject_part")
        ).one()
    details = json.loads(entry.details)
    assert (details["responses"], details["released"], details["batch"]) == (27, 3, new.id)
    # What the rule finds again goes to the rejected one, but for those who were released.
    source = Source(first.unit_id, first.channel, first.credential_id)
    again = Found(version, MONTH, source, 0.999, 30, 29.0, (),
                  tuple((id, Kind.PRESSED, 0.99) for id in batch.responses))  # fmt: skip
    with database.writing("rule") as session:
        keep(session, TOGETHER, RuleVersion("stuffing", 1, Rule(), True, "x", None), again)
    assert aside(database) == set(batch.responses[:27])
    # The three alone cannot be set aside: whoever looks twice would know what they said.
    assert decide(database, analyst, new.id, State.REJECTED).moved == 0


def test_of_what_is_set_aside_ten_are_released_or_nobody(database, province, client):
    analyst = province.person((ANALYST, None))
    one = suspected(province, client, state=State.QUARANTINED)
    for part in (burst(0, 24), burst(15, 21)):  # three are left, or nine within
        with pytest.raises(InvalidFields) as refused:
            split(database, analyst, one.id, part)
        assert refused.value.errors[0].field == "from"
    assert aside(database) == set(one.responses)
    assert split(database, analyst, one.id, burst(0, 15)).moved == 30
    assert aside(database) == set(one.responses[:18]) and verify(database) == []
    # Released, it is rejected as one again: never a part of what was aside together.
    decide(database, analyst, one.id, State.RELEASED)
    with pytest.raises(BatchReleased):
        split(database, analyst, one.id, burst(0, 9))


RULE = RuleVersion("stuffing", 1, Rule(), True, "x", None)
FLAGS = replace(RULE, rule=Rule(quarantine=None))
RUNNING = Together(TOGETHER.least, MONTH.replace(day=30))


class Drawn:
    """A unit of whose responses some wait, and all that was decided of them so far."""

    def __init__(self, database, data):
        self.database, self.draw, self.version = database, data.draw, desk_form(database)
        with database.writing() as session:
            count = session.scalar(select(func.count()).select_from(Unit))
            unit = Unit(code=f"Y{count}", kind="agency", name_vi="", name_en="",
                        valid_from=date(2020, 1, 1))  # fmt: skip
            session.add(unit)
            session.flush()
            self.unit = unit.id
        self.days, self.times = {}, []
        self.give(self.draw(st.integers(12, 45)), 29)
        self.together = self.draw(st.sampled_from([RUNNING, TOGETHER]))
        batch_of(
            database, self.unit, list(self.days), channel="kiosk", credential_id=1000 + self.unit,
            state=self.draw(st.sampled_from([State.OPEN, State.QUARANTINED])),
        )  # fmt: skip
        #: Whom a reviewer released beside a part, and of whom nobody decided otherwise since.
        self.saved = set()
        #: Who came after a split, in no batch that somebody decided on.
        self.unjudged = set()
        self.split = self.whole = False
        self.moments = {RUNNING: [], TOGETHER: []}

    def give(self, number, day):
        given_ = presses(self.version, self.unit, number, CLOSING.replace(day=day))
        self.times += [each.row.answered_at for each in given_]
        self.days |= dict.fromkeys(store(self.database, given_), day)

    def of_batch(self, session, id):
        query = (
            select(SuspectResponse.response_id, Response.answered_at)
            .join(Response, Response.id == SuspectResponse.response_id)
            .where(SuspectResponse.batch_id == id)
        )
        return dict(session.execute(query).all())

    def decide(self, act):
        with self.database.writing("test") as session:
            of_unit = select(SuspectBatch.id).where(SuspectBatch.unit_id == self.unit)
            id = self.draw(st.sampled_from(sorted(session.scalars(of_unit))))
            had, rest = self.of_batch(session, id), set()
            if act == "part":
                part = Part(*sorted(self.draw(st.sampled_from(self.times)) for _ in range(2)))
                reject_part(session, self.together, id, "x", "y", part)
                first, last = (each.replace(second=0) for each in (part.first, part.last))
                minute = timedelta(minutes=1)
                rest = {each for each in had if not first <= had[each] < last + minute}
                self.split = True
            else:
                getattr(batches, act)(session, self.together, id, "x", "y")
                self.whole |= act == "reject"
        self.saved = self.saved - set(had) | rest
        self.unjudged -= set(had)
        assert act != "part" or aside_at(self.database, self.unit) & set(had), "nobody was rejected"

    def examine(self):
        """Others come, and the rule finds all of the source again; it rejects no one by a part."""
        before = aside_at(self.database, self.unit, "rejected")
        known = set(self.days)
        self.give(self.draw(st.integers(1, 14)), self.draw(st.sampled_from([28, 29])))
        if self.split:
            self.unjudged |= set(self.days) - known
        found = Found(
            self.version, MONTH, Source(self.unit, "kiosk", 1000 + self.unit), 0.999,
            len(self.days), 9.0, (), tuple((id, Kind.PRESSED, 0.99) for id in self.days),
        )  # fmt: skip
        with self.database.writing("rule") as session:
            keep(session, self.together, self.draw(st.sampled_from([RULE, FLAGS])), found)
        after = aside_at(self.database, self.unit, "rejected")
        assert after >= before
        if not self.whole:
            assert not (after - before) & self.unjudged, "nobody judged them"

    def look(self):
        aside = aside_at(self.database, self.unit)
        assert not self.saved & aside, "a reviewer released them"
        self.moments[self.together].append(aside)
        few = range(1, TOGETHER.least)
        for one, other in itertools.combinations(self.moments[RUNNING], 2):
            assert not {Counter(self.days[id] for id in one ^ other)[d] for d in (28, 29)} & {*few}
        for one, other in itertools.combinations(itertools.chain(*self.moments.values()), 2):
            assert len(one ^ other) not in few


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_aside_at_two_moments_differs_by_nobody_or_by_ten(own_database, data):
    """However a batch is split, released, rejected and found again, one after the other, while the
    month runs and is told of by days, and after it; and who was released is not rejected by a rule.
    """
    drawn = Drawn(own_database, data)
    drawn.look()
    for _ in range(data.draw(st.integers(1, 8))):
        act = data.draw(st.sampled_from(["examine", "over", "release", "reject", "part", "part"]))
        if act == "over":
            drawn.together = TOGETHER
        elif act == "examine":
            drawn.examine()
        else:
            with contextlib.suppress(Problem):
                drawn.decide(act)
        drawn.look()


def aside_at(database, unit_id, *dispositions):
    with database.reading() as session:
        of_unit = select(Response.id).where(
            Response.unit_id == unit_id,
            Response.disposition.in_(dispositions or ("quarantined", "rejected")),
        )
        return frozenset(session.scalars(of_unit))


def test_a_part_is_for_who_may_review_and_see_few_and_has_both_sides(database, province, batch):
    analyst = province.person((ANALYST, None))
    late = burst(300, 400)
    for part in (burst(0, 60), late, Part(late.last, late.first)):
        with pytest.raises(InvalidFields):
            split(database, analyst, batch.id, part)
    with pytest.raises(InvalidFields):
        split(database, analyst, batch.id, burst(0, 24), " ")
    with pytest.raises(ReviewerOfUnit):
        split(database, province.person((ANALYST, "C1")), batch.id, burst(0, 24))
    with database.reading() as session:
        caller = caller_of(session, analyst)
        rights = frozenset(caller.rights - {Right.READ_SMALL_CELLS})
        without = Caller("x", (Grant(rights, None),), account_id=caller.account_id)
        with pytest.raises(RightMissing):
            reviewing.divide(session, without, TOGETHER, batch.id, burst(0, 24))
    assert aside(database) == set()


def test_what_a_rule_set_aside_is_released_or_stays_aside(database, province, client):
    analyst = province.person((ANALYST, None))
    before = {}
    for decision, then in (
        (State.RELEASED, {"counted": 30}), (State.REJECTED, {"counted": 30, "rejected": 30}),
    ):  # fmt: skip
        one = suspected(province, client, others=0, state=State.QUARANTINED)
        assert dispositions(database) == {"quarantined": 30} | before
        assert decide(database, analyst, one.id, decision).moved == 30
        before = dispositions(database)
        assert before == then and verify(database) == []


def test_nobody_else_decides_and_nothing_moves(database, province, batch):
    refused = [
        (((Role.UNIT_HEAD, "D1"),), RightMissing),
        (((Role.AUDITOR, None),), RightMissing),
        (((ANALYST, "C1"),), ReviewerOfUnit),
        (((ANALYST, None), (Role.DESK_STAFF, "C1")), ReviewerOfUnit),
        (((ANALYST, "C2"),), UnknownBatch),
        (((Role.OPERATOR, None),), UnknownBatch),
        ((), UnknownBatch),
    ]
    for roles, problem in refused:
        with pytest.raises(problem):
            decide(database, province.person(*roles), batch.id, State.REJECTED)
    analyst = province.person((ANALYST, None))
    with pytest.raises(UnknownBatch):
        decide(database, analyst, batch.id + 9, State.REJECTED)
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InvalidFields):
            decide(database, analyst, batch.id, State.REJECTED, reason)
    assert dispositions(database) == {"counted": 70}


def test_a_system_has_no_name_to_decide_by_and_a_persons_key_has(database, province, batch):
    rights = [Right.READ_BATCHES, Right.REVIEW_BATCHES]
    analyst = province.person((ANALYST, None))
    with database.writing() as session:
        credentials.issue(session, "hệ thống", rights, None)
        credentials.issue(
            session,
            "máy của tôi",
            rights,
            None,
            account=session.get_one(Account, analyst.account_id),
        )
        session.flush()
        keys = session.scalars(select(Credential).order_by(Credential.id)).all()[-2:]
        system, own = map(as_caller, keys)
    with pytest.raises(ReviewerUnnamed):
        decide(database, system, batch.id, State.REJECTED)
    assert decide(database, own, batch.id, State.REJECTED).moved == 30
    with database.reading() as session:
        assert session.get_one(SuspectBatch, batch.id).decided_by == "Người thứ 1"


def shown(database, who, id, together=TOGETHER):
    with database.reading() as session:
        return reviewing.find(session, caller_of(session, who), together, id)


@pytest.mark.parametrize(
    ("numbers", "shown_to_a_head"),
    [
        # Kinds exclude one another: five are left of forty beside both.
        ([("pressed", 20, 40), ("alike", 15, 40)], [None, None]),
        ([("pressed", 20, 40), ("alike", 20, 40)], [20, 20]),
        ([("pressed", 20, 40), ("alike", 10, 40)], [20, 10]),
        # Of nine it is not said how many they are; with the others they are enough.
        ([("pressed", 20, 40), ("alike", 9, 40)], [20, None]),
        ([("pressed", 36, 40)], [None]),
        ([("pressed", 40, 40)], [40]),
    ],
)
def test_a_head_is_shown_no_number_that_tells_of_few(database, province, numbers, shown_to_a_head):
    reasons = [Reason(why, n, of, 0.0123456, n - 0.5) for why, n, of in numbers]
    id = batch_of(
        database, province.units["C1"], [], reasons=reasons, responses=40, probability=0.912345
    )
    person = province.person((Role.UNIT_HEAD, "C1"))
    head = shown(database, person, id)
    assert [each.n for each in head.reasons] == shown_to_a_head
    assert {each.of for each in head.reasons if each.n is not None} <= {40}
    assert (head.responses, head.suspected, head.whole, head.may_review) == (40, None, False, False)
    # Digits tell of single responses, as they change with each.
    assert head.batch.probability == 0.91 and {each.usual for each in head.reasons} == {0.01}
    analyst = shown(database, province.person((ANALYST, None)), id)
    assert [each.n for each in analyst.reasons] == [n for _, n, _ in numbers]
    assert analyst.whole and analyst.may_review and analyst.suspected == 29.4
    assert analyst.batch.probability == 0.912345
    # What is examined again each night would tell of who came meanwhile.
    for day in (date(2026, 9, 30), date(2026, 10, 10)):
        head = shown(database, person, id, TOGETHER.__class__(TOGETHER.least, day))
        assert head.responses is None and {each.n for each in head.reasons} == {None}
    head = shown(database, person, id, TOGETHER.__class__(TOGETHER.least, date(2026, 10, 11)))
    assert [each.n for each in head.reasons] == shown_to_a_head


def test_lists_are_of_states_and_of_units_with_those_below(database, province):
    at = province.units
    ids = {
        unit: batch_of(database, at[unit], [], probability=chance)
        for unit, chance in (("C1", 0.6), ("C2", 0.9), ("W1", 0.7))
    }
    batch_of(database, at["C1"], [], state=State.RELEASED)
    analyst = province.person((ANALYST, None))

    def listed(who, **of):
        with database.reading() as session:
            found = reviewing.shown(session, caller_of(session, who), TOGETHER, **of)
            return [each.batch.id for each in found]

    assert listed(analyst) == [ids["C2"], ids["W1"], ids["C1"]]
    assert listed(analyst, unit="D1") == [ids["C2"], ids["C1"]]
    assert listed(analyst, unit="C1") == [ids["C1"]]
    assert len(listed(analyst, states=list(State))) == 4
    assert listed(province.person((Role.UNIT_HEAD, "H1"))) == [ids["W1"]]
    assert listed(province.person((Role.DESK_STAFF, "C1"))) == []
    assert MONTH.day == 1


def test_an_account_that_ended_reviews_nothing(database, province, batch):
    analyst = province.person((ANALYST, None))
    with database.writing() as session:
        accounts.disable(session, session.get_one(Account, analyst.account_id))
    with pytest.raises(UnknownBatch):
        decide(database, analyst, batch.id, State.REJECTED)


def test_what_another_reviewer_decided_meanwhile_is_seen(database, province, batch):
    """A decision is made of what the batch is once it is held, not of what was read before."""
    if database.locks_whole_database:
        pytest.skip("who writes is alone")
    with database.writing("a") as session:
        row = session.get_one(SuspectBatch, batch.id)
        with database.writing("b") as other:
            batches.reject(other, TOGETHER, batch.id, "Nguyễn Thị B", "đã hỏi")
        with pytest.raises(BatchDecided):
            batches.reject(session, TOGETHER, batch.id, "Nguyễn Thị A", "đã hỏi")
        assert row.decided_by == "Nguyễn Thị B"
    with database.reading() as session:
        assert session.get_one(SuspectBatch, batch.id).decided_by == "Nguyễn Thị B"


def test_a_rule_that_read_before_a_reviewer_decided_sets_nothing_aside(database, province, batch):
    if database.locks_whole_database:
        pytest.skip("who writes is alone")
    with database.writing("rule") as session:
        row = session.get_one(SuspectBatch, batch.id)
        with database.writing("b") as other:
            batches.release(other, TOGETHER, batch.id, "Nguyễn Thị B", "đoàn khách")
        assert row.state == State.OPEN.value
        assert batches.quarantine(session, TOGETHER, batch.id).moved == 0
    with database.reading() as session:
        assert session.get_one(SuspectBatch, batch.id).state == State.RELEASED.value
    assert dispositions(database) == {"counted": 70} and verify(database) == []


def test_what_was_released_is_rejected_as_the_same_people(database, province, client):
    """Else twelve aside, none, and then fifteen would tell of three."""
    analyst = province.person((ANALYST, None))
    one = suspected(province, client, suspected=12, state=State.QUARANTINED)
    suspected(province, client, suspected=3, others=0)
    with database.writing() as session:
        session.execute(update(SuspectResponse).values(batch_id=one.id))
    assert decide(database, analyst, one.id, State.RELEASED).moved == 12
    assert decide(database, analyst, one.id, State.REJECTED).moved == 12
    with database.reading() as session:
        aside = select(Response.id).where(Response.disposition == "rejected")
        assert set(session.scalars(aside)) == set(one.responses)
    assert verify(database) == []


def test_what_stayed_aside_for_being_few_is_released_later(database, province, client):
    """Three of another month are too few to move with the twelve, until they are enough."""
    one = suspected(province, client, suspected=12)
    few = suspected(province, client, suspected=3, others=0, month=date(2026, 8, 1))
    with database.writing() as session:
        session.execute(update(SuspectResponse).values(batch_id=one.id))
        assert batches.quarantine(session, Together(1, TOGETHER.today), one.id).moved == 15
    analyst = province.person((ANALYST, None))
    changed = decide(database, analyst, one.id, State.RELEASED)
    assert (changed.moved, changed.stayed) == (12, 3)
    again = decide(database, analyst, one.id, State.RELEASED)
    assert (again.moved, again.stayed) == (0, 3)
    with database.writing("b") as session:
        batches.release(session, Together(1, TOGETHER.today), one.id, "B", "đoàn khách")
    with pytest.raises(BatchDecided):
        decide(database, analyst, one.id, State.RELEASED)
    assert few.responses and verify(database) == []
