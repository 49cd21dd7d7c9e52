"""A typed number has one meaning or none, and what the service writes is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages.words import Words
from surveys.model import NumberItem, PercentItem
from surveys.numbers import (
    Amount,
    TwoNumbersError,
    UnreadableNumberError,
    bounds,
    plain,
    read,
    typed,
    written,
)
from tests.surveys.number_cases import CASES

LANGUAGES = st.sampled_from(["vi", "en"])
DECIMALS = st.integers(0, 4)
TYPED = st.text("0123456789.,-", min_size=1, max_size=12)


def said(text, decimals, language):
    """What a text says: a number, two as they are to be typed, or None."""
    try:
        return read(text, decimals, language)
    except TwoNumbersError as two:
        return tuple(two.values[name].written(language) for name in ("one", "other"))
    except UnreadableNumberError:
        return None


@pytest.mark.parametrize(("text", "decimals", "language", "number"), CASES)
def test_each_text_says_what_the_table_says(text, decimals, language, number):
    assert said(text, decimals, language) == number


@st.composite
def numbers(draw):
    decimals = draw(DECIMALS)
    steps = draw(st.integers(-(10**10), 10**10))
    return steps / 10**decimals, decimals, draw(LANGUAGES)


@given(numbers())
def test_what_the_service_writes_is_read_back(drawn):
    value, decimals, language = drawn
    assert read(written(value, decimals, language), decimals, language) == value


@given(numbers(), DECIMALS)
def test_what_a_field_offers_is_read_back_whatever_the_decimals(drawn, decimals):
    value, _, language = drawn
    assert read(typed(value, decimals, language), decimals, language) == value
    assert float(plain(value)) == value and set(plain(value)) <= set("-.0123456789")


@given(numbers())
def test_forms_write_numbers_as_pages_and_reports_do(drawn):
    value, decimals, language = drawn
    assert written(value, decimals, language) == Words(language).number(value, decimals)


def readings(text):
    """What a text says to a Vietnamese and to an English reader, found without a pattern."""
    found = []
    for group, point in ((".", ","), (",", ".")):
        digits = text.removeprefix("-")
        whole, comma, rest = digits.partition(point)
        first, *others = whole.split(group)
        sound = (
            first.isdigit()
            and all(len(other) == 3 and other.isdigit() for other in others)
            and (rest.isdigit() if comma else True)
            and (not others or (len(first) <= 3 and first[0] != "0"))
        )
        if sound:
            size = float("".join([first, *others]) + "." + (rest or "0"))
            found.append(-size if text.startswith("-") else size)
    return found


@given(TYPED, DECIMALS, LANGUAGES)
def test_nothing_that_two_readings_fit_is_taken_but_what_the_service_writes(
    text, decimals, language
):
    number, found = said(text, decimals, language), set(readings(text))
    if len(found) == 1:
        assert number == found.pop()
    elif not found:
        assert number is None
    elif isinstance(number, tuple):
        assert len(found) == 2
    else:
        assert number in found
        assert text.replace("-", "\N{MINUS SIGN}") == written(number, decimals, language)


@pytest.mark.parametrize(
    ("item", "language", "told"),
    [
        ({"minimum": 0, "maximum": 10_000_000}, "vi", ("0", "10.000.000")),
        ({"minimum": 0, "maximum": 10_000_000}, "en", ("0", "10,000,000")),
        ({"minimum": -5, "maximum": 99.5, "decimals": 1}, "vi", ("−5,0", "99,5")),
        ({"minimum": 0.25, "maximum": 50_000, "decimals": 1}, "vi", ("0,25", "50.000,00")),
    ],
)
def test_bounds_are_told_as_people_write_them(item, language, told):
    text = {"vi": "x", "en": "x"}
    made = NumberItem.model_validate({"kind": "number", "code": "n", "text": text} | item)
    found = {name: amount.written(language) for name, amount in bounds(made).items()}
    assert tuple(found.values()) == told
    for each in told:  # what is told as a bound may be typed as it stands there
        assert not isinstance(said(each, made.decimals, language), tuple)


def test_a_per_cent_has_bounds_too():
    text = {"vi": "x", "en": "x"}
    item = PercentItem.model_validate({"kind": "percent", "code": "p", "text": text})
    assert bounds(item) == {"minimum": Amount(0), "maximum": Amount(100)}
