"""Settings of what leaves by itself: SMS with invitations, webhooks, mail."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class SendingSettings(BaseModel):
    """Invitations, SMS, webhooks and mail."""

    invitation_days: int = Field(
        30, ge=1, le=365, description="Days after a case was finished that its link may be used."
    )
    sms_url: str | None = Field(None, description="Address of the SMS gateway (JSON over HTTP).")
    sms_token: str = Field("", description="Bearer token for the SMS gateway.")
    sms_sender: str = Field("HaiLong", description="Sender's name that the SMS shows.")
    sms_outbox: Path | None = Field(
        None, description="File to write SMS to instead of sending them, for a trial."
    )
    webhook_delay_s: int = Field(
        600,
        ge=0,
        description="Most seconds after an answer that webhooks are told of it, by chance: the "
        "moment would tell which response it was.",
    )
    dead_letter_days: int = Field(
        30,
        ge=1,
        le=365,
        description="Days for which SMS and tellings of webhooks that could not be delivered are "
        "kept, phone numbers with them, for the operator to send again or drop.",
    )
    mail_server: str | None = Field(
        None,
        description="Mail server for scheduled reports, like smtp://user:password@host:587 "
        "(STARTTLS) or smtps://host.",
    )
    mail_from: str = Field("hailong@localhost", description="Sender of mails.")
    digest_day: int = Field(
        12,
        ge=0,
        le=28,
        description="Day of the month from which on the digest of the month before is mailed to "
        "those who head or watch units, by 7 o'clock: late enough for what devices bring late and "
        "for the cases of low marks, which are opened on the eleventh. 0: none is sent.",
    )
