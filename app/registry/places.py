"""What stands where on a day: how a unit is called then, and who does the work of a closed one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.messages import say
from app.problems import Problem
from app.registry.models import Succession, Unit, UnitPeriod
from app.registry.queries import NamedUnit, UnknownUnit


class UnitClosed(Problem):
    """The unit is no more; the sentence names those that do its work now."""

    code, status = "unit-closed", 422

    def detail(self, language: str) -> str:
        """That it ended, and who goes on where anybody does."""
        sentence = super().detail(language)
        names = self.values.get("names_en" if language == "en" else "names_vi")
        if not names:
            return sentence
        return " ".join((sentence, say("page.done_now_at", language, names=names)))


def called_on(session: Session, unit: Unit, day: date) -> NamedUnit:
    """A unit by its names on a day."""
    names = session.execute(
        select(UnitPeriod.name_vi, UnitPeriod.name_en)
        .where(UnitPeriod.unit_id == unit.id, UnitPeriod.first_day <= day)
        .order_by(UnitPeriod.first_day.desc())
        .limit(1)
    ).one_or_none()
    name_vi, name_en = names or (unit.name_vi, unit.name_en)
    return NamedUnit(unit.code, name_vi, name_en)


def successors(session: Session, unit_id: int, day: date) -> Sequence[NamedUnit]:
    """Who does the work of a unit that ended, on a day: those that it became, in order of code.

    What became of it may have ended as well: it is followed until nothing ends before the day.
    """
    found: dict[int, Unit] = {}
    seen, ended = {unit_id}, {unit_id}
    while ended:
        came = session.scalars(
            select(Unit)
            .join(Succession, Succession.to_id == Unit.id)
            .where(Succession.from_id.in_(ended), Succession.day <= day)
        ).all()
        news = {unit.id: unit for unit in came if unit.id not in seen}
        seen |= news.keys()
        found |= {id: unit for id, unit in news.items() if unit.valid_on(day)}
        # What a plan founded that was undone leads nowhere.
        ended = {id for id, unit in news.items() if id not in found and not unit.void}
    units = sorted(found.values(), key=lambda unit: (unit.code, unit.id))
    return [called_on(session, unit, day) for unit in units]


def nearest_unit(session: Session, code: str, day: date) -> Unit:
    """The unit with a code that is valid on a day, or the last before it, or the first after.

    Raises
    ------
    UnknownUnit
        Where there is none.
    """
    query = select(Unit).where(Unit.code == code).order_by(Unit.valid_from, Unit.id)
    units = [unit for unit in session.scalars(query) if not unit.void]
    if not units:
        raise UnknownUnit(code=code, field="unit")
    return next((unit for unit in reversed(units) if unit.valid_from <= day), units[0])


def check_open(session: Session, unit: Unit, day: date) -> None:
    """See that a unit has not ended before a day.

    Raises
    ------
    UnitClosed
        Where it has.
    """
    if unit.valid_to is None or day <= unit.valid_to:
        return
    after = successors(session, unit.id, day)
    raise UnitClosed(
        field="unit",
        code=unit.code,
        last=f"{unit.valid_to:%d/%m/%Y}",
        names_vi=", ".join(each.name_vi for each in after),
        names_en=", ".join(each.name_en for each in after),
    )
