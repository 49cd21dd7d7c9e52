"""What devices were refused for good, and what is counted at receipt: how much, and what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.audit.log import record
from app.intake.models import AsideResponse, ReceiptDated
from app.registry.models import Unit

#: Most responses that one call hands out; the command has no such limit.
MOST_AT_ONCE = 1000


@dataclass(frozen=True)
class RuleCount:
    """How many responses about a unit fell under one rule, and when the last one came."""

    unit: Unit
    rule: str
    #: Whether they are counted, on the day they came; else they are set aside.
    counted: bool
    responses: int
    last: datetime


def counts(session: Session, caller: Caller) -> Sequence[RuleCount]:
    """What fell under a rule about the units whose points the caller manages, by unit and rule."""
    found = []
    for table, counted in ((AsideResponse, False), (ReceiptDated, True)):
        query = (
            select(Unit, table.rule, func.count(), func.max(table.received_at))
            .join(Unit, Unit.id == table.unit_id)
            .where(scope.within(table.unit_id, caller, Right.MANAGE_POINTS))
            .group_by(Unit.id, table.rule)
            .order_by(Unit.code, table.rule)
        )
        found += [
            RuleCount(unit, rule, counted, responses, last)
            for unit, rule, responses, last in session.execute(query)
        ]
    return found


def export(
    session: Session, caller: Caller, *, unit_ids: Sequence[int] = (), limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """What is set aside, as it was sent, oldest first; that it was read is logged first.

    The session must be one that writes. Only of units on which the caller reads both words and
    the answers of few: it is one person's whole response.
    """
    conditions = [
        scope.within(AsideResponse.unit_id, caller, right)
        for right in (Right.READ_COMMENTS, Right.READ_SMALL_CELLS)
    ]
    if unit_ids:
        conditions.append(AsideResponse.unit_id.in_(unit_ids))
    found = session.execute(
        select(AsideResponse, Unit.code)
        .join(Unit, Unit.id == AsideResponse.unit_id)
        .where(*conditions)
        .order_by(AsideResponse.received_at, AsideResponse.response_id)
        .limit(limit)
    ).all()
    units = sorted({code for _, code in found})
    record(session, "aside.export", "aside", units=units, responses=len(found))
    for row, code in found:
        yield {
            "unit": code,
            "rule": row.rule,
            "received_at": row.received_at.isoformat(),
            "device": row.credential_id,
            "response": _as_sent(row.body),
        }


def _as_sent(body: str) -> Any:
    """The body as JSON; one that was cut off, as the text that is left of it.

    What JSON has no number for (NaN) is told as its word: or else nobody's could be handed out.
    """
    try:
        return json.loads(body, parse_constant=str)
    except ValueError:
        return body
