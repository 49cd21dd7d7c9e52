"""What is done about a case: taken, cause and due day set, noted, replied to, handed on, closed.

All of it bears a person's name and stands in the audit log, without a word of anybody's: that a
note was made, not what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.access.doors import RightMissing
from app.access.models import Account, Right
from app.audit.log import record
from app.cases.lists import causes
from app.cases.models import Case, CaseMessage, CaseNote, CaseState, Origin
from app.cases.reach import Reach, unit_above
from app.cases.shown import find
from app.problems import FieldError, InvalidFields, Problem

#: Signs of a note or a reply, and of what was done.
LONGEST, LONGEST_DONE = 2000, 500
#: Days ahead to which a case may be put off.
_FURTHEST = 365


class CaseNotYours(Problem):
    """The case is dealt with elsewhere: the caller may see it and not change it."""

    code, status = "case-not-yours", 403


class HandlerUnnamed(Problem):
    """What is done about a case bears a person's name, and a system's key is nobody's."""

    code, status = "handler-unnamed", 403


class CaseClosed(Problem):
    """The case is closed: nothing more is done about it."""

    code, status = "case-closed", 409


class NobodyReads(Problem):
    """Nobody is there to read a reply: its respondents wanted none."""

    code, status = "nobody-reads", 409


class NothingAbove(Problem):
    """The case stands with the topmost unit already."""

    code, status = "nothing-above", 409


class Act(StrEnum):
    """What may be done about a case."""

    TAKE = "take"
    SET = "set"
    NOTE = "note"
    REPLY = "reply"
    HAND_ON = "hand-on"
    CLOSE = "close"


@dataclass(frozen=True)
class Change:
    """What somebody fills in; an act reads what it needs."""

    due_day: date | None = None
    cause: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Handler:
    """Somebody who deals with a case, today."""

    session: Session
    reach: Reach
    account: Account
    today: date

    def take(self, case: Case, change: Change) -> None:
        """Have it as one's own."""
        case.owner_id = self.account.id
        if case.state == CaseState.OPEN:
            case.state = CaseState.WORKING

    def set(self, case: Case, change: Change) -> None:
        """Say until when it is to be done, and what it comes of."""
        errors = []
        if change.due_day is not None:
            if not self.today <= change.due_day <= self.today + timedelta(days=_FURTHEST):
                errors.append(FieldError("due_day", "field.day_ahead", {"days": _FURTHEST}))
            case.due_day = change.due_day
        if change.cause is not None:
            errors += _wrong_cause(self.session, case, change.cause)
            case.cause = change.cause
        _check(errors)

    def note(self, case: Case, change: Change) -> None:
        """Write down something for others of the staff."""
        body = _text("text", change.text, LONGEST)
        self.session.add(
            CaseNote(
                case_id=case.id, made_by=self.account.name, made_at=datetime.now(UTC), body=body
            )
        )

    def reply(self, case: Case, change: Change) -> None:
        """Write to the citizen; she reads it by her code."""
        if case.origin != Origin.WISH:
            raise NobodyReads()
        body = _text("text", change.text, LONGEST)
        self.session.add(
            CaseMessage(
                case_id=case.id, from_citizen=False, made_by=self.account.name, day=self.today,
                body=body,
            )
        )  # fmt: skip
        case.state = CaseState.ANSWERED
        case.owner_id = case.owner_id or self.account.id

    def hand_on(self, case: Case, change: Change) -> None:
        """Hand it to the unit above, which takes it anew, and finds the reason among the notes."""
        from_id = case.unit_id if case.handed_to_id is None else case.handed_to_id
        above = unit_above(self.session, self.reach.units, from_id, self.today, about=case.unit_id)
        if case.handed_to_id is None or above is None:
            raise NothingAbove()
        self.note(case, change)
        case.handed_to_id, case.owner_id, case.state = above, None, CaseState.OPEN

    def close(self, case: Case, change: Change) -> None:
        """End it: it needs a cause, and what was done."""
        cause = change.cause or case.cause
        errors = [FieldError("cause", "field.missing")] if not cause else []
        if cause:
            errors += _wrong_cause(self.session, case, cause)
        try:
            done = _text("text", change.text, LONGEST_DONE)
        except InvalidFields as wrong:
            errors += wrong.errors
            done = ""
        _check(errors)
        case.cause, case.done, case.closed_day = cause, done, self.today
        case.state, case.news = CaseState.CLOSED, None
        case.owner_id = case.owner_id or self.account.id


_ACTS: Mapping[Act, Callable[[Handler, Case, Change], None]] = {
    Act.TAKE: Handler.take,
    Act.SET: Handler.set,
    Act.NOTE: Handler.note,
    Act.REPLY: Handler.reply,
    Act.HAND_ON: Handler.hand_on,
    Act.CLOSE: Handler.close,
}
#: What a closed case still takes.
_OF_CLOSED = (Act.NOTE,)


def handle(
    session: Session, caller: Caller, id: int, act: Act, change: Change, today: date
) -> Case:
    """Do something about a case, by the caller's name.

    Raises
    ------
    UnknownCase
        Where there is none that they may see.
    HandlerUnnamed, RightMissing, CaseNotYours
        Where it is not theirs to deal with.
    CaseClosed, NobodyReads, NothingAbove
        Where it cannot be done.
    InvalidFields
        Naming what is missing, too long, or not in the list.
    """
    reach = Reach.of_caller(session, caller, today)
    case = find(session, reach, id, lock=True)
    if Right.HANDLE_CASES not in caller.rights:
        raise RightMissing(right=Right.HANDLE_CASES.value)
    if reach.account_id is None:
        raise HandlerUnnamed()
    if not reach.may_handle(case):
        raise CaseNotYours()
    if case.state == CaseState.CLOSED and act not in _OF_CLOSED:
        raise CaseClosed()
    handler = Handler(session, reach, session.get_one(Account, reach.account_id), today)
    _ACTS[act](handler, case, change)
    session.flush()
    record(session, "case.change", id, act=act.value)
    return case


def _wrong_cause(session: Session, case: Case, code: str) -> list[FieldError]:
    """Nothing, where a cause is in the list; the one that a case has may stay."""
    known = {cause.code for cause in causes(session)} | {case.cause}
    if code in known:
        return []
    return [FieldError("cause", "field.invalid", {"expected": ", ".join(
        sorted(each for each in known if each))}, "cause.one_of")]  # fmt: skip


def _text(field: str, given: str, longest: int) -> str:
    text = "\n".join(" ".join(line.split()) for line in given.strip().splitlines()).strip()
    errors = []
    if not text:
        errors.append(FieldError(field, "field.missing"))
    elif len(text) > longest:
        errors.append(
            FieldError(field, "answer.too_long", {"length": len(text), "maximum": longest})
        )
    _check(errors)
    return text


def _check(errors: list[FieldError]) -> None:
    if errors:
        raise InvalidFields(errors=errors, count=len(errors))
