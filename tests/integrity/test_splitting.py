"""Splitting a batch by time: who may, what follows, and what is told at any two moments."""

import contextlib
import itertools
import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from analysis.kinds import Kind
from app.access.callers import Caller, Grant
from app.access.doors import RightMissing
from app.access.models import Right
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import Changed, Together
from app.integrity import batches, reviewing
from app.integrity.examination import Found
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.parts import BatchReleased, Divided, Part, reject_part
from app.integrity.reading import Source
from app.integrity.recording import keep
from app.integrity.reviewing import ReviewerOfUnit
from app.integrity.rules import Rule, RuleVersion
from app.problems import InvalidFields, Problem
from app.registry.models import Unit
from app.registry.questionnaires import published
from tests.integrity.deciding import aside, burst, caller_of, decide, split
from tests.integrity.stored import desk_form, presses, store
from tests.integrity.suspected import CLOSING, MONTH, TOGETHER, batch_of, suspected

ANALYST = Role.PROVINCIAL_ANALYST


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
        for day in (28, 29):  # ten and more of each, as a rule sets them aside while it runs
            self.give(self.draw(st.integers(10, 24)), day)
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
        self.look()
        self.examine()  # some more are noted, who often count beside those who are aside

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
                times = sorted(had.values()) or self.times
                part = Part(*sorted(self.draw(st.sampled_from(times)) for _ in range(2)))
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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_aside_at_two_moments_differs_by_nobody_or_by_ten(own_database, data):
    """However a batch is split, released, rejected and found again, one after the other, while the
    month runs and is told of by days, and after it; and who was released is not rejected by a rule.
    """
    drawn = Drawn(own_database, data)
    drawn.look()
    acts = st.sampled_from(["examine", "over", "release", "reject", "part", "part", "part"])
    first = data.draw(st.sampled_from([(), ("release", "reject"), ("part", "part", "part")]))
    for act in (*first, *data.draw(st.lists(acts, min_size=2, max_size=7))):
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
        with pytest.raises(RightMissing):
            reviewing.decide(
                session, without, TOGETHER, batch.id, State.REJECTED, "x", burst(0, 24)
            )
    assert aside(database) == set()
