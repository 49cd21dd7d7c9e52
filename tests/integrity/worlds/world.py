"""Months of a province as arrays, with the truth about each response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.responses import DAY_S, Responses
from tests.integrity.worlds.clienteles import Clientele

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

KIOSK, QR, INVITATION = range(3)
CHANNELS = ("kiosk", "qr", "invitation")
EPOCH = date(1970, 1, 1)
#: Satisfied is from this level on, of five.
SATISFIED = 4


def second(day: date, hours: float = 0.0) -> float:
    """Local seconds since 1970 of a day's midnight, or so many hours after it."""
    return (day - EPOCH).days * DAY_S + hours * 3600.0


@dataclass(frozen=True)
class Answers:
    """Responses in any order, one entry each; ``levels`` (n, items), 0 where not rated.

    Seconds are local; ``duration_s`` is NaN where none was sent. ``truth``: stuffed.
    """

    source: Ints
    channel: Ints
    answered_s: Floats
    received_s: Floats
    duration_s: Floats
    levels: NDArray[np.uint8]
    particulars: NDArray[np.uint64]
    truth: Bools

    def __len__(self) -> int:
        return len(self.source)

    def where(self, chosen: Bools | Ints) -> Answers:
        """Some of them, or some several times."""
        return Answers(*(getattr(self, field.name)[chosen] for field in fields(self)))


def together(parts: Sequence[Answers]) -> Answers:
    """All parts in one."""
    return Answers(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Answers)
        )
    )


@dataclass(frozen=True)
class Sources:
    """Devices, public forms and invitations, one entry each; ``measured`` ones send durations.

    While ``offline`` (k, 3: source, from, to) a device keeps its answers, and sends them after it.
    """

    unit: Ints
    channel: Ints
    measured: Bools
    offline: Floats

    def received(self, source: Ints, answered: Floats, rng: np.random.Generator) -> Floats:
        """When answers arrive: within seconds, or after the device is online again."""
        at = answered + 0.3 + rng.exponential(1.0, len(answered))
        for of, begin, end in self.offline:
            waits = (source == int(of)) & (answered >= begin) & (answered < end)
            order = np.argsort(np.argsort(answered[waits]))
            at[waits] = end + 0.2 * (1 + order)
        return at


@dataclass(frozen=True)
class World:
    """Months of a province, from the first of ``months``.

    ``hours`` (units, 2, 2) are the opening and closing hour of the morning and the afternoon,
    ``saturdays`` says who opens on Saturday mornings; of units without ``known_hours`` nobody but
    their clients knows them. ``clients`` says who comes to each unit.
    """

    answers: Answers
    sources: Sources
    months: tuple[date, ...]
    hours: Floats
    saturdays: Bools
    known_hours: Bools
    clients: tuple[Clientele, ...]

    def __len__(self) -> int:
        return len(self.answers)

    @property
    def units(self) -> int:
        """How many there are."""
        return len(self.clients)

    @property
    def items(self) -> int:
        """How many are rated on the form."""
        return self.answers.levels.shape[1]

    @cached_property
    def unit(self) -> Ints:
        """Of each response."""
        return self.sources.unit[self.answers.source]

    @cached_property
    def month(self) -> Ints:
        """Of each response, as its number in ``months``; by when it was answered."""
        begins = [second(month) for month in self.months]
        return np.clip(np.searchsorted(begins, self.answers.answered_s, "right") - 1, 0, None)

    @cached_property
    def open(self) -> Bools:
        """Whether each response was answered in opening hours; True where they are not known."""
        return self.is_open(self.unit, self.answers.answered_s) | ~self.known_hours[self.unit]

    def is_open(self, unit: Ints, at: Floats) -> Bools:
        """Whether units are open at moments, each at its own."""
        days, hour = at // DAY_S, (at % DAY_S) / 3600.0
        weekday = (days.astype(np.intp) + 3) % 7  # 1 January 1970 was a Thursday
        half = self.hours[unit]
        within = (half[:, :, 0] <= hour[:, None]) & (hour[:, None] < half[:, :, 1])
        saturday = (weekday == 5) & self.saturdays[unit] & within[:, 0]
        return np.where(weekday < 5, within.any(axis=1), saturday)

    @property
    def responses(self) -> Responses:
        """What a judge may see."""
        answers, sources = self.answers, self.sources
        return Responses(
            source=answers.source,
            unit=self.unit,
            group=2 * sources.channel[answers.source] + sources.measured[answers.source],
            answered_s=answers.answered_s,
            received_s=answers.received_s,
            duration_s=answers.duration_s,
            levels=answers.levels,
            particulars=answers.particulars,
            open=self.open,
            one_screen=answers.channel == KIOSK,
        )

    @property
    def last(self) -> int:
        """The number of the last month, in which attacks and odd days are."""
        return len(self.months) - 1

    def working_days(self, month: int) -> list[date]:
        """A month's days from Monday to Friday."""
        first = self.months[month]
        days = [first + timedelta(days=i) for i in range(31)]
        return [day for day in days if day.month == first.month and day.weekday() < 5]

    def source_of(self, unit: int, channel: int) -> int:
        """The unit's first source by a channel; a LookupError where it has none."""
        found = np.flatnonzero((self.sources.unit == unit) & (self.sources.channel == channel))
        if not len(found):
            raise LookupError(f"unit {unit} has no {CHANNELS[channel]}")
        return int(found[0])

    def has(self, unit: int, channel: int) -> bool:
        """Whether the unit is answered by a channel."""
        return bool(((self.sources.unit == unit) & (self.sources.channel == channel)).any())

    def with_more(self, more: Answers) -> World:
        """The same with more responses, behind the others."""
        return replace(self, answers=together([self.answers, more]))

    def without(self, gone: Bools) -> World:
        """The same without some responses."""
        return replace(self, answers=self.answers.where(~gone))

    def until(self, moment: float) -> World:
        """What had come in by then."""
        return self.without(self.answers.received_s > moment)

    def rates(self, counted: Bools) -> Floats:
        """Satisfied over rated among the counted, (units, months); NaN where none is counted."""
        rated = np.where(counted, np.count_nonzero(self.answers.levels, axis=1), 0)
        content = np.where(counted, (self.answers.levels >= SATISFIED).sum(axis=1), 0)
        shape = (self.units, len(self.months))
        cell = self.unit * shape[1] + self.month
        sums = [np.bincount(cell, each, shape[0] * shape[1]) for each in (content, rated)]
        with np.errstate(invalid="ignore"):
            rates: Floats = (sums[0] / sums[1]).reshape(shape)
        return rates
