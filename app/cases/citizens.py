"""What a citizen's code opens: how far her case is, the reply, and one further message of hers.

Nobody signs in: the code is 80 random bits that her device made, and is all there is. Of it the
hash alone is kept and looked up, so that the time of an answer tells nothing of other codes; and a
code that opens nothing is answered alike, whatever is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.tokens import hash_of
from app.cases.lists import finder
from app.cases.mailing import News
from app.cases.models import Case, CaseMessage, CaseState, CaseSubject
from app.cases.reach import unit_above
from app.intake.models import ReplyCode
from app.masking.masker import mask
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import Unit
from app.registry.queries import NamedUnit
from app.registry.structures import read_units

#: Signs of what a citizen writes further.
LONGEST = 2000
#: Crockford's base 32, of which 16 signs are 80 bits, read as it is meant.
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{16,32}")
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None})


class CodeOpensNothing(Problem):
    """The code opens no case: it is mistyped, or was never sent, or is kept no longer."""

    code, status = "code-opens-nothing", 404


class MessageSent(Problem):
    """The citizen has written to the reply already, or there is no reply yet, or it is closed."""

    code, status = "message-sent", 409


@dataclass(frozen=True)
class CitizensCase:
    """A case as its citizen sees it; before it is opened there are neither day nor unit."""

    state: CaseState
    unit: NamedUnit | None
    due_day: date | None
    closed_day: date | None
    done: str | None
    messages: Sequence[CaseMessage]
    may_write: bool


def as_typed(code: str) -> str | None:
    """A code in the one form that is hashed; None for what is none."""
    plain = "".join(code.upper().split()).translate(_READ_AS)[:64]
    return plain if _CODE.fullmatch(plain) else None


def find(session: Session, code: str) -> CitizensCase:
    """What a code opens.

    Raises
    ------
    CodeOpensNothing
        Where it opens nothing.
    """
    case = _case(session, code)
    if case is None:
        return CitizensCase(CaseState.OPEN, None, None, None, None, (), may_write=False)
    messages = _messages(session, case)
    unit = session.get_one(Unit, case.unit_id)
    return CitizensCase(
        CaseState(case.state), NamedUnit(unit.code, unit.name_vi, unit.name_en), case.due_day,
        case.closed_day, case.done, messages, _may_write(case, messages),
    )  # fmt: skip


def write(session: Session, code: str, text: str, today: date) -> None:
    """Write to the reply, once a case; what speaks of misconduct goes to the unit above from then.

    Raises
    ------
    CodeOpensNothing
        Where the code opens nothing.
    MessageSent
        Where she has written, there is no reply to write to, or the case is closed.
    InvalidFields
        For an empty text, or one that is too long.
    """
    case = _case(session, code, lock=True)
    if case is None or not _may_write(case, _messages(session, case)):
        raise MessageSent()
    body = _checked(text)
    session.add(CaseMessage(case_id=case.id, from_citizen=True, day=today, body=body))
    case.state = CaseState.OPEN if case.owner_id is None else CaseState.WORKING
    case.news = News.WRITTEN if case.owner_id is not None else case.news
    if not case.confidential and finder(session).find(body) is not None:
        case.confidential = True
        case.handed_to_id = unit_above(session, read_units(session), case.unit_id, today)
        # Whoever had it is of the unit, or may be.
        case.owner_id, case.state, case.news = None, CaseState.OPEN, None


def response_of(session: Session, code: str) -> str:
    """The id of the response that a code belongs to: for what its citizen may do with it.

    Raises
    ------
    CodeOpensNothing
        Where it opens nothing.
    """
    return _reply_code(session, code).response_id


def _reply_code(session: Session, code: str) -> ReplyCode:
    plain = as_typed(code)
    # Looked up all the same: what is no code at all takes as long as what is a wrong one.
    row = session.get(ReplyCode, hash_of(plain or ""))
    if row is None or plain is None:
        raise CodeOpensNothing(field="code")
    return row


def _case(session: Session, code: str, *, lock: bool = False) -> Case | None:
    """The case; None before it is opened."""
    row = _reply_code(session, code)
    query = (
        select(Case)
        .join(CaseSubject, CaseSubject.case_id == Case.id)
        .where(CaseSubject.response_id == row.response_id)
    )
    case = session.scalar(query.with_for_update(of=Case) if lock else query)
    if case is None and row.opened:  # it was withdrawn
        raise CodeOpensNothing(field="code")
    return case


def _messages(session: Session, case: Case) -> Sequence[CaseMessage]:
    return session.scalars(
        select(CaseMessage).where(CaseMessage.case_id == case.id).order_by(CaseMessage.id)
    ).all()


def _may_write(case: Case, messages: Sequence[CaseMessage]) -> bool:
    wrote = any(each.from_citizen for each in messages)
    return bool(messages) and not wrote and case.state != CaseState.CLOSED


def _checked(text: str) -> str:
    """What is stored of a message: masked, as comments are; staff are told nobody's name here."""
    plain = "\n".join(" ".join(line.split()) for line in text.strip().splitlines()).strip()
    if not plain:
        raise InvalidFields(errors=[FieldError("text", "field.missing")], count=1)
    if len(plain) > LONGEST:
        values = {"length": len(plain), "maximum": LONGEST}
        raise InvalidFields(errors=[FieldError("text", "answer.too_long", values)], count=1)
    return mask(plain).text
