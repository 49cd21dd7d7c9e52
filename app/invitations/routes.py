"""POST /api/v1/invitations: one-time links for finished cases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import DatabaseDependency, SettingsDependency
from app.invitations import service
from app.qr_codes import svg
from app.registry.codes import Code
from app.rollups.version import raise_version

router = APIRouter(prefix="/api/v1", tags=["invitations"])

ISSUERS = Door(Right.INVITE)


class InvitationIn(BaseModel):
    """A finished case, as the one-stop or hospital software knows it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "case": "H05.12.20261124-0001",
                    "unit": "26506",
                    "procedure": "1.001193",
                    "finished_at": "2026-11-24T09:30:00+07:00",
                    "phone": "0912 345 678",
                }
            ]
        },
    )

    case: Code = Field(description="Code of the case (mã hồ sơ), or of the visit; kept as a hash.")
    unit: Code = Field(description="Code of the unit that finished it.")
    finished_at: AwareDatetime = Field(description="When it was finished, with offset.")
    procedure: Code | None = Field(None, description="Code of the administrative procedure.")
    point: Code | None = Field(
        None, description="Public code of the survey point; needed if the unit has several."
    )
    phone: Annotated[str, StringConstraints(max_length=24)] | None = Field(
        None, description="Mobile number to send the link to; removed once it is sent."
    )
    language: Literal["vi", "en"] = Field("vi", description="Language of the SMS.")


class InvitationOut(BaseModel):
    """The link, which is told now and kept nowhere."""

    invitation: str = Field(description="What webhooks call it.")
    link: str = Field(description="Opens the form, once.")
    expires_at: datetime
    qr: str | None = Field(description="The link as a QR code in SVG, for a printed slip.")


@router.post(
    "/invitations",
    summary="Invite the citizen of a finished case",
    response_model=InvitationOut,
    status_code=201,
    responses={
        200: {"model": InvitationOut, "description": "It had been issued to this key before."}
    },
)
def invite(
    request: Request,
    caller: Annotated[Caller, Depends(ISSUERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    body: InvitationIn,
    qr: Annotated[bool, Query(description="Give the link as a QR code, too.")] = False,
) -> JSONResponse:
    """Make a one-time link for a finished case, and send it by SMS if a number is given.

    Who: ``invitations:issue`` on the unit. Called again by the same key for the same case it
    gives the same link; no case is invited twice.
    """
    secret = request.headers.get("authorization", "").partition(" ")[2].strip()
    case = service.Case(
        body.case, body.unit, body.finished_at, body.procedure, body.point, body.phone,
        body.language,
    )  # fmt: skip
    with database.writing(caller.name) as session:
        issued = service.issue(session, caller, secret, case, settings)
        if not issued.again:
            raise_version(session)  # response rates change with it
    link = service.link_of(issued.token, settings)
    answer: dict[str, Any] = {
        "invitation": issued.number,
        "link": link,
        "expires_at": issued.expires_at.isoformat(),
        "qr": svg(link) if qr else None,
    }
    return JSONResponse(answer, 200 if issued.again else 201, {"Cache-Control": "no-store"})
