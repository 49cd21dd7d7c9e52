"""Which unit a command means by a code and a day: of two that had it, the one of that day."""

from __future__ import annotations

from datetime import date

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import local_today
from app.commands import Refused
from app.registry.models import Unit
from app.registry.places import nearest_unit
from app.registry.queries import NamedThen, UnknownUnit, find_unit
from app.settings import Settings

#: The option of every command that names a unit.
ON = typer.Option(
    None, "--on", help="Day on which the unit has the code, as 2025-06-30; else today."
)


def day_of(given: str, option: str = "--on") -> date:
    """A day as a command is given it; it is refused by the option's name."""
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise Refused(f"{option} is not a day: {given}") from error


def unit_named(session: Session, code: str, on: str | None = None) -> Unit:
    """The unit that has a code on a day; without a day that of today, or the nearest to today.

    Raises
    ------
    Refused
        Where there is none; it lists those that had the code at other times, with their days.
    """
    try:
        if on is None:
            return nearest_unit(session, code, local_today(Settings().zone))
        return find_unit(session, code, day_of(on))
    except UnknownUnit as unknown:
        others = [
            NamedThen(unit.name_vi, unit.name_en, unit.valid_from, unit.valid_to)
            for unit in session.scalars(
                select(Unit).where(Unit.code == code).order_by(Unit.valid_from, Unit.id)
            )
            if not unit.void
        ]
        if not others:
            raise Refused(f"no unit has the code {code}") from unknown
        of_days = UnknownUnit(code=code, field="unit", day=on, others=tuple(others))
        raise Refused(of_days.detail("en")) from unknown
