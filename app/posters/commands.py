"""The command ``hailong qr``."""

from __future__ import annotations

from pathlib import Path

import typer

from app import qr_codes
from app.access.callers import owner
from app.clock import local_today
from app.commands import Refused, open_database, operator, say_error
from app.posters import drawing
from app.posters.drawing import Poster, Size
from app.posters.selection import of_units
from app.problems import Problem
from app.registry.named_on import ON, unit_named
from app.registry.places import check_open
from app.registry.points import find_by_code
from app.settings import Settings


def qr(
    code: list[str] = typer.Argument(None, help="Public codes of survey points."),
    unit: list[str] = typer.Option([], help="Or codes of units, each with all below."),
    on: str = ON,
    size: Size = typer.Option(Size.A4, help="A sheet a point, or four cards a sheet."),
    out: Path = typer.Option(
        Path("posters.pdf"), help="File to write: .pdf, or .png or .svg for a single code."
    ),
) -> None:
    """Write posters or desk cards of survey points as PDF, or one code as PNG or SVG."""
    settings = Settings()
    if settings.public_url is None:
        say_error(
            "HAILONG_PUBLIC_URL is not set: the codes lead to this machine only "
            f"(http://{settings.host}:{settings.port})"
        )
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    today = local_today(settings.zone)
    with open_database() as database, database.reading() as session:
        points = []
        for each in code or []:
            point = find_by_code(session, each.upper())
            if point is None:
                raise Refused(f"no survey point has the current code {each}")
            points.append(point)
        try:
            for point in points:
                check_open(session, point.unit, today)
            if unit or not points:
                named = [unit_named(session, each, on) for each in unit]
                points += of_units(session, owner(operator()), named, today)
        except Problem as problem:
            raise Refused(problem.detail("en")) from problem
        posters = [Poster.of(point, base) for point in points]
    try:
        out.write_bytes(_drawn(posters, size, out.suffix.lower()))
    except (ValueError, OSError) as error:
        raise Refused(str(error)) from error
    typer.echo(f"{out}: {len(posters)} survey points")


def _drawn(posters: list[Poster], size: Size, suffix: str) -> bytes:
    if suffix == ".pdf":
        return drawing.pdf(posters, size)
    if suffix not in (".png", ".svg"):
        raise ValueError(f"{suffix or 'a file without ending'}: choose .pdf, .png or .svg")
    if len(posters) != 1:
        raise ValueError(f"{suffix} holds one code, and {len(posters)} survey points were named")
    address = posters[0].address
    return qr_codes.png(address) if suffix == ".png" else qr_codes.svg(address).encode()
