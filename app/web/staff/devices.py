"""Pages of devices: pairing codes, and the devices of one's survey points."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.access import credentials, devices, management, scope
from app.access.callers import Person
from app.access.doors import PageDoor
from app.access.models import Credential, Right
from app.clock import local_today
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency, SettingsDependency
from app.intake import aside
from app.intake.aside import RuleCount
from app.problems import FieldError, InvalidFields
from app.registry.models import PointState, SurveyPoint
from app.registry.points import current_code
from app.registry.questionnaires import titles
from app.settings import Settings
from app.web.pages import EMPTY, Form, Number, Text, go_to, language_of, refused, render
from surveys import model

router = APIRouter(prefix="/devices", include_in_schema=False)

#: What a number of a point looks like; larger ones no store has.
_NUMBER = re.compile(r"[0-9]{1,9}")

STAFF = PageDoor(Right.MANAGE_POINTS)
STAFF_OF_LATE = PageDoor(Right.MANAGE_POINTS, recent=True)


@dataclass(frozen=True)
class DevicesPage:
    """Devices that work and that did, and the points that a new one may stand at."""

    devices: Sequence[Credential]
    #: Devices not heard of since then are pointed out.
    silent_since: datetime
    points: Sequence[SurveyPoint]
    titles: Mapping[str, model.Text]
    #: What was not taken as it was sent, by unit and rule.
    rules: Sequence[RuleCount]
    form: Form = EMPTY

    @cached_property
    def _alike(self) -> Counter[tuple[object, ...]]:
        return Counter(map(_called, self.points))

    def code_of(self, point: SurveyPoint) -> str:
        """The printed code of a point that is called as another one of its unit is; else nothing.

        Where units were merged, all desks of the new one have its name.
        """
        return current_code(point) if self._alike[_called(point)] > 1 else ""


@dataclass(frozen=True)
class CodePage:
    """A pairing code, shown once, in two halves that are easily read aloud."""

    code: str
    pin: str
    point: SurveyPoint
    name: str
    titles: Mapping[str, model.Text]
    minutes: int = devices.CODE_MINUTES


@router.get("")
def list_devices(request: Request, caller: Annotated[Person, Depends(STAFF)]) -> Response:
    """List the devices of one's survey points. Who: ``points:manage``."""
    return _show(request, caller)


@router.post("/codes")
def make_code(
    request: Request,
    caller: Annotated[Person, Depends(STAFF_OF_LATE)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    point: Text = "",
    name: Text = "",
) -> Response:
    """Make a pairing code and show it once.

    Who: ``points:manage`` on the point's unit, after a recent password.
    """
    try:
        with database.writing(caller.name) as session:
            survey_point = (
                session.get(SurveyPoint, int(point)) if _NUMBER.fullmatch(point) else None
            )
            if (
                survey_point is None
                or survey_point.state == PointState.REVOKED
                or _closed(survey_point, settings)
                or not scope.covers(session, caller, Right.MANAGE_POINTS, survey_point.unit_id)
            ):
                raise InvalidFields(errors=[FieldError("point", "device.no_point")], count=1)
            name = " ".join(name.split())[:200] or survey_point.name
            made = devices.new_code(session, survey_point, name)
            code, names = f"{made.code[:4]}-{made.code[4:]}", titles(session)
            page = CodePage(code, made.pin, survey_point, name, names)
            return render(request, caller, "staff/device_code.html", page, 201)
    except InvalidFields as problem:
        form = refused(problem, language_of(request, caller), {"point": point, "name": name})
        return _show(request, caller, form, 422)


@router.post("/{id}/revoke")
def revoke(
    caller: Annotated[Person, Depends(STAFF)], database: DatabaseDependency, id: Number
) -> Response:
    """End a device's key. Who: ``points:manage`` on the unit of its point."""
    with database.writing(caller.name) as session:
        credentials.revoke(session, management.key_to_end(session, caller, id).id)
    return go_to("/devices", "device_revoked")


def _called(point: SurveyPoint) -> tuple[object, ...]:
    return point.unit_id, point.name, point.questionnaire, point.channel


def _closed(point: SurveyPoint, settings: Settings) -> bool:
    """Whether a point's unit is no more."""
    last = point.unit.valid_to
    return last is not None and last < local_today(settings.zone)


def _show(request: Request, caller: Person, form: Form = EMPTY, status: int = 200) -> Response:
    database, settings = DATABASE.of(request), SETTINGS.of(request)
    with database.reading() as session:
        points = devices.points_of(session, caller, Right.MANAGE_POINTS)
        page = DevicesPage(
            devices.of_caller(session, caller),
            datetime.now(UTC) - timedelta(hours=1),
            [
                point
                for point in points
                if point.state != PointState.REVOKED and not _closed(point, settings)
            ],
            titles(session),
            aside.counts(session, caller),
            form,
        )
        return render(request, caller, "staff/devices.html", page, status)
