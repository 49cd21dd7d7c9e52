"""Takes the demonstration's province through its plan: the reform of 1 July 2025."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demonstration.province import OF_TODAY, Province, points
from app.reform.service import carry_out
from app.registry.models import Channel, Reorganisation
from app.registry.reorganisation.plan import Action, Plan, PlanLine
from app.registry.reorganisation.reading import read_plan

NAME = "Sắp xếp đơn vị hành chính từ 1/7/2025: phần Bà Rịa – Vũng Tàu"
DECISION = (
    "Nghị quyết số 202/2025/QH15 ngày 12/6/2025; Nghị quyết số 1685/NQ-UBTVQH15 ngày 16/6/2025"
)
#: Districts end; the kiosk of each goes on in one of their communes.
SEATS = {
    "747": "26526",
    "748": "26560",
    "750": "26575",
    "751": "26620",
    "753": "26680",
    "754": "26704",
}


def reorganise(session: Session, today: date, province: Province = OF_TODAY) -> None:
    """Carry the province's plan out, where it has one and that was not done yet."""
    if province.plan is None or session.scalar(select(Reorganisation.id).limit(1)) is not None:
        return
    plan = read_plan(province.plan)
    plan = replace(plan, lines=plan.lines + tuple(_kiosks(session, plan)))
    carry_out(session, plan, name=NAME, decision=DECISION, today=today)


def _kiosks(session: Session, plan: Plan) -> list[PlanLine]:
    """Where the kiosks of districts go: their codes are drawn, so no file has them."""
    day = plan.lines[0].day
    kiosks = [
        point for point in points(session) if point.channel == Channel.KIOSK and point.unit in SEATS
    ]
    return [
        PlanLine(number, day, Action.POINT, kiosk.code, to=SEATS[kiosk.unit])
        for number, kiosk in enumerate(kiosks, start=plan.lines[-1].number + 1)
    ]
