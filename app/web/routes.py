"""Health, the interface's documentation, and the explanation of problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import fastapi_offline
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from app import dead_letters
from app.access.callers import Caller, Person
from app.access.doors import ANYONE, PageDoor
from app.access.models import Right
from app.clock import Doubt
from app.dependencies import (
    ClockDependency,
    DatabaseDependency,
    ReadinessDependency,
    SupervisorDependency,
)
from app.messages import LANGUAGES
from app.problems import NotFound, Problem
from app.registry.queries import is_synthetic
from app.web.pages import go_to, render
from app.web.staff.dead_letters import TABLES

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
    #: Work in the background that does not run, and how many dead letters wait for a person; for
    #: whoever may read the whole audit log.
    not_running: Sequence[str] = ()
    dead_letters: int = 0
    #: Whether pages of the database are damaged, and the copy to put back, where one is known.
    damaged: bool = False
    last_good: str | None = None


@router.get("/", include_in_schema=False)
def start(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    database: DatabaseDependency,
    clock: ClockDependency,
    supervisor: SupervisorDependency,
) -> Response:
    """Show what one may do; lead strangers to the sign-in page. Who: anybody."""
    if not isinstance(caller, Person):
        return go_to("/sign-in")
    runs_it = caller.has_everywhere(Right.READ_AUDIT)
    with database.reading() as session:
        page = StartPage(
            is_synthetic(session),
            clock.look(),
            supervisor.not_running() if runs_it else (),
            dead_letters.count(session, *TABLES.values()) if runs_it else 0,
            database.damage.found is not None,
            database.damage.last_good,
        )
    return render(request, caller, "staff/start.html", page)


@router.get("/docs", include_in_schema=False)
async def documentation(caller: Annotated[Caller, Depends(ANYONE)]) -> HTMLResponse:
    """Show the interface, to read and to try out. Who: anybody."""
    return HTMLResponse(_DOCUMENTATION)


@router.get("/healthz", tags=["operation"], summary="Is the process alive")
async def healthz(caller: Annotated[Caller, Depends(ANYONE)]) -> dict[str, str]:
    """Answer as long as the process runs. Who: anybody."""
    return {"status": "ok"}


@router.get("/readyz", tags=["operation"], summary="Can the process serve")
async def readyz(
    caller: Annotated[Caller, Depends(ANYONE)], readiness: ReadinessDependency
) -> dict[str, str]:
    """Answer ok, at once, while something could be written lately, by a clock that can be
    believed; else say what is wrong. Who: anybody.
    """
    if found := readiness.problem():
        raise found
    return {"status": "ok"}


@dataclass(frozen=True)
class Connection:
    """What the server sees of a connection, by what the proxy before it says."""

    address: str
    scheme: str
    host: str


@router.get("/connection", tags=["operation"], summary="How the server sees this connection")
async def connection(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Connection:
    """Tell callers their own address, scheme and host as the server sees them. Who: anybody.

    By it ``hailong doctor`` finds a proxy that does not say who calls, or believes all claims.
    """
    address = request.client.host if request.client else ""
    return Connection(address, request.url.scheme, request.url.netloc)


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
