"""Rates that even out: a bucket holds so many at once, and is filled again evenly.

A window that begins anew every minute lets twice its amount pass around its end, and then nothing
for the rest of a minute. A bucket of ten that is filled in two minutes lets ten pass at once, then
one every twelve seconds, and in any ten minutes sixty. What stands in the database is one number a
bucket, when it is full again, so that several server processes draw from the same (the generic cell
rate algorithm: ITU-T I.371, 1996, annex A).

What is refused draws nothing: whoever tries again too early does not put the moment off.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import groupby
from typing import NamedTuple, cast

from limits import RateLimitItem
from sqlalchemy import Table, delete
from sqlalchemy.orm import Session

from app.access.models import RateBucket
from app.db import bulk

_BUCKETS = cast(Table, RateBucket.__table__)
_SECOND = 1_000_000


class Rate(NamedTuple):
    """How many a full bucket holds, in what time one is put back (microseconds), and its name."""

    name: str
    amount: int
    interval: int

    @classmethod
    def of(cls, item: RateLimitItem) -> Rate:
        """The rate that a setting says."""
        return cls(str(item), item.amount, item.get_expiry() * _SECOND // item.amount)

    def __str__(self) -> str:
        return self.name


class Draw(NamedTuple):
    """What something takes one from; moments and durations are in microseconds."""

    key: bytes
    #: How many a full bucket holds, and in what time one is put back.
    amount: int
    interval: int
    at: int


class Empty(NamedTuple):
    """A bucket in which there was nothing, and when there will be."""

    key: bytes
    until: int

    def retry_after(self, at: int) -> int:
        """Seconds from a moment on until one can be drawn, at least one."""
        return max(1, -(-(self.until - at) // _SECOND))


def draw(rate: Rate, key: bytes, at: int) -> Draw:
    """A draw from the bucket of a rate: the rate's amount at once, filled again in its period."""
    return Draw(key, rate.amount, rate.interval, at)


def take(session: Session, wanted: Sequence[Sequence[Draw]]) -> list[Empty | None]:
    """Draw within a writing session; for each, in order, the bucket that had nothing, if any.

    Each draws from all its buckets or from none.
    """
    # The responses of a request draw mostly from the same, by the same object.
    distinct = {id(draws): draws for draws in wanted}.values()
    keys = sorted({(each.key,) for draws in distinct for each in draws})
    if not keys:
        return [None] * len(wanted)
    full_at = _locked(session, keys)
    before = dict(full_at)
    outcomes: list[Empty | None] = []
    for _, alike in groupby(wanted, key=id):
        run = list(alike)
        together = {
            key: max(full_at.get(key, 0), at) + len(run) * interval
            for key, _, interval, at in run[0]
        }
        if all(together[key] - amount * interval <= at for key, amount, interval, at in run[0]):
            # The last one finds something, so all before it do.
            full_at.update(together)
            outcomes += [None] * len(run)
            continue
        outcomes += [_drawn(draws, full_at) for draws in run]
    # In the order of keys: two processes that draw from the same never wait in a ring.
    changed = [(key, full) for key, full in sorted(full_at.items()) if full != before.get(key)]
    bulk.replace(session.connection(), _BUCKETS, ("key", "full_at"), changed)
    return outcomes


def _drawn(draws: Sequence[Draw], full_at: dict[bytes, int]) -> Empty | None:
    """Draw from all buckets, or from none where one has nothing: then that which has the latest."""
    after = {}
    empty = None
    for key, amount, interval, at in draws:
        full = max(full_at.get(key, 0), at) + interval
        until = full - amount * interval
        if until > at and (empty is None or until > empty.until):
            empty = Empty(key, until)
        after[key] = full
    if empty is None:
        full_at.update(after)
    return empty


def _locked(session: Session, keys: Sequence[tuple[bytes]]) -> dict[bytes, int]:
    """When each bucket is full; nobody else draws from them until the session ends."""
    connection = session.connection()
    # Rows that are not there cannot be locked, so they are put there before any is locked: whoever
    # waits for another's new row holds nothing that the other may want.
    found = bulk.find_by_key(connection, _BUCKETS, keys, ("full_at",), lock=True, all_or_none=True)
    if len(found) < len(keys) and connection.dialect.name == "sqlite":
        found = bulk.find_by_key(connection, _BUCKETS, keys, ("full_at",))
    elif len(found) < len(keys):
        # All, or in the moment between some that were tidied away: then a ring is possible, which
        # the server ends, and whoever is told so sends the same again.
        there = bulk.find_by_key(connection, _BUCKETS, keys, ())
        missing = [(*key, 0) for key in keys if key not in there]
        bulk.insert_missing(connection, _BUCKETS, ("key", "full_at"), missing)
        found = bulk.find_by_key(connection, _BUCKETS, keys, ("full_at",), lock=True)
    return {bytes(key): full for (key,), (full,) in found.items()}


def tidy(session: Session, at: int) -> None:
    """Remove buckets that are full: they are as those that were never drawn from."""
    session.execute(delete(RateBucket).where(RateBucket.full_at < at - 60 * _SECOND))


def network_of(address: str) -> str:
    """Whom an address stands for: itself, or the /64 of IPv6, of which one line has them all."""
    return _network(address, 32, 64)


def neighbourhood_of(address: str) -> str:
    """The wider network of an address, which one provider or one household may hold: /24, /48."""
    return _network(address, 24, 48)


def _network(address: str, bits4: int, bits6: int) -> str:
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = bits4 if isinstance(found, IPv4Address) else bits6
    kept = int(found) >> (found.max_prefixlen - bits) << (found.max_prefixlen - bits)
    return f"{type(found)(kept)}/{bits}"
