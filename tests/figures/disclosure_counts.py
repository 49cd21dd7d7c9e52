"""What answers tell of how many people, as vectors over the people of a drawn world.

Every whole number in an answer is either read here as a count of known people, or named in
``NO_PEOPLE`` with what it is instead: one that is neither fails the attack.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import numpy as np

from tests.figures.disclosure_world import ATOMS, CHANNELS, LEAST, MONTHS, PERIODS, UNITS

#: Counts of people, where they stand beside the figure that they are of.
PEOPLE = {"respondents", "counted", "known", "timed", "responses", "n"}
NO_PEOPLE = {
    "answers": "answers of the respondents beside it",
    "levels": "answers of the respondents beside it, by level",
    "no_opinion": "answers of the respondents beside it, none here",
    "fewer_than": "a setting",
    "hasty partial in_english set_aside unreleased answered": "of the respondents beside it",
    "other_respondents": "respondents of another period's figure; held by the two worlds",
    "above below best compared not_distinguishable ranked ranked_from silent suppressed units "
    "waiting strata parts judged_together": "units or tests that are shown, counted",
    "rank rank_adjusted rank_adjusted_high rank_adjusted_low rank_high rank_high_simultaneous "
    "rank_low rank_low_simultaneous": "ranks; held by the two worlds",
    "degrees_of_freedom": "of a test over what is shown; held by the two worlds",
    "cases reached invited required least_respondents hasty_s looks_a_year least_periods "
    "periods_judged rests_on value values": "volumes, settings, periods, options",
    "needed_for_margin needed_to_publish": "from the respondents beside it",
    "left_out dealt_out": "who lacks an answer, or was divided by shares; few are not told",
}
#: Parts about another period than was asked for (``collecting``: the running month).
ELSEWHERE = {"before", "other", "collecting", "options"}
_NAMED = {name for names in NO_PEOPLE for name in names.split()}


@dataclass(frozen=True)
class About:
    """Whose answers a figure is of."""

    unit: str = "77"
    descendants: bool = True
    channel: str | None = None
    months: tuple[str, ...] = MONTHS
    items: tuple[str, ...] = ("A1", "B1")
    #: Whether parts may be of periods outside: trends of a view.
    view: bool = False

    def within(self, part: Mapping[str, Any]) -> About:
        """The same for a part of an answer, which may say more of itself."""
        about = self
        if isinstance(part.get("unit"), Mapping):
            about = replace(about, unit=part["unit"]["code"])
        if isinstance(part.get("channel"), str):
            about = replace(about, channel=part["channel"])
        if isinstance(part.get("period"), str):
            of = MONTHS if about.view else about.months
            held = tuple(month for month in of if holds(part["period"], month))
            about = replace(about, months=held)
        if isinstance(part.get("item"), str):
            return replace(about, items=(part["item"],) if part["item"] != "trips" else about.items)
        if isinstance(part.get("factor"), str):
            return replace(about, items=(f"{part['factor']}1",))
        return about

    @classmethod
    def asked(cls, parameters: httpx.QueryParams) -> About:
        """What a question is about."""
        months = next(
            (months for name, (first, last, months) in PERIODS.items()
             if (name is not None and parameters.get("period") == name)
             or (first is not None and first == parameters.get("from")
             and last == parameters.get("to"))),
            MONTHS,
        )  # fmt: skip
        if "month" in parameters:
            months = (parameters["month"],)
        units = parameters.get_list("unit")
        return cls(
            units[0] if len(units) == 1 else "77",
            parameters.get("descendants", "true").lower() != "false",
            parameters.get("channel"),
            tuple(months),
            view="period" in parameters,
        )


class Sums:
    """Which figures may be the sum of two others but for a few people.

    Whoever stands together with nine others or more is none of those few: of them the third is
    the sum of both. So are its products with numbers drawn, by which it is found without looking
    at all triples. What has the product of a sum and is none does no harm: it is looked at.
    """

    def __init__(self, rows: np.ndarray, people: np.ndarray) -> None:
        """``rows`` are whole numbers by figure, atom and factor, ``people`` those of each atom."""
        of_many = rows[:, people >= LEAST].reshape(len(rows), -1).astype(np.int64)
        drawn = np.random.default_rng(2026).integers(-(2**62), 2**62, of_many.shape[1])
        self._marks = of_many @ drawn
        self._order = np.argsort(self._marks, kind="stable")
        self._sorted = self._marks[self._order]

    def thirds(self, one: int) -> Iterator[tuple[int, np.ndarray]]:
        """Each second after a first, with the thirds that may be their sum."""
        sums = self._marks[one] + self._marks[one + 1 :]
        begin, end = (np.searchsorted(self._sorted, sums, side) for side in ("left", "right"))
        for place in np.flatnonzero(begin < end).tolist():
            yield one + 1 + place, np.sort(self._order[begin[place] : end[place]])


@dataclass
class Told:
    """What a stranger was told: of each figure, over which answers it sums, shape (atoms, 2)."""

    people: np.ndarray
    figures: dict[bytes, tuple[str, np.ndarray]] = field(default_factory=dict)
    #: People of each atom who are set aside; then there are as many atoms more, of these.
    aside: np.ndarray | None = None

    def note(self, name: str, about: About, respondents: int, *, with_aside: bool = False) -> None:
        """A figure that was shown, with how many people it said to be of."""
        units = {about.unit} if about.descendants else {f"only {about.unit}"}
        channels = {about.channel} - {None} or set(CHANNELS)
        rows = np.zeros((len(ATOMS), 2), dtype=np.int8)
        for at, (unit, channel, month, given) in enumerate(ATOMS):
            if UNITS[unit] & units and channel in channels and month in about.months:
                rows[at] = [item in given and item in about.items for item in ("A1", "B1")]
        people = self.people
        if self.aside is not None:
            rows = np.concatenate([rows, rows * with_aside])
            people = self.everybody
        rows[people == 0] = 0
        assert respondents == people[rows.any(axis=1)].sum(), (name, about)
        if rows.any():
            self.figures.setdefault(rows.tobytes(), (name, rows))

    @property
    def everybody(self) -> np.ndarray:
        """People of all atoms."""
        if self.aside is None:
            return self.people
        return np.concatenate([self.people, self.aside])

    def read(self, question: str, content: bytes) -> None:
        """All counts of one answer, JSON or the lines of a feed."""
        asked = About.asked(httpx.URL(question).params)
        if content[:1] == b"{":
            for name, about, n in _counts(json.loads(content), asked, ""):
                self.note(f"{question} {name}", about, n)
        elif b"unit_code" in content[:20]:
            for line in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
                if line["respondents"]:
                    part = {name: line[name] or None for name in ("period", "factor")}
                    about = asked.within(part | {"unit": {"code": line["unit_code"]}})
                    self.note(f"{question} {line['period']}", about, int(line["respondents"]))

    def leaks(self) -> list[tuple[str, ...]]:
        """Pairs and triples that differ by one to nine people."""
        names = [name for name, _ in self.figures.values()]
        rows = np.array([about for _, about in self.figures.values()])
        people = self.everybody
        kept = people > 0
        rows, weights = rows[:, kept], people[kept]
        answers = rows.any(axis=2) @ weights
        found: list[tuple[str, ...]] = []
        sums = Sums(rows, weights)

        def few(combined: np.ndarray) -> np.ndarray:
            touched = combined.any(axis=2) @ weights
            return (touched > 0) & (touched < LEAST)

        for i, first in enumerate(rows):
            found += [(names[i], names[j]) for j in np.flatnonzero(few(rows - first)) if j > i]
            for j, near in sums.thirds(i):
                # What is left of a sum of two is few only if the third has about as many.
                about = np.abs(answers[near] - answers[i] - answers[j])
                near = near[about < 2 * LEAST + 40]
                bad = near[few(rows[near] - first - rows[j])]
                found += [(names[i], names[j], names[k]) for k in bad]
        return found


def _counts(part: Any, about: About, name: str) -> Iterator[tuple[str, About, int]]:
    """The counts of people in a part of an answer, and of whom each is."""
    if isinstance(part, list):
        for each in part:
            yield from _counts(each, about, name)
    elif isinstance(part, dict):
        within = about.within(part)
        # Over rows a total is theirs, of overlapping units; the others are held by two worlds.
        skipped = ELSEWHERE | ({"respondents"} if "rows" in part else set())
        for key, value in part.items():
            if key not in skipped:
                yield from _counts(value, within, key)
    elif isinstance(part, int) and not isinstance(part, bool):
        assert name in PEOPLE or name in _NAMED, f"what is {name}: people?"
        if name in PEOPLE:
            yield name, about, part


def holds(period: str, month: str) -> bool:
    """Whether a month is in a period by name."""
    if period in PERIODS:
        return month in PERIODS[period][2]
    return month == period
