"""A desk of whose responses some are suspected together, and a batch of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import select

from app.access.models import Credential
from app.db import Database
from app.intake.setting_aside import Together
from app.integrity import batches
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.integrity.reasons import Reason, write
from app.registry.models import Channel, QuestionnaireVersion, Unit
from app.registry.points import current_code, open_point
from app.settings import Settings
from tests.small_province import SmallProvince, body

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MONTH = date(2026, 9, 1)
CLOSING = datetime(2026, 9, 29, 16, 40, tzinfo=ZONE)
FORM = "sipas-desk"
ALIKE, MIXED = {"A1": 5, "B1": 5, "C1": 5}, {"A1": 4, "B1": 2, "C1": 3}
REASONS = (Reason("pressed", 30, 30, 0.12, 29.0), Reason("instant", 26, 30, 0.01, 25.9))
TOGETHER = Together.of(Settings())


@dataclass(frozen=True)
class Suspected:
    """The batch, and the ids of its responses."""

    id: int
    responses: Sequence[str]


def suspected(
    province: SmallProvince,
    client: httpx.Client,
    unit: str = "C1",
    *,
    suspected: int = 30,
    others: int = 40,
    month: date = MONTH,
    state: State = State.OPEN,
    reasons: Sequence[Reason] = REASONS,
) -> Suspected:
    """Have responses taken, some before closing and all alike, and a batch made of these.

    The others are spread over the month and the one before it, hour by hour of the day.
    """
    code = _point(province, unit)
    at_closing = CLOSING.replace(year=month.year, month=month.month, day=min(29, CLOSING.day))
    if month > date(2026, 10, 31):
        at_closing = at_closing.replace(day=1)
    pressed = [
        _sent(code, at_closing + timedelta(seconds=20 * n), ALIKE, 8) for n in range(suspected)
    ]
    begin = datetime(month.year, month.month, 1, 8, 0, tzinfo=ZONE) - timedelta(days=20)
    usual = [
        _sent(
            code, begin + timedelta(days=n % 40 if others > 20 else 1, hours=n % 8), MIXED, 60 + n
        )
        for n in range(others)
    ]
    province.send(client, [*pressed, *usual])
    ids = [str(each["id"]) for each in pressed]
    return Suspected(
        batch_of(province.database, province.units[unit], ids, month, state, reasons), ids
    )


def batch_of(
    database: Database,
    unit_id: int,
    ids: Sequence[str],
    month: date = MONTH,
    state: State = State.OPEN,
    reasons: Sequence[Reason] = REASONS,
    **changes: Any,
) -> int:
    """A batch of a unit with some responses; quarantined, by what quarantines one."""
    with database.writing() as session:
        versions = select(QuestionnaireVersion.id).where(QuestionnaireVersion.code == FORM)
        version = session.scalars(versions.order_by(QuestionnaireVersion.version.desc())).first()
        credential = session.scalar(select(Credential.id).limit(1))
        values: dict[str, Any] = {
            "unit_id": unit_id, "version_id": version, "channel": Channel.QR.value,
            "credential_id": credential, "month": month, "rule": "stuffing", "rule_version": 1,
            "probability": 0.9995, "responses": len(ids), "suspected": 29.4,
            "reasons": write(reasons), "state": State.OPEN.value, "found_at": datetime.now(UTC),
        }  # fmt: skip
        batch = SuspectBatch(**values | changes)
        session.add(batch)
        session.flush()
        session.add_all(
            SuspectResponse(response_id=id, batch_id=batch.id, kind="pressed", probability=0.99)
            for id in ids
        )
        session.flush()
        id = batch.id
        if state is State.QUARANTINED:
            batches.quarantine(session, TOGETHER, id)
        elif state is not State.OPEN:
            act = batches.release if state is State.RELEASED else batches.reject
            act(session, TOGETHER, id, "Nguyễn Thị A", "thử")
    return id


def _sent(code: str, at: datetime, answers: dict[str, int], duration: int) -> dict[str, Any]:
    return body(code, answers=answers, answered_at=at.isoformat(), duration_s=duration)


def _point(province: SmallProvince, unit: str) -> str:
    if (unit, FORM) not in province.points:
        with province.database.writing() as session:
            place = session.get_one(Unit, province.units[unit])
            point = open_point(session, place, FORM, Channel.QR, f"{unit} {FORM}")
            session.flush()
            province.points[unit, FORM] = current_code(point)
    return province.points[unit, FORM]
