"""A questionnaire of numbers: a fee in whole đồng, a weight with a decimal, a per cent."""

from __future__ import annotations

from app.db import Database
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.questionnaires import publish
from surveys.model import Questionnaire
from tests.small_province import SmallProvince

CODE = "numbers"


def text(words: str) -> dict[str, str]:
    """A wording, the same in both languages."""
    return {"vi": words, "en": words}


NUMBERS = Questionnaire.model_validate(
    {
        "code": CODE,
        "version": 1,
        "title": text("Chi phí"),
        "source": text("x"),
        "scales": {
            "two": {
                "levels": [{"value": v, "text": text(f"Mức {v}")} for v in (1, 2)],
                "satisfied": [2],
            }
        },
        "factors": [
            {
                "code": "A",
                "title": text("A"),
                "items": [{"code": "A1", "scale": "two", "text": text("Hài lòng?")}],
            }
        ],
        "more": [
            {"code": "fee", "kind": "number", "minimum": 0, "maximum": 10_000_000}
            | {"text": text("Lệ phí")},
            {"code": "weight", "kind": "number", "minimum": 0, "maximum": 60_000, "decimals": 1}
            | {"text": text("Cân nặng")},
            {"code": "share", "kind": "percent", "text": text("Bao nhiêu phần trăm?")},
        ],
        "scoring": {"index": ["A"]},
    }
)


def opened_point(database: Database, province: SmallProvince, channel: Channel = Channel.QR) -> str:
    """The code of a point that asks for these numbers."""
    with database.writing() as session:
        publish(session, [NUMBERS])
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C1"])
        return current_code(open_point(session, unit, CODE, channel, "x"))
