"""Keys of what citizens wrote: they encrypt names of staff, and know texts that are sent again.

They stand in a file of their own, outside the database and its backups, a key a line, the present
one first. All processes of a service read the same file; it is read again when it changes. Without
it nothing is lost but names of staff, and texts sent again are not compared.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.db.opening import sqlite_file
from app.settings import Settings

log = logging.getLogger("hailong.text_keys")

#: Stands for a hash that was dropped: there were texts, and nobody knows which.
DROPPED = b""
#: What is made by a key begins with so many bytes of the key's number.
ID_BYTES = 4
_NONCE, _HASH, _SECRET = 12, 16, 32
#: On PostgreSQL, where nothing else is named: in the service's working directory.
_BY_DEFAULT = Path("var/texts.key")
_HEAD = (
    "# Hai Long: keys of what citizens wrote, the present one first.\n"
    "# They are in no backup: keep a copy apart.\n"
)


class TextKeysUnusableError(Exception):
    """The file of keys cannot be read, written, or made sense of; the message says why."""


@dataclass(frozen=True)
class TextKey:
    """One key: its number, by which what it made is known, and what is derived from it."""

    id: bytes
    secret: bytes

    def derived(self, purpose: bytes) -> bytes:
        """A key for one purpose alone, of 32 bytes."""
        return blake2b(key=self.secret, person=purpose, digest_size=_SECRET).digest()


def key_file(settings: Settings) -> Path:
    """Where the keys are: as is set, beside a SQLite database, or in the working directory."""
    if settings.text_key_file is not None:
        return settings.text_key_file
    try:
        database = sqlite_file(make_url(settings.database_url))
    except ArgumentError:  # said by whoever opens it
        database = None
    return _BY_DEFAULT if database is None else database.with_name(f"{database.stem}.texts.key")


class TextKeys:
    """The keys of one file, as they are there now."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = Lock()
        self._read_from: tuple[int, int, int] | None = None
        self._keys: Sequence[TextKey] = ()
        self._complained = False

    @classmethod
    def of(cls, settings: Settings) -> TextKeys:
        """Those of a service: each process has one for each file."""
        file = key_file(settings).absolute()
        with _making:
            return _made.setdefault(file, cls(file))

    def keys(self, *, make: bool = True) -> Sequence[TextKey]:
        """All keys, the present one first; ``make`` makes the file where there is none.

        Raises
        ------
        TextKeysUnusableError
            Where they cannot be read or made.
        """
        with self._lock:
            try:
                if make and not self.file.exists():
                    self._make()
                there = self.file.stat()
                version = (there.st_ino, there.st_mtime_ns, there.st_size)
                if version != self._read_from:
                    self._keys, self._read_from = _parsed(self.file), version
            except OSError as error:
                raise TextKeysUnusableError(f"{self.file}: {error.strerror}") from error
            return self._keys

    def hashes(self, purpose: bytes, said: object) -> tuple[bytes, ...]:
        """What tells some words from others, by each key, the present one's first; 20 bytes each.

        None where the keys cannot be used, which the log says.
        """
        written = json.dumps(said, sort_keys=True).encode()
        return tuple(
            key.id
            + blake2b(written, key=key.derived(b"hash"), person=purpose, digest_size=_HASH).digest()
            for key in self._usable(make=True)
        )

    def encrypt(self, text: str, about: str) -> bytes | None:
        """A text by the present key, bound to what it is about; None where there is no key."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        for key in self._usable(make=True):
            nonce = secrets.token_bytes(_NONCE)
            cipher = AESGCM(key.derived(b"encrypt"))
            return key.id + nonce + cipher.encrypt(nonce, text.encode(), about.encode())
        return None

    def decrypt(self, encrypted: bytes, about: str) -> str | None:
        """The text again; None where its key is gone, or it was made about something else."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce, body = encrypted[ID_BYTES : ID_BYTES + _NONCE], encrypted[ID_BYTES + _NONCE :]
        for key in self._usable(make=False):
            if key.id == encrypted[:ID_BYTES]:
                with contextlib.suppress(InvalidTag):
                    cipher = AESGCM(key.derived(b"encrypt"))
                    return cipher.decrypt(nonce, body, about.encode()).decode()
        return None

    def derived(self, purpose: bytes) -> bytes:
        """A key for one purpose alone, of the present one; empty where there is none."""
        keys = self._usable(make=True)
        return keys[0].derived(purpose) if keys else b""

    def is_present(self, encrypted: bytes) -> bool:
        """Whether the present key made this."""
        keys = self._usable(make=False)
        return bool(keys) and keys[0].id == encrypted[:ID_BYTES]

    def rotate(self) -> None:
        """Put a new key before the others.

        Raises
        ------
        TextKeysUnusableError
            Where the file cannot be read or written.
        """
        self._replace([_new(), *self.keys()])

    def forget(self) -> int:
        """Leave the present key alone in the file; how many went.

        Raises
        ------
        TextKeysUnusableError
            Where the file cannot be read or written.
        """
        keys = self.keys()
        self._replace(keys[:1])
        return len(keys) - 1

    def _usable(self, *, make: bool) -> Sequence[TextKey]:
        try:
            keys = self.keys(make=make)
        except TextKeysUnusableError as error:
            if not self._complained:
                log.error("the keys of comments cannot be used, names of staff are lost: %s", error)
            self._complained = True
            return ()
        self._complained = False
        return keys

    def _make(self) -> None:
        """Make the file with its first key; of several processes the first one's counts."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _written_beside(self.file, [_new()]) as new, contextlib.suppress(FileExistsError):
            os.link(new, self.file)

    def _replace(self, keys: Sequence[TextKey]) -> None:
        try:
            with self._lock, _written_beside(self.file, keys) as new:
                new.replace(self.file)
        except OSError as error:
            raise TextKeysUnusableError(f"{self.file}: {error.strerror}") from error


_made: dict[Path, TextKeys] = {}
_making = Lock()


def _new() -> TextKey:
    return TextKey(secrets.token_bytes(ID_BYTES), secrets.token_bytes(_SECRET))


@contextlib.contextmanager
def _written_beside(file: Path, keys: Sequence[TextKey]) -> Iterator[Path]:
    """A file with keys beside another one, its owner's alone, on the disk; it is gone after."""
    new = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"{_HEAD}# {datetime.now(UTC):%Y-%m-%d}\n")
            stream.writelines(
                f"{key.id.hex()} {base64.b64encode(key.secret).decode()}\n" for key in keys
            )
            stream.flush()
            os.fsync(stream.fileno())
        yield new
    finally:
        new.unlink(missing_ok=True)


def _parsed(file: Path) -> Sequence[TextKey]:
    keys = []
    for line in file.read_text("utf-8", "replace").splitlines():
        if line.strip() and not line.startswith("#"):
            try:
                number, secret = line.split()
                key = TextKey(bytes.fromhex(number), base64.b64decode(secret, validate=True))
            except ValueError as error:
                raise TextKeysUnusableError(f"{file}: a line is no key") from error
            if len(key.id) != ID_BYTES or len(key.secret) != _SECRET:
                raise TextKeysUnusableError(f"{file}: a line is no key")
            keys.append(key)
    if not keys:
        raise TextKeysUnusableError(f"{file}: there is no key in it")
    return keys


def is_same(stored: bytes | None, hashes: Sequence[bytes] | None) -> bool:
    """Whether a stored hash is of the words that have these; also where nobody can know any more.

    Either is None where there were, or are, no words at all.
    """
    if stored is None or hashes is None:
        return stored is None and hashes is None
    of_its_key = [each for each in hashes if each[:ID_BYTES] == stored[:ID_BYTES]]
    return stored == DROPPED or not of_its_key or stored in of_its_key
