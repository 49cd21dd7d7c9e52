"""Browsers in which a person has signed in before, known again by a signed cookie.

Who tries passwords from outside has none, and is slowed down by where they are; the person, in the
browser that they always use, is not. The cookie lets nobody in: it only says whose attempts are
counted apart.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from app.access.server_secrets import Signer
from app.db import Database

COOKIE = "known_browser"
#: Browsers keep no cookie for longer than 400 days.
KEPT = timedelta(days=400)
#: People who share a browser, at a desk; of more, those who signed in last.
_MOST = 5
_TOKEN = re.compile(r"([0-9]{1,9})-([0-9]{1,11})-([0-9a-f]{12})-([0-9a-f]{20})")


class KnownBrowsers:
    """Makes the cookie's value and reads it."""

    def __init__(self, database: Database) -> None:
        self._signer = Signer(database, "browser")

    def number(self, cookie: str, account_id: int, now: datetime) -> str | None:
        """The browser's number, if the account has signed in there before."""
        return self._numbers(cookie, now).get(account_id)

    def remember(self, cookie: str, account_id: int, now: datetime) -> str:
        """The cookie's value after the account has signed in."""
        numbers = self._numbers(cookie, now)
        mine = numbers.pop(account_id, None) or secrets.token_hex(6)
        known = [(account_id, mine), *numbers.items()][:_MOST]
        return ".".join(self._token(id, number, int(now.timestamp())) for id, number in known)

    def _numbers(self, cookie: str, now: datetime) -> dict[int, str]:
        numbers: dict[int, str] = {}
        for token in cookie.split(".")[:_MOST]:
            found = _TOKEN.fullmatch(token)
            if found is None:
                continue
            account_id, since, number = int(found[1]), int(found[2]), found[3]
            if now.timestamp() - since <= KEPT.total_seconds() and self._signer.is_mine(
                found[4], account_id, since, number
            ):
                numbers.setdefault(account_id, number)
        return numbers

    def _token(self, account_id: int, number: str, since: int) -> str:
        return f"{account_id}-{since}-{number}-{self._signer.sign(account_id, since, number)}"
