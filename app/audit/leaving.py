"""Has heads leave the machine by themselves: where the log has grown, and once a day."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.audit.destinations import FAILURES, Destination, destinations
from app.audit.heads import Head, present_head
from app.audit.signing import WrongKeyError
from app.background import beat, item_failed
from app.db import Database
from app.logs.failures import described
from app.settings import Settings

log = logging.getLogger("hailong.audit")

#: How often it is looked whether something is due. The first time is not at once, so that a
#: server which is started again and again does not mail as often.
LOOK_EVERY_S = 30.0
_AT_LEAST_EVERY = timedelta(days=1)
_LONGEST_WAIT = timedelta(hours=1)
_FIRST_WAIT = timedelta(minutes=1)


@dataclass
class Leaving:
    """How it stands with one destination."""

    destination: Destination
    #: The last entry that is known there, and since when.
    entry: int = 0
    at: datetime | None = None
    #: Failures since, what the last one was, and when it is tried again.
    failures: int = 0
    failure: str | None = None
    again_at: datetime | None = None

    @property
    def name(self) -> str:
        """What may be told of the destination."""
        return self.destination.name

    def is_due(self, entry: int, now: datetime, every: timedelta) -> bool:
        """Whether a head is to leave: the log has grown, or was told long ago."""
        if self.again_at is not None:
            return now >= self.again_at
        if self.at is None:
            return True
        return now - self.at >= (every if entry != self.entry else _AT_LEAST_EVERY)

    def send(self, head: Head, now: datetime) -> bool:
        """Try it; whether it left."""
        try:
            self.destination.send(head)
        except FAILURES as error:
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(self.failures, 10))
            self.failures, self.failure = self.failures + 1, described(error)
            self.again_at = now + wait
            log.warning(
                "a head of the audit log did not leave by %s, try %d: %s",
                self.name, self.failures, error,
            )  # fmt: skip
            return False
        if self.failures:
            log.warning("heads leave by %s again, after %d tries", self.name, self.failures)
        self.entry, self.at = head.entry, now
        self.failures, self.failure, self.again_at = 0, None, None
        return True


@dataclass
class Heads:
    """All destinations of a process, and what is due."""

    database: Database
    settings: Settings
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    each: Sequence[Leaving] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.each = self.each or [Leaving(place) for place in destinations(self.settings)]

    def look(self) -> list[Leaving]:
        """Send what is due; to where it left.

        Raises
        ------
        WrongKeyError
            Where there is a key that cannot be used: a head that should be signed waits.
        """
        now, every = self.now(), timedelta(minutes=self.settings.audit_heads_every_min)
        with self.database.reading() as session:
            head = present_head(session, self.settings, now)
        if head is None:
            return []
        due = [each for each in self.each if each.is_due(head.entry, now, every)]
        return [each for each in due if each.send(head, now)]


def send_now(database: Database, settings: Settings) -> tuple[Head | None, list[Leaving]]:
    """Have the present head leave by every way, and tell how each went: whether all is well.

    Raises
    ------
    WrongKeyError
        Where there is a key that cannot be used.
    """
    now = datetime.now(UTC)
    with database.reading() as session:
        head = present_head(session, settings, now)
    tried = [Leaving(place) for place in destinations(settings)]
    if head is not None:
        for each in tried:
            each.send(head, now)
    return head, tried


async def keep_heads_leaving(
    database: Database,
    settings: Settings,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    look_every_s: float = LOOK_EVERY_S,
) -> None:
    """Have heads leave, for ever; of several processes on a machine one does it."""
    heads = Heads(database, settings, now)
    if settings.audit_key is None:
        log.warning("heads of the audit log leave unsigned: make a key with hailong audit key")
    while True:
        beat()
        await asyncio.sleep(look_every_s)
        with _alone(settings) as alone:
            while alone:
                try:
                    await asyncio.to_thread(heads.look)
                except WrongKeyError as error:
                    log.error("heads of the audit log do not leave: %s", str(error))
                    item_failed("WrongKeyError")
                beat()
                await asyncio.sleep(look_every_s)


@contextmanager
def _alone(settings: Settings) -> Iterator[bool]:
    """Whether no other process of this machine does the same for this database."""
    of = hashlib.sha256(settings.database_url.encode()).hexdigest()[:16]
    file = Path(tempfile.gettempdir()) / f"hailong-heads-{os.getuid()}-{of}.lock"
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(lock)
