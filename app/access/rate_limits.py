"""Rate limits that hold over several server processes: counted in the database.

A hit is counted in a transaction of its caller's: the intake's in the one that stores the
responses, so that a limit costs one statement a group and no commit. What is known to be over
its limit is refused from memory and costs nothing.

An address stands nowhere. What is limited is kept as a hash with a salt that is drawn anew each
day and thrown away with it, in rows that are removed within minutes after their window. The salt
stands in the database, and there are no more than 2³² addresses of IPv4: whoever copied it could
try them all, and a bucket says to the microsecond when something was last drawn from it, which is
when a response came. So hashes have a second key, which stands outside (``app.text_keys``).
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from threading import Lock
from typing import NamedTuple

from cachetools import FIFOCache
from limits import RateLimitItem
from sqlalchemy import Date, bindparam, delete, select, text
from sqlalchemy.orm import Session

from app.access.buckets import Empty, Rate
from app.access.models import DailySalt, RateCount
from app.db import Database

#: Limits that are known to be reached; of more, the first noted are asked for anew.
_KNOWN_LIMIT = 50_000
_ROWS_AT_ONCE = 200


class Hit(NamedTuple):
    """One use of something limited: its key, when the window ends, and how many it allows."""

    key: bytes
    until: int
    amount: int

    def retry_after(self) -> int:
        """Seconds until the window ends, at least one."""
        return max(1, self.until - int(time.time()))


class RateLimits:
    """The limits of one process; what they count is shared through the database."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        key_outside: Callable[[], bytes] = lambda: b"",
    ) -> None:
        """``key_outside`` gives the key outside the database, of 64 bytes at most; read once a
        day, so that processes begun after it was exchanged count apart for the rest of it.
        """
        self._database, self._now, self._key_outside = database, now, key_outside
        self._salt: tuple[date, bytes] | None = None
        self._over: FIFOCache[tuple[bytes, int], None] = FIFOCache(_KNOWN_LIMIT)
        self._empty: FIFOCache[bytes, int] = FIFOCache(_KNOWN_LIMIT)
        self._noting = Lock()

    @property
    def ready(self) -> bool:
        """Whether this day's salt is at hand."""
        return self.ready_at(self._now())

    def ready_at(self, at: datetime) -> bool:
        """Whether the salt of the day of a moment, in UTC, is at hand."""
        return self._salt is not None and self._salt[0] == at.date()

    def prepare(self) -> None:
        """Read this day's salt from the database, or draw it if no process has yet."""
        day = self._today()
        with self._database.writing() as session:
            # Whichever process is first, its salt is everybody's.
            session.execute(
                text(
                    "INSERT INTO daily_salt (day, salt) VALUES (:day, :salt) "
                    "ON CONFLICT (day) DO NOTHING"
                ).bindparams(bindparam("day", type_=Date)),
                {"day": day, "salt": secrets.token_bytes(32)},
            )
            salt = session.scalars(select(DailySalt.salt).where(DailySalt.day == day)).one()
        both = blake2b(bytes(salt), key=self._key_outside(), digest_size=32).digest()
        self._salt = day, both

    def hit(self, rate: RateLimitItem, *what: object) -> Hit:
        """The hit for something that happens now; counts nothing yet. Wants ``ready``."""
        period = rate.get_expiry()
        until = (int(time.time()) // period + 1) * period
        return Hit(self.key(rate, *what), until, rate.amount)

    def key(self, rate: RateLimitItem | Rate, *what: object) -> bytes:
        """Under which something that is limited is kept today. Wants ``ready``."""
        assert self._salt is not None
        named = "\0".join(map(str, (*what, rate)))
        digest = blake2b(named.encode("utf-8", "replace"), key=self._salt[1], digest_size=16)
        return digest.digest()

    def empty_until(self, key: bytes) -> int:
        """Until when a bucket is known to have nothing, in microseconds since 1970."""
        return self._empty.get(key, 0)

    def note_empty(self, empty: Empty) -> None:
        """Remember that a bucket has nothing, so that the database is not asked again."""
        with self._noting:
            self._empty[empty.key] = empty.until

    def is_over(self, hit: Hit) -> bool:
        """Whether the limit is known to be reached in this window."""
        return (hit.key, hit.until) in self._over

    def note_over(self, hit: Hit) -> None:
        """Remember that the limit is reached, so that the database is not asked again."""
        with self._noting:
            self._over[(hit.key, hit.until)] = None

    def _today(self) -> date:
        return self._now().date()


def count(session: Session, hits: Sequence[Hit]) -> list[bool]:
    """Count hits within a writing session; for each, in order, whether its limit allows it."""
    if not hits:
        return []
    tally = Counter((hit.key, hit.until) for hit in hits)
    counted: dict[tuple[bytes, int], int] = {}
    # In the order of keys: two processes that count the same keys never wait in a ring.
    keys = sorted(tally)
    for start in range(0, len(keys), _ROWS_AT_ONCE):
        part = keys[start : start + _ROWS_AT_ONCE]
        rows = ", ".join(f"(:k{i}, :u{i}, :c{i})" for i in range(len(part)))
        values: dict[str, object] = {}
        for i, key in enumerate(part):
            values |= {f"k{i}": key[0], f"u{i}": key[1], f"c{i}": tally[key]}
        for row in session.execute(
            text(
                f"INSERT INTO rate_count (key, until, count) VALUES {rows} "
                "ON CONFLICT (key, until) DO UPDATE SET count = rate_count.count + excluded.count "
                "RETURNING key, until, count"
            ),
            values,
        ):
            counted[(bytes(row[0]), row[1])] = row[2]
    allowed = []
    for hit in hits:
        key = hit.key, hit.until
        tally[key] -= 1
        # How many there were up to this one, those of this call in their order.
        allowed.append(counted[key] - tally[key] <= hit.amount)
    return allowed


def forget(session: Session, hits: Sequence[Hit]) -> None:
    """Take back what was counted in this window: the right password ends a row of wrong ones."""
    for hit in hits:
        session.execute(
            delete(RateCount).where(RateCount.key == hit.key, RateCount.until == hit.until)
        )


def tidy(session: Session, now: datetime) -> None:
    """Remove counts whose window is over, and the salts of other days."""
    # A minute later: what a slow process counts into a window that has just ended is left alone.
    session.execute(delete(RateCount).where(RateCount.until < int(now.timestamp()) - 60))
    session.execute(delete(DailySalt).where(DailySalt.day < now.date()))
