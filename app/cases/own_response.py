"""What a citizen answered, for herself: marks in the form's wording, words as they are kept.

Masked as they are: what was taken out of a comment before it was stored nobody has any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cases.citizens import CodeOpensNothing, response_of
from app.intake.models import Response, ResponseText
from app.registry.models import Unit
from app.registry.queries import NamedUnit
from app.registry.questionnaires import Published, published
from surveys.answers import Answer
from surveys.model import (
    BaseItem,
    MultipleChoiceItem,
    NoOpinion,
    Questionnaire,
    RatedItem,
    SingleChoiceItem,
    Text,
)


@dataclass(frozen=True)
class Given:
    """A question, and what she chose: levels, options or a number, in the form's languages."""

    question: Text
    chosen: Sequence[Text]


@dataclass(frozen=True)
class OwnResponse:
    """A response as it is kept: the unit, the local day, what was chosen, and what was written."""

    unit: NamedUnit
    day: date
    given: Sequence[Given]
    written: Sequence[tuple[Text, str]]


def own_response(session: Session, code: str) -> OwnResponse:
    """What the citizen with a code answered.

    Raises
    ------
    CodeOpensNothing
        Where the code opens no response that is kept.
    """
    row = session.get(Response, response_of(session, code))
    if row is None:
        raise CodeOpensNothing(field="code")
    version = next(each for each in published(session) if each.id == row.version_id)
    unit = session.get_one(Unit, row.unit_id)
    texts = session.execute(
        select(ResponseText.item, ResponseText.body).where(ResponseText.response_id == row.id)
    )
    written = {each.item: each.body for each in texts}
    return OwnResponse(
        NamedUnit(unit.code, unit.name_vi, unit.name_en),
        row.day,
        _given(version, bytes(row.packed)),
        [(item.text, written[item.code]) for item in version.form.items if item.code in written],
    )


def _given(version: Published, record: bytes) -> Sequence[Given]:
    answers = version.sheet.unpack(record)
    return [
        Given(item.text, _chosen(version.form, item, answers[item.code]))
        for item in version.form.items
        if item.code in answers
    ]


def _chosen(form: Questionnaire, item: BaseItem, answer: Answer) -> Sequence[Text]:
    if answer is None:
        none = _no_opinion(form, item)
        return [] if none is None else [none.text]
    if isinstance(item, RatedItem):
        return [each.text for each in form.scales[item.scale].levels if each.value == answer]
    if isinstance(item, SingleChoiceItem | MultipleChoiceItem):
        values = answer if isinstance(answer, list) else [answer]
        return [each.text for each in item.options if each.value in values]
    return [Text(vi=f"{answer}".replace(".", ","), en=f"{answer}")]


def _no_opinion(form: Questionnaire, item: BaseItem) -> NoOpinion | None:
    if isinstance(item, RatedItem):
        return form.scales[item.scale].no_opinion
    found = getattr(item, "no_opinion", None)
    return found if isinstance(found, NoOpinion) else None
