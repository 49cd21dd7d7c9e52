"""What is read quickly is what the schema takes, with the same values; it is never more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.intake import written
from app.intake.decoding import Received, read_batch, read_one
from app.intake.schemas import MOST_ANSWERS, BatchIn, ResponseIn

ONE, BATCH = TypeAdapter(ResponseIn), TypeAdapter(BatchIn)
USUAL: dict[str, Any] = {
    "id": "01937b3c-1f3a-7c3e-9c65-2f2f3c1b0a11",
    "questionnaire": "sipas-desk",
    "version": 2,
    "point": "K7XQ2MD",
    "answered_at": "2026-11-24T09:30:00.123456+07:00",
    "age_s": 3,
    "clock_lost": False,
    "duration_s": 75,
    "language": "vi",
    "partial": False,
    "reply_code_hash": "0" * 64,
    "answers": {"A1": 4, "B2": None, "C1": [1, 2], "D": 2.5, "comment": "Cảm ơn"},
}
#: Moments as clients of all sorts write them, and as none should.
MOMENTS = (
    "2026-11-24T09:30:00Z", "2026-11-24t09:30:00z", "2026-11-24 09:30:00+07:00",
    "2026-11-24T09:30Z",
    "2026-11-24T09:30:00.1Z", "2026-11-24T09:30:00.1234565Z",
    "2026-11-24T09:30:00.9999999999+07:00",
    "2026-11-24T09:30:00,5Z", "2026-11-24T09:30:00", "2026-11-24", "1764000000", 1764000000, 1.5,
    "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1970-01-01T06:59:59+07:00",
    "2199-12-31T23:59:59.999999Z", "2200-01-01T00:00:00Z", "2200-01-01T06:59:59+07:00",
    "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "2026-02-30T00:00:00Z",
    "2026-11-24T24:00:00Z", "2026-11-24T09:30:60Z", "2026-11-24T09:30:00+0700",
    "2026-11-24T09:30:00+24:00", "+012026-11-24T09:30:00Z", "", None,
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(MOMENTS),
    st.sampled_from(
        (
            0, 1, -1, 32767, 32768, 86_400, 86_401, 3_000_000_000, 3_000_000_001, 1.0, True, "1",
            [], {},
            "en", "VI", "vie", "viet", "vi\n", "a" * 48, "a" * 49, "K" * 16, "K" * 17, "😀" * 16,
            "0" * 63, "A" * 64, "f" * 64 + "\n", USUAL["id"].upper(), USUAL["id"] + "\n",
            "{" + USUAL["id"] + "}", USUAL["id"].replace("-", ""), USUAL["id"].replace("-7", "-4"),
            {str(n): n for n in range(MOST_ANSWERS)}, {str(n): n for n in range(MOST_ANSWERS + 1)},
            {"A1": 10**30, "A2": -0.0, "A3": 1e308, "A4": "\x00", "A5": {"deep": [None]}},
        )
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    ),
)  # fmt: skip
LEFT_OUT = object()
FORMS = st.dictionaries(
    st.sampled_from((*USUAL, "unknown")), VALUES | st.just(LEFT_OUT), max_size=3
).map(lambda other: {k: v for k, v in (USUAL | other).items() if v is not LEFT_OUT})


def same(quick: Received, slow: ResponseIn) -> bool:
    fields = ResponseIn.model_fields
    values = [getattr(quick, each) for each in fields if each != "answered_at"]
    return repr([dict(v) if isinstance(v, Mapping) else v for v in values]) == repr(
        [getattr(slow, each) for each in fields if each != "answered_at"]
    ) and (quick.answered_at, quick.answered_at.utcoffset()) == (
        slow.answered_at,
        slow.answered_at.utcoffset(),
    )


def check(body: bytes) -> None:
    quick = read_one(body)
    if quick is not None:
        assert same(quick, ONE.validate_json(body))


@given(FORMS, st.booleans())
def test_a_response_that_is_read_quickly_is_as_the_schema_reads_it(
    form: dict[str, Any], ascii: bool
) -> None:
    check(json.dumps(form, ensure_ascii=ascii).encode("utf-8", "surrogatepass"))


DIGITS = {"answers": {"A1": 4, "B2": None, "C1": 0}}


@given(
    st.lists(FORMS | FORMS.map(lambda form: form | DIGITS), max_size=4),
    VALUES | st.just(LEFT_OUT),
)
def test_so_is_a_batch(forms: list[dict[str, Any]], sent_at: object) -> None:
    document = {"responses": forms} | ({} if sent_at is LEFT_OUT else {"sent_at": sent_at})
    body = json.dumps(document).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "LEAST", 2)
        quick = read_batch(body)
    if quick is None:
        return
    slow = BATCH.validate_json(body)
    assert quick.sent_at == slow.sent_at
    assert all(map(same, quick.responses, slow.responses))
    assert len(quick.responses) == len(slow.responses)


@given(st.data())
def test_so_is_a_body_of_which_bytes_were_lost_or_changed(data: st.DataObject) -> None:
    body = bytearray(json.dumps(USUAL, ensure_ascii=data.draw(st.booleans())).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    check(bytes(body))


@pytest.mark.parametrize("moment", MOMENTS)
def test_each_way_of_writing_a_moment_means_the_same(moment: object) -> None:
    check(json.dumps(USUAL | {"answered_at": moment}).encode())


def test_what_is_usual_is_read_quickly() -> None:
    assert read_one(json.dumps(USUAL).encode()) is not None
    least = {k: USUAL[k] for k in ("id", "questionnaire", "version", "answered_at", "answers")}
    assert read_one(json.dumps(least).encode()) is not None
    assert read_batch(json.dumps({"responses": [USUAL, least]}).encode()) is not None


def test_a_body_nested_too_deeply_is_left_to_the_schema() -> None:
    body = json.dumps(USUAL).encode()[:-2] + b',"deep":' + b"[" * 5000 + b"]" * 5000 + b"}}"
    assert read_one(body) is None
    with pytest.raises(ValidationError):
        ONE.validate_json(body)


@pytest.mark.parametrize("nested", ["[" * 250 + "]" * 250, '{"B": 1}', "[[1]]"], ids=len)
def test_so_are_answers_that_no_item_takes(nested: str) -> None:
    """The schema reads no deeper than 200, and what a device is refused it reads again."""
    body = json.dumps(USUAL).encode()[:-2] + f', "deep": {nested}}}}}'.encode()
    assert read_one(body) is None
    assert read_batch(b'{"responses": [' + body + b"]}") is None


@pytest.mark.parametrize("key", [b'"answers"', b'"\\u0061nswers"', b'"answer\\u0073"'], ids=str)
@pytest.mark.parametrize(
    "first",
    [b'"\xff"', b'{"\xed\xa0\x80": 1}', b"9" * 5000, b"[" * 250 + b"]" * 250],
    ids=("no text", "no character", "too large", "too deep"),
)
def test_answers_before_others_of_one_response_are_left_to_the_schema(
    first: bytes, key: bytes
) -> None:
    body = json.dumps({"responses": [USUAL, USUAL]}).encode()
    twice = body.replace(b'"answers"', key + b": " + first + b', "answers"', 1)
    assert read_batch(twice) is None
    with pytest.raises(ValidationError):
        BATCH.validate_json(twice)
