"""What a form's page carries to tell that we made it, and when; no cookie is needed.

A token stands for no person: a number drawn at random, the moment, and our signature over both and
the page's path. Whoever wants to send many responses has to open many pages, and to wait.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import NamedTuple

from app.access.server_secrets import Signer
from app.db import Database

#: As long as a browser keeps the id of its response.
KEPT_S = 12 * 3600
_TOKEN = re.compile(r"([0-9]{1,11})-([0-9a-f]{12})-([0-9a-f]{20})")


class OpenedPage(NamedTuple):
    """A page of ours that somebody opened: its number, when, and its token to be shown again."""

    number: str
    opened: int
    token: str

    def age_s(self, now: datetime) -> float:
        """Seconds since the page was made."""
        return now.timestamp() - self.opened


class PageTokens:
    """Makes the tokens of pages and knows them again."""

    def __init__(self, database: Database) -> None:
        self._signer = Signer(database, "page")

    @property
    def at_hand(self) -> bool:
        """Whether a token can be made without asking the database."""
        return self._signer.at_hand

    def new(self, path: str, now: datetime) -> OpenedPage:
        """The token of a page that is made now."""
        opened, number = int(now.timestamp()), secrets.token_hex(6)
        signature = self._signer.sign(path, opened, number)
        return OpenedPage(number, opened, f"{opened}-{number}-{signature}")

    def read(self, token: object, path: str, now: datetime) -> OpenedPage | None:
        """The page that the token came with; None for what is not ours, or of another time."""
        found = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        if found is None:
            return None
        page = OpenedPage(found[2], int(found[1]), found[0])
        if not self._signer.is_mine(found[3], path, page.opened, page.number):
            return None
        return page if 0 <= page.age_s(now) + 1 <= KEPT_S else None
