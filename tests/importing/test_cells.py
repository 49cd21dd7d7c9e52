"""Cells whose digits may be a number or a word, and parts of words that are no word."""

import pytest

from app.importing.cells import CellRefused, ItemCells
from app.importing.mapping import ColumnMeaning
from surveys.model import MultipleChoiceItem, NumberItem, Questionnaire, SingleChoiceItem
from tests.importing.exports import INPATIENT

OPTIONS = [
    {"value": 1, "text": {"vi": "0", "en": "0"}},
    {"value": 2, "text": {"vi": "1 hoặc 3", "en": "1 or 3"}},
    {"value": 3, "text": {"vi": "nhiều, rất nhiều", "en": "2"}},
]


def cells(kind, words=None, **more):
    item = kind(kind=kind.model_fields["kind"].annotation.__args__[0], code="X1",
                text={"vi": "x", "en": "x"}, options=OPTIONS)  # fmt: skip
    meaning = ColumnMeaning(item="X1", words=words or {})
    return ItemCells(meaning, item, INPATIENT.form, frozenset(), "vi", **more)


@pytest.mark.parametrize("kind", [SingleChoiceItem, MultipleChoiceItem])
def test_digits_that_are_one_options_number_and_anothers_words_are_refused(kind):
    several = kind is MultipleChoiceItem
    with pytest.raises(CellRefused) as refused:
        cells(kind).answer("2")
    assert refused.value.reason == "importing.label_or_code"
    given = cells(kind, {"2": 3}).answer("2")
    code = cells(kind, digits_are_codes=True).answer("2")
    assert (given, code) == (([3], [2]) if several else (3, 2))
    # Nobody's number: the words count. And no part of an option's words is its word.
    assert cells(kind).answer("0") == ([1] if several else 1)
    assert cells(kind).answer("3") == ([3] if several else 3)
    assert cells(kind).answer("Nhiều, rất  nhiều") == ([3] if several else 3)


def test_levels_are_called_by_each_part_of_their_words():
    assert isinstance(INPATIENT.form, Questionnaire)
    (item,) = [item for item in INPATIENT.form.items if item.code == "A1"]
    read = ItemCells(ColumnMeaning(item="A1"), item, INPATIENT.form, frozenset(), "vi")
    said = {"Rất tốt": 5, "rất hài lòng": 5, "Trung bình": 3, "kém": 2, "0": None,
            "Không sử dụng": None, "Very good": 5, "Fair": 3}  # fmt: skip
    assert {word: read.answer(word) for word in said} == said


def test_a_cell_of_thousands_of_pieces_is_gone_through_once():
    """By the cube of its pieces this would take hours; nothing is timed."""
    with pytest.raises(CellRefused) as refused:
        cells(MultipleChoiceItem).answer(",".join(["1 hoặc 3"] * 20_000 + ["khác"]))
    assert refused.value.reason == "importing.no_option"
    many = ",".join(["1 hoặc 3", "nhiều, rất nhiều"] * 5_000)
    assert cells(MultipleChoiceItem).answer(many) == [2, 3]


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e300, float("inf"), float("nan")])
def test_no_number_is_too_large_to_be_refused(value):
    for kind in (SingleChoiceItem, MultipleChoiceItem):
        with pytest.raises(CellRefused):
            cells(kind).answer(value)
    number = NumberItem(kind="number", code="X1", text={"vi": "x", "en": "x"}, minimum=0, maximum=9)
    read = ItemCells(ColumnMeaning(item="X1"), number, INPATIENT.form, frozenset(), "vi")
    with pytest.raises(CellRefused) as refused:
        read.answer(value)
    assert refused.value.reason == "import.not_a_number"
