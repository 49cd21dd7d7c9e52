"""The ids by which copies outside know responses: stable, by a key of the service, and mute.

A response's own id begins with the millisecond at which it was given, so it never leaves. Its 16
bytes are one block of AES: ten bytes of what a secret key makes of it are the id outside. Whoever
has copies alone learns nothing from it, and even with the key six bytes are missing to lead back.
So it may stand for a response that was erased (``app.intake.changes``).
"""

from __future__ import annotations

from uuid import UUID

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sqlalchemy.orm import Session

from app.access.server_secrets import secret_in, secret_of
from app.db import Database

_PURPOSE = "export"
#: Bytes of an id of a response, and of one outside, which is written in twice as many digits.
_BLOCK, _BYTES = 16, 10
#: Digits of an id outside.
DIGITS = 2 * _BYTES


class ExportIds:
    """Makes ids for outside: twenty hexadecimal digits, the same in every export of a service."""

    def __init__(self, key: bytes) -> None:
        # No block comes twice, since no id does: blocks each by itself are what is wanted here.
        self._cipher = Cipher(algorithms.AES256(key), modes.ECB())

    @classmethod
    def of(cls, database: Database) -> ExportIds:
        """Those of a service; its key is drawn when it is first wanted."""
        return cls(secret_of(database, _PURPOSE))

    @classmethod
    def within(cls, session: Session) -> ExportIds:
        """The same within a transaction that writes."""
        return cls(secret_in(session, _PURPOSE))

    def of_response(self, id: str) -> str:
        """The id outside of a response."""
        return self.of_bytes(UUID(id).bytes).decode()

    def of_bytes(self, ids: bytes) -> bytes:
        """The ids outside of responses, digit after digit, by the 16 bytes of each of theirs."""
        encryptor = self._cipher.encryptor()
        blocks = encryptor.update(ids) + encryptor.finalize()
        whole = np.frombuffer(blocks, dtype=np.uint8).reshape(-1, _BLOCK)
        return whole[:, :_BYTES].tobytes().hex().encode()
