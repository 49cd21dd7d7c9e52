"""Settings of exports of single responses."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ExportSettings(BaseModel):
    """Exports of single responses."""

    export_memory_mb: int = Field(
        512,
        ge=16,
        le=65_536,
        description="Memory that one file for SPSS or Stata may take, in megabytes: these formats "
        "cannot be written in pieces. What needs more is refused before it starts, and a server "
        "process makes one at once.",
    )
    anonymous_least: int = Field(
        10,
        ge=10,
        le=1000,
        description="In an anonymised export at least so many rows are alike in all that others "
        "may know of a respondent (k of k-anonymity).",
    )
    anonymous_after_days: int = Field(
        30,
        ge=1,
        le=366,
        description="Days after its end from which on a quarter is made anonymous, when somebody "
        "first wants it. From then on its rows are fixed.",
    )
    anonymous_opinions: tuple[str, ...] = Field(
        ("moh-inpatient:G2", "moh-outpatient:G2", "kiosk-face:reason"),
        description="Choices and numbers that are opinions, as a JSON list of questionnaire:item. "
        "All others are taken for what somebody else may know of a respondent, and anonymised "
        "exports have them in classes.",
    )
