"""Plans as tests write them, carried out on a small province, and what is there then."""

from datetime import date

import pytest
from sqlalchemy import select

from app.registry.models import (
    PointMove,
    SurveyPoint,
    Unit,
    UnitPeriod,
)
from app.registry.reorganisation.carrying_out import carry_out
from app.registry.reorganisation.changes import read_points
from app.registry.reorganisation.checking import checked
from app.registry.reorganisation.plan import COLUMNS
from app.registry.reorganisation.reading import read_plan
from app.registry.reorganisation.undoing import undo
from app.registry.structures import read_units
from app.tables import WrongTable

DAY, EVE = date(2025, 7, 1), date(2025, 6, 30)
LATER = date(2026, 1, 1)
TODAY = date(2026, 11, 1)


def plan(tmp_path, *lines, day="2025-07-01"):
    """A plan of lines such as ``merge C1 to=N decision=…``."""
    file = tmp_path / "plan.csv"
    rows = []
    for line in lines:
        action, code, *rest = line.split("|")
        values = {"day": day, "action": action, "code": code}
        values |= dict(each.split("=", 1) for each in rest)
        rows.append(",".join(values.get(name, "") for name in COLUMNS))
    file.write_text("\n".join([",".join(COLUMNS), *rows]), encoding="utf-8")
    return read_plan(file)


def apply(province, plan, name="Sắp xếp 2025", today=TODAY):
    with province.database.writing("operator") as session:
        return carry_out(session, plan, name=name, decision="1685/NQ-UBTVQH15", today=today)


def undone(province, number, today=TODAY):
    with province.database.writing("operator") as session:
        return undo(session, number, decision="Hủy", today=today)


def mistakes(province, plan, language="en"):
    with province.database.reading() as session, pytest.raises(WrongTable) as wrong:
        checked(plan, read_units(session), read_points(session))
    return [error.detail(language) for error in wrong.value.errors]


def tree(province, day):
    """Codes with the code above, on a day; without undivided rows."""
    with province.database.reading() as session:
        found = read_units(session).on(day).tree.nodes
        nodes = {id: node for id, node in found.items() if id > 0}
        return {n.code: nodes[n.parent_id].code if n.parent_id else "" for n in nodes.values()}


def rows(province):
    """All that says what units and points are, but for what was never valid."""
    with province.database.reading() as session:
        units = select(
            Unit.id, Unit.code, Unit.kind, Unit.name_vi, Unit.name_en, Unit.parent_id,
            Unit.valid_from, Unit.valid_to, Unit.latitude, Unit.longitude,
        ).where(Unit.valid_to.is_(None) | (Unit.valid_to >= Unit.valid_from))  # fmt: skip
        points = select(SurveyPoint.id, SurveyPoint.unit_id)
        periods = select(UnitPeriod.unit_id, UnitPeriod.first_day, UnitPeriod.name_vi)
        moves = select(PointMove.point_id, PointMove.day)
        return [
            sorted(map(tuple, session.execute(query)), key=str)
            for query in (units, points, periods, moves)
        ]


MERGER = (
    "found|N1|name_vi=Xã Mới|kind=commune|parent=77|latitude=10.5|longitude=107.1",
    "merge|C1|to=N1", "merge|C2|to=N1", "close|D1",
)  # fmt: skip
