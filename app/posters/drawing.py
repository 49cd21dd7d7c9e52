"""Draws QR codes, posters and cards: PNG and SVG by Segno, PDF by Typst.

A code has error correction of level M at least (15 % of it may be dirty or scratched) and the
quiet zone of four modules that ISO/IEC 18004 asks for. The address stands beside it in print, for
phones that cannot scan.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import segno
import typst

from app.messages import say
from app.registry.models import SurveyPoint
from app.registry.points import current_code

_TEMPLATE = Path(__file__).parent / "poster.typ"
QUIET_ZONE = 4
#: Most posters in one file: a district of the largest province, twice over.
MOST = 500


class Size(StrEnum):
    """What is printed; cards stand four on a sheet of A4, to be cut."""

    A4 = "a4"
    A5 = "a5"
    CARD = "card"


@dataclass(frozen=True)
class Poster:
    """One poster: whom it is about, and where its code leads."""

    unit: str
    unit_en: str
    code: str
    address: str

    @classmethod
    def of(cls, point: SurveyPoint, public_url: str) -> Poster:
        """The poster of a survey point with its current code."""
        code = current_code(point)
        address = f"{public_url.rstrip('/')}/q/{code}"
        return cls(point.unit.name_vi, point.unit.name_en, code, address)


def png(address: str, *, scale: int = 12) -> bytes:
    """A code as PNG; ``scale`` is the pixels of a module."""
    buffer = io.BytesIO()
    _code(address).save(buffer, kind="png", scale=scale, border=QUIET_ZONE)
    return buffer.getvalue()


def svg(address: str) -> str:
    """A code as SVG, ten units a module."""
    buffer = io.BytesIO()
    _code(address).save(
        buffer, kind="svg", scale=10, border=QUIET_ZONE, xmldecl=True, light="white", title=address
    )
    return buffer.getvalue().decode()


def pdf(posters: Sequence[Poster], size: Size) -> bytes:
    """Posters in one PDF, a page each, or four cards on a page.

    Raises
    ------
    ValueError
        Where there are none, or more than ``MOST``.
    """
    if not 1 <= len(posters) <= MOST:
        raise ValueError(f"{len(posters)} posters; from 1 to {MOST} fit one file")
    content = {
        "size": size.value,
        "title": say("poster.title", "vi"),
        "invitation": say("poster.invitation", "vi"),
        "invitation_en": say("poster.invitation", "en"),
        "how": [say(f"poster.how_{step}", "vi") for step in (1, 2, 3)],
        "promise": say("poster.promise", "vi"),
        "promise_en": say("poster.promise", "en"),
        "or_type": say("poster.or_type", "vi"),
        "posters": [
            {
                "unit": poster.unit,
                "unit_en": poster.unit_en,
                # Read and typed from paper: without what every browser adds by itself.
                "address": poster.address.removeprefix("https://").removeprefix("http://"),
                "code": svg(poster.address),
            }
            for poster in posters
        ],
    }
    drawn = typst.compile(_TEMPLATE, sys_inputs={"content": json.dumps(content)})
    assert isinstance(drawn, bytes)
    return drawn


def _code(address: str) -> segno.QRCode:
    return segno.make(address, error="m", micro=False, boost_error=True)
