"""Undoes a plan by a counter-plan: the tree is as before, and both plans are kept."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.audit.log import SYSTEM, record
from app.audit.log import last as take_turns
from app.db.database import ACTOR
from app.messages import Language, say
from app.problems import Problem
from app.registry.models import PointMove, Reorganisation, SurveyPoint, Unit, UnitPeriod
from app.registry.reorganisation.carrying_out import CarriedOut
from app.registry.reorganisation.changes import ONE_DAY, Changes, read_points
from app.registry.reorganisation.checking import carried_out
from app.registry.reorganisation.plan import Plan, kept_plan
from app.registry.reorganisation.portions import portions
from app.registry.structures import Units, read_units
from app.registry.today import bring_up_to_date


class UnknownReorganisation(Problem):
    """No plan has this number."""

    code, status = "unknown-reorganisation", 404


class CannotUndo(Problem):
    """A plan was undone already, or something rests on it."""

    code, status = "cannot-undo", 409


def reorganisations(session: Session) -> list[Reorganisation]:
    """All plans that were carried out, and those that undid them, the newest first."""
    return list(session.scalars(select(Reorganisation).order_by(Reorganisation.id.desc())))


def plan_of(row: Reorganisation) -> Plan:
    """The lines of a plan that was carried out."""
    return kept_plan(row.plan, row.name)


def undo(session: Session, number: int, *, decision: str, today: date) -> CarriedOut:
    """Make the tree what it was before a plan.

    What it founded was never valid; answers that landed there meanwhile stand undivided. Points
    that were opened there are closed.

    Raises
    ------
    UnknownReorganisation
        Where there is no such plan.
    CannotUndo
        Where it was undone, undoes another one, or something that came later rests on it.
    """
    take_turns(session)
    row = session.get(Reorganisation, number)
    if row is None:
        raise UnknownReorganisation(number=number)
    units = read_units(session)
    changes = carried_out(plan_of(row), units, read_points(session))
    _check(session, row, changes, units)
    _restore(session, changes, today)
    _look_for_rings(session, row, changes)
    counter = Reorganisation(
        name=row.name,
        decision=decision,
        plan=Plan(()).as_csv(),
        first_day=row.first_day,
        applied_by=str(session.info.get(ACTOR, SYSTEM))[:200],
        applied_at=datetime.now(UTC),
        undoes_id=row.id,
    )
    session.add(counter)
    session.flush()
    record(
        session, "units.undo", row.name, number=counter.id, undoes=row.id, decision=decision,
        void=len(changes.foundings), restored=len(changes.endings) + len(changes.changes),
        points=len(changes.moves),
    )  # fmt: skip
    session.expire_all()
    return CarriedOut(counter.id, counter.name, changes)


def _check(session: Session, row: Reorganisation, changes: Changes, units: Units) -> None:
    if row.undoes_id is not None:
        raise CannotUndo(name=row.name, reason=_Because("plan.undo_undoes"))
    undone = set(
        session.scalars(
            select(Reorganisation.undoes_id).where(Reorganisation.undoes_id.is_not(None))
        )
    )
    if row.id in undone:
        raise CannotUndo(name=row.name, reason=_Because("plan.undo_undone"))
    later = select(Reorganisation).where(
        Reorganisation.id > row.id, Reorganisation.undoes_id.is_(None)
    )
    points = read_points(session)
    for other in session.scalars(later.order_by(Reorganisation.id)):
        if other.id not in undone and _rests(
            carried_out(plan_of(other), units, points), changes, units
        ):
            raise CannotUndo(
                name=row.name, reason=_Because("plan.undo_rests", other=other.name, number=other.id)
            )
    _look_for_others(row, changes, units)


def _rests(later: Changes, changes: Changes, units: Units) -> bool:
    """Whether a later plan changes what this one did, or needs what this one made."""
    restored = changes.touched - changes.founded
    parents = {units.histories[id].states[-1].parent_id for id in restored}
    parents |= {each.before.parent_id for each in changes.changes}
    ended = {each.unit_id for each in later.endings}
    moved = {each.point_id for each in changes.moves}
    return bool(
        later.touched & changes.touched
        or later.rested_on & changes.founded
        or ended & parents
        or moved & {each.point_id for each in later.moves}
    )


def _look_for_others(row: Reorganisation, changes: Changes, units: Units) -> None:
    """What no plan put below what began, or gave a code that would be another's again."""
    founded, own = changes.founded, changes.touched
    codes = {each.code: each.last_day for each in changes.endings if each.unit_id not in founded}
    for unit in units.histories.values():
        if unit.id in own or unit.void:
            continue
        named = f"{unit.states[-1].name_vi} ({unit.code})"
        if any(state.parent_id in founded for state in unit.states):
            raise CannotUndo(name=row.name, reason=_Because("plan.undo_below", unit=named))
        eve = codes.get(unit.code)
        if eve is not None and (unit.last_day is None or unit.last_day > eve):
            raise CannotUndo(name=row.name, reason=_Because("plan.undo_code", unit=named))


def _look_for_rings(session: Session, row: Reorganisation, changes: Changes) -> None:
    """Later moves may have put a unit below what would stand below it again."""
    units = read_units(session)
    changed = {each.unit_id for each in changes.changes}
    days = [row.first_day, *(day for day in units.change_days() if day > row.first_day)]
    for day in days:
        for id in changed:
            above, seen = units.histories[id].on(day).parent_id, {id}
            while above is not None and above not in seen:
                seen.add(above)
                above = units.histories[above].on(day).parent_id
            if above is not None:
                named = f"{units.histories[above].on(day).name_vi} ({units.histories[above].code})"
                raise CannotUndo(name=row.name, reason=_Because("plan.undo_ring", unit=named))


class _Because:
    """Why, as each language writes it."""

    def __init__(self, key: str, **values: object) -> None:
        self._key, self._values = key, values

    def written(self, language: Language) -> str:
        """The reason as part of a sentence."""
        return say(self._key, language, **self._values)


def _restore(session: Session, changes: Changes, today: date) -> None:
    for endings in portions(changes.endings):
        ids = [each.unit_id for each in endings]
        session.execute(update(Unit).where(Unit.id.in_(ids)).values(valid_to=None))
    by_day: dict[date, list[int]] = {}
    for founding in changes.foundings:
        by_day.setdefault(founding.state.first_day, []).append(founding.unit_id)
    for day, ids in by_day.items():
        for some in portions(ids):
            void = update(Unit).where(Unit.id.in_(some)).values(valid_to=day - ONE_DAY)
            session.execute(void)
    _move_points_back(session, changes)
    _forget_periods(session, changes, today)


def _move_points_back(session: Session, changes: Changes) -> None:
    """Points are where they were; those that followed by themselves as well."""
    founded = sorted(changes.founded)
    moves = [(each.point_id, each.day) for each in changes.moves]
    for some in portions(founded):
        found = select(PointMove.point_id, PointMove.day).where(PointMove.unit_id.in_(some))
        moves += [(point, day) for point, day in session.execute(found)]
    for point, day in sorted(set(moves), reverse=True):
        move = session.get(PointMove, (point, day))
        if move is not None:
            session.execute(
                update(SurveyPoint).where(SurveyPoint.id == point).values(unit_id=move.before_id)
            )
            session.delete(move)
            session.flush()


def _forget_periods(session: Session, changes: Changes, today: date) -> None:
    by_day: dict[date, list[int]] = {}
    for change in changes.changes:
        by_day.setdefault(change.after.first_day, []).append(change.unit_id)
    for day, ids in by_day.items():
        for some in portions(ids):
            session.execute(
                delete(UnitPeriod).where(UnitPeriod.unit_id.in_(some), UnitPeriod.first_day == day)
            )
    bring_up_to_date(session, today)
    # A unit of which nothing is changed any more has no periods, and is what its row says.
    changed = sorted({change.unit_id for change in changes.changes})
    for some in portions(changed):
        alone = (
            select(UnitPeriod.unit_id)
            .where(UnitPeriod.unit_id.in_(some))
            .group_by(UnitPeriod.unit_id)
            .having(func.count() == 1)
        )
        ids = list(session.scalars(alone))
        session.execute(delete(UnitPeriod).where(UnitPeriod.unit_id.in_(ids)))
