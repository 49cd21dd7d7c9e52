"""What is read at once is what is read one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import DecodeError, Raw
from msgspec.json import Decoder

from app.intake import written
from app.intake.written import Patterns
from surveys.digit_answers import DigitAnswers

DECODE = Decoder(dict[str, Any]).decode

CODES = st.sampled_from(("A1", "A2", "B1", "Câu", 'a"b', "x\\y", "", "10", "A1: 4,"))
VALUES = st.one_of(
    st.integers(0, 9),
    st.sampled_from((None, True, False, 1.0, -1, 10, [1], {"A1": 4}, '"A1": 4,', "4", 1e300)),
)
WAYS = st.sampled_from(
    ({}, {"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}, {"sort_keys": True})
)
DIGITS = st.dictionaries(CODES, st.integers(0, 9) | st.none(), min_size=1, max_size=5)


@st.composite
def batches(draw: st.DrawFn) -> list[bytes]:
    """Answers of a few devices, each with its own program; most of one form, with its digits."""
    ways = draw(st.lists(WAYS, min_size=1, max_size=2))
    form = draw(DIGITS)
    texts = []
    for _ in range(draw(st.integers(1, 12))):
        answers: dict[str, Any] = {
            code: value if value is None else draw(st.integers(0, 9))
            for code, value in form.items()
        }
        if draw(st.integers(0, 4)) == 0:
            answers |= draw(st.dictionaries(CODES, VALUES, max_size=2))
        texts.append(json.dumps(answers, **draw(st.sampled_from(ways))).encode())
    return texts


@given(st.lists(batches(), min_size=1, max_size=4))
def test_batches_are_read_as_each_of_their_responses(given: list[list[bytes]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "LEAST", 2)
        patch.setattr(written, "PAUSE", 1)
        patterns = Patterns(DECODE)
        for texts in given:
            read = patterns.read([Raw(text) for text in texts])
            assert repr([dict(each) for each in read]) == repr([DECODE(text) for text in texts])


@given(batches(), st.data())
def test_so_are_texts_of_which_bytes_are_others(texts: list[bytes], data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "LEAST", 1)
        patterns = Patterns(DECODE)
        patterns.read([Raw(text) for text in texts])
        for text in texts:
            other = bytearray(text)
            other[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
            try:
                expected: dict[str, Any] | None = DECODE(bytes(other))
            except DecodeError:
                expected = None
            try:
                got: dict[str, Any] | None = dict(patterns.read([Raw(bytes(other))])[0])
            except DecodeError:
                got = None
            assert repr(got) == repr(expected)


def answered(count: int, **more: Any) -> list[Raw]:
    return [Raw(json.dumps({"A1": n % 10, "A2": 5} | more).encode()) for n in range(count)]


def test_what_is_written_alike_is_read_at_once() -> None:
    patterns = Patterns(DECODE)
    batch = [*answered(written.LEAST), Raw(b'{"A1":1}')]
    assert [type(each) for each in patterns.read(batch)] == [DigitAnswers] * (len(batch) - 1) + [
        dict
    ]


def test_a_few_are_read_one_by_one() -> None:
    patterns = Patterns(DECODE)
    assert {type(each) for each in patterns.read(answered(written.LEAST - 1))} == {dict}


def test_whoever_never_writes_alike_makes_nobody_learn_each_time() -> None:
    learnt: list[Raw] = []
    patterns = Patterns(lambda text: learnt.append(text) or DECODE(text))
    words = answered(written.LEAST, comment="x")
    patterns.read(words)
    first = len(learnt)
    patterns.read(words)
    assert first == written.LEAST + 1  # one of them twice, to learn
    assert len(learnt) - first == written.LEAST
    for _ in range(written.PAUSE):
        patterns.read(words)
    assert len(learnt) == (written.PAUSE + 2) * written.LEAST + 2


def test_patterns_are_forgotten_before_they_are_many() -> None:
    patterns = Patterns(DECODE)
    for width in range(3 * written.MOST):
        batch = answered(written.LEAST, **{"B" * (width + 1): 1})
        assert {type(each) for each in patterns.read(batch)} == {DigitAnswers}
        assert sum(map(len, patterns._known.values())) <= written.MOST
    for code in "CDEFG":
        assert patterns.read(answered(written.LEAST, **{code: 1}))[0][code] == 1
    assert max(map(len, patterns._known.values())) == written.MOST_ALIKE


@pytest.mark.parametrize(
    "text",
    [
        rb'{"b":%d,"\u0062":1}', rb'{"\u0062":1,"b":%d}', rb'{"b":%d,"b":true}',
        rb'{"b":%d,"b":1.0}', rb'{"b":%d,"b":1e0}', rb'{"b":%d,"b":1}', rb'{"b":1,"b":%d}',
        rb'{"a\"b":1,"b":%d}', rb'{"a":"\"b\":1,","b":%d}',
    ],
)  # fmt: skip
def test_of_a_key_that_stands_twice_the_last_answer_counts(text: bytes) -> None:
    texts = [Raw(text % digit) for digit in (1, *range(10)) for _ in range(written.LEAST)]
    patterns = Patterns(DECODE)
    for _ in range(2):
        read = patterns.read(texts)
        assert repr([dict(each) for each in read]) == repr([DECODE(each) for each in texts])


def test_of_answers_that_are_no_digits_nothing_is_learnt() -> None:
    patterns = Patterns(DECODE)
    for text in (b"{}", b'{"A1":null}', b'{"A1":10}', b'{"A1":1,"A1":1}', b'{"A1":[4]}'):
        assert {type(each) for each in patterns.read([Raw(text)] * written.LEAST)} == {dict}
    assert not patterns._known


def test_a_digit_is_one_of_ten_bytes() -> None:
    patterns = Patterns(lambda text: DECODE(text) if text in known else {"else": bytes(text)})
    known = answered(written.LEAST)
    patterns.read(known)
    for byte in set(range(256)) - set(b"0123456789"):
        other = bytes(known[0]).replace(b"0", bytes([byte]), 1)
        assert patterns.read([*known, Raw(other)])[-1] == {"else": other}


def test_what_is_longer_than_any_form_is_read_one_by_one() -> None:
    patterns = Patterns(DECODE)
    (least,) = answered(1, **{"B": 1})
    for longer, kind in ((0, DigitAnswers), (1, dict)):
        code = "B" * (written.LONGEST - len(least) + 1 + longer)
        batch = answered(written.LEAST, **{code: 1})
        assert {type(each) for each in patterns.read(batch)} == {kind}
