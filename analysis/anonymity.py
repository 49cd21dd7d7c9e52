"""k-anonymity beside published sums: classes of many alike, and few by no subtraction.

People who are alike in what others may know of them are a class; each has at least k (Samarati and
Sweeney 1998; Sweeney 2002). Classes begin large and are divided, attribute by attribute, as long as
each part is large enough: top-down and local, as Mondrian does (LeFevre, DeWitt and Ramakrishnan
2006), with the values that are too rare kept together as ``REST``.

Where sums over the same people are published, too, that is not enough: a sum less the rows of some
classes may be a few people. ``admitted`` and ``refined`` take back what would give such few away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: The values that are too rare to stand by themselves.
REST = -1
#: No value; a category like others.
MISSING = -2
#: The class of who is left out.
LEFT_OUT = -1


def categories(values: Ints, least: int) -> Ints:
    """Values without order as labels, each of at least ``least`` people.

    Rare values, and what is ``REST`` already, are ``REST`` together; where that has too few, the
    rarest other value joins it (of several the smallest). Where people are too few for two labels,
    all are ``REST``.

    Parameters
    ----------
    values
        A value a person, shape (n,).
    """
    known, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    joins = (known == REST) | (counts < least)
    while joins.any() and counts[joins].sum() < least and not joins.all():
        joins[np.argmin(np.where(joins, len(values) + 1, counts))] = True
    return np.where(joins, REST, known)[place].astype(np.int64)


def runs(values: Ints, least: int) -> tuple[Ints, Ints]:
    """Values in order as runs from a lowest to a highest, each of at least ``least`` people.

    A run takes the next value until it has enough; what is left at the end joins the last one.
    Those without a value (``MISSING``) are a run of their own.

    Returns
    -------
    lows, highs
        By person, ``REST`` where too few are alike.
    """
    known, counts = np.unique(values[values != MISSING], return_counts=True)
    found: list[tuple[int, int, int]] = []
    for value, n in zip(known.tolist(), counts.tolist(), strict=True):
        if found and found[-1][2] < least:
            low, _, before = found.pop()
            found.append((low, value, before + n))
        else:
            found.append((value, value, n))
    if len(found) > 1 and found[-1][2] < least:
        _, high, n = found.pop()
        low, _, before = found.pop()
        found.append((low, high, before + n))
    begins = np.array([low for low, _, _ in found], dtype=np.int64)
    ends = np.array([high for _, high, _ in found], dtype=np.int64)
    run = np.searchsorted(begins, values, side="right") - 1
    run = categories(np.where(values == MISSING, MISSING, run).astype(np.int64), least)
    inside = np.maximum(run, 0)
    if not found:
        return run, run
    return np.where(run < 0, run, begins[inside]), np.where(run < 0, run, ends[inside])


@dataclass(frozen=True)
class Sums:
    """Published sums: over which atoms each is, and of which measures it is shown.

    An atom is a smallest set of people that sums tell apart, a measure what some of them answered.
    """

    #: Shape (sums, atoms), 1 where an atom is summed.
    over: sparse.csr_matrix
    #: Shape (measures, sums).
    shown: Mask
    #: Pairs of sums of which the first is a part of the second, as two arrays.
    parts: Ints
    wholes: Ints


@dataclass(frozen=True)
class Tally:
    """How many of each atom are in a class, and answered each measure."""

    atom: Ints
    group: Ints
    #: Shape (pairs, measures).
    people: Ints

    @classmethod
    def of(cls, atom: Ints, group: Ints, answered: NDArray[np.generic]) -> Tally:
        """Count people, whose measures are 0 or 1, shape (n, measures); those left out are not."""
        among = group != LEFT_OUT
        atom, group = atom[among], group[among]
        width = int(group.max(initial=0)) + 1
        pairs, place = np.unique(atom * width + group, return_inverse=True)
        # By measure: all at once would be eight bytes for each person and measure.
        people = np.empty((len(pairs), answered.shape[1]), dtype=np.int64)
        for measure in range(answered.shape[1]):
            gave = answered[among, measure] > 0
            people[:, measure] = np.bincount(place[gave], minlength=len(pairs))
        return cls(pairs // width, pairs % width, people)


@dataclass(frozen=True)
class Published:
    """What is told beside the classes.

    ``people`` are those in the sums by atom and measure; ``earlier`` classes that are out already.
    """

    sums: Sums
    people: Ints
    earlier: Sequence[Tally]
    least: int


def admitted(published: Published, atom: Ints, group: Ints, answered: Mask) -> Ints:
    """The classes again, less those beside which a sum would give away fewer than ``least``.

    Arrays by person: the atom, the class, and which measures each answered. Of a class that has to
    go all are ``LEFT_OUT``.
    """
    group = group.copy()
    while True:
        straddled, touched = _blamed(published, Tally.of(atom, group, answered), _width(group))
        gone = straddled if straddled.any() else touched
        if not gone.any():
            return group
        group[(group != LEFT_OUT) & gone[np.maximum(group, 0)]] = LEFT_OUT


def refined(published: Published, atom: Ints, group: Ints, part: Ints, answered: Mask) -> Mask:
    """Whose class may be divided into its parts, so that still no sum gives away few.

    ``part`` is, by person, a label within the class. A class is divided whole or not at all.
    """
    accepted: Mask = group != LEFT_OUT
    while True:
        made, parent = divided(group, np.where(accepted, part, 0))
        several = np.bincount(parent, minlength=_width(group)) > 1
        if not several.any():
            return accepted
        straddled, touched = _blamed(published, Tally.of(atom, made, answered), len(parent))
        back = np.zeros(len(several), dtype=np.bool_)
        for blamed in (straddled, touched):
            back[parent[blamed]] = True
            back &= several
            if back.any():
                break
        else:
            return accepted
        accepted = accepted & ~back[np.maximum(group, 0)]


def divided(group: Ints, part: Ints) -> tuple[Ints, Ints]:
    """Classes by their parts, numbered anew, and the old class of each."""
    among = group != LEFT_OUT
    pairs, place = np.unique(np.stack([group[among], part[among]]), axis=1, return_inverse=True)
    made = np.full(len(group), LEFT_OUT, dtype=np.int64)
    made[among] = place.ravel()
    return made, pairs[0]


def _width(group: Ints) -> int:
    return int(group.max(initial=-1)) + 1


def _blamed(published: Published, tally: Tally, groups: int) -> tuple[Mask, Mask]:
    """The classes that a sum cuts which gives few away, and all that such a sum reaches.

    Whoever has a sum, or a sum less a part of it, adds or subtracts the rows of any classes. Of a
    class that the sum cuts what is left is at least the smaller of the two pieces, and of who is
    in no class everybody: if all that is left is somebody, and fewer than ``least``, it is found.
    """
    sums, atoms = published.sums, published.people.shape[0]
    straddled, touched = np.zeros((2, groups), dtype=np.bool_)
    tallies, begin = [tally], groups
    for each in published.earlier:
        tallies.append(Tally(each.atom, each.group + begin, each.people))
        begin += _width(each.group)
    atom = np.concatenate([each.atom for each in tallies])
    group = np.concatenate([each.group for each in tallies])
    for measure in range(published.people.shape[1]):
        people = np.concatenate([each.people[:, measure] for each in tallies])
        if not people.any():
            continue
        inside = sparse.csr_matrix((people, (atom, group)), shape=(atoms, begin))
        inside.eliminate_zeros()
        size = np.asarray(inside.sum(axis=0)).ravel()
        placed = np.asarray(inside.sum(axis=1)).ravel()
        outside = np.maximum(published.people[:, measure] - placed, 0)
        held, left = (sums.over @ inside).tocsr(), sums.over @ outside
        shown = sums.shown[measure]
        both = shown[sums.parts] & shown[sums.wholes]
        parts, wholes = sums.parts[both], sums.wholes[both]
        for pieces, alone in (
            (held[shown], left[shown]),
            (held[wholes] - held[parts], left[wholes] - left[parts]),
        ):
            cut, reached = _giving_away(pieces.tocsr(), alone, size, published.least)
            straddled |= cut[:groups]
            touched |= reached[:groups]
    return straddled, touched


def _giving_away(
    pieces: sparse.csr_matrix, alone: Ints, size: Ints, least: int
) -> tuple[Mask, Mask]:
    smaller = pieces.copy()
    smaller.data = np.minimum(pieces.data, size[pieces.indices] - pieces.data)
    few = np.asarray(smaller.sum(axis=1)).ravel() + alone
    bad = (few > 0) & (few < least)
    cut, reached = smaller[bad], pieces[bad]
    return (
        np.isin(np.arange(len(size)), cut.indices[cut.data > 0]),
        np.isin(np.arange(len(size)), reached.indices[reached.data > 0]),
    )
