"""Reads well-formed bodies, several times as fast as the schema that says what a body may be.

Nearly all bodies are as they should be. ``msgspec`` reads these straight into records, with all
that ``app.intake.schemas`` demands of them; whatever it does not take is given to the schema, which
alone says what is wrong, and which takes some ways of writing a moment that are rare. So what is
read here is taken there, with the same values: a test holds both to it with bodies of all sorts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, cast

from msgspec import DecodeError, Meta, Raw, Struct
from msgspec.json import Decoder
from msgspec.structs import force_setattr

from app.intake.schemas import FIRST_MOMENT, LAST_MOMENT, MOST_ANSWERS, OLDEST_S
from app.intake.written import Answers, Patterns

_Moment = Annotated[datetime, Meta(tz=True)]


#: What any item takes; what is nested deeper than the schema reads, it has to look at.
_Plain = int | float | str | bool | None
_Read = Annotated[dict[str, _Plain | list[_Plain]], Meta(max_length=MOST_ANSWERS)]
_A_co = TypeVar("_A_co", covariant=True)


class _Form(Struct, Generic[_A_co], frozen=True, forbid_unknown_fields=True, gc=False):
    """One completed form, its answers read or as they are written; else as ``ResponseIn``."""

    id: str
    questionnaire: Annotated[str, Meta(max_length=48)]
    version: Annotated[int, Meta(ge=1, le=32767)]
    answered_at: _Moment
    answers: _A_co
    point: Annotated[str, Meta(max_length=16)] | None = None
    age_s: Annotated[int, Meta(ge=0, le=OLDEST_S)] | None = None
    clock_lost: bool = False
    duration_s: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    language: str = "vi"
    partial: bool = False
    reply_code_hash: str | None = None


class _Batch(Struct, Generic[_A_co], frozen=True, forbid_unknown_fields=True):
    """Several completed forms, as ``BatchIn`` has them."""

    responses: Annotated[list[_Form[_A_co]], Meta(min_length=1)]
    sent_at: _Moment | None = None


#: What is handed on: all answers are read.
Received: TypeAlias = _Form[Answers]
ReceivedBatch: TypeAlias = _Batch[Answers]

_ONE = Decoder(_Form[_Read])
_BATCH = Decoder(_Batch[Raw])
_PATTERNS = Patterns(Decoder(_Read).decode)

_IDS = re.compile(
    r"(?:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n)+"
).fullmatch
_LANGUAGE = re.compile(r"[a-z]{2,3}").fullmatch
_HASH = re.compile(r"[0-9a-f]{64}").fullmatch
#: Of a moment's digits behind microseconds msgspec makes a rounded one, the schema cuts them off.
_FINER = re.compile(rb"\.[0-9]{7}").search


def read_one(body: bytes) -> Received | None:
    """A response that is well-formed; None where the schema has to look."""
    if _FINER(body):
        return None
    try:
        response = _ONE.decode(body)
    except (DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return response if _fits([response]) else None


def read_batch(body: bytes) -> ReceivedBatch | None:
    """A batch that is well-formed as a whole; None where the schema has to look."""
    if _FINER(body):
        return None
    try:
        batch = _BATCH.decode(body)
        if not _has_answers_once(body, len(batch.responses)):
            return None
        answers = _PATTERNS.read([response.answers for response in batch.responses])
    except (DecodeError, RecursionError, UnicodeDecodeError):
        return None
    for response, read in zip(batch.responses, answers, strict=True):
        force_setattr(response, "answers", read)  # a new one of each would take as long again
    sent_at = batch.sent_at
    near = sent_at is None or FIRST_MOMENT <= sent_at < LAST_MOMENT
    return cast(ReceivedBatch, batch) if near and _fits(batch.responses) else None


def _has_answers_once(body: bytes, responses: int) -> bool:
    """Whether surely no response has answers twice: the first of them nobody here would read."""
    if b"\\" in body and (b"\\u006" in body or b"\\u007" in body):
        return False  # the letters of the key may be written so
    return body.count(b'"answers"') == responses


def _fits(responses: Sequence[_Form[Any]]) -> bool:
    """Whether what msgspec checks slowly, or not at all, is as the schema has it, too."""
    moments = [response.answered_at for response in responses]
    return (
        _IDS("\n".join([response.id for response in responses]) + "\n") is not None
        and min(moments) >= FIRST_MOMENT
        and max(moments) < LAST_MOMENT
        and all(map(_LANGUAGE, {response.language for response in responses}))
        and all(
            response.reply_code_hash is None or _HASH(response.reply_code_hash)
            for response in responses
        )
    )
