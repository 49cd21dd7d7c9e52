"""Settings of the intake: what is taken, of which day, and how much from whom."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class IntakeSettings(BaseModel):
    """Taking responses."""

    intake_s: float = Field(
        10.0,
        ge=2,
        description="Seconds after which a response that could not be stored yet is answered 503; "
        "its device keeps it and sends it again.",
    )
    batch_limit: int = Field(500, ge=1, description="Most responses in one request.")
    waiting_limit: int = Field(
        20_000,
        description="Most responses that wait for the next commit; beyond it callers get 503 and "
        "try again later.",
    )
    clock_tolerance_s: int = Field(
        120,
        description="Seconds by which a clock may differ from the server's before it is corrected.",
    )
    clock_gap_days: int = Field(
        30,
        ge=1,
        description="Days for which no server ran, after which one that starts doubts its clock "
        "until the operator confirms it.",
    )
    backlog_days: int = Field(
        30, description="How many days back a device may date a response that it kept offline."
    )
    text_key_file: Path | None = Field(
        None,
        description="File with the keys by which names of staff in comments are encrypted and "
        "texts that are sent again are known; made at the first start, the same for all processes, "
        "and in no backup. If left out, hailong.texts.key beside hailong.db, on PostgreSQL "
        "var/texts.key in the working directory.",
    )
    public_rate: str = Field(
        "10 per 2 minute",
        description="Responses with a public code from one network address (IPv6: one /64) to one "
        "point: ten at once, then one every twelve seconds.",
    )
    pageless_rate: str = Field(
        "4 per 2 minute",
        description="Of these, responses that do not come from an opened page, as of a script, or "
        "from one that was opened a moment before.",
    )
    page_age_s: int = Field(
        5, ge=0, le=600, description="Seconds for which a page has just been opened."
    )
    page_rate: str = Field(
        "3 per 15 minute", description="Responses with a public code from one opened page."
    )
    point_rate: str = Field(
        "120 per 10 minute",
        description="Responses with a public code from all addresses to one point.",
    )
    point_reserve: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Part of this that neither one neighbourhood (IPv4 /24, IPv6 /48) nor "
        "responses without an opened page can use up.",
    )
    device_rate: str = Field(
        "300 per 1 hour",
        description="Responses of one device: 300 at once, as after a day without a network, then "
        "one every twelve seconds. What is refused waits on the device.",
    )
    key_rate: str = Field(
        "3000 per 1 hour",
        description="Responses of one key that is no device's; whoever may import history is not "
        "limited.",
    )
    cache_s: float = Field(
        5.0,
        description="Seconds for which a process trusts what it last read about credentials and "
        "points; a revocation holds everywhere after this time.",
    )
