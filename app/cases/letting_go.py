"""What a case loses when its citizen withdraws: her words, wherever on it they stand.

In the transaction that erases her response, or what she wrote in it. A case whose response is
withdrawn is closed: of the citizen nothing is left on it, the replies to her go as well, for they
answer what she said, and its notes stay without what they quote. Its owner is mailed that it was
withdrawn, and nothing else. A batch keeps no list of its people, so nothing on it is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from app.cases.batching import told_by_themselves
from app.cases.mailing import News
from app.cases.models import Case, CaseMessage, CaseNote, CaseState, CaseSubject
from app.cases.quoting import without_quotations
from app.intake.models import ReplyCode, ResponseText

_NOTHING = "{}"


def let_go(session: Session, response_id: str, today: date) -> None:
    """Close the cases of a response that is about to be erased, and take her words off them."""
    cases = _cases(session, response_id)
    hers = _hers(session, response_id, cases)
    for case in cases:
        _take_off(session, case, hers, replies_too=True)
        case.low_items, case.withdrawn = _NOTHING, True
        if case.state == CaseState.CLOSED:
            continue
        case.state, case.closed_day = CaseState.CLOSED, today
        case.news = None if case.owner_id is None else News.WITHDRAWN
    session.flush()


def let_words_go(session: Session, response_id: str) -> None:
    """Take off the cases of a response what its citizen wrote; they go on with her marks."""
    cases = _cases(session, response_id)
    hers = _hers(session, response_id, cases)
    for case in cases:
        _take_off(session, case, hers, replies_too=False)
    session.flush()


def is_nameless(session: Session, response_id: str) -> bool:
    """Whether a response is counted in batches, if it has low marks: where the unit knows of no
    case of its own.
    """
    theirs = told_by_themselves().where(ReplyCode.response_id == response_id)
    return session.scalar(theirs) is None


def _cases(session: Session, response_id: str) -> Sequence[Case]:
    """The case of a response, with what follows on it; nobody else changes them meanwhile."""
    # First its code: whoever opens its case at this moment holds that.
    session.scalars(
        select(ReplyCode).where(ReplyCode.response_id == response_id).with_for_update()
    ).all()
    own = select(CaseSubject.case_id).where(CaseSubject.response_id == response_id)
    ids = session.scalars(own).all()
    among = or_(Case.id.in_(ids), Case.follows_id.in_(ids))
    query = select(Case).where(among).order_by(Case.id).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).all()


def _hers(session: Session, response_id: str, cases: Sequence[Case]) -> Sequence[str]:
    """All that a citizen wrote: with her response, and to the reply."""
    texts = select(ResponseText.body).where(ResponseText.response_id == response_id)
    written = select(CaseMessage.body).where(
        CaseMessage.case_id.in_([case.id for case in cases]), CaseMessage.from_citizen
    )
    return [*session.scalars(texts), *session.scalars(written)]


def _take_off(session: Session, case: Case, hers: Sequence[str], *, replies_too: bool) -> None:
    for note in session.scalars(select(CaseNote).where(CaseNote.case_id == case.id)):
        note.body = without_quotations(note.body, hers)
    for message in session.scalars(select(CaseMessage).where(CaseMessage.case_id == case.id)):
        if not message.from_citizen:
            message.body = without_quotations(message.body, hers)
    if case.done is not None:
        case.done = without_quotations(case.done, hers)
    session.flush()
    of_case = CaseMessage.case_id == case.id
    # Where the case goes on, that she wrote stays: she may do so a single time.
    emptied = update(CaseMessage).where(of_case, CaseMessage.from_citizen).values(body="")
    session.execute(
        delete(CaseMessage).where(of_case) if replies_too else emptied,
        execution_options={"synchronize_session": "fetch"},
    )
