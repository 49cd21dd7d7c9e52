"""What a body may be, field by field."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

#: No form of ours has more items; a body with more answers is refused before it is read on.
MOST_ANSWERS = 300


def _version_7(value: UUID) -> UUID:
    if value.version != 7:
        raise PydanticCustomError("not_uuid7", "not a UUID of version 7")
    return value


class ResponseIn(BaseModel):
    """One completed form as a device or browser sends it."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[UUID, AfterValidator(_version_7)] = Field(
        description="Made by the device, once per completed form (UUID version 7). Sent again "
        "with the same content it is acknowledged again and counted once."
    )
    questionnaire: Annotated[str, StringConstraints(max_length=48)] = Field(
        description="Code of the questionnaire."
    )
    version: Annotated[int, Field(ge=1, le=32767)] = Field(
        description="The version of the questionnaire that was shown."
    )
    point: Annotated[str, StringConstraints(max_length=16)] | None = Field(
        None, description="Public code of the survey point; a device's credential implies it."
    )
    answered_at: AwareDatetime = Field(
        description="When it was completed, ISO 8601 with offset, by the device's clock."
    )
    duration_s: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        None, description="Seconds from the first question to the last answer."
    )
    language: Literal["vi", "en"] = Field("vi", description="Language in which it was answered.")
    answers: dict[Annotated[str, StringConstraints(max_length=32)], Any] = Field(
        max_length=MOST_ANSWERS,
        description="Answers by item code: a level or option, a list of options, a number, a "
        "text; null for no opinion.",
    )


class BatchIn(BaseModel):
    """Several completed forms, each answered for by itself."""

    model_config = ConfigDict(extra="forbid")

    responses: list[ResponseIn] = Field(min_length=1)
    sent_at: AwareDatetime | None = Field(
        None,
        description="The device's clock at the moment of sending; a device whose clock is wrong "
        "has its times corrected by the difference.",
    )


class Envelope(BaseModel):
    """A batch whose responses are read one by one, since one of them is malformed."""

    model_config = ConfigDict(extra="forbid")

    responses: list[Any] = Field(min_length=1)
    sent_at: AwareDatetime | None = None


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
