"""Settings of citizens' cases."""

from __future__ import annotations

from limits import parse
from pydantic import BaseModel, Field, field_validator


class CaseSettings(BaseModel):
    """Citizens' cases."""

    case_due_days: int = Field(
        10,
        ge=1,
        le=365,
        description="Days of the calendar, weekends and holidays included, after which a case is "
        "due; overdue it is handed to the unit above.",
    )
    case_code_rate: str = Field(
        "30 per 10 minute",
        description="How often one network (an IPv4 address, an IPv6 /64) may open the page where "
        "citizens read replies by their codes: so many at once, filled again evenly.",
    )

    @field_validator("case_code_rate")
    @classmethod
    def _means_a_rate(cls, given: str) -> str:
        """Stop the start, not a citizen, where it means nothing."""
        parse(given)
        return given
