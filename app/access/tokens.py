"""Random tokens: made here, kept as hashes only.

A token has 256 random bits, so a plain SHA-256 keeps it safe in a stolen database; only secrets
that people choose need a slow hash.
"""

from __future__ import annotations

import hashlib
import secrets


def new_token(prefix: str = "") -> str:
    """A token that nobody can guess."""
    return prefix + secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is kept of a token; takes any text, since anything may be sent as one."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
