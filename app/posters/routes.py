"""GET /posters and its files: posters, cards and single codes of one's survey points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app import qr_codes
from app.access.callers import Caller
from app.access.doors import Door
from app.access.models import Right
from app.clock import local_today
from app.dependencies import DATABASE, SETTINGS, DatabaseDependency
from app.posters import drawing
from app.posters.drawing import Poster, Size
from app.posters.selection import address_of, of_codes, of_units
from app.problems import Problem
from app.registry.models import PointState, SurveyPoint
from app.registry.places import check_open

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
    point: Annotated[
        list[str],
        Query(
            description="Codes of survey points, instead of units: these alone, in this order.",
            max_length=drawing.MOST,
        ),
    ] = [],  # noqa: B006 - FastAPI copies it
    size: Annotated[Size, Query(description="A sheet a point, or four cards a sheet.")] = Size.A4,
) -> Response:
    """Posters of all open survey points with a QR code or a link, or of chosen ones, in one PDF.

    A sheet of cards is filled: four of one point, two of each of two, else one of each.

    Who: ``registry:read``, on the units that it is held on.
    """
    today = local_today(SETTINGS.of(request).zone)
    with database.reading() as session:
        found: Sequence[SurveyPoint]
        if point:
            found, strangers = of_codes(session, caller, point)
            if strangers or any(each.state == PointState.REVOKED for each in found):
                raise UnknownCode(field="point")
            for each in found:
                check_open(session, each.unit, today)
        else:
            found = of_units(session, caller, unit, today)
        drawn = [Poster.of(each, address_of(request)) for each in found]
    if not drawn:
        raise NoPosters(field="unit")
    if len(drawn) > drawing.MOST:
        raise TooManyPosters(field="unit", count=len(drawn), limit=drawing.MOST)
    name = f"{'-'.join(point or unit)[:60] or 'posters'}-{size.value}.pdf"
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
    with DATABASE.of(request).reading() as session:
        points, _ = of_codes(session, caller, [code])
        if not points:
            raise UnknownCode(field="code")
        check_open(session, points[0].unit, local_today(SETTINGS.of(request).zone))
        return Poster.of(points[0], address_of(request))


def _file(content: bytes, media_type: str, name: str) -> Response:
    safe = "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign in "-._"))
    headers = {"Content-Disposition": f'inline; filename="{safe}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
