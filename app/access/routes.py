"""POST /oauth/token and POST /api/v1/pairings: how scripts and devices get their secrets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse
from limits import parse
from pydantic import BaseModel, ConfigDict, Field

from app.access import devices, oauth, rate_limits
from app.access.buckets import network_of
from app.access.callers import Caller
from app.access.dependencies import RateLimitsDependency
from app.access.doors import ANYONE, CLIENTS
from app.dependencies import DatabaseDependency, SettingsDependency

router = APIRouter(tags=["access"])


class PairingIn(BaseModel):
    """The code that staff made and somebody typed."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=40, examples=["K7XQ-2MDH"])


class PairingOut(BaseModel):
    """What the device keeps."""

    secret: str = Field(description="The device's own key, shown this once.")
    pin: str = Field(description="What staff type on the device to see its queue.")
    point: str = Field(description="Name of its survey point.")
    questionnaire: str = Field(description="Code of the questionnaire that it shows.")


class TokenOut(BaseModel):
    """A successful answer by RFC 6749, 5.1."""

    access_token: str
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="Seconds.")
    scope: str


@router.post(
    "/oauth/token",
    summary="Change a key into a short-lived token",
    response_model=TokenOut,
    responses={
        400: {"description": "Refused in the words of RFC 6749, 5.2."},
        401: {"description": "The key opens nothing."},
    },
)
def token(
    request: Request,
    caller: Annotated[Caller, Depends(CLIENTS)],
    database: DatabaseDependency,
    grant_type: Annotated[str, Form()] = "",
    scope: Annotated[str, Form(max_length=400)] = "",
    client_id: Annotated[str, Form(max_length=200)] = "",
    client_secret: Annotated[str, Form(max_length=200)] = "",
) -> JSONResponse:
    """OAuth 2.0 client credentials: the client is a key, by its number and its secret.

    Who: whoever has a key. The token opens what the key opens, or the part of it that ``scope``
    names, for an hour.
    """
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    try:
        if grant_type != "client_credentials":
            raise oauth.Refusal("unsupported_grant_type", "the grant is client_credentials")
        client = oauth.client_of(request.headers.get("authorization"), client_id, client_secret)
        with database.writing() as session:
            granted = oauth.grant(session, *client, scope)
    except oauth.Refusal as refusal:
        if refusal.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="hailong"'
        return JSONResponse(
            {"error": refusal.error, "error_description": refusal.description},
            refusal.status,
            headers,
        )
    return JSONResponse(
        {
            "access_token": granted.token,
            "token_type": "Bearer",
            "expires_in": oauth.TOKEN_S,
            "scope": " ".join(sorted(granted.rights)),
        },
        headers=headers,
    )


@router.post(
    "/api/v1/pairings", summary="Give a device its key", status_code=201, response_model=PairingOut
)
def pair(
    request: Request,
    caller: Annotated[Caller, Depends(ANYONE)],
    database: DatabaseDependency,
    limits: RateLimitsDependency,
    settings: SettingsDependency,
    body: PairingIn,
) -> JSONResponse:
    """Change the code that was typed into a device, once, into the device's own key.

    Who: anybody who has a code that staff made in the last quarter of an hour. How many an
    address may try is limited (HAILONG_SIGN_IN_ADDRESS_RATE).
    """
    if not limits.ready:
        limits.prepare()
    address = request.client.host if request.client else ""
    hit = limits.hit(parse(settings.sign_in_address_rate), "pair from", network_of(address))
    with database.writing() as session:
        (fine,) = rate_limits.count(session, [hit])
    if not fine:
        seconds = hit.retry_after()
        raise devices.PairingTooOften(headers={"Retry-After": str(seconds)}, seconds=seconds)
    with database.writing("device") as session:
        paired = devices.pair(session, body.code)
        return JSONResponse(
            {
                "secret": paired.secret,
                "pin": paired.pin,
                "point": paired.point.name,
                "questionnaire": paired.point.questionnaire,
            },
            201,
            {"Cache-Control": "no-store"},
        )
