"""Answers by digits come out of a table as they come out one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import AnswerError, AnswerSheet
from surveys.digit_answers import MOST_SHEETS, DigitTable, Shape, pack
from surveys.model import Questionnaire
from tests.surveys.test_answers import EVERY_KIND, SHEETS


@st.composite
def tables(draw):
    """A form, and some respondents' digits for some of its items, and of others."""
    sheet = SHEETS[draw(st.sampled_from(sorted(SHEETS)))]
    known = [item.code for item in sheet.form.items]
    code = st.sampled_from(known) if draw(st.booleans()) else st.sampled_from([*known, "unknown"])
    codes = draw(st.lists(code, min_size=1, max_size=30, unique=True))
    null = draw(st.sets(st.sampled_from(codes), max_size=2)) if draw(st.booleans()) else set()
    shape = Shape(tuple(codes), frozenset(null))
    # Nearly always a level that is there, or nothing of a record would ever be looked at.
    digit = st.integers(1, 5) if draw(st.booleans()) else st.integers(0, 9)
    row = st.lists(digit, min_size=len(shape.given), max_size=len(shape.given))
    digits = np.array(draw(st.lists(row, min_size=1, max_size=4)), dtype=np.uint8)
    return sheet, DigitTable(shape, digits.reshape(len(digits), -1))


def outcome(pack, *given, partial):
    try:
        return pack(*given, partial=partial)
    except AnswerError as error:
        return error.mistakes


@given(tables(), st.booleans())
def test_a_table_is_packed_as_its_rows_are(drawn, partial):
    sheet, table = drawn
    for answers, digits in zip(table.rows(), table.digits.tolist(), strict=True):
        each = iter(digits)
        alone = {c: None if c in table.shape.null else next(each) for c in table.shape.codes}
        assert list(answers.items()) == list(alone.items())
        assert outcome(pack, sheet, answers, partial=partial) == outcome(
            sheet.pack, alone, partial=partial
        )


def test_each_form_packs_a_table_of_its_own():
    codes = ("A1", "A2")
    answers = DigitTable(Shape(codes), np.array([[4, 5]], dtype=np.uint8)).rows()[0]
    for code in ("sipas-desk", "every-kind", "sipas-desk"):
        assert pack(SHEETS[code], answers) == SHEETS[code].pack({"A1": 4, "A2": 5})


def test_what_fits_needs_no_second_look(monkeypatch):
    """Or a test that compares both ways would hold one way to itself."""
    sheet = SHEETS["every-kind"]
    table = DigitTable(
        Shape(("A1", "A2", "ten", "percent", "number"), frozenset({"A2"})),
        np.array([[4, 0, 9, 9], [1, 9, 0, 0], [6, 9, 0, 0]], dtype=np.uint8),
    )
    alone = [sheet.pack(dict(answers)) for answers in table.rows()[:2]]
    monkeypatch.setattr(type(sheet), "pack", None)
    assert [pack(sheet, answers) for answers in table.rows()[:2]] == alone
    assert table.records(sheet)[2] is None  # no level 6


def test_a_table_is_packed_once_for_each_of_two_forms(monkeypatch):
    """Two versions come by turns while devices learn of the newer one."""
    codes = ("A1", "A2")
    rows = DigitTable(Shape(codes), np.array([[4, 5], [3, 2]] * 8, dtype=np.uint8)).rows()
    sheets = [AnswerSheet(SHEETS["sipas-desk"].form) for _ in range(3)]
    packed, pack_table = [], DigitTable._packed
    monkeypatch.setattr(
        DigitTable, "_packed", lambda self, sheet: packed.append(sheet) or pack_table(self, sheet)
    )
    for answers in rows:
        for sheet in sheets:
            assert pack(sheet, answers) == sheet.pack(dict(answers))
    assert packed == sheets[:MOST_SHEETS]


def test_no_text_needs_no_second_look(monkeypatch):
    sheet = SHEETS["sipas-desk"]
    shape = Shape(("A1", "comment"), frozenset({"comment"}))
    table = DigitTable(shape, np.array([[4], [5]], dtype=np.uint8))
    alone = [sheet.pack(dict(answers)) for answers in table.rows()]
    monkeypatch.setattr(type(sheet), "pack", None)
    assert [pack(sheet, answers) for answers in table.rows()] == alone


def test_mistakes_are_named_in_the_order_of_the_answers():
    sheet = SHEETS["sipas-desk"]
    shape = Shape(("x", "A2", "y", "A1", "z"), frozenset({"y"}))
    (answers,) = DigitTable(shape, np.array([[1, 9, 8, 2]], dtype=np.uint8)).rows()
    assert list(answers.plain().items()) == list(dict(answers).items())
    with pytest.raises(AnswerError) as error:
        pack(sheet, answers)
    assert [each.item for each in error.value.mistakes] == ["x", "A2", "y", "A1", "z"]


def form_with(code, more):
    """The form of every kind with some of its other items alone, changed."""
    document = EVERY_KIND.model_dump(mode="json", by_alias=True, exclude_none=True)
    items = [item | more[item["code"]] for item in document["more"] if item["code"] in more]
    return AnswerSheet(Questionnaire.model_validate(document | {"code": code, "more": items}))


def test_what_is_required_is_asked_for_unless_a_form_was_left_unfinished():
    for sheet in (SHEETS["every-kind"], form_with("required-alone", {"ten": {}})):
        (answers,) = DigitTable(Shape(("A2",)), np.array([[4]], dtype=np.uint8)).rows()
        assert pack(sheet, answers, partial=True) == sheet.pack({"A2": 4}, partial=True)
        with pytest.raises(AnswerError) as error:
            pack(sheet, answers)
        assert [(each.item, each.reason) for each in error.value.mistakes] == [
            ("A1", "answer.required")
        ]


def test_a_digit_may_take_several_bytes():
    sheet = form_with("far", {"number": {"minimum": -90}})
    shape = Shape(("A1", "number"))
    for digits in ([4, 0], [4, 9]):
        (answers,) = DigitTable(shape, np.array([digits], dtype=np.uint8)).rows()
        assert pack(sheet, answers) == sheet.pack({"A1": 4, "number": digits[1]})
        assert answers.record(sheet) is not None


def test_answers_are_a_mapping():
    (answers,) = DigitTable(Shape(("A1", "A2"), frozenset({"A2"})), np.array([[3]], "u1")).rows()
    assert dict(answers) == {"A1": 3, "A2": None}
    assert len(answers) == 2
    assert repr(answers) == "{'A1': 3, 'A2': None}"
    assert "B1" not in answers
    with pytest.raises(KeyError):
        answers["B1"]
