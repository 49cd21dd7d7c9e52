"""GET /api/v1/reports: a report as PDF, DOCX or XLSX."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import JsonValue

from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.api.views import Choice
from app.dependencies import DatabaseDependency, SettingsDependency
from app.figures.query import StructureOf
from app.reports.documents.contents import gather
from app.reports.documents.files import Kind
from app.reports.documents.letterhead import UNSIGNED, Signing
from app.settings.signers import lines_of

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

READERS = Door(Right.READ_FIGURES)
_FILES: dict[int | str, dict[str, JsonValue]] = {
    200: {
        "content": {kind.media: {"schema": {"type": "string", "format": "binary"}} for kind in Kind}
    }
}


_Line = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _signing(
    number: Annotated[
        _Line, Query(description="The letter's number: 12, or with its symbol 12/BC-UBND.")
    ] = "",
    position: Annotated[
        _Line, Query(description="As what it is signed; a stroke between blanks divides lines.")
    ] = "",
    signer: Annotated[_Line, Query(description="The name of who signs.")] = "",
) -> Signing:
    """What is filled in of a letter; the rest is as HAILONG_REPORT_SIGNERS has it, or dotted."""
    return Signing(number.strip(), position=lines_of(position), name=signer.strip())


@router.get("", summary="A report as PDF, DOCX or XLSX", responses=_FILES, response_class=Response)
def report(
    request: Request,
    database: DatabaseDependency,
    settings: SettingsDependency,
    caller: Annotated[Caller, Depends(READERS)],
    chosen: Choice,
    kind: Annotated[Kind, Query(alias="format", description="As what.")] = Kind.PDF,
    language: Annotated[Literal["vi", "en"], Query(description="In which language.")] = "vi",
    signing: Annotated[Signing, Depends(_signing)] = UNSIGNED,
) -> Response:
    """A report in the layout of official letters, also to be edited, or a workbook of its figures.

    Who: whoever has ``figures:read``, over the units that they have it on. Small cells are hidden
    whoever asks: a report goes from hand to hand.

    Without ``structure`` rates are given in the tree of units of today, and units are compared as
    they were on the last day of the period; with it both are of that tree.
    """
    compared_in = chosen.structure if "structure" in request.query_params else StructureOf.THEN
    with database.reading() as session:
        found = gather(
            session, caller, settings, chosen, language, compared_in=compared_in, signing=signing
        )
    content = kind.write(found)
    name = f"{found.unit.code if found.unit else 'all'}-{found.about.period}.{kind.value}"
    return Response(
        content,
        media_type=kind.media,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )
