"""What a process held over time: samples, their curve, and whether it is flat."""

from __future__ import annotations

import statistics
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

#: The claim: the last sixth of the time holds at most so much more than the third one.
FLAT = 1.05


@dataclass(frozen=True)
class Sample:
    """What was held at a moment, in MB: by the server, and by the processes that it started."""

    second: float
    rss: float
    pss: float
    beside: float
    requests: int


def of_process(process: psutil.Process) -> tuple[float, float, float]:
    """RSS and PSS of a process in MB, and PSS of all that it started."""
    own = process.memory_full_info()
    beside = 0.0
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            beside += child.memory_full_info().pss
    return own.rss / 1e6, own.pss / 1e6, beside / 1e6


@dataclass
class Run:
    """A run: its samples, and what the clients were answered."""

    samples: list[Sample] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)

    @property
    def highest(self) -> float:
        """The most that the server held, in MB."""
        return max(each.rss for each in self.samples)

    @property
    def grown(self) -> float:
        """The median of the last sixth of the time over that of the third one."""
        sixth = max(1, len(self.samples) // 6)
        rss = [each.rss for each in self.samples]
        before, last = rss[2 * sixth : 3 * sixth], rss[-sixth:]
        return statistics.median(last) / statistics.median(before or last)

    @property
    def slope(self) -> float:
        """MB an hour over the second half, by least squares."""
        half = self.samples[len(self.samples) // 2 :]
        if len(half) < 2:
            return 0.0
        seconds, rss = [each.second for each in half], [each.rss for each in half]
        return statistics.linear_regression(seconds, rss).slope * 3600

    def curve(self, wide: int = 60) -> list[str]:
        """The samples as lines of text: minute, MB, a bar."""
        step = max(1, len(self.samples) // 24)
        most = self.highest
        return [
            f"{each.second / 60:6.1f} min {each.rss:6.0f} MB (shared out {each.pss:4.0f}, beside "
            f"{each.beside:4.0f}) {'█' * round(each.rss / most * wide)}"
            for each in self.samples[::step]
        ]
