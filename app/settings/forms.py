"""Settings of forms, in the browser and on the kiosk."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class FormSettings(BaseModel):
    """Forms and kiosks."""

    questionnaires: Path | None = Field(
        None, description="Directory of further forms in YAML, besides those that come with us."
    )
    odk_validate: bool = Field(
        True,
        description="Whether an XLSForm that is read is checked by ODK Validate, too, where Java "
        "is installed: up to 20 seconds and 400 MB while it is read.",
    )
    older_form_s: int = Field(
        24 * 3600,
        ge=0,
        description="Seconds for which a form in the browser is still taken in the version that it "
        "shows, once a newer one is published; later it is shown anew with what still fits.",
    )
    kiosk_idle_s: int = Field(
        45, ge=5, le=3600, description="Seconds after which a kiosk asks whether anybody is there."
    )
    kiosk_countdown_s: int = Field(
        15, ge=3, le=120, description="Seconds that it then counts down before it resets itself."
    )
    kiosk_code_s: int = Field(
        90,
        ge=20,
        le=900,
        description="Seconds for which a kiosk shows the code of a reply; a touch gives as many "
        "again.",
    )
