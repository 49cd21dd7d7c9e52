"""Decisions about control limits: made by a person, with a reason, and kept.

Without one, limits rest on all periods before the judged one. A decision says from which period on
they begin anew or on which periods they rest; what it replaces is revoked, never overwritten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from analysis.control_charts import LEAST_BASELINE
from app.access.callers import Caller
from app.access.models import Right
from app.audit.log import record
from app.figures import visible
from app.figures.context import Context
from app.figures.measures import measures_of
from app.figures.models import LimitDecision
from app.figures.periods import Step, first_day, label, ordinals
from app.figures.query import Query
from app.figures.results import Names
from app.figures.trend_results import DecisionTaken, EarlierDecision
from app.figures.unit_entries import Book
from app.problems import FieldError, InvalidFields, Problem
from app.registry.questionnaires import versions_of
from app.registry.structures import Units

#: Periods lie at most so far from today, or a trend would be of thousands of them.
_YEARS = 10


class LimitDecisionOut(BaseModel):
    """A decision, with who made it when, and who ended it."""

    id: int
    unit: str
    questionnaire: str
    factor: str | None
    item: str | None
    step: str
    start: str
    first: str
    last: str | None
    reason: str
    decided_by: str
    decided_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None


class UnknownLimitDecision(Problem):
    """The caller has no such decision to revoke."""

    code, status = "unknown-baseline", 404


class LimitsDecided(Problem):
    """It is decided already that limits begin with this period; revoke that decision first."""

    code, status = "baseline-decided", 409


DECISIONS = Book(LimitDecision, Right.DECIDE_LIMITS, UnknownLimitDecision)


@dataclass(frozen=True)
class Wish:
    """What somebody wants decided; periods by their labels. Without a ``first``: from the start."""

    unit: str
    questionnaire: str
    step: Step
    start: str
    reason: str
    first: str | None = None
    last: str | None = None
    factor: str | None = None
    item: str | None = None


@dataclass(frozen=True)
class Decided:
    """A decision as trends need it."""

    id: int
    begins: date
    first: date
    last: date | None
    first_label: str
    last_label: str | None
    reason: str
    decided_by: str
    decided_at: datetime
    #: Which unit it is about, where that is not the one whose trend it stands in.
    of: Names | None = None

    def periods(self, step: Step) -> int:
        """Of how many periods the baseline is, where it has a last one."""
        if self.last is None:
            raise ValueError("a baseline without an end")
        return _number(self.last, step) - _number(self.first, step) + 1

    def result(self) -> DecisionTaken:
        """The decision, within a trend's limits."""
        return DecisionTaken(
            id=self.id,
            reason=self.reason,
            decided_by=self.decided_by,
            decided_at=self.decided_at,
            of=self.of,
        )


def decide(session: Session, caller: Caller, wish: Wish) -> LimitDecision:
    """Keep a decision.

    Raises
    ------
    UnknownUnit, UnknownQuestionnaire, UnknownFactor, UnknownItem
        For what is not there, or not the caller's to decide about.
    InvalidFields
        Naming each period that is none, a baseline of fewer than twelve periods, or one that begins
        after its limits do, and a missing reason.
    LimitsDecided
        Where limits begin with this period already.
    """
    unit_id = DECISIONS.unit_id(session, caller, wish.unit)
    versions = versions_of(session, wish.questionnaire)
    query = Query(questionnaire=wish.questionnaire, factor=wish.factor, item=wish.item)
    measures_of(query, versions)
    factor = wish.factor if wish.item is None else None
    begins, first, last = _days(wish)
    of_the_same = select(LimitDecision).where(
        LimitDecision.unit_id == unit_id,
        LimitDecision.questionnaire == wish.questionnaire,
        LimitDecision.factor.is_not_distinct_from(factor),
        LimitDecision.item.is_not_distinct_from(wish.item),
        LimitDecision.step == wish.step.value,
        LimitDecision.begins == begins,
        LimitDecision.ended_at.is_(None),
    )
    # Of two who decide at once the second waits, and is told.
    DECISIONS.take_turns(session, unit_id)
    if session.scalar(of_the_same) is not None:
        raise LimitsDecided(field="start", start=wish.start)
    decision = LimitDecision(
        unit_id=unit_id,
        questionnaire=wish.questionnaire,
        factor=factor,
        item=wish.item,
        step=wish.step.value,
        begins=begins,
        first=first,
        last=last,
        reason=" ".join(wish.reason.split()),
    )
    DECISIONS.keep(session, caller, decision)
    record(
        session, "baseline.decide", decision.id, unit=wish.unit, questionnaire=wish.questionnaire,
        factor=wish.factor, item=wish.item, step=wish.step.value, start=wish.start,
        first=wish.first or wish.start, last=wish.last, reason=decision.reason,
    )  # fmt: skip
    return decision


def revoke(session: Session, caller: Caller, id: int) -> LimitDecision:
    """End a decision: limits are again as without it.

    Raises
    ------
    UnknownLimitDecision
        Where there is none that counts, or the caller may not decide about its unit.
    """
    decision = DECISIONS.end(session, caller, id)
    record(session, "baseline.revoke", id)
    return decision


def decisions(
    session: Session,
    caller: Caller,
    *,
    unit: str | None = None,
    questionnaire: str | None = None,
    revoked: bool = True,
) -> Sequence[LimitDecision]:
    """Decisions about units whose figures the caller may read, the newest first.

    Raises
    ------
    UnknownUnit
        Where the unit named is not one of them.
    """
    about = [] if questionnaire is None else [LimitDecision.questionnaire == questionnaire]
    order = (LimitDecision.id.desc(),)
    return DECISIONS.listed(session, caller, *about, unit=unit, ended=revoked, order=order)


@dataclass(frozen=True)
class InForce:
    """By node what is decided, in order of time."""

    #: About the node, or the one unit that only goes on in it: limits follow these.
    own: Mapping[int, Sequence[Decided]]
    #: About other units that stand whole in it: told, and no more.
    earlier: Mapping[int, Sequence[Decided]]


def in_force(context: Context, nodes: Collection[int], step: Step) -> InForce:
    """What is decided about the figures that a question asks for.

    Decisions are about all answers of a unit and those below: to a question about some channels,
    or the unit's own answers alone, none applies.
    """
    query = context.query
    if query.channels or not query.descendants:
        return InForce({}, {})
    held = context.regrouping.structure.held
    node_of = {unit: node for node in nodes for unit in held[node]}
    found = DECISIONS.counting(
        context.session, context.caller, node_of,
        LimitDecision.questionnaire == query.questionnaire,
        LimitDecision.factor.is_not_distinct_from(query.factor if not query.item else None),
        LimitDecision.item.is_not_distinct_from(query.item),
        LimitDecision.step == step.value,
        order=(LimitDecision.begins,),
        today=context.release_rule.today,
    )  # fmt: skip
    units = visible.units_of_all_times(context.session)
    own: dict[int, list[Decided]] = {}
    earlier: dict[int, list[Decided]] = {}
    for unit, decided in found.items():
        node = node_of[unit]
        kept = own if _goes_on(units, unit, node) else earlier
        for each in decided:
            state = units.histories[unit].on(each.begins)
            of = None if unit == node else Names(vi=state.name_vi, en=state.name_en)
            kept.setdefault(node, []).append(
                Decided(
                    each.id, each.begins, each.first, each.last,
                    period_of(each.first, step), period_of(each.last, step) if each.last else None,
                    each.reason, each.made_by, each.made_at, of,
                )
            )  # fmt: skip
    for rows in (*own.values(), *earlier.values()):
        rows.sort(key=lambda each: (each.begins, each.id))
    return InForce(own, earlier)


def earlier_decisions(decided: Sequence[Decided], step: Step) -> list[EarlierDecision]:
    """Decisions about what became a unit, within its trend."""
    return [
        EarlierDecision(start=period_of(each.begins, step), **dict(each.result()))
        for each in decided
    ]


def _goes_on(units: Units, unit: int, node: int) -> bool:
    """Whether a node is a unit, or that same one under other codes, made of nothing else."""
    while unit != node:
        after = units.after.get(unit, ())
        if len(after) != 1 or list(units.before.get(after[0].to_id, ())) != [unit]:
            return False
        unit = after[0].to_id
    return True


def period_of(day: date, step: Step) -> str:
    """The label of the period that a day lies in."""
    return label(_number(day, step), step)


def _number(day: date, step: Step) -> int:
    return int(ordinals(np.array([day], dtype="datetime64[D]"), step)[0])


def _days(wish: Wish) -> tuple[date, date, date | None]:
    errors, days = [], {}
    for name in ("start", "first", "last"):
        given = getattr(wish, name)
        if given is None:
            continue
        try:
            days[name] = first_day(given, wish.step)
            near = abs(days[name].year - datetime.now(UTC).year) <= _YEARS
            if not near or period_of(days[name], wish.step) != given:
                raise ValueError(given)
        except (ValueError, OverflowError):
            errors.append(FieldError(name, "field.no_period", {"value": given}))
    if not errors:
        begins = days["start"]
        first, last = days.get("first", begins), days.get("last")
        if first > begins:
            errors.append(FieldError("first", "field.after_start", {}))
        length = None if last is None else _number(last, wish.step) - _number(first, wish.step) + 1
        if length is not None and length < LEAST_BASELINE:
            errors.append(FieldError("last", "field.few_periods", {"least": LEAST_BASELINE}))
    if not wish.reason.split():
        errors.append(FieldError("reason", "field.missing"))
    if errors:
        raise InvalidFields(errors=errors, count=len(errors))
    return begins, first, last


def as_result(each: LimitDecision) -> LimitDecisionOut:
    """A decision on the wire."""
    step = Step(each.step)
    return LimitDecisionOut(
        id=each.id,
        unit=each.unit.code,
        questionnaire=each.questionnaire,
        factor=each.factor,
        item=each.item,
        step=each.step,
        start=period_of(each.begins, step),
        first=period_of(each.first, step),
        last=period_of(each.last, step) if each.last else None,
        reason=each.reason,
        decided_by=each.made_by,
        decided_at=each.made_at,
        revoked_by=each.ended_by,
        revoked_at=each.ended_at,
    )
