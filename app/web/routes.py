"""The start page, health, and the explanation of problems."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy import text

from app.access.credentials import Caller
from app.access.doors import ANYONE
from app.db import Database
from app.messages import LANGUAGES, say
from app.problems import NotFound, Problem

router = APIRouter()


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
