"""Settings of signing in: how often it may be tried, how long it lasts, by whom else."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SigningInSettings(BaseModel):
    """Signing in."""

    sign_in_rate: str = Field(
        "10 per 15 minute",
        description="Wrong passwords for one account from one network (IPv4 address, IPv6 /64), or "
        "in one browser that its person has signed in with before, until the time is over.",
    )
    sign_in_account_rate: str = Field(
        "100 per 1 hour",
        description="Attempts for one account from all networks together. Browsers that its person "
        "has signed in with before are not held up by it.",
    )
    sign_in_address_rate: str = Field(
        "100 per 15 minute",
        description="Attempts to sign in or to pair from one network (IPv4 address, IPv6 /64).",
    )
    password_waiting: int = Field(
        16,
        ge=0,
        le=100,
        description="Most requests of a server process that wait while two passwords are looked "
        "at; others get 503 and try again.",
    )
    session_s: int = Field(
        12 * 3600, ge=60, description="Seconds after which a session ends, used or not."
    )
    session_idle_s: int = Field(
        2 * 3600, ge=60, description="Seconds after which a session ends if it is not used."
    )
    confirmation_s: int = Field(
        900,
        ge=1,
        description="Seconds for which a password opens what is dangerous: making accounts, roles "
        "and keys. Later it is asked for again.",
    )
    oidc_issuer: str | None = Field(
        None, description="Issuer of the OpenID Connect provider that people may sign in with."
    )
    oidc_client_id: str = Field("hailong", description="What the provider knows us as.")
    oidc_client_secret: str = Field("", description="Our secret with the provider.")
    oidc_name: str = Field("OpenID Connect", description="The provider's name on the button.")
