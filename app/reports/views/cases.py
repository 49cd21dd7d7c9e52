"""What came of the cases about a unit in a period: for whoever may see its cases.

It is no part of the unit's view: that is kept for all who may see the same figures, and these see
cases by another right.
"""

from __future__ import annotations

from app.access.models import Right
from app.figures.cases import CaseFigures, figures_of
from app.reports.views.context import ViewContext


def case_figures(context: ViewContext) -> CaseFigures | None:
    """The figures of cases; None without a unit, or without ``cases:read`` on all of it."""
    figures = context.figures
    if context.unit is None or Right.READ_CASES not in figures.caller.rights:
        return None
    return figures_of(
        figures.session, figures.caller, context.span, context.unit,
        figures.regrouping.structure, figures.release_rule,
    )  # fmt: skip
