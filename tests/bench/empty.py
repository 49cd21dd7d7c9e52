"""The baseline: FastAPI endpoints that validate the same body and do nothing with it.

Written as FastAPI's documentation teaches. Its models are its own, as the service's were when they
were frozen here (November 2026): what changes there moves no target.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Uuid7 = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$",
        to_lower=True,
    ),
]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]


class ResponseIn(BaseModel):
    """One completed form."""

    model_config = ConfigDict(extra="forbid")

    id: Uuid7
    questionnaire: Annotated[str, StringConstraints(max_length=48)]
    version: Annotated[int, Field(ge=1, le=32767, strict=True)]
    point: Annotated[str, StringConstraints(max_length=16)] | None = None
    answered_at: Moment
    age_s: Annotated[int, Field(ge=0, le=3_000_000_000, strict=True)] | None = None
    clock_lost: Annotated[bool, Field(strict=True)] = False
    duration_s: Annotated[int, Field(ge=0, le=86_400, strict=True)] | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "vi"
    partial: Annotated[bool, Field(strict=True)] = False
    reply_code_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    answers: dict[str, Any] = Field(max_length=300)


class BatchIn(BaseModel):
    """Several completed forms."""

    model_config = ConfigDict(extra="forbid")

    responses: list[ResponseIn] = Field(min_length=1)
    sent_at: Moment | None = None


class Acknowledged(BaseModel):
    """What became of one response."""

    id: str | None
    status: Literal["accepted", "duplicate", "refused"]
    problem: dict[str, Any] | None = None


class BatchAcknowledged(BaseModel):
    """What became of each response of a batch."""

    responses: list[Acknowledged]


app = FastAPI()


@app.post("/one", status_code=201)
async def one(body: ResponseIn) -> Acknowledged:
    """Validate one response."""
    return Acknowledged(id=body.id, status="accepted")


@app.post("/batch")
async def batch(body: BatchIn) -> BatchAcknowledged:
    """Validate a batch."""
    return BatchAcknowledged(
        responses=[Acknowledged(id=each.id, status="accepted") for each in body.responses]
    )


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    """Answer once the process is up."""
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[sys.argv.index("--port") + 1]), access_log=False)
