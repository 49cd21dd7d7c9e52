"""Signs what the audit log says about itself, by a key that does not stand in the database.

Whoever can write to the database can compute the whole chain anew; a signature of its head, or of
an entry that explains a gap, they cannot make. The key is a file (``hailong audit key``); its
public half, one line of text, is noted where the service cannot change it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session

from app.audit import log
from app.audit.models import AuditEntry
from app.settings import Settings

#: How a public key begins as text.
PREFIX = "hailong-audit-"
#: Signs of a fingerprint, of a SHA-256's 64.
_FINGERPRINT = 16
#: Rights on the key's file that nobody but its owner may have; a group may read it, as systemd's
#: credentials are given.
_TOO_OPEN = 0o037
#: The key of a signed entry's details under which its signature stands.
_SIGNATURE = "signature"
#: And the one under which the moment stands.
_MOMENT = "signed_at"
_EARLIEST = datetime.min.replace(tzinfo=UTC)


class WrongKeyError(Exception):
    """A key that cannot be used; the message says why, to a person."""


@dataclass(frozen=True)
class Signature:
    """A signature, and the fingerprint of the key that it is by."""

    key: str
    value: str


def make_key(file: Path) -> str:
    """Make a new key in a file that only its owner reads; its public half.

    Raises
    ------
    WrongKeyError
        Where the file is there already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError as error:
        raise WrongKeyError(
            f"{file} is there already: what it signed could not be checked any more"
        ) from error
    except OSError as error:
        raise WrongKeyError(f"the key cannot be written: {error}") from error
    return _as_text(key.public_key())


def public_key(settings: Settings) -> str | None:
    """The public half of the key of the settings; none where they name none.

    Raises
    ------
    WrongKeyError
        Where the file is no such key, or others may read it.
    """
    key = _own(settings)
    return None if key is None else _as_text(key.public_key())


def sign(payload: bytes, settings: Settings) -> Signature | None:
    """Sign with the key of the settings; none where they name none.

    Raises
    ------
    WrongKeyError
        Where the file is no such key, or others may read it.
    """
    key = _own(settings)
    if key is None:
        return None
    # No sign for padding at its end: mail programs take "=" for one of theirs.
    value = base64.b64encode(key.sign(payload)).decode().rstrip("=")
    return Signature(fingerprint(_as_text(key.public_key())), value)


def holds(payload: bytes, signature: Signature, public: str) -> bool:
    """Whether a signature of a payload is by the key whose public half this is."""
    try:
        coded = signature.value + "=" * (-len(signature.value) % 4)
        _read_public(public).verify(base64.b64decode(coded, validate=True), payload)
    except (InvalidSignature, ValueError):
        return False
    return signature.key == fingerprint(public)


def fingerprint(public: str) -> str:
    """The short name of a key, from its public half.

    Raises
    ------
    WrongKeyError
        Where this is no public key.
    """
    raw = _read_public(public).public_bytes_raw()
    return hashlib.sha256(raw).hexdigest()[:_FINGERPRINT]


def record_signed(
    session: Session, settings: Settings, action: str, subject: object, **details: object
) -> None:
    """Append an entry to the log that nobody without the key could have written, nor moved.

    The signature covers action, details, the entry that it follows, and the moment: what it may
    explain ends there. Without a key in the settings the entry is written all the same, unsigned.

    Raises
    ------
    WrongKeyError
        Where the key's file is none, or others may read it.
    """
    entry, before = log.last(session)
    said = {
        **json.loads(log.as_details(details)),
        "follows": entry,
        "follows_hash": before,
        _MOMENT: datetime.now(UTC).isoformat(),
    }
    signature = sign(_payload(action, said), settings)
    if signature is not None:
        said[_SIGNATURE] = {"key": signature.key, "value": signature.value}
    log.record(session, action, subject, **said)


def signed_at(entry: AuditEntry) -> datetime:
    """When an entry was signed, by what its signature covers; its own moment anybody may change."""
    try:
        moment = datetime.fromisoformat(str(log.details_of(entry)[_MOMENT]))
    except (KeyError, ValueError):
        return _EARLIEST
    return moment if moment.tzinfo else _EARLIEST


def signed_by(entry: AuditEntry, before: str, publics: Iterable[str]) -> bool:
    """Whether an entry that follows one with the hash ``before`` is signed by one of the keys."""
    try:
        said = json.loads(entry.details)
        given = said.pop(_SIGNATURE)
        signature = Signature(str(given["key"]), str(given["value"]))
    except (ValueError, AttributeError, TypeError, KeyError):
        return False
    if (said.get("follows"), said.get("follows_hash")) != (entry.id - 1, before):
        return False
    payload = _payload(entry.action, said)
    return any(holds(payload, signature, public) for public in publics)


def _payload(action: str, details: dict[str, object]) -> bytes:
    return json.dumps(["hailong entry", action, details], sort_keys=True).encode()


def _own(settings: Settings) -> Ed25519PrivateKey | None:
    file = settings.audit_key
    if file is None:
        return None
    try:
        text, mode = file.read_bytes(), file.stat().st_mode
    except OSError as error:
        raise WrongKeyError(f"the audit key cannot be read: {error}") from error
    if mode & _TOO_OPEN:
        raise WrongKeyError(f"others may read the audit key: chmod 600 {file}")
    try:
        key = serialization.load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise WrongKeyError(f"{file} is no key of hailong audit key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongKeyError(f"{file} is no key of hailong audit key")
    return key


def _as_text(key: Ed25519PublicKey) -> str:
    return PREFIX + base64.urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("=")


def _read_public(text: str) -> Ed25519PublicKey:
    given = text.strip()
    try:
        if not given.startswith(PREFIX):
            raise ValueError("it does not begin as one")
        coded = given.removeprefix(PREFIX)
        raw = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars="-_", validate=True)
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise WrongKeyError(f"{given[:60]} is no public key of hailong audit key") from error
