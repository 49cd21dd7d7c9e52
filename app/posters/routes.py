"""GET /posters and its files: posters, cards and single codes of one's survey points."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select

from app import qr_codes
from app.access import scope
from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.dependencies import DATABASE, DatabaseDependency
from app.posters import drawing
from app.posters.drawing import Poster, Size
from app.posters.selection import address_of, of_units
from app.problems import Problem
from app.registry.models import PointCode, SurveyPoint

router = APIRouter(prefix="/api/v1/posters", tags=["posters"])

READERS = Door(Right.READ_REGISTRY)


class NoPosters(Problem):
    """No survey point of these units has a code to be printed, or it is not the caller's."""

    code, status = "no-posters", 404


class TooManyPosters(Problem):
    """More posters than one file holds; ask for a smaller unit."""

    code, status = "too-many-posters", 422


class UnknownCode(Problem):
    """No survey point of the caller's has this code now."""

    code, status = "unknown-code", 404


_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("", summary="Posters as PDF", responses=_PDF, response_class=Response)
def posters(
    request: Request,
    caller: Annotated[Caller, Depends(READERS)],
    database: DatabaseDependency,
    unit: Annotated[
        list[str], Query(description="Codes of units, each with all below; all if none is named.")
    ] = [],  # noqa: B006 - FastAPI copies it
    size: Annotated[Size, Query(description="A sheet a point, or four cards a sheet.")] = Size.A4,
) -> Response:
    """Posters of all open survey points with a QR code or a link, in one PDF.

    Who: ``registry:read``, on the units that it is held on.
    """
    with database.reading() as session:
        found = of_units(session, caller, unit)
        drawn = [Poster.of(point, address_of(request)) for point in found]
    if not drawn:
        raise NoPosters(field="unit")
    if len(drawn) > drawing.MOST:
        raise TooManyPosters(field="unit", count=len(drawn), limit=drawing.MOST)
    name = f"{'-'.join(unit)[:60] or 'posters'}-{size.value}.pdf"
    return _file(drawing.pdf(drawn, size), "application/pdf", name)


@router.get("/{code}.png", summary="One code as PNG", response_class=Response)
def png(request: Request, caller: Annotated[Caller, Depends(READERS)], code: str) -> Response:
    """The QR code of one survey point, to be put into a page or a letter.

    Who: ``registry:read`` on the point's unit.
    """
    poster = _one(request, caller, code)
    return _file(qr_codes.png(poster.address), "image/png", f"{poster.code}.png")


@router.get("/{code}.svg", summary="One code as SVG", response_class=Response)
def svg(request: Request, caller: Annotated[Caller, Depends(READERS)], code: str) -> Response:
    """The QR code of one survey point as vectors.

    Who: ``registry:read`` on the point's unit.
    """
    poster = _one(request, caller, code)
    return _file(qr_codes.svg(poster.address).encode(), "image/svg+xml", f"{poster.code}.svg")


def _one(request: Request, caller: Caller, code: str) -> Poster:
    database = DATABASE.of(request)
    with database.reading() as session:
        point = session.scalar(
            select(SurveyPoint)
            .join(PointCode)
            .where(
                PointCode.code == "".join(filter(str.isalnum, code))[:16].upper(),
                PointCode.replaced_at.is_(None),
                scope.within(SurveyPoint.unit_id, caller, Right.READ_REGISTRY),
            )
        )
        if point is None:
            raise UnknownCode(field="code")
        return Poster.of(point, address_of(request))


def _file(content: bytes, media_type: str, name: str) -> Response:
    safe = "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign in "-._"))
    headers = {"Content-Disposition": f'inline; filename="{safe}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
