"""Settings of reports: who signs them, and which are made by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

from app.settings.signers import Signers


class ReportSettings(BaseModel):
    """Reports."""

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
    report_formats: str = Field(
        "pdf, xlsx",
        pattern=r"^\s*(pdf|docx|xlsx)\s*(,\s*(pdf|docx|xlsx)\s*)*$",
        description="As what scheduled reports are written and mailed: pdf, docx, xlsx, separated "
        "by commas; docx is a letter that can be edited before it is signed.",
    )
    report_signers: Annotated[Signers, NoDecode, BeforeValidator(Signers.read)] = Field(
        Signers(),
        description="Who signs the reports of which unit: the unit's code, what the number of its "
        "letters ends with, the position and the name, written as docs/operator.md has it. What is "
        "left out is dotted, to be written by hand.",
    )
