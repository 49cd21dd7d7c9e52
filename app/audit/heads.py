"""Heads: the last entry's number and hash, signed, as they leave the machine.

A head is one line of JSON, wherever it goes to, so that it is found again in what mail programs,
syslog servers and receivers of calls keep. It names no person.
"""

from __future__ import annotations

import json
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry
from app.audit.signing import Signature, sign
from app.settings import Settings

_LINE = re.compile(r'\{"hailong_head": ?1, ?[^{}]{20,1000}\}')
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Head:
    """What the log was at a moment. A chain is known by the hash of its first entry."""

    chain: str
    entry: int
    hash: str
    told_at: datetime
    signature: Signature | None = None

    @property
    def payload(self) -> bytes:
        """What is signed."""
        told = self.told_at.isoformat()
        return json.dumps(["hailong head", self.chain, self.entry, self.hash, told]).encode()

    @property
    def line(self) -> str:
        """The head as it leaves."""
        said: dict[str, object] = {
            "hailong_head": 1,
            "chain": self.chain,
            "entry": self.entry,
            "hash": self.hash,
            "told_at": self.told_at.isoformat(),
        }
        if self.signature is not None:
            said |= {"key": self.signature.key, "signature": self.signature.value}
        return json.dumps(said)


def present_head(session: Session, settings: Settings, now: datetime | None = None) -> Head | None:
    """The log's head at this moment, signed where there is a key; none of an empty log.

    Raises
    ------
    WrongKeyError
        Where the key's file is none, or others may read it.
    """
    entries = select(AuditEntry.id, AuditEntry.hash)
    first = session.execute(entries.order_by(AuditEntry.id).limit(1)).one_or_none()
    last = session.execute(entries.order_by(AuditEntry.id.desc()).limit(1)).one_or_none()
    if first is None or last is None:
        return None
    bare = Head(first.hash, last.id, last.hash, now or datetime.now(UTC))
    return Head(bare.chain, bare.entry, bare.hash, bare.told_at, sign(bare.payload, settings))


def read_heads(text: str) -> Iterator[Head]:
    """The heads in a text, whatever stands around them; mails may have broken their lines."""
    found: dict[str, None] = {}
    decoded = quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    for each in (text, decoded):
        found |= dict.fromkeys(_LINE.findall(each))
    # A head within a log of JSON has its quotes escaped.
    found |= dict.fromkeys(_LINE.findall(text.replace('\\"', '"')))
    for line in found:
        head = _read(line)
        if head is not None:
            yield head


def files_with_heads(place: Path) -> list[Path]:
    """A file, or all files in a folder, as a mailbox of one file a mail."""
    if place.is_dir():
        return sorted(each for each in place.rglob("*") if each.is_file())
    return [place]


def _read(line: str) -> Head | None:
    try:
        said = json.loads(line)
        signature = None
        if "signature" in said:
            signature = Signature(str(said["key"]), str(said["signature"]))
        told_at = datetime.fromisoformat(said["told_at"])
        head = Head(said["chain"], said["entry"], said["hash"], told_at, signature)
        sound = (
            _HASH.fullmatch(head.chain) and _HASH.fullmatch(head.hash) and 0 < head.entry < 2**63
        )
    except (ValueError, KeyError, TypeError):
        return None
    return head if sound and told_at.tzinfo is not None else None
