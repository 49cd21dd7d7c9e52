"""What is decided of a batch, and what is shown of it to whom."""

import json
from datetime import date

import pytest
from sqlalchemy import select, update

from app.access import accounts, credentials
from app.access.callers import as_caller
from app.access.doors import RightMissing
from app.access.models import Account, Credential, Right
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import Together
from app.integrity import batches, reviewing
from app.integrity.batches import BatchDecided, UnknownBatch
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.reasons import Reason
from app.integrity.reviewing import ReviewerOfUnit, ReviewerUnnamed
from app.problems import InvalidFields
from tests.integrity.deciding import caller_of, decide, dispositions
from tests.integrity.suspected import MONTH, TOGETHER, batch_of, suspected

ANALYST = Role.PROVINCIAL_ANALYST


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
