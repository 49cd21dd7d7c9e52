"""Draws posters and cards as PDF, by Typst.

The address stands beside the code in print, for phones that cannot scan.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.drawing import process
from app.messages import say
from app.qr_codes import svg
from app.registry.models import SurveyPoint
from app.registry.points import current_code

_TEMPLATE = Path(__file__).parent / "poster.typ"
CARDS_A_SHEET = 4
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
    #: Which of the unit's points it is, as the desk where it stands; empty where it is not said.
    place: str = ""

    @classmethod
    def of(cls, point: SurveyPoint, public_url: str) -> Poster:
        """The poster of a survey point with its current code."""
        code = current_code(point)
        address = f"{public_url.rstrip('/')}/q/{code}"
        unit = point.unit
        # A point that was given no name of its own has its unit's.
        place = "" if point.name == unit.name_vi else point.name
        return cls(unit.name_vi, unit.name_en, code, address, unit.code, point.questionnaire, place)


def pdf(posters: Sequence[Poster], size: Size) -> bytes:
    """Posters in one PDF, a page each, or four cards on a page.

    Cards of points that all fit on one sheet fill it with as many copies of each: four of one
    point, two of each of two. More points have one card each.

    Raises
    ------
    ValueError
        Where there are none, or more than ``MOST``.
    """
    if not 1 <= len(posters) <= MOST:
        raise ValueError(f"{len(posters)} posters; from 1 to {MOST} fit one file")
    copies = max(1, CARDS_A_SHEET // len(posters)) if size is Size.CARD else 1
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
                "place": poster.place,
                # Read and typed from paper: without what every browser adds by itself.
                "address": poster.address.removeprefix("https://").removeprefix("http://"),
                "code": svg(poster.address),
            }
            for poster in posters
            for _ in range(copies)
        ],
    }
    return process.pdf(_TEMPLATE, json.dumps(content))
