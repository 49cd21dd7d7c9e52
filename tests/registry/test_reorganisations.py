"""Drawn plans over a small province: nothing is lost, nothing counts twice, all can be undone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, Phase, event, given, note
from hypothesis import settings as configured
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.registry.models import (
    PointMove,
    Reorganisation,
    Succession,
    SurveyPoint,
    Unit,
    UnitKind,
    UnitPeriod,
)
from app.registry.points import open_point
from app.registry.reorganisation.carrying_out import carry_out
from app.registry.reorganisation.changes import Changes, read_points
from app.registry.reorganisation.checking import checked
from app.registry.reorganisation.plan import Action, Plan, PlanLine
from app.registry.reorganisation.undoing import undo
from app.registry.structures import UnitHistory, Units, read_units
from app.tables import WrongTable

FIRST = date(2024, 1, 1)
DAYS = [date(2025, 1, 1) + timedelta(days=30 * n) for n in range(4)]
TODAY = date(2025, 2, 15)
COMMUNES = ["C1", "C2", "C3", "C4", "C5", "C6"]
UNITS = [("P", "province", None), ("D1", "district", "P"), ("D2", "district", "P")] + [
    (code, "commune", "D1" if code < "C4" else "D2") for code in COMMUNES
]
#: Codes that drawn plans give to what they found: those of today, and some new ones.
CODES = [*COMMUNES, "N1", "N2", "N3"]


def found_line(day, code, parent):
    return PlanLine(
        2, day, Action.FOUND, code, name_vi=f"Xã {code} {day}", name_en=f"{code} {day}",
        kind=UnitKind.COMMUNE, parent=parent,
    )  # fmt: skip


@st.composite
def plans(draw, day, communes, districts):
    """Lines about some communes that are there on the eve, and perhaps about a district.

    Some contradict one another or take a code that is not free: such plans are refused.
    """
    lines = []
    free = draw(st.permutations(communes))
    while free and draw(st.booleans()):
        action = draw(st.sampled_from([*[*Action][:6], "swap", "recode", "join"]))
        code, free = free[0], free[1:]
        parent = draw(st.sampled_from(districts))
        new = draw(st.sampled_from(CODES))
        if action == Action.FOUND:
            lines.append(found_line(day, new, parent))
        elif action == Action.MERGE:
            others = free[: draw(st.integers(0, 2))]
            free = free[len(others) :]
            lines.append(found_line(day, draw(st.sampled_from([code, new])), parent))
            lines += [
                PlanLine(2, day, Action.MERGE, each, to=lines[-1].code) for each in (code, *others)
            ]
        elif action == Action.SPLIT:
            shares = draw(st.sampled_from([(None, None), (0.25, 0.75), (0.5, 0.5)]))
            parts = [code, new]
            if draw(st.booleans()):
                lines.append(found_line(day, code, parent))
            lines.append(found_line(day, new, parent))
            lines += [
                PlanLine(2, day, Action.SPLIT, code, to=to, share=share, main=to == code)
                for to, share in zip(parts, shares, strict=True)
            ]
        elif action == Action.RENAME:
            lines.append(
                PlanLine(2, day, Action.RENAME, code, name_vi=f"Tên {day}", name_en=f"Name {day}")
            )
        elif action == Action.MOVE:
            lines.append(PlanLine(2, day, Action.MOVE, code, parent=parent))
        elif action == Action.CLOSE:
            lines.append(PlanLine(2, day, Action.CLOSE, code))
        elif action == "swap" and free:
            other, free = free[0], free[1:]
            lines += [found_line(day, code, parent), found_line(day, other, parent)]
            lines += [
                PlanLine(2, day, Action.MERGE, code, to=other),
                PlanLine(2, day, Action.MERGE, other, to=code),
            ]
        elif action == "recode":
            lines.append(found_line(day, new, parent))
            lines.append(PlanLine(2, day, Action.MERGE, code, to=new))
        elif action == "join" and free:
            other, free = free[0], free[1:]
            lines.append(PlanLine(2, day, Action.MERGE, code, to=other))
    if len(districts) > 1 and draw(st.integers(0, 4)) == 0:
        lines.append(PlanLine(2, day, Action.MERGE, districts[0], to=districts[1]))
    return Plan(tuple(replace(line, number=n) for n, line in enumerate(lines, start=2)))


@pytest.fixture(scope="module")
def place(own_database):
    with own_database.writing() as session:
        made: dict[str, Unit] = {}
        for code, kind, parent in UNITS:
            made[code] = Unit(
                code=code, kind=kind, name_vi=code, name_en=code, valid_from=FIRST,
                parent=made.get(parent or ""),
            )  # fmt: skip
            session.add(made[code])
        for code in COMMUNES:
            open_point(session, made[code], "sipas-desk", "qr", f"P-{code}")
    yield own_database


def there(units: Units, day: date, kind: str) -> list[str]:
    return sorted(
        unit.code for unit in units.histories.values()
        if unit.valid_on(day) and unit.on(day).kind == kind
    )  # fmt: skip


def compared(units: Units) -> object:
    """All units that ever were valid, and how they followed one another."""
    known = {id: unit for id, unit in units.histories.items() if not unit.void}
    return (
        known,
        {id: sorted(steps, key=str) for id, steps in units.after.items() if steps},
        {id: sorted(ids) for id, ids in units.before.items() if id in known},
    )


def rows(session) -> object:
    """What rows say of today, of whatever was ever valid."""
    units = session.execute(
        select(
            Unit.id, Unit.code, Unit.kind, Unit.name_vi, Unit.parent_id, Unit.valid_from,
            Unit.valid_to,
        ).where(Unit.valid_to.is_(None) | (Unit.valid_to >= Unit.valid_from))
    ).all()  # fmt: skip
    points = session.execute(select(SurveyPoint.id, SurveyPoint.unit_id)).all()
    moves = session.execute(select(PointMove.point_id, PointMove.day, PointMove.unit_id)).all()
    return sorted(units), sorted(points), sorted(moves)


def no_codes_overlap(units: Units) -> None:
    by_code: dict[str, list[UnitHistory]] = {}
    for unit in units.histories.values():
        if not unit.void:
            by_code.setdefault(unit.code, []).append(unit)
    for those in by_code.values():
        those.sort(key=lambda unit: unit.first_day)
        for one, other in pairwise(those):
            assert one.last_day is not None and one.last_day < other.first_day


def all_count_once(units: Units, days: list[date], answers: Counter[int]) -> None:
    """Every structure has every answer once, below tops and nowhere else."""
    for day in days:
        structure = units.on(day)
        assert set(structure.placements) == set(units.histories)
        total = 0.0
        for id, number in answers.items():
            parts = structure.placements[id].parts
            assert sum(weight for _, weight in parts) == pytest.approx(1)
            assert all(node in structure.tree.nodes for node, _ in parts)
            total += sum(number * weight for _, weight in parts)
        assert total == pytest.approx(answers.total())
        tops = [n.id for n in structure.tree.nodes.values() if n.parent_id is None]
        reached = [id for top in tops for id in structure.tree.below(top)]
        assert sorted(reached) == sorted(structure.tree.nodes)


def found_as_foretold(units: Units, changes: Changes, before: Changes) -> None:
    """What was written is what the check had said that it would be."""
    names = {
        one.unit_id: other.unit_id
        for one, other in zip(before.foundings, changes.foundings, strict=True)
    }
    foretold = before.units.histories
    for id, history in foretold.items():
        written = units.histories[names.get(id, id)]
        if written.void and history.void:
            continue
        assert (written.code, written.first_day, written.last_day) == (
            history.code, history.first_day, history.last_day
        )  # fmt: skip
        for day in (*DAYS, FIRST, TODAY):
            one, other = written.on(day), history.on(day)
            parent = names.get(other.parent_id, other.parent_id)
            assert (one.name_vi, one.kind, one.parent_id) == (other.name_vi, other.kind, parent)


@configured(
    max_examples=60, phases=set(Phase) - {Phase.explain}, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_drawn_reorganisations_lose_nothing_and_can_be_undone(place, data):
    answers: Counter[int] = Counter()
    numbers = count(7)
    done: list[tuple[int, object, object]] = []
    try:
        for day in DAYS:
            with place.writing() as session:
                units = read_units(session)
                eve = day - timedelta(days=1)
                plan = data.draw(
                    plans(day, there(units, eve, "commune"), there(units, eve, "district"))
                )
                if data.draw(st.integers(0, 3)) == 0:
                    printed = data.draw(st.sampled_from(sorted(read_points(session).by_code)))
                    to = data.draw(st.sampled_from([*CODES, "D1"]))
                    point = PlanLine(len(plan.lines) + 2, day, Action.POINT, printed, to=to)
                    plan = Plan((*plan.lines, point))
                for unit in units.histories.values():
                    if unit.valid_on(eve):
                        answers[unit.id] += next(numbers)
                before = compared(units), rows(session)
                try:
                    foretold = checked(plan, units, read_points(session))
                except WrongTable as wrong:
                    event("refused")
                    note(f"refused: {[error.reason for error in wrong.errors]}")
                    with pytest.raises(WrongTable):
                        carry_out(session, plan, name="x", decision="", today=TODAY)
                    assert (compared(read_units(session)), rows(session)) == before
                    continue
                if not plan.lines:
                    continue
                event("carried out")
                made = carry_out(session, plan, name=str(day), decision="", today=TODAY)
                done.append((made.id, *before))
                units = read_units(session)
                no_codes_overlap(units)
                found_as_foretold(units, made.changes, foretold)
                all_count_once(units, [FIRST, *DAYS], answers)
                for point in session.scalars(select(SurveyPoint)):
                    assert session.get(Unit, point.unit_id).valid_from <= TODAY
        while done:
            number, units_before, rows_before = done.pop()
            with place.writing() as session:
                undo(session, number, decision="", today=TODAY)
                units = read_units(session)
                assert compared(units) == units_before
                assert rows(session) == rows_before
                # Of answers that landed in what was never valid none is lost either.
                all_count_once(units, [FIRST, *DAYS], answers)
    finally:
        _clear(place)


def _clear(database) -> None:
    """The province as it was founded, for the next example."""
    with database.writing() as session:
        for table in (PointMove, Succession, UnitPeriod):
            session.execute(delete(table))
        session.execute(delete(Reorganisation).where(Reorganisation.undoes_id.is_not(None)))
        session.execute(delete(Reorganisation))
        first = {
            unit.code: unit
            for unit in session.scalars(select(Unit).where(Unit.valid_from == FIRST))
        }
        for code, kind, parent in UNITS:
            unit = first[code]
            unit.kind, unit.name_vi, unit.name_en, unit.valid_to = kind, code, code, None
            unit.parent = first[parent] if parent else None
        for point in session.scalars(select(SurveyPoint)):
            point.unit = first[point.name.removeprefix("P-")]
        session.flush()
        later = select(Unit.id).where(Unit.valid_from > FIRST).order_by(Unit.id.desc())
        for id in session.scalars(later).all():
            session.execute(
                Unit.__table__.update().where(Unit.parent_id == id).values(parent_id=None)
            )
        session.execute(delete(Unit).where(Unit.valid_from > FIRST))
