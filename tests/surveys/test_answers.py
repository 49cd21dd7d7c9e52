"""Answers are checked against the form and packed without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import AnswerError, AnswerSheet, load_directory
from surveys.model import (
    LongTextItem,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    Questionnaire,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    ZeroToTenItem,
)

SHEETS = {form.code: AnswerSheet(form) for form in load_directory().values()}

EVERY_KIND = Questionnaire.model_validate(
    {
        "code": "every-kind",
        "version": 1,
        "title": {"vi": "x", "en": "x"},
        "source": {"vi": "x", "en": "x"},
        "scales": {
            "five": {
                "levels": [{"value": v, "text": {"vi": "x", "en": "x"}} for v in range(1, 6)],
                "satisfied": [4, 5],
                "no_opinion": {"value": 0, "text": {"vi": "x", "en": "x"}},
            }
        },
        "factors": [
            {
                "code": "A",
                "title": {"vi": "x", "en": "x"},
                "items": [
                    {
                        "code": "A1",
                        "scale": "five",
                        "required": True,
                        "text": {"vi": "x", "en": "x"},
                    },
                    {"code": "A2", "scale": "five", "text": {"vi": "x", "en": "x"}},
                ],
            }
        ],
        "more": [
            {
                "code": "one",
                "kind": "single_choice",
                "text": {"vi": "x", "en": "x"},
                "options": [{"value": v, "text": {"vi": "x", "en": "x"}} for v in (1, 7)],
            },
            {
                "code": "many",
                "kind": "multiple_choice",
                "text": {"vi": "x", "en": "x"},
                "shown_if": {"item": "one", "is": [7]},
                "options": [{"value": v, "text": {"vi": "x", "en": "x"}} for v in (1, 2, 3)],
            },
            {"code": "ten", "kind": "zero_to_ten", "text": {"vi": "x", "en": "x"}},
            {"code": "percent", "kind": "percent", "maximum": 200, "text": {"vi": "x", "en": "x"}},
            {
                "code": "number",
                "kind": "number",
                "minimum": -5,
                "maximum": 99.5,
                "decimals": 1,
                "no_opinion": {"text": {"vi": "x", "en": "x"}},
                "text": {"vi": "x", "en": "x"},
            },
            {
                "code": "line",
                "kind": "short_text",
                "max_length": 10,
                "text": {"vi": "x", "en": "x"},
            },
            {"code": "lines", "kind": "long_text", "text": {"vi": "x", "en": "x"}},
        ],
        "scoring": {"index": ["A"]},
    }
)
SHEETS["every-kind"] = AnswerSheet(EVERY_KIND)


def _value_of(item, form):
    match item:
        case RatedItem():
            scale = form.scales[item.scale]
            values = st.sampled_from([level.value for level in scale.levels])
            return (
                st.one_of(values, st.none()) if scale.no_opinion and not item.required else values
            )
        case SingleChoiceItem():
            return st.sampled_from([option.value for option in item.options])
        case MultipleChoiceItem():
            options = [option.value for option in item.options]
            return st.lists(st.sampled_from(options), unique=True, min_size=1).map(sorted)
        case ZeroToTenItem():
            return st.integers(0, 10)
        case PercentItem():
            return st.integers(0, item.maximum)
        case NumberItem():
            step = 10**item.decimals
            whole = st.integers(round(item.minimum * step), round(item.maximum * step))
            return whole.map(lambda n: n / step if item.decimals else n)


@st.composite
def sheets_with_answers(draw):
    sheet = SHEETS[draw(st.sampled_from(sorted(SHEETS)))]
    answers = {}
    for item in sheet.form.items:
        if isinstance(item, ShortTextItem | LongTextItem):
            continue
        if item.shown_if is not None and answers.get(item.shown_if.item) not in item.shown_if.is_:
            continue
        if item.required or draw(st.booleans()):
            answers[item.code] = draw(_value_of(item, sheet.form))
    return sheet, answers


@given(sheets_with_answers())
def test_what_is_packed_is_unpacked(drawn):
    sheet, answers = drawn
    packed, texts = sheet.pack(answers)
    assert len(packed) == sheet.width == sheet.dtype.itemsize
    assert texts == {}
    assert sheet.unpack(packed) == answers
    assert len(sheet.table([packed, packed])) == 2


def refused(answers, code="every-kind"):
    with pytest.raises(AnswerError) as caught:
        SHEETS[code].pack(answers)
    return {mistake.item: mistake.reason for mistake in caught.value.mistakes}


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        ("A2", 6, "answer.not_a_level"),
        ("A2", "4", "answer.not_a_level"),
        ("A2", True, "answer.not_a_level"),
        ("A2", 4.0, "answer.not_a_level"),
        ("A2", [4], "answer.not_a_level"),
        ("A2", {"x": 1}, "answer.not_a_level"),
        ("one", 2, "answer.not_a_level"),
        ("ten", 11, "answer.not_a_level"),
        ("percent", 201, "answer.not_a_percent"),
        ("percent", 1.5, "answer.not_a_percent"),
        ("number", 99.6, "answer.not_a_number"),
        ("number", float("nan"), "answer.not_a_number"),
        ("number", float("inf"), "answer.not_a_number"),
        ("number", 10**400, "answer.not_a_number"),
        ("number", False, "answer.not_a_number"),
        ("number", 1.25, "answer.too_many_decimals"),
        ("line", 5, "answer.not_text"),
        ("line", "12345678901", "answer.too_long"),
        ("B1", 4, "answer.unknown_item"),
        ("A1\x00", 4, "answer.unknown_item"),
    ],
)
def test_an_impossible_answer_is_refused_by_its_item(code, value, reason):
    assert refused({"A1": 3, code: value}) == {code: reason}


def test_options_of_a_multiple_choice():
    shown = {"A1": 3, "one": 7}
    assert refused(shown | {"many": [4]}) == {"many": "answer.not_options"}
    assert refused(shown | {"many": 1}) == {"many": "answer.not_options"}
    assert refused(shown | {"many": [1, 1]}) == {"many": "answer.option_twice"}


def test_of_a_required_item_that_is_wrong_nothing_is_said_to_lack():
    with pytest.raises(AnswerError) as error:
        SHEETS["every-kind"].pack({"A1": 9})
    assert [(each.item, each.reason) for each in error.value.mistakes] == [
        ("A1", "answer.not_a_level")
    ]


def test_required_hidden_and_several_mistakes_at_once():
    assert refused({}) == {"A1": "answer.required"}
    assert refused({"A1": 3, "one": 1, "many": [1]}) == {"many": "answer.not_shown"}
    assert refused({"A1": 3, "many": [1]}) == {"many": "answer.not_shown"}
    assert refused({"A2": 9, "Z": 1}) == {
        "A2": "answer.not_a_level",
        "Z": "answer.unknown_item",
        "A1": "answer.required",
    }


def test_no_opinion_is_null_or_the_forms_number_and_no_answer_at_all():
    sheet = SHEETS["every-kind"]
    by_null, _ = sheet.pack({"A1": 3, "A2": None})
    by_number, _ = sheet.pack({"A1": 3, "A2": 0})
    assert by_null == by_number
    assert sheet.unpack(by_null) == {"A1": 3, "A2": None}
    # An item that offers no way out: null says that it was passed over.
    assert sheet.unpack(sheet.pack({"A1": 3, "one": None})[0]) == {"A1": 3}


def test_a_row_of_marks_without_end_is_cut_before_it_is_composed():
    """To compose a row takes a time of its square: this one would take an hour."""
    _, texts = SHEETS["sipas-desk"].pack({"comment": "a" + "\u0323\u0301" * 1_000_000 + "b"})
    assert texts["comment"].startswith("ạ") and texts["comment"].endswith("b")
    assert len(texts["comment"]) < 40
    _, texts = SHEETS["sipas-desk"].pack({"comment": "e\u0302\u0301 ế"})
    assert texts["comment"] == "ế ế"


def test_texts_are_cleaned_and_stand_apart():
    sheet = SHEETS["every-kind"]
    packed, texts = sheet.pack(
        {"A1": 3, "line": " a\x00b\n ", "lines": "x\r\ny\u0301\x07", "one": None}
    )
    assert texts == {"line": "a b", "lines": "x\ný"}
    assert sheet.unpack(packed) == {"A1": 3}
    assert sheet.pack({"A1": 3, "line": "   ", "lines": None})[1] == {}
