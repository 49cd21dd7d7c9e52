"""Settings of reports that are made by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field


class ReportSettings(BaseModel):
    """Scheduled reports."""

    report_folder: Path | None = Field(
        None, description="Folder into which scheduled reports are written."
    )
    report_schedule: str = Field(
        "",
        description="Lengths of the periods that are reported on by themselves once they are over: "
        "month, quarter, half, nine-months, year, separated by commas.",
    )
    report_units: Literal["tops", "all"] = Field(
        "tops",
        description="About which units: the tops of the tree, or every unit that has answers.",
    )
    report_after_days: int = Field(
        5,
        ge=0,
        le=90,
        description="Days after a period's end that its reports wait for answers kept offline.",
    )
    report_mail: str = Field(
        "", description="Addresses, separated by commas, to which scheduled reports are mailed."
    )
