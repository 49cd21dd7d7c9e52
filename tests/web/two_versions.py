"""A questionnaire of which a second version changes what the same number says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.db import Database
from app.intake.models import Response
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.questionnaires import publish, published
from surveys.model import Questionnaire
from tests.small_province import SmallProvince

CODE = "come-back"
FIRST = ("Có thể", "Chắc chắn", "Không")
#: Here 2 is “maybe”, and “certainly” has another number.
SECOND = ("Chắc chắn", "Có thể", "Không bao giờ")


def text(words: str) -> dict[str, str]:
    """A wording, the same in both languages."""
    return {"vi": words, "en": words}


def form(version: int, options: Sequence[str], remark: str = "Ý kiến") -> Questionnaire:
    """A version with these options of one question, and this wording of another."""
    level = [{"value": value, "text": text(f"Mức {value}")} for value in (1, 2, 3)]
    choices = [{"value": v, "text": text(words)} for v, words in enumerate(options, start=1)]
    again = {"code": "again", "kind": "single_choice", "options": choices}
    return Questionnaire.model_validate(
        {
            "code": CODE,
            "version": version,
            "title": text("Ông/Bà có quay lại không?"),
            "source": text("x"),
            "scales": {"three": {"levels": level, "satisfied": [3]}},
            "factors": [
                {
                    "code": "A",
                    "title": text("A"),
                    "items": [{"code": "A1", "scale": "three", "text": text("Hài lòng?")}],
                }
            ],
            "more": [
                again | {"text": text("Ông/Bà có quay lại không?")},
                {"code": "remark", "kind": "long_text", "text": text(remark)},
            ],
            "scoring": {"index": ["A"]},
        }
    )


def publish_version(database: Database, form: Questionnaire) -> None:
    """Publish a version, as an operator does."""
    with database.writing() as session:
        publish(session, [form])


def opened_point(database: Database, province: SmallProvince) -> str:
    """The code of a point that asks the first version, the only one so far."""
    publish_version(database, form(1, FIRST))
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C1"])
        return current_code(open_point(session, unit, CODE, Channel.QR, "x"))


def stored_answers(database: Database) -> list[tuple[int, Mapping[str, object]]]:
    """The version and the answers of each stored response."""
    with database.reading() as session:
        versions = {version.id: version for version in published(session)}
        rows = session.scalars(select(Response).order_by(Response.received_at)).all()
        return [
            (
                versions[row.version_id].form.version,
                versions[row.version_id].sheet.unpack(row.packed),
            )
            for row in rows
        ]
