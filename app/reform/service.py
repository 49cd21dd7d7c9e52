"""A plan for all rooms: units and points, and who has rights on them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy.orm import Session

from app.reform import following
from app.registry import today as registry_today
from app.registry.reorganisation import carrying_out, undoing
from app.registry.reorganisation.carrying_out import CarriedOut
from app.registry.reorganisation.plan import Plan


def carry_out(
    session: Session,
    plan: Plan,
    *,
    name: str,
    decision: str,
    today: date,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> CarriedOut:
    """Carry a plan out; roles, keys and webhooks follow where it is clear to what.

    Raises
    ------
    WrongTable
        With every line that cannot be; nothing was changed then.
    """
    done = carrying_out.carry_out(
        session, plan, name=name, decision=decision, today=today, tell=tell
    )
    following.carry_over(session, done.changes)
    following.bring_keys(session, today)
    return done


def undo(session: Session, number: int, *, decision: str, today: date) -> CarriedOut:
    """Make all rooms what they were before a plan.

    Raises
    ------
    UnknownReorganisation
        Where there is no such plan.
    CannotUndo
        Where it was undone, undoes another one, or something that came later rests on it.
    """
    done = undoing.undo(session, number, decision=decision, today=today)
    following.take_back(session, done.changes)
    return done


def bring_up_to_date(session: Session, today: date) -> int:
    """Make rows of all rooms say what is so today; how many changed. Safe to repeat."""
    return registry_today.bring_up_to_date(session, today) + following.bring_keys(session, today)
