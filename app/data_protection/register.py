"""The register of processing: what is kept about whom, why, how long, who reads it, where it goes.

Facts alone, from the schema (``kept.toml``), the roles, and the settings of this installation. What
only the office knows, as its legal basis and who is responsible, is left to be filled in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.models import Right
from app.access.roles import RIGHTS, Role
from app.settings import Settings
from app.webhooks.models import Webhook

_FILE = Path(__file__).with_name("kept.toml")


class About(StrEnum):
    """Whose data a table holds."""

    CITIZENS = "citizens"
    STAFF = "staff"


class Data(StrEnum):
    """Sorts of data that tell of a person, or open something in a person's name."""

    CONTACT = "contact"
    OPINION = "opinion"
    WORDS = "words"
    TRACE = "trace"
    SECRET = "secret"


class Kept(BaseModel):
    """What one table keeps: its columns by what they tell; the file says what the words mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: About
    why: str
    kept: str
    contact: tuple[str, ...] = ()
    opinion: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def columns(self, data: Data) -> tuple[str, ...]:
        """The columns of one sort of data."""
        found: tuple[str, ...] = getattr(self, data.value)
        return found

    @property
    def data(self) -> list[Data]:
        """What it holds."""
        return [data for data in Data if self.columns(data)]


@dataclass(frozen=True)
class Schema:
    """What every table keeps about persons; ``nobody`` are those that keep nothing."""

    tables: Mapping[str, Kept]
    nobody: tuple[str, ...]


@cache
def schema() -> Schema:
    """What is declared of the tables."""
    given = tomllib.loads(_FILE.read_text("utf-8"))
    nobody = tuple(given.pop("nobody")["tables"])
    return Schema({name: Kept.model_validate(table) for name, table in given.items()}, nobody)


class Way(StrEnum):
    """How data leave this machine."""

    SMS = "sms"
    MAIL = "mail"
    WEBHOOK = "webhook"
    OPENID = "openid"
    HEADS = "heads"
    BACKUP = "backup"


@dataclass(frozen=True)
class Recipient:
    """Where data go that leave: a machine's name, or a folder's."""

    way: Way
    where: str


@dataclass(frozen=True)
class Register:
    """All facts of one installation."""

    settings: Settings
    schema: Schema
    recipients: tuple[Recipient, ...]
    readers: Mapping[Right, tuple[Role, ...]]


#: Whose words and answers may be read by whom stands with these rights.
_READING = (
    Right.READ_FIGURES, Right.READ_SMALL_CELLS, Right.READ_COMMENTS, Right.READ_ACCESS,
    Right.READ_AUDIT, Right.READ_BATCHES, Right.READ_CASES,
)  # fmt: skip


def register_of(session: Session, settings: Settings) -> Register:
    """The facts of this installation, from its settings and its database."""
    hooks = session.scalars(
        select(Webhook.url).where(Webhook.ended_at.is_(None)).order_by(Webhook.id)
    )
    recipients = [*_recipients(settings), *(Recipient(Way.WEBHOOK, _host(url)) for url in hooks)]
    readers = {right: tuple(role for role in Role if right in RIGHTS[role]) for right in _READING}
    return Register(settings, schema(), tuple(dict.fromkeys(recipients)), readers)


def _recipients(settings: Settings) -> Sequence[Recipient]:
    """Where the settings send something; addresses of machines alone, for some hold passwords."""
    found = []
    if settings.sms_url:
        found.append(Recipient(Way.SMS, _host(settings.sms_url)))
    if settings.mail_server:
        found.append(Recipient(Way.MAIL, _host(settings.mail_server)))
    if settings.oidc_issuer:
        found.append(Recipient(Way.OPENID, _host(settings.oidc_issuer)))
    for place in settings.audit_heads.split():
        found.append(Recipient(Way.HEADS, _host(place)))
    if settings.backup_folder:
        found.append(Recipient(Way.BACKUP, str(settings.backup_folder)))
    return found


def _host(url: str) -> str:
    """The machine of an address, without what stands before it; of a mail or file, the rest."""
    parts = urlsplit(url)
    return parts.hostname or parts.path.rpartition("@")[2]
