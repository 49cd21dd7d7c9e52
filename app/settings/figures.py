"""Settings of figures: in which days they are counted, held against what, shown to whom."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from app.settings.targets import Targets


class FigureSettings(BaseModel):
    """Figures, and which of them are public."""

    timezone: str = Field(
        "Asia/Ho_Chi_Minh",
        description="Zone whose days and months the figures are counted in.",
    )
    target_rate: Annotated[Targets, NoDecode, BeforeValidator(Targets.read)] = Field(
        Targets.read(0.9),
        description="Rate of satisfaction aimed at, against which intervals are held. Several with "
        "the days from which on they hold, as 0.85, 2027-01-01: 0.9: figures are held against "
        "the one that held at the end of their period.",
    )
    margins: tuple[str, ...] = Field(
        (),
        description="Known margins of those who were served, as a JSON list of item:option=people: "
        '["sex:1=4800,2=5200"]. Whoever may not see small figures may weigh rates by these alone.',
    )
    least_respondents: int = Field(
        10,
        ge=1,
        description="Fewest respondents whose rate is shown to callers without the right "
        "figures:read-small; fewer could tell who said what.",
    )
    public_page: bool = Field(
        False,
        description="Whether /public shows the rates of satisfaction to everybody, with open data, "
        "badges and cards for the sites of units.",
    )
    public_period: Literal["month", "quarter", "year"] = Field(
        "quarter",
        description="Length of the periods that are published. One for all: a month and the rest "
        "of its quarter would tell what a month with few respondents hides.",
    )

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)
