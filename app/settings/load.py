"""Settings of what the server takes at once, and for how long it waits for a client."""

from __future__ import annotations

from pydantic import BaseModel, Field


class LoadSettings(BaseModel):
    """Bounds and deadlines under load."""

    body_limit: int = Field(
        2 * 1024 * 1024, description="Largest request body in bytes; larger ones get 413."
    )
    bodies_limit: int = Field(
        64 * 1024 * 1024,
        ge=1024 * 1024,
        description="Most bytes of large bodies (over 16 KB) in the memory of a server process, of "
        "which one network address has half; beyond it callers get 503 and try again later.",
    )
    connection_limit: int = Field(
        2000,
        ge=16,
        description="Most connections of a server process, fewer where it may not open so many "
        "files. Where all are taken, those that wait longest are closed, of whoever has most.",
    )
    head_s: float = Field(
        30,
        ge=1,
        description="Seconds for the head of a request, from the connection or its first byte.",
    )
    body_s: float = Field(
        30,
        ge=1,
        description="Seconds for the body of a request, beyond what HAILONG_BYTE_RATE allows it.",
    )
    byte_rate: float = Field(
        1000,
        gt=0,
        description="Bytes a second that a slow line must carry, of a body and of an answer: the "
        "slowest of telephones carries more.",
    )
    reader_s: float = Field(
        30,
        ge=1,
        description="Seconds for an answer to be read, beyond what HAILONG_BYTE_RATE allows it.",
    )
    idle_s: int = Field(
        75, ge=1, description="Seconds for which a connection stays open between two requests."
    )
    charts_ready_s: float = Field(
        5,
        ge=0,
        description="Seconds after its start at which a server process loads what draws charts, so "
        "that the first reader of one need not wait for that; 0 leaves it to them.",
    )
    figures_at_once: int | None = Field(
        None,
        ge=1,
        description="Requests for figures that a server process works on at once; as many as there "
        "are processors, and two at least, if left out. Others wait.",
    )
    figures_wait_s: float = Field(
        10, gt=0, description="Seconds that they wait for a place; then they get 503."
    )
    stream_limit: int = Field(
        200,
        ge=2,
        description="Streams of live figures (wall screens) of a server process; one network "
        "address has half of them at most.",
    )
