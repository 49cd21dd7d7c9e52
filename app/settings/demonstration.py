"""Settings of the demonstration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class DemonstrationSettings(BaseModel):
    """The demonstration."""

    demonstration_size: int = Field(
        40_000, ge=1000, description="How many responses the demonstration draws."
    )
    demonstration_province: Literal["2020", "2025"] = Field(
        "2025",
        description="Of which province: `2025` is Bà Rịa – Vũng Tàu from 2024 on, through the "
        "reform of 1 July 2025 (its tree of 2024 is that of 30 June 2025); `2020` is that of 2020 "
        "(21 agencies, 8 districts, 82 communes), two years of answers.",
    )
