"""Settings of retention: for how long what citizens gave is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

#: A number of months, where 0 or nothing means that all is kept.
_Months = Annotated[
    int | None, BeforeValidator(lambda given: given if given not in ("", "0", 0) else None)
]


class RetentionSettings(BaseModel):
    """Retention: how long what citizens gave is kept."""

    keep_texts_months: _Months = Field(
        24,
        ge=1,
        description="Whole months for which what citizens wrote is kept; then the words are "
        "deleted, and their ratings stay. 0: for ever.",
    )
    keep_responses_months: _Months = Field(
        None,
        ge=3,
        description="Whole months for which single responses are kept; then they are deleted, and "
        "sums and figures stay. 0: for ever. Decide it by the office's rules on records.",
    )
    keep_aside_months: _Months = Field(
        12,
        ge=1,
        description="Whole months for which what devices were refused for good is kept as it was "
        "sent. 0: for ever.",
    )
    keep_invitations_months: _Months = Field(
        24,
        ge=13,
        description="Whole months after the case for which an invitation can be traced to its "
        "case and link; that somebody was invited, and whether they answered, is counted on. "
        "0: for ever.",
    )
    retention_nightly: bool = Field(
        True,
        description="Whether a server deletes every night, after three o'clock, what is kept no "
        "longer; else somebody runs hailong retention run.",
    )
