"""What a body may be, field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

#: No form of ours has more items; a body with more answers is refused before it is read on.
MOST_ANSWERS = 300


#: A UUID of version 7 in its usual form, kept as text: nothing is ever computed from it.
Uuid7 = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$",
        to_lower=True,
    ),
]


#: Far enough for every real clock, near enough that no arithmetic on moments overflows.
FIRST_MOMENT, LAST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=FIRST_MOMENT, lt=LAST_MOMENT)]
#: The greatest age in seconds.
OLDEST_S = 3_000_000_000


class ResponseIn(BaseModel):
    """One completed form as a device or browser sends it."""

    model_config = ConfigDict(extra="forbid")

    id: Uuid7 = Field(
        json_schema_extra={"format": "uuid"},
        description="Made by the device, once per completed form (UUID version 7). Sent again "
        "with the same content it is acknowledged again and counted once.",
    )
    questionnaire: Annotated[str, StringConstraints(max_length=48)] = Field(
        description="Code of the questionnaire."
    )
    version: Annotated[int, Field(ge=1, le=32767, strict=True)] = Field(
        description="The version of the questionnaire that was shown."
    )
    point: Annotated[str, StringConstraints(max_length=16)] | None = Field(
        None, description="Public code of the survey point; a device's credential implies it."
    )
    answered_at: Moment = Field(
        description="When it was completed, ISO 8601 with offset, by the device's clock. What "
        "only a device's broken clock shows (before 1970, after 2199) becomes the nearest moment."
    )
    age_s: Annotated[int, Field(ge=0, le=OLDEST_S, strict=True)] | None = Field(
        None,
        description="Seconds since it was completed, by a clock that nobody sets, if the device "
        "knows: then answered_at may be wrong. Another try may send another age.",
    )
    clock_lost: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="The device's clock was set since, by how much it does not know: the response "
        "is counted at receipt and marked.",
    )
    duration_s: Annotated[int, Field(ge=0, le=86_400, strict=True)] | None = Field(
        None, description="Seconds from the first question to the last answer."
    )
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = Field(
        "vi", description="Language in which it was answered: vi, en, or a further one of the form."
    )
    partial: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="It was left unfinished, and is marked as such. Where the questionnaire keeps "
        "such responses nothing is required of it; elsewhere what is required must be there.",
    )
    reply_code_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None,
        description="The respondent wants a reply: SHA-256, in small hexadecimal digits, of the "
        "code that the device made and showed. The code itself is never sent with a response.",
    )
    answers: dict[str, Any] = Field(
        max_length=MOST_ANSWERS,
        description="Answers by item code: a level or option, a list of options, a number, a "
        "text; null for no opinion.",
    )


class BatchIn(BaseModel):
    """Several completed forms, each answered for by itself."""

    model_config = ConfigDict(extra="forbid")

    responses: list[ResponseIn] = Field(min_length=1)
    sent_at: Moment | None = Field(
        None,
        description="The device's clock at the moment of sending; a device whose clock is wrong "
        "has its times corrected by the difference.",
    )


class Envelope(BaseModel):
    """A batch whose responses are read one by one, since one of them is malformed."""

    model_config = ConfigDict(extra="forbid")

    responses: list[Any] = Field(min_length=1)
    sent_at: Moment | None = None


class Acknowledged(BaseModel):
    """What became of one response."""

    id: str | None = Field(description="The id as it was sent.")
    status: Literal["accepted", "duplicate", "refused"] = Field(
        description="accepted: counted now, durably. duplicate: was counted before. refused: not "
        "counted; problem says why, and whether sending it again can help."
    )
    problem: dict[str, Any] | None = None


class BatchAcknowledged(BaseModel):
    """What became of each response of a batch, in the order in which they were sent."""

    responses: list[Acknowledged]
