"""GET /kiosk: an application that is installed once and then works without a network.

The page, its worker and its scripts are one release, known by the hash of their contents; the
worker keeps them on the device. What the device asks and where it stands it reads with its own
key from GET /api/v1/kiosk, and keeps too.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.access import devices
from app.access.callers import STRANGER, Caller
from app.access.doors import ANYONE, Door
from app.access.models import Right
from app.clock import local_today
from app.db import Database
from app.dependencies import DatabaseDependency, SettingsDependency
from app.messages import LANGUAGES, catalogue
from app.registry.models import SurveyPoint, Unit
from app.registry.places import called_on, successors
from app.registry.points import as_point
from app.registry.queries import is_synthetic
from app.registry.questionnaires import offered, versions_of
from app.settings import Settings
from app.web.pages import fill, language_of

router = APIRouter()

DEVICES = Door(Right.SUBMIT)
_STATIC = Path(__file__).parents[1] / "static"
#: What the application consists of, besides its page and manifest.
ASSETS = tuple(
    f"/static/{file.relative_to(_STATIC).as_posix()}"
    for file in (
        *sorted((_STATIC / "kiosk").glob("*.js")),
        _STATIC / "kiosk/kiosk.css",
        _STATIC / "icon.svg",
        _STATIC / "icon-512.png",
    )
)
_WORKER = Path(__file__).parents[1] / "templates/kiosk/kiosk_worker.js"


class StatusIn(BaseModel):
    """What a device tells of itself."""

    model_config = ConfigDict(extra="forbid")

    queue: int = Field(ge=0, lt=2**31, description="Responses that wait on the device.")
    aside: int = Field(ge=0, lt=2**31, description="Responses that were refused for good.")
    release: str = Field(pattern=r"^[0-9a-f]{1,16}$", description="Of the kiosk's program.")
    sent_at: datetime = Field(description="The device's clock.")
    storage_percent: int = Field(
        ge=-1, le=100, description="How full its storage is; -1 if it cannot tell."
    )


class StatusOut(BaseModel):
    """What the device should know in return."""

    time: datetime = Field(description="The server's clock.")
    release: str = Field(description="The newest release of the kiosk's program.")
    configuration: str = Field(description="Hash of the newest configuration.")


@router.get("/kiosk", include_in_schema=False)
def kiosk(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Show the kiosk's application. Who: anybody; it is nothing without a pairing code."""
    html = fill("kiosk/kiosk.html", language_of(request, STRANGER), _words())
    # The worker keeps the page; the browser's cache would only stand in the way of a new one.
    return Response(html, media_type="text/html", headers={"Cache-Control": "no-cache"})


@router.get("/kiosk/worker.js", include_in_schema=False)
def worker(caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Give the worker that keeps the application on the device. Who: anybody."""
    source = _WORKER.read_text(encoding="utf-8")
    source = source.replace('"{release}"', json.dumps(release()))
    source = source.replace('"{assets}"', json.dumps(["/kiosk", "/kiosk/manifest", *ASSETS]))
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/kiosk"}
    return Response(source, media_type="text/javascript", headers=headers)


@router.get("/kiosk/manifest", include_in_schema=False)
def manifest(caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Say how the application is installed. Who: anybody."""
    document = {
        "name": "Hài Lòng",
        "short_name": "Hài Lòng",
        "lang": "vi",
        "start_url": "/kiosk",
        "scope": "/kiosk",
        "display": "fullscreen",
        "background_color": "#f4f6f5",
        "theme_color": "#0b5d4f",
        "icons": [
            {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"},
            {"src": "/static/icon-512.png", "sizes": "512x512", "type": "image/png"},
        ],
    }
    return Response(
        json.dumps(document, ensure_ascii=False), media_type="application/manifest+json"
    )


@router.get("/api/v1/kiosk", tags=["kiosks"], summary="What a kiosk asks, and where it stands")
def configuration(
    caller: Annotated[Caller, Depends(DEVICES)],
    database: DatabaseDependency,
    settings: SettingsDependency,
) -> JSONResponse:
    """Give a device its questionnaire, its place and its settings, to be kept on it.

    Who: a device with its own key.
    """
    document = _configuration(database, settings, caller)
    return JSONResponse(
        {"hash": _hash(document), "release": release(), **document},
        headers={"Cache-Control": "no-store"},
    )


@router.post(
    "/api/v1/kiosk/status", tags=["kiosks"], summary="Tell of a device", response_model=StatusOut
)
def report(
    caller: Annotated[Caller, Depends(DEVICES)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    body: StatusIn,
) -> StatusOut:
    """Keep what a device tells of itself, and tell it the time and whether there is news.

    Who: a device with its own key.
    """
    now = datetime.now(UTC)
    sent_at = body.sent_at if body.sent_at.tzinfo else body.sent_at.replace(tzinfo=UTC)
    ahead = round((sent_at - now).total_seconds())
    if caller.credential_id is not None:
        with database.writing(caller.name) as session:
            devices.report(
                session,
                caller.credential_id,
                queue=body.queue,
                aside=body.aside,
                release=body.release,
                clock_ahead_s=max(-(2**31) + 1, min(2**31 - 1, ahead)),
                storage_percent=body.storage_percent,
            )
    document = _configuration(database, settings, caller)
    return StatusOut(time=now, release=release(), configuration=_hash(document))


@cache
def release() -> str:
    """The release of the kiosk's program: the hash of all that it consists of."""
    digest = hashlib.sha256()
    templates = Path(__file__).parents[1] / "templates"
    for file in (*(_STATIC / path.removeprefix("/static/") for path in ASSETS), _WORKER):
        digest.update(file.read_bytes())
    for name in ("kiosk/kiosk.html", "faces.html"):
        digest.update((templates / name).read_bytes())
    digest.update(json.dumps(_words()).encode())
    return digest.hexdigest()[:12]


@cache
def _words() -> dict[str, dict[str, str]]:
    """The application's sentences, which it must have without a network."""
    return {language: words_in(language) for language in LANGUAGES}


def words_in(language: str) -> dict[str, str]:
    """The application's sentences in one language."""
    return {
        key.removeprefix("kiosk."): text
        for key, text in catalogue(language).items()
        if key.startswith("kiosk.")
    }


def _configuration(database: Database, settings: Settings, caller: Caller) -> dict[str, Any]:
    assert caller.point is not None  # the right to submit is a device's
    with database.reading() as session:
        point = session.get_one(SurveyPoint, caller.point.id)
        known, today = as_point(point), local_today(settings.zone)
        unit_id, last = known.unit_on(today), known.last_before(today)
        place = session.get(Unit, unit_id or last or point.unit_id) or point.unit
        unit = called_on(session, place, today)
        # A desk whose unit is no more says where its work is done now.
        over = unit_id is None and last is not None
        now_at = successors(session, place.id, today) if over else ()
        form = offered(versions_of(session, point.questionnaire)).form
        return {
            "point": {"name": point.name, "state": point.state},
            "unit": {"vi": unit.name_vi, "en": unit.name_en},
            "open": unit_id is not None,
            "closed": over,
            "now_at": {
                "vi": ", ".join(each.name_vi for each in now_at),
                "en": ", ".join(each.name_en for each in now_at),
            },
            "questionnaire": form.model_dump(mode="json", by_alias=True),
            "languages": [{"code": code, "name": name} for code, name in form.spoken.items()],
            "words": {code: words_in(code) for code in form.languages},
            "synthetic": is_synthetic(session),
            "idle_s": settings.kiosk_idle_s,
            "countdown_s": settings.kiosk_countdown_s,
            # By what name phones reach us: a device in the house may call us by another.
            "reply_url": settings.public_url,
            "reply_code_s": settings.kiosk_code_s,
        }


def _hash(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
