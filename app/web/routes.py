"""Health, the interface's documentation, and the explanation of problems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import fastapi_offline
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import text

from app.access.credentials import Caller
from app.access.doors import ANYONE
from app.db import Database
from app.messages import LANGUAGES, say
from app.problems import NotFound, Problem

router = APIRouter()

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


@router.get("/", include_in_schema=False)
async def start(caller: Annotated[Caller, Depends(ANYONE)]) -> RedirectResponse:
    """Lead to the interface's documentation. Who: anybody."""
    return RedirectResponse("/docs")


@router.get("/docs", include_in_schema=False)
async def documentation(caller: Annotated[Caller, Depends(ANYONE)]) -> HTMLResponse:
    """Show the interface, to read and to try out. Who: anybody."""
    return HTMLResponse(_DOCUMENTATION)


@router.get("/healthz", tags=["operation"], summary="Is the process alive")
async def healthz(caller: Annotated[Caller, Depends(ANYONE)]) -> dict[str, str]:
    """Answer as long as the process runs. Who: anybody."""
    return {"status": "ok"}


@router.get("/readyz", tags=["operation"], summary="Can the process serve")
def readyz(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> dict[str, str]:
    """Answer ok once the database answers. Who: anybody."""
    database: Database = request.app.state.database
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
        "title": {language: say(f"problem.{code}.title", language) for language in LANGUAGES},
        "meaning": found.__doc__,
    }
