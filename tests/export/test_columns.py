"""Columns of several versions: one where answers mean the same, two where they do not."""

from datetime import UTC, datetime

import pytest

from app.export.columns import columns_of, described
from app.registry.questionnaires import Published
from surveys import load_directory
from surveys.model import Questionnaire


@pytest.fixture(scope="module")
def face():
    forms = load_directory().values()
    return next(form for form in forms if form.code == "kiosk-face").model_dump(by_alias=True)


def published(number, document):
    form = Questionnaire.model_validate(document | {"version": number})
    return Published(number, form, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_better_wording_is_one_column_and_other_answers_are_two(face):
    reworded = Questionnaire.model_validate(face).model_dump(by_alias=True)
    reworded["factors"][0]["items"][0]["text"]["vi"] = "Ông/Bà thấy thế nào?"
    one = columns_of([published(1, face), published(2, reworded)], with_texts=True)
    assert one.sources["S1"].versions == {1, 2}
    assert described(one.schema.field("S1")).label["vi"] == "Ông/Bà thấy thế nào?"
    assert described(one.schema.field("S1")).versions == (1, 2)

    turned = Questionnaire.model_validate(face).model_dump(by_alias=True)
    levels = turned["scales"]["faces"]["levels"]
    for level, text in zip(levels, [each["text"] for each in levels][::-1], strict=True):
        level["text"] = text
    two = columns_of([published(1, face), published(2, turned)], with_texts=False)
    assert two.sources["S1"].versions == {2} and two.sources["S1_v1"].versions == {1}
    assert described(two.schema.field("S1_v1")).labels("en")[5] == "Very satisfied"
    assert "comment" not in two.schema.names and "comment" in one.schema.names
