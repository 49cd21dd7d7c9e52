"""What a citizen's code opens: how far her case is, the reply, and one further message of hers;
what she answered, and what became of a response that was refused.

Nobody signs in: the code is 80 random bits, drawn by her device or, for a browser without script,
by the server, and is all there is. Of it the hash alone is kept and looked up, so that the time of
an answer tells nothing of other codes; and a code that opens nothing is answered alike, whatever is
wrong with it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.tokens import hash_of
from app.cases.lists import finder
from app.cases.mailing import News
from app.cases.models import Case, CaseMessage, CaseState, CaseSubject, Origin
from app.cases.reach import unit_above
from app.intake.models import AsideResponse, ReplyCode, ResponseText
from app.masking.masker import mask
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import Unit
from app.registry.queries import NamedUnit
from app.registry.structures import read_units
from app.settings import Settings

#: Signs of what a citizen writes further.
LONGEST = 2000
#: Crockford's base 32, of which 16 signs are 80 bits, read as it is meant.
SIGNS, _SIGNS_OF_CODE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 16
#: Two signs each: drawn by ten bits.
_PAIRS = [one + other for one in SIGNS for other in SIGNS]
_CODE = re.compile(rf"[{SIGNS}]{{{_SIGNS_OF_CODE},32}}")
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
    #: On which days it was closed with what was done: it, and what she wrote to the reply.
    closed: Sequence[tuple[date, str]]
    messages: Sequence[CaseMessage]
    may_write: bool
    #: Whether there are words of hers that she may withdraw alone.
    wrote: bool = False
    #: Code of the problem by which her response was refused for good: nothing is dealt with.
    refused: str | None = None


def new_code() -> str:
    """A code of 80 random bits: for a browser that cannot make its own."""
    drawn = secrets.randbits(5 * _SIGNS_OF_CODE)  # five bits a sign
    return "".join([_PAIRS[drawn >> place & 1023] for place in range(0, 5 * _SIGNS_OF_CODE, 10)])


def grouped(code: str) -> str:
    """A code as a person reads it: in groups of four, with dashes."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


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
    row = _reply_code(session, code)
    if row is None:
        refused = _refused(session, code)
        unit = session.get_one(Unit, refused.unit_id)
        return CitizensCase(
            CaseState.CLOSED, _named(unit), None, (), (), may_write=False, refused=refused.rule
        )
    case = _case(session, row)
    if case is None:
        return CitizensCase(
            CaseState.OPEN, None, None, (), (), may_write=False, wrote=_wrote(session, row)
        )
    family = [case, *_following(session, case)]
    messages = _messages(session, family)
    return CitizensCase(
        CaseState(case.state), _named(session.get_one(Unit, case.unit_id)), case.due_day,
        [(each.closed_day, each.done) for each in family if each.closed_day and each.done],
        messages, _may_write(case, messages),
        _wrote(session, row) or any(each.from_citizen and each.body for each in messages),
    )  # fmt: skip


def write(session: Session, settings: Settings, code: str, text: str, today: date) -> None:
    """Write to the reply, once a case.

    What speaks of misconduct is a case of its own, with the unit above: the one to whose reply it
    is written stays as it is, so that whoever deals with it does not know that she wrote.

    Raises
    ------
    CodeOpensNothing
        Where the code opens nothing.
    MessageSent
        Where she has written, there is no reply to write to, or the case is closed.
    InvalidFields
        For an empty text, or one that is too long.
    """
    row = _reply_code(session, code)
    if row is None:
        _refused(session, code)
    case = None if row is None else _case(session, row, lock=True)
    if case is None or not _may_write(case, _messages(session, [case, *_following(session, case)])):
        raise MessageSent()
    body = _checked(text)
    to = case
    if not case.confidential and finder(session).find(body) is not None:
        to = _new_above(session, settings, case, today)
        session.add(to)
        session.flush()
    else:
        case.state = CaseState.OPEN if case.owner_id is None else CaseState.WORKING
        case.news = News.WRITTEN if case.owner_id is not None else case.news
    session.add(CaseMessage(case_id=to.id, from_citizen=True, day=today, body=body))


def _new_above(session: Session, settings: Settings, case: Case, today: date) -> Case:
    due = today + timedelta(days=settings.case_due_days)
    return Case(
        origin=Origin.WISH, follows_id=case.id, unit_id=case.unit_id,
        handed_to_id=unit_above(session, read_units(session), case.unit_id, today),
        confidential=True, version_id=case.version_id, month=case.month, opened_day=today,
        due_day=due, first_due_day=due, state=CaseState.OPEN, responses=1, low_items="{}",
    )  # fmt: skip


def response_of(session: Session, code: str) -> str:
    """The id of the response that a code belongs to: for what its citizen may do with it.

    Raises
    ------
    CodeOpensNothing
        Where it opens nothing, or a response that was refused.
    """
    row = _reply_code(session, code)
    if row is None:
        raise CodeOpensNothing(field="code")
    return row.response_id


def refused_of(session: Session, code: str) -> str | None:
    """The hash of a code of a response that was refused for good; None for any other code."""
    row = _reply_code(session, code)
    plain = as_typed(code)
    if row is not None or plain is None:
        return None
    return _refused(session, code).code_hash


def _reply_code(session: Session, code: str) -> ReplyCode | None:
    # Looked up all the same: what is no code at all takes as long as what is a wrong one.
    row = session.get(ReplyCode, hash_of(as_typed(code) or ""))
    if row is not None and row.opened and _case(session, row) is None:
        raise CodeOpensNothing(field="code")
    return row


def _refused(session: Session, code: str) -> AsideResponse:
    """What was refused with a code, the last where there are several."""
    query = select(AsideResponse).where(AsideResponse.code_hash == hash_of(as_typed(code) or ""))
    row = session.scalars(query.order_by(AsideResponse.received_at.desc()).limit(1)).first()
    if row is None:
        raise CodeOpensNothing(field="code")
    return row


def _case(session: Session, row: ReplyCode, *, lock: bool = False) -> Case | None:
    """The case; None before it is opened."""
    query = (
        select(Case)
        .join(CaseSubject, CaseSubject.case_id == Case.id)
        .where(CaseSubject.response_id == row.response_id)
    )
    return session.scalar(query.with_for_update(of=Case) if lock else query)


def _following(session: Session, case: Case) -> Sequence[Case]:
    return session.scalars(select(Case).where(Case.follows_id == case.id).order_by(Case.id)).all()


def _wrote(session: Session, row: ReplyCode) -> bool:
    text = select(ResponseText.item).where(ResponseText.response_id == row.response_id).limit(1)
    return session.scalar(text) is not None


def _named(unit: Unit) -> NamedUnit:
    return NamedUnit(unit.code, unit.name_vi, unit.name_en)


def _messages(session: Session, family: Sequence[Case]) -> Sequence[CaseMessage]:
    ids = [case.id for case in family]
    return session.scalars(
        select(CaseMessage).where(CaseMessage.case_id.in_(ids)).order_by(CaseMessage.id)
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
