"""The tables of access."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, UtcDateTime
from app.registry.models import SurveyPoint, Unit


class Right(StrEnum):
    """What a caller may do."""

    #: Send responses for its survey point, kept offline for some days at most.
    SUBMIT = "responses:submit"
    #: Send responses for any point and of any past time: the bulk import's right.
    IMPORT_HISTORY = "responses:import"
    #: Make one-time links for finished cases: the one-stop or hospital software's right.
    INVITE = "invitations:issue"
    #: Read rates and intervals.
    READ_FIGURES = "figures:read"
    #: See the rates of fewer respondents than HAILONG_LEAST_RESPONDENTS too.
    READ_SMALL_CELLS = "figures:read-small"
    #: Decide on what control limits rest, and from when on they begin anew.
    DECIDE_LIMITS = "limits:decide"
    #: Note what a unit did, and when.
    NOTE_ACTIONS = "actions:note"
    #: See batches of responses that are suspected together, and why.
    READ_BATCHES = "batches:read"
    #: Release or reject them: of units that one is not of (``app.integrity.reviewing``).
    REVIEW_BATCHES = "batches:review"
    #: See cases: what citizens want a reply to or are discontent with.
    READ_CASES = "cases:read"
    #: Deal with them: take, reply, hand on, close (``app.cases.reach`` says which).
    HANDLE_CASES = "cases:handle"
    #: Read what respondents wrote; every reading is logged.
    READ_COMMENTS = "comments:read"
    #: Read single responses, without texts, moments, points and devices; every reading is logged.
    READ_RESPONSES = "responses:read"
    #: Read them anonymised: quarters that are over, ten and more alike; every reading is logged.
    READ_ANONYMOUS = "responses:anonymous"
    #: Change the list of words by which themes of comments are found.
    EDIT_THEMES = "themes:edit"
    #: Write questionnaires, publish and withdraw them.
    EDIT_QUESTIONNAIRES = "questionnaires:edit"
    #: Read units, points and questionnaires.
    READ_REGISTRY = "registry:read"
    #: Pair and revoke the devices of survey points.
    MANAGE_POINTS = "points:manage"
    #: See accounts, their roles, and keys.
    READ_ACCESS = "access:read"
    #: Make and end accounts, roles and keys.
    MANAGE_ACCESS = "access:manage"
    #: Read the audit log.
    READ_AUDIT = "audit:read"


class Sector(StrEnum):
    """A field of administration that a role may be bound to; ``scope.KINDS`` tells its units."""

    HEALTH = "health"


class Account(Base):
    """A person who signs in. Never deleted, since the audit log names it; disabled instead."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("oidc_issuer", "oidc_subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: In lower case; what the person signs in with.
    email: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2))
    #: Whether the person, who heads or watches a unit, wants the digest of each month.
    digest: Mapped[bool] = mapped_column(default=True, server_default=true())
    #: Argon2id; none until the person has chosen a password, or if an identity provider has it.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Who the person is to the identity provider, once it has vouched for the e-mail address.
    oidc_issuer: Mapped[str | None] = mapped_column(String(300))
    oidc_subject: Mapped[str | None] = mapped_column(String(255))

    grants: Mapped[list[RoleGrant]] = relationship(
        back_populates="account", order_by="RoleGrant.id", cascade="all, delete-orphan"
    )


class RoleGrant(Base):
    """A role that an account has on a unit and all below it; on no unit means everywhere."""

    __tablename__ = "role_grant"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str] = mapped_column(String(32))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    sector: Mapped[str | None] = mapped_column(String(16))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship(back_populates="grants")
    unit: Mapped[Unit | None] = relationship()


class AccountSession(Base):
    """A browser in which a person has signed in. The cookie's token is kept as a hash."""

    __tablename__ = "account_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Last use, to the minute; unused for some time, the session is over.
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When the person last proved who they are; what is dangerous wants that to be recent.
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: What the browser calls itself, for the list of a person's sessions.
    browser: Mapped[str] = mapped_column(String(200))

    account: Mapped[Account] = relationship()


class PasswordLink(Base):
    """A link with which a person sets a password, once; kept as a hash."""

    __tablename__ = "password_link"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    account: Mapped[Account] = relationship()


class Credential(Base):
    """A secret that was given to a device, a system or a person's script. Kept as a hash."""

    __tablename__ = "credential"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    #: Space-separated rights, as in OAuth 2 scopes.
    rights: Mapped[str] = mapped_column(String(400))
    #: The survey point that a device sends for.
    point_id: Mapped[int | None] = mapped_column(ForeignKey("survey_point.id"), index=True)
    #: The unit that a system's key is for, with all below; none means everywhere.
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    #: The person whose key it is: it never opens more than they may, and ends with them.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    point: Mapped[SurveyPoint | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
    account: Mapped[Account | None] = relationship()
    status: Mapped[DeviceStatus | None] = relationship(viewonly=True)


class AccessToken(Base):
    """A token that a script got for its key (OAuth 2.0 client credentials); kept as a hash."""

    __tablename__ = "access_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"), index=True)
    rights: Mapped[str] = mapped_column(String(400))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    credential: Mapped[Credential] = relationship()


class PairingCode(Base):
    """A code that is typed into a device, once, for its credential; kept as a hash."""

    __tablename__ = "pairing_code"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    point_id: Mapped[int] = mapped_column(ForeignKey("survey_point.id"))
    #: What the device will be called.
    name: Mapped[str] = mapped_column(String(200))
    #: What staff type on the device to see its queue; the device keeps it, we do not.
    pin: Mapped[str] = mapped_column(String(8))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    point: Mapped[SurveyPoint] = relationship()


class DeviceStatus(Base):
    """What a device last told of itself."""

    __tablename__ = "device_status"

    credential_id: Mapped[int] = mapped_column(ForeignKey("credential.id"), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Responses that wait on the device, and those that the server refused for good.
    queue: Mapped[int]
    aside: Mapped[int]
    #: Of the kiosk's program.
    release: Mapped[str] = mapped_column(String(16))
    #: By how many seconds its clock was ahead of the server's.
    clock_ahead_s: Mapped[int]
    #: How full its storage is, in per cent; less than 0 if it cannot tell.
    storage_percent: Mapped[int]


class SignInAttempt(Base):
    """A browser that was sent to the identity provider and has not come back."""

    __tablename__ = "sign_in_attempt"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Of a cookie: the answer must come back in the same browser.
    browser_hash: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    code_verifier: Mapped[str] = mapped_column(String(128))
    #: Where to go afterwards.
    target: Mapped[str] = mapped_column(String(500))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RateCount(Base):
    """How often something happened in a window of time; removed soon after it."""

    __tablename__ = "rate_count"

    #: Keyed hash of what is limited: an address stands here in no other form.
    key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    #: When the window ends, in seconds since 1970.
    until: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    count: Mapped[int]


class RateBucket(Base):
    """What may happen so often, and is allowed again evenly; removed soon after it is full."""

    __tablename__ = "rate_bucket"

    #: Keyed hash, as of a rate count.
    key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    #: When the bucket is full again, in microseconds since 1970.
    full_at: Mapped[int] = mapped_column(BigInteger)


class ServerSecret(Base):
    """What the service signs by, for each purpose; the same for all its processes."""

    __tablename__ = "server_secret"

    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))


class DailySalt(Base):
    """The key of this day's hashes of addresses; thrown away with the day."""

    __tablename__ = "daily_salt"

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
