"""What a caller sees, and what figures are of, read once a session: a page asks for it often."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller, Grant
from app.access.models import Right
from app.figures.session_cache import per_session
from app.registry import questionnaires
from app.registry.queries import UnitTree, is_synthetic
from app.registry.questionnaires import Published
from app.rollups import queries

#: Whoever reads what is published: everything, and of nobody few respondents.
PUBLIC = Caller("public", (Grant(frozenset({Right.READ_FIGURES})),))


def units(session: Session, caller: Caller) -> UnitTree:
    """The units whose figures the caller may read."""
    return per_session(
        session,
        ("units", caller.grants),
        lambda: scope.units(session, caller, Right.READ_FIGURES),
    )


def whole_tree(session: Session) -> UnitTree:
    """All units of the registry: what is hidden is decided over them, whoever asks."""
    return per_session(session, ("whole tree",), lambda: scope.every_unit(session))


def small_units(session: Session, caller: Caller) -> frozenset[int] | None:
    """The ids of the units of which the caller may see small figures; None for all units."""
    return per_session(
        session,
        ("units with small cells", caller.grants),
        lambda: scope.unit_ids(session, caller, Right.READ_SMALL_CELLS),
    )


def published(session: Session) -> list[Published]:
    """All published versions of questionnaires, oldest first."""
    return per_session(session, ("published",), lambda: questionnaires.published(session))


def synthetic(session: Session) -> bool:
    """Whether the answers were drawn by a generator."""
    return per_session(session, ("synthetic",), lambda: is_synthetic(session))


def span(session: Session) -> tuple[date, date] | None:
    """The first and the last day that have answers; None where there are none."""
    return per_session(session, ("span",), lambda: queries.span(session))


def versions_of(session: Session, code: str | None) -> list[Published]:
    """The published versions of one questionnaire, oldest first; none where there is none."""
    return [version for version in published(session) if version.form.code == code]
