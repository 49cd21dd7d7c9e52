"""Health, the interface's documentation, and the explanation of problems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import fastapi_offline
from fastapi import APIRouter, Depends, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import text

from app.access.credentials import Caller
from app.access.doors import ANYONE
from app.db import Database
from app.messages import LANGUAGES, say
from app.problems import NotFound, Problem

router = APIRouter()

#: Script and style of the documentation page, served by ourselves: nothing comes from a CDN.
DOCUMENTATION_FILES = Path(fastapi_offline.__file__).parent / "static"
DOCUMENTATION_PATH = "/static/documentation"


@router.get("/", include_in_schema=False)
async def start(caller: Annotated[Caller, Depends(ANYONE)]) -> RedirectResponse:
    """Lead to the interface's documentation. Who: anybody."""
    return RedirectResponse("/docs")


@router.get("/docs", include_in_schema=False)
async def documentation(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)]
) -> HTMLResponse:
    """Show the interface, to read and to try out. Who: anybody."""
    return get_swagger_ui_html(
        openapi_url=str(request.app.openapi_url),
        title=request.app.title,
        swagger_js_url=f"{DOCUMENTATION_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{DOCUMENTATION_PATH}/swagger-ui.css",
        swagger_favicon_url=f"{DOCUMENTATION_PATH}/favicon.png",
    )


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
