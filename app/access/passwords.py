"""Passwords: kept by Argon2id, and refused where they are easily guessed.

Length and strength by NIST SP 800-63B (2017, revision 3, 5.1.1.2): no rules of composition, no
expiry, a check against what people usually choose (zxcvbn 4.5: Wheeler, USENIX Security 2016).
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import TypeVar

from pwdlib import PasswordHash

from app.problems import FieldError

LEAST_LENGTH = 12
MOST_LENGTH = 200
#: zxcvbn's "safely unguessable": more than 10^8 guesses.
_LEAST_SCORE = 3
#: It slows down on long input, and what is strong by then stays strong.
_JUDGED_LENGTH = 72

#: Hashes that are made at once: on half of the processors at most; each takes 64 MB.
AT_ONCE = max(1, min(2, (os.cpu_count() or 2) // 2))
#: Whoever waits for a hash waits a little longer where somebody's answer is being stored.
_NICENESS = 10

_argon2 = PasswordHash.recommended()
T = TypeVar("T")


def _step_back() -> None:
    """Let this thread, and those that hash for it, run after others where the system can."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


_hashing = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hashing", initializer=_step_back)


def _by_turns(hash_: Callable[[], T]) -> T:
    return _hashing.submit(hash_).result()


@cache
def _nobodys() -> str:
    """Verified for those who have no password, so that they take as long as the others."""
    return _argon2.hash("nobody has this password")


def judge(password: str, *about: str, field: str = "password") -> FieldError | None:
    """Why a password is refused, or None. ``about`` is what others know of the person."""
    # Its lists of words take a quarter of a second to load: not at the start of every command.
    from zxcvbn import zxcvbn

    password = _normal(password)
    if len(password) < LEAST_LENGTH:
        return FieldError(field, "password.too_short", {"least": LEAST_LENGTH})
    if len(password) > MOST_LENGTH:
        return FieldError(field, "password.too_long", {"most": MOST_LENGTH})
    known = [*about, *(part for each in about for part in each.replace("@", " ").split())]
    if zxcvbn(password[:_JUDGED_LENGTH], user_inputs=[*known, "hai long"])["score"] < _LEAST_SCORE:
        return FieldError(field, "password.too_easy")
    return None


def hash_password(password: str) -> str:
    """What is kept of a password."""
    return _by_turns(lambda: _argon2.hash(_normal(password)))


def verify(password: str, kept: str | None) -> bool:
    """Whether the password is the one that was kept; takes as long where none was."""
    if len(password) > MOST_LENGTH:
        return False
    right = _by_turns(lambda: _argon2.verify(_normal(password), kept or _nobodys()))
    return right and kept is not None


def _normal(password: str) -> str:
    """One form whatever the keyboard composed: ế may come as one character or as three."""
    return unicodedata.normalize("NFKC", password)
