"""Checks a plan whole against the registry, and says what it means for each unit and point.

A plan is looked at day by day, in the order of its days: what an earlier day founds a later one
may change. Each mistake is one of a line; a plan with any is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby

from app.problems import FieldError
from app.registry.reorganisation.changes import Changes, Points
from app.registry.reorganisation.days import Day
from app.registry.reorganisation.ground import Ground
from app.registry.reorganisation.plan import Plan, PlanLine
from app.registry.structures import Units
from app.tables import WrongTable


def checked(plan: Plan, units: Units, points: Points) -> Changes:
    """What a plan changes.

    Raises
    ------
    WrongTable
        With every line that cannot be, and why.
    """
    found, mistakes = _through(plan, units, points, carried_out=False)
    if mistakes:
        raise WrongTable(plan.source, sorted(mistakes, key=_row))
    return found


def carried_out(plan: Plan, units: Units, points: Points) -> Changes:
    """What a plan changed that was carried out."""
    found, _ = _through(plan, units, points, carried_out=True)
    return found


def _through(
    plan: Plan, units: Units, points: Points, *, carried_out: bool
) -> tuple[Changes, list[FieldError]]:
    ground = Ground(units, points, carried_out=carried_out)
    for day, lines in _by_day(plan.lines):
        Day(ground, day, lines).run()
    return ground.changes(), ground.mistakes


def _by_day(lines: Iterable[PlanLine]) -> Iterable[tuple[date, list[PlanLine]]]:
    ordered = sorted(lines, key=lambda line: line.day)
    for day, group in groupby(ordered, key=lambda line: line.day):
        yield day, list(group)


def _row(mistake: FieldError) -> int:
    row = mistake.values.get("row")
    return row if isinstance(row, int) else 0
