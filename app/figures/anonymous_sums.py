"""What strangers are shown, as sums over the smallest sets of people that figures tell apart.

Such an atom is a unit alone, a channel and a month. ``analysis.anonymity`` looks at rows that leave
beside these sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sqlalchemy.orm import Session

from analysis.anonymity import Sums
from analysis.lattices import Axis
from app.figures.lattice import Lattice
from app.figures.lattice_axes import time_axis
from app.figures.release import CellsByVersion, ReleaseRule, released_cells
from app.registry.questionnaires import Published
from app.rollups.measure_counts import Measure, counts_by_measure, measures_of_all

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Ground:
    """The sums, and who is in them by atom and measure."""

    lattice: Lattice
    sums: Sums
    people: Ints
    measures: Mapping[Measure, int]
    #: Places of each atom in the lattice, as one number, in order.
    known: Ints

    def atoms(self, unit_id: Ints, channel: NDArray[np.str_], month: NDArray[np.str_]) -> Ints:
        """The atom of each person, −1 where no figure has such people; arrays of length n."""
        flat = _flat(self.lattice, unit_id, channel, month)
        place = np.searchsorted(self.known, flat)
        found = np.minimum(place, max(len(self.known) - 1, 0))
        if not len(self.known):
            return np.full(len(flat), -1, dtype=np.int64)
        return np.where(self.known[found] == flat, found, -1)


def ground_of(
    session: Session, versions: Sequence[Published], release_rule: ReleaseRule, lattice: Lattice
) -> Ground:
    """The sums of a lattice that strangers are shown."""
    read, _ = released_cells(session, versions, release_rule, frozenset())
    measures = {measure: i for i, measure in enumerate(measures_of_all(versions))}
    known, people = _counted(read, versions, lattice)
    months = [date.fromisoformat(f"{name}-01") for name in lattice.periods if _is_month(name)]
    axes = (
        lattice.units.axis,
        Axis(np.array([-1] + [0] * len(lattice.channels), dtype=np.intp)),
        time_axis(set(months))[1],
    )
    shape = lattice.people.shape
    sums, atom = _upwards(known, axes, shape)
    cells, row = np.unique(sums, return_inverse=True)
    over = sparse.csr_matrix(
        (np.ones(len(atom), dtype=np.int64), (row, atom)), shape=(len(cells), len(known))
    )
    shown = np.zeros((len(measures), len(cells)), dtype=np.bool_)
    unit, channel, period = np.unravel_index(cells, shape)
    shown[0] = ~lattice.hidden[unit, channel, period]
    whole = channel == 0
    for measure, place in lattice.measures.items():
        if measure != Measure():
            hidden = lattice.hidden_measures[place][unit, period]
            shown[measures[measure]] = whole & ~hidden
    shown &= (over @ people).T > 0
    parts, wholes = _nested(cells, axes, shape)
    return Ground(lattice, Sums(over, shown, parts, wholes), people, measures, known)


def _is_month(name: str) -> bool:
    return len(name) == 7 and name[5:].isdigit()


def _flat(
    lattice: Lattice, unit_id: Ints, channel: NDArray[np.str_], month: NDArray[np.str_]
) -> Ints:
    """Places in the lattice of units alone, channels and months; −1 where there is none."""
    units = _places(unit_id, lattice.units.alone)
    channels = _places(channel, lattice.channels)
    months = _places(month, lattice.periods)
    missing = (units < 0) | (channels < 0) | (months < 0)
    at = [np.maximum(each, 0) for each in (units, channels, months)]
    if not len(unit_id) or not lattice.people.size:
        return np.full(len(unit_id), -1, dtype=np.int64)
    return np.where(missing, -1, np.ravel_multi_index(at, lattice.people.shape))


def _places(values: Ints | NDArray[np.str_], places: Mapping[int, int] | Mapping[str, int]) -> Ints:
    used, where = np.unique(values, return_inverse=True)
    known: Mapping[int | str, int] = dict(places.items())
    found = np.array([known.get(each, -1) for each in used.tolist()], dtype=np.int64)
    return found[where] if len(used) else np.empty(0, dtype=np.int64)


def _counted(
    read: CellsByVersion, versions: Sequence[Published], lattice: Lattice
) -> tuple[Ints, Ints]:
    """The atoms that have people, and these by atom and measure."""
    flats: list[Ints] = []
    counts: list[Ints] = []
    for version, rows in read:
        flats.append(
            _flat(lattice, rows.unit_id, rows.channel, np.datetime_as_string(rows.day, unit="M"))
        )
        counts.append(counts_by_measure(versions, version, rows.cells))
    if not flats:
        return np.empty(0, dtype=np.int64), np.empty((0, 0), dtype=np.int64)
    flat, count = np.concatenate(flats), np.concatenate(counts)
    known, place = np.unique(flat, return_inverse=True)
    people = np.zeros((len(known), count.shape[1]), dtype=np.int64)
    np.add.at(people, place, count)
    return known, people


def _upwards(atoms: Ints, axes: Sequence[Axis], shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Pairs of a cell of the lattice and an atom that is in it."""
    unit, channel, month = np.unravel_index(atoms, shape)
    cells: list[Ints] = []
    members: list[Ints] = []
    for up_unit in axes[0].upwards:
        for up_channel in axes[1].upwards:
            for up_time in axes[2].upwards:
                at = up_unit[unit], up_channel[channel], up_time[month]
                there = np.flatnonzero((at[0] >= 0) & (at[1] >= 0) & (at[2] >= 0))
                cells.append(np.ravel_multi_index([each[there] for each in at], shape))
                members.append(there)
    if not cells:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(cells), np.concatenate(members)


def _nested(cells: Ints, axes: Sequence[Axis], shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Pairs of cells, by their places among ``cells``, of which one is next below the other."""
    places = np.unravel_index(cells, shape)
    parts: list[Ints] = []
    wholes: list[Ints] = []
    for number, axis in enumerate(axes):
        above = axis.parent[places[number]]
        part = np.flatnonzero(above >= 0)
        at = [each[part] for each in places]
        at[number] = above[part]
        parts.append(part)
        wholes.append(np.searchsorted(cells, np.ravel_multi_index(at, shape)))
    return np.concatenate(parts), np.concatenate(wholes)
