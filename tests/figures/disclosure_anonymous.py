"""What anonymised rows tell beside figures: whoever has both adds and subtracts any of the rows."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from app.rollups.measure_counts import Measure
from tests.figures.disclosure_counts import About, Told
from tests.figures.disclosure_world import ATOMS, FORM, LEAST, PERIODS, UNITS, World

#: Columns that others may know of a respondent.
KNOWN = ("unit", "unit_extent", "quarter", "channel", "version", "trips")
TRIPS = (1, 2, 3)
Label = tuple[str, ...]


def rows_of(content: bytes) -> list[dict[str, str]]:
    """The rows of an export as a ZIP with CSV."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("responses.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def quarter_of(month: str) -> str:
    """The quarter of a month."""
    return f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"


def classes(rows: list[dict[str, str]]) -> dict[Label, int]:
    """How many rows are alike in what others may know."""
    found: dict[Label, int] = {}
    for row in rows:
        label = tuple(row[name] for name in KNOWN)
        found[label] = found.get(label, 0) + 1
    return found


def holding(
    found: dict[Label, int], unit: str, channel: str, month: str, trips: int
) -> Label | None:
    """The class of a person of whom everything is known; None where they were left out.

    Where there is one of a value, it is in that; otherwise among those of whom it is withheld.
    """
    quarter = quarter_of(month)
    ways = [(unit, "alone"), (unit, "whole")]
    for above in ("D1", "77"):
        if above in UNITS[unit]:
            ways += [(above, "remainder"), (above, "whole")]
    for code, extent in ways:
        here = [label for label in found if label[:3] == (code, extent, quarter)]
        if here:
            named = [label for label in here if label[3] == channel]
            here = named or [label for label in here if not label[3]]
            said = [label for label in here if label[5] == str(trips)]
            here = said or [label for label in here if label[5] == "-1"]
            return here[0]
    return None


@dataclass(frozen=True)
class Beside:
    """People by atom and trips, and the class of each such set."""

    people: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, world: World, rows: list[dict[str, str]]) -> Beside:
        """Find everybody's class, and hold the counts against the file."""
        found = classes(rows)
        assert min(found.values(), default=LEAST) >= LEAST
        labels = {label: i for i, label in enumerate(found)}
        sets = list(product(range(len(ATOMS)), TRIPS))
        people = np.zeros(len(sets), dtype=np.int64)
        group = np.full(len(sets), -1)
        for i, (atom, trips) in enumerate(sets):
            unit, channel, month, _ = ATOMS[atom]
            label = holding(found, unit, channel, month, trips)
            if label is not None:
                group[i] = labels[label]
        place = {each: i for i, each in enumerate(sets)}
        for sent, atom in zip(world.bodies, world.at, strict=True):
            people[place[atom, sent["answers"]["trips"]]] += 1
        counted = np.bincount(group[group >= 0], people[group >= 0], len(found))
        # A set of whom nobody is in the file has a class of nobody.
        assert counted.tolist() == list(found.values())
        return cls(people, group)

    def leaks(self, told: Told, *, pairs: bool = True) -> Iterator[tuple[Any, ...]]:
        """Figures, alone and by twos, that differ from some of the rows by one to nine people."""
        names = [name for name, _ in told.figures.values()]
        figures = np.array([rows for _, rows in told.figures.values()], dtype=np.int8)
        spread = np.repeat(figures, len(TRIPS), axis=1)
        kept = self.people > 0
        spread, people, group = spread[:, kept], self.people[kept], self.group[kept]
        given = np.repeat(
            np.array([["A1" in g, "B1" in g] for *_, g in ATOMS], dtype=np.int8), len(TRIPS), axis=0
        )[kept]
        number = int(group.max(initial=-1)) + 1
        inside = ((group[:, None] == np.arange(number)) * people[:, None]).astype(np.float32)
        alone = np.where(group < 0, people, 0).astype(np.float32)

        def few(vectors: np.ndarray) -> np.ndarray:
            # Of each class any rows may be added or subtracted, by question; the least is left.
            least = np.full((len(vectors), number), np.inf, dtype=np.float32)
            for times in product((-1, 0, 1), repeat=2):
                left = (vectors - given * np.array(times, dtype=np.int8)).any(axis=2)
                np.minimum(least, left.astype(np.float32) @ inside, out=least)
            touched = least.sum(axis=1) + vectors.any(axis=2).astype(np.float32) @ alone
            return (touched > 0) & (touched < LEAST)

        yield from ((names[i],) for i in np.flatnonzero(few(spread)))
        for i, first in enumerate(spread) if pairs else ():
            for sign in (-1, 1):
                bad = np.flatnonzero(few(first + sign * spread[i + 1 :]))
                yield from ((names[i], sign, names[i + 1 + j]) for j in bad)


def shown_of(world: World) -> Told:
    """Every figure that strangers are shown, without asking for each (test_disclosure.py does)."""
    told = Told(world.people)
    for name, channel, period, measure in world.shown_cells():
        unit, alone = name.removeprefix("only "), name.startswith("only ")
        items = ("A1", "B1") if measure == Measure() else (f"{measure.factor}1",)
        about = About(unit, not alone, channel, PERIODS[period][2], items)
        people = sum(
            int(n) for n, (of, via, month, given) in zip(world.people, ATOMS, strict=True)
            if name in UNITS[of] and channel in (None, via) and month in about.months
            and set(items) & set(given)
        )  # fmt: skip
        told.note(f"{name} {channel} {period} {measure}", about, people)
    return told


def file_of(client: Any, headers: dict[str, str], **further: Any) -> list[dict[str, str]]:
    """The anonymised rows that somebody is given."""
    answer = client.get(
        "/api/v1/exports/anonymous",
        params={"questionnaire": FORM, "format": "csv"} | further,
        headers=headers,
    )
    assert answer.status_code == 200, answer.text
    return rows_of(answer.content)
