"""Every setting of the service, typed and documented; each is read from ``HAILONG_<NAME>``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


@dataclass(frozen=True)
class Targets:
    """Rates aimed at, each with the day from which on it holds; the first holds before, too."""

    rates: tuple[tuple[date, float], ...]

    @classmethod
    def read(cls, given: Targets | float | str) -> Targets:
        """From ``0.9``, or ``0.85, 2027-01-01: 0.9``.

        Raises
        ------
        ValueError
            For what is no rate or no day, a day that comes twice, and a second one without a day.
        """
        if isinstance(given, Targets):
            return given
        found: dict[date, float] = {}
        for part in str(given).split(","):
            day, _, rate = part.rpartition(":")
            begins = date.fromisoformat(day.strip()) if day.strip() else date.min
            if begins in found:
                raise ValueError("each target but the first needs a day of its own")
            found[begins] = float(rate)
            if not 0 < found[begins] < 1:
                raise ValueError(f"a target must lie between 0 and 1, not at {found[begins]}")
        return cls(tuple(sorted(found.items())))

    def on(self, day: date) -> float:
        """The rate aimed at on a day."""
        held = [rate for begins, rate in self.rates if begins <= day]
        return held[-1] if held else self.rates[0][1]

    def __str__(self) -> str:
        """As it is read."""
        return ", ".join(
            str(rate) if begins == date.min else f"{begins}: {rate}" for begins, rate in self.rates
        )


def _public_address(given: str | None) -> str | None:
    """An address of the whole service: a scheme and a name, perhaps a port.

    Raises
    ------
    ValueError
        For what is no such address. One with a path is none either: pages, cookies, QR codes and
        kiosks would lead past it.
    """
    if not given:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(f"{given} is no address like https://hailong.example.vn")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"{given} has more than a host's name: the service cannot stand under a path, and "
            "needs a name of its own like https://hailong.example.vn"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


class Settings(BaseSettings):
    """The service's settings, from the environment or a ``.env`` file in the working directory."""

    model_config = SettingsConfigDict(env_prefix="HAILONG_", env_file=".env", extra="ignore")

    database_url: str = Field(
        "sqlite:///var/hailong.db",
        description="SQLAlchemy address of the database; SQLite file or PostgreSQL "
        "(postgresql+psycopg://…).",
    )
    timezone: str = Field(
        "Asia/Ho_Chi_Minh",
        description="Zone whose days and months the figures are counted in.",
    )
    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the server listens on.")
    public_url: Annotated[str | None, AfterValidator(_public_address)] = Field(
        None,
        description="Address by which people reach the service, like https://hailong.example.vn: "
        "a name of its own, without a path. "
        "Without one, signing in works on the server's own machine only; with http:// instead of "
        "https://, passwords cross the network readable by others.",
    )
    workers: int = Field(1, ge=1, description="Server processes; more than one wants PostgreSQL.")
    questionnaires: Path | None = Field(
        None, description="Directory of further forms in YAML, besides those that come with us."
    )

    body_limit: int = Field(
        2 * 1024 * 1024, description="Largest request body in bytes; larger ones get 413."
    )
    batch_limit: int = Field(500, ge=1, description="Most responses in one request.")
    waiting_limit: int = Field(
        20_000,
        description="Most responses that wait for the next commit; beyond it callers get 503 and "
        "try again later.",
    )
    clock_tolerance_s: int = Field(
        120,
        description="Seconds by which a clock may differ from the server's before it is corrected.",
    )
    clock_gap_days: int = Field(
        30,
        ge=1,
        description="Days for which no server ran, after which one that starts doubts its clock "
        "until the operator confirms it.",
    )
    backlog_days: int = Field(
        30, description="How many days back a device may date a response that it kept offline."
    )
    older_form_s: int = Field(
        24 * 3600,
        ge=0,
        description="Seconds for which a form in the browser is still taken in the version that it "
        "shows, once a newer one is published; later it is shown anew with what still fits.",
    )
    public_rate: str = Field(
        "10 per 2 minute",
        description="Responses with a public code from one network address (IPv6: one /64) to one "
        "point: ten at once, then one every twelve seconds.",
    )
    pageless_rate: str = Field(
        "4 per 2 minute",
        description="Of these, responses that do not come from an opened page, as of a script, or "
        "from one that was opened a moment before.",
    )
    page_age_s: int = Field(
        5, ge=0, le=600, description="Seconds for which a page has just been opened."
    )
    page_rate: str = Field(
        "3 per 15 minute", description="Responses with a public code from one opened page."
    )
    point_rate: str = Field(
        "120 per 10 minute",
        description="Responses with a public code from all addresses to one point.",
    )
    point_reserve: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Part of this that neither one neighbourhood (IPv4 /24, IPv6 /48) nor "
        "responses without an opened page can use up.",
    )
    device_rate: str = Field(
        "300 per 1 hour",
        description="Responses of one device: 300 at once, as after a day without a network, then "
        "one every twelve seconds. What is refused waits on the device.",
    )
    key_rate: str = Field(
        "3000 per 1 hour",
        description="Responses of one key that is no device's; whoever may import history is not "
        "limited.",
    )
    cache_s: float = Field(
        5.0,
        description="Seconds for which a process trusts what it last read about credentials and "
        "points; a revocation holds everywhere after this time.",
    )

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
    password_waiting: int = Field(
        16,
        ge=0,
        le=100,
        description="Most requests of a server process that wait while two passwords are looked "
        "at; others get 503 and try again.",
    )
    sign_in_address_rate: str = Field(
        "100 per 15 minute",
        description="Attempts to sign in or to pair from one network (IPv4 address, IPv6 /64).",
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

    invitation_days: int = Field(
        30, ge=1, le=365, description="Days after a case was finished that its link may be used."
    )
    webhook_delay_s: int = Field(
        600,
        ge=0,
        description="Most seconds after an answer that webhooks are told of it, by chance: the "
        "moment would tell which response it was.",
    )
    sms_url: str | None = Field(None, description="Address of the SMS gateway (JSON over HTTP).")
    sms_token: str = Field("", description="Bearer token for the SMS gateway.")
    sms_sender: str = Field("HaiLong", description="Sender's name that the SMS shows.")
    sms_outbox: Path | None = Field(
        None, description="File to write SMS to instead of sending them, for a trial."
    )
    kiosk_idle_s: int = Field(
        45, ge=5, le=3600, description="Seconds after which a kiosk asks whether anybody is there."
    )
    kiosk_countdown_s: int = Field(
        15, ge=3, le=120, description="Seconds that it then counts down before it resets itself."
    )
    least_respondents: int = Field(
        10,
        ge=1,
        description="Fewest respondents whose rate is shown to callers without the right "
        "figures:read-small; fewer could tell who said what.",
    )
    margins: tuple[str, ...] = Field(
        (),
        description="Known margins of those who were served, as a JSON list of item:option=people: "
        '["sex:1=4800,2=5200"]. Whoever may not see small figures may weigh rates by these alone.',
    )
    target_rate: Annotated[Targets, NoDecode, BeforeValidator(Targets.read)] = Field(
        Targets.read(0.9),
        description="Rate of satisfaction aimed at, against which intervals are held. Several with "
        "the days from which on they hold, as 0.85, 2027-01-01: 0.9: figures are held against "
        "the one that held at the end of their period.",
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
    mail_server: str | None = Field(
        None,
        description="Mail server for scheduled reports, like smtp://user:password@host:587 "
        "(STARTTLS) or smtps://host.",
    )
    mail_from: str = Field("hailong@localhost", description="Sender of mails.")
    demonstration_size: int = Field(
        40_000, ge=1000, description="How many responses the demonstration draws."
    )

    @property
    def over_https(self) -> bool:
        """Whether browsers reach the service by HTTPS, so that cookies can insist on it."""
        return (self.public_url or "").startswith("https://")

    @property
    def session_cookie(self) -> str:
        """Name of the session's cookie; by the prefix a browser refuses it from other hosts."""
        return "__Host-hailong" if self.over_https else "hailong"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)
