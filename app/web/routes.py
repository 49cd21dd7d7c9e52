"""Health, the interface's documentation, and the explanation of problems."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import fastapi_offline
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import text

from app.access.callers import Caller, Person
from app.access.doors import ANYONE, PageDoor
from app.clock import Doubt
from app.dependencies import ClockDependency, DatabaseDependency
from app.messages import LANGUAGES
from app.problems import NotFound, Problem
from app.registry.queries import is_synthetic
from app.web.pages import go_to, render

router = APIRouter()

VISITORS = PageDoor(strangers=True)

#: Scripts and styles by the path under which they are served; nothing comes from a CDN.
STATIC_FILES = {
    "/static/documentation": Path(fastapi_offline.__file__).parent / "static",
    "/static": Path(__file__).parent / "static",
}
_DOCUMENTATION = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hài Lòng</title>
<link rel="icon" href="/static/documentation/favicon.png">
<link rel="stylesheet" href="/static/documentation/swagger-ui.css">
<script src="/static/documentation/swagger-ui-bundle.js" defer></script>
<script src="/static/documentation.js" defer></script>
</head>
<body><main id="swagger-ui" data-openapi="/openapi.json"></main></body>
</html>
"""


@dataclass(frozen=True)
class StartPage:
    """Whether what is shown here is synthetic; the menu is the page's content."""

    synthetic: bool
    #: What is wrong with the server's clock, if something is.
    doubt: Doubt | None = None


@router.get("/", include_in_schema=False)
def start(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    database: DatabaseDependency,
    clock: ClockDependency,
) -> Response:
    """Show what one may do; lead strangers to the sign-in page. Who: anybody."""
    if not isinstance(caller, Person):
        return go_to("/sign-in")
    with database.reading() as session:
        return render(
            request, caller, "staff/start.html", StartPage(is_synthetic(session), clock.look())
        )


@router.get("/docs", include_in_schema=False)
async def documentation(caller: Annotated[Caller, Depends(ANYONE)]) -> HTMLResponse:
    """Show the interface, to read and to try out. Who: anybody."""
    return HTMLResponse(_DOCUMENTATION)


@router.get("/healthz", tags=["operation"], summary="Is the process alive")
async def healthz(caller: Annotated[Caller, Depends(ANYONE)]) -> dict[str, str]:
    """Answer as long as the process runs. Who: anybody."""
    return {"status": "ok"}


@router.get("/readyz", tags=["operation"], summary="Can the process serve")
def readyz(
    caller: Annotated[Caller, Depends(ANYONE)],
    database: DatabaseDependency,
    clock: ClockDependency,
) -> dict[str, str]:
    """Answer ok once the database answers and the clock can be believed. Who: anybody."""
    clock.check()
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    return {"status": "ok"}


@router.get("/problems/{code}", tags=["operation"], summary="What a problem means")
async def problem(code: str, caller: Annotated[Caller, Depends(ANYONE)]) -> dict[str, object]:
    """Explain the problem whose ``type`` is this address, in both languages. Who: anybody."""
    found = Problem.catalogue.get(code)
    if found is None:
        raise NotFound
    return {
        "code": code,
        "status": found.status,
        "retry": found.passing,
        "title": {language: found.title(language) for language in LANGUAGES},
        "meaning": found.__doc__,
    }
