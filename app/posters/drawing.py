"""Draws posters and cards as PDF, by Typst.

The address stands beside the code in print, for phones that cannot scan.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typst

from app.messages import say
from app.qr_codes import svg
from app.registry.models import SurveyPoint
from app.registry.points import current_code

_TEMPLATE = Path(__file__).parent / "poster.typ"
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
    unit_code: str = ""
    questionnaire: str = ""

    @classmethod
    def of(cls, point: SurveyPoint, public_url: str) -> Poster:
        """The poster of a survey point with its current code."""
        code = current_code(point)
        address = f"{public_url.rstrip('/')}/q/{code}"
        unit = point.unit
        return cls(unit.name_vi, unit.name_en, code, address, unit.code, point.questionnaire)


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
