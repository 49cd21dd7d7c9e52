"""Repeated failures, folded: told at once, then counted, told each minute and when they end.

Six outages of ten seconds wrote 256,403 lines before, which filled the disk and told nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import InterfaceError, OperationalError

from app.logs.failures import kind_of, place_of

EVERY_S = 60.0
#: Lines of one kind that are told before they are counted, where they bring no path with them.
_FREELY = 5
#: A failure's path is told again after so long.
_PATH_AGAIN_S = 3600.0
#: Kinds that are remembered; more would be memory without end.
_MOST_KINDS = 500

_Key = tuple[str, ...]


@dataclass
class _Kind:
    """One kind of failure while it lasts."""

    event: str
    name: str
    level: int
    begun: float
    #: When it was last told how often, and how often it came since; how often at all.
    told: float
    last: float
    more: int = 0
    total: int = 0


@dataclass
class Folding:
    """Decides for each record whether it is told; makes the lines that tell of the others."""

    every_s: float = EVERY_S
    now: Callable[[], float] = time.monotonic
    _kinds: dict[_Key, _Kind] = field(default_factory=dict)
    _paths: dict[_Key, float] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether something will have to be told later."""
        return bool(self._kinds)

    def passes(self, record: logging.LogRecord) -> bool:
        """Whether a record is told now. Its path is taken from it where that was told before."""
        if record.levelno < logging.WARNING:
            return True
        at, error = self.now(), record.exc_info[1] if record.exc_info else None
        failure = _failure(error)
        key = (record.name, str(record.msg), *failure)
        kind = self._kinds.get(key)
        if kind is None:
            self._forget_oldest()
            event = record.getMessage()
            kind = _Kind(event, record.name, record.levelno, begun=at, told=at, last=at)
            self._kinds[key] = kind
        kind.last, kind.total = at, kind.total + 1
        if kind.total > (1 if error is not None else _FREELY):
            kind.more += 1
            return False
        if error is not None:
            told = at - self._paths.get(failure, at - _PATH_AGAIN_S) < _PATH_AGAIN_S
            record.__dict__["path_told"] = told
            if not told:
                self._paths.pop(failure, None)
                self._paths[failure] = at
        return True

    def due(self) -> list[logging.LogRecord]:
        """What is to be told now of what was not: how often more, and what is over."""
        at, lines = self.now(), []
        for key, kind in list(self._kinds.items()):
            if at - kind.last >= self.every_s:
                del self._kinds[key]
                lines += _told(kind, at)
                if kind.total > 1:
                    lines.append(_over(kind))
            elif at - kind.told >= self.every_s:
                lines += _told(kind, at)
        return lines

    def rest(self) -> list[logging.LogRecord]:
        """What is left to be told at the end of the process."""
        at = self.now()
        lines = [line for kind in self._kinds.values() for line in _told(kind, at)]
        self._kinds.clear()
        return lines

    def _forget_oldest(self) -> None:
        if len(self._kinds) >= _MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        if len(self._paths) >= _MOST_KINDS:
            del self._paths[next(iter(self._paths))]


def _failure(error: BaseException | None) -> _Key:
    """A failure's kind and place; where the database is away, every place is one."""
    if error is None:
        return ()
    if isinstance(error, OperationalError | InterfaceError):
        return (kind_of(error), kind_of(error.orig) if error.orig else "")
    return (kind_of(error), place_of(error))


def _told(kind: _Kind, at: float) -> list[logging.LogRecord]:
    """That it came more often, if it did."""
    more, seconds, kind.more = kind.more, at - kind.told, 0
    kind.told = at
    if not more:
        return []
    times = "once" if more == 1 else f"{more:,} times"
    return [_line(kind, f"… {times} more in {seconds:.0f} s: {kind.event}", times=more)]


def _over(kind: _Kind) -> logging.LogRecord:
    lasted = kind.last - kind.begun
    return _line(
        kind, f"over: {kind.event} ({kind.total:,} times in {lasted:.0f} s)", times=kind.total
    )


def _line(kind: _Kind, event: str, times: int) -> logging.LogRecord:
    line = logging.LogRecord(kind.name, kind.level, "", 0, event, None, None)
    line.__dict__["times"] = times
    return line
