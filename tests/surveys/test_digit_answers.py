"""Answers by digits come out of a table as they come out one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import AnswerError
from surveys.digit_answers import DigitTable, Shape, pack
from tests.surveys.test_answers import SHEETS


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


def test_answers_are_a_mapping():
    (answers,) = DigitTable(Shape(("A1", "A2"), frozenset({"A2"})), np.array([[3]], "u1")).rows()
    assert dict(answers) == {"A1": 3, "A2": None}
    assert len(answers) == 2
    assert repr(answers) == "{'A1': 3, 'A2': None}"
    assert "B1" not in answers
    with pytest.raises(KeyError):
        answers["B1"]
