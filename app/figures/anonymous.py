"""Responses made k-anonymous: which rows may leave with which labels, for all strangers alike.

Classes begin with everybody of a quarter about a top of today's tree and are divided by what others
may know of a respondent: units down the tree, channel, version of the questionnaire, and what she
said of herself. Units and channels are divided along figures that strangers are shown; what they
are not shown stays together as the rest of the unit above. Each class has at least k people, and no
figure less the rows of any classes leaves one to nine (``analysis.anonymity``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from analysis.anonymity import (
    LEFT_OUT,
    REST,
    Published,
    Tally,
    admitted,
    categories,
    divided,
    refined,
    runs,
)
from app.figures import visible
from app.figures.anonymous_sums import Ground, ground_of
from app.figures.lattice import lattice_of_session
from app.figures.placed_sums import Placed
from app.figures.release import ReleaseRule
from app.figures.unit_places import members
from app.registry.questionnaires import Published as Version
from app.registry.structures import UNDIVIDED, Structure
from app.rollups.measure_counts import Measure

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Extent(IntEnum):
    """Which answers about a unit a row is among."""

    #: About the unit and all below it.
    WHOLE = 0
    #: About the unit itself.
    ALONE = 1
    #: About those of the unit and the units below it that have no rows of their own.
    REMAINDER = 2


@dataclass(frozen=True)
class People:
    """Respondents one by one; arrays of length n."""

    unit_id: Ints
    #: Names of quarters and months, like 2026-Q1 and 2026-01.
    quarter: NDArray[np.str_]
    month: NDArray[np.str_]
    channel: NDArray[np.str_]
    version: Ints
    #: Which measures each answered, shape (n, measures), in the order of the versions'.
    answered: Mask


@dataclass(frozen=True)
class Attribute:
    """What a respondent said of herself: values by person, and whether they are in order."""

    values: Ints
    in_order: bool = False


@dataclass(frozen=True)
class Anonymous:
    """Labels by person; what is withheld is ``REST``. Who is left out has the class ``LEFT_OUT``.

    ``lows`` and ``highs`` are an attribute's labels: of one without order the same.
    """

    group: Ints
    node: Ints
    extent: Ints
    channel: NDArray[np.str_]
    version: Ints
    lows: Mapping[str, Ints]
    highs: Mapping[str, Ints]


def anonymise(
    session: Session,
    versions: Sequence[Version],
    release_rule: ReleaseRule,
    people: People,
    attributes: Mapping[str, Attribute],
    earlier: Sequence[Placed],
    least: int,
) -> Anonymous:
    """Labels with which respondents may leave, so that ``least`` at least are alike in all of them.

    Beside what strangers are shown, and the classes of earlier quarters, nothing few follows from
    the rows. ``attributes`` are divided by in their order.
    """
    return _Dividing(session, versions, release_rule, people, least).done(attributes, earlier)


def placed_of(
    people: People, found: Anonymous, among: NDArray[np.intp], measures: Sequence[Measure]
) -> Placed:
    """The sums of some of the people, by their places; ``measures`` are those of ``answered``."""
    keys = [people.unit_id[among].astype(str), people.channel[among], people.month[among],
            found.group[among].astype(str)]  # fmt: skip
    pairs, place = np.unique(np.stack(keys), axis=1, return_inverse=True)
    counts = np.empty((pairs.shape[1], len(measures)), dtype=np.int64)
    for number in range(len(measures)):
        gave = people.answered[among, number]
        counts[:, number] = np.bincount(place.ravel()[gave], minlength=pairs.shape[1])
    _, group = np.unique(pairs[3].astype(np.int64), return_inverse=True)
    return Placed(
        pairs[0].astype(np.int64), pairs[1], pairs[2], group.astype(np.int64), measures, counts
    )


def _path(structure: Structure, unit_id: int) -> tuple[list[int], bool]:
    """The nodes above a unit from the top, and it; whether it stands there as itself.

    A unit that was divided, and what is undivided, ends above all its parts.
    """
    lines = []
    for node, _ in structure.placements[unit_id].parts:
        above = [each.id for each in structure.tree.above(node)]
        lines.append([*reversed(above), node])
    line = [nodes[0] for nodes in zip(*lines, strict=False) if len(set(nodes)) == 1]
    exact = len(lines) == 1
    while line and structure.tree.nodes[line[-1]].kind == UNDIVIDED:
        line.pop()
        exact = False
    return line, exact


@dataclass
class _Dividing:
    """The classes as they are divided."""

    session: Session
    versions: Sequence[Version]
    release_rule: ReleaseRule
    people: People
    least: int
    ground: Ground = field(init=False)
    structure: Structure = field(init=False)
    _shown: dict[tuple[int, bool, str, str | None], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what strangers are shown, and where units stand."""
        self.lattice = lattice_of_session(self.session, self.versions, self.release_rule)
        self.ground = ground_of(self.session, self.versions, self.release_rule, self.lattice)
        self.structure = visible.structure(self.session, self.release_rule.today)
        self._accepted: Mask = np.empty(0, dtype=np.bool_)
        ids, self._unit = np.unique(self.people.unit_id, return_inverse=True)
        paths = [
            _path(self.structure, id) if id in self.structure.placements else ([], False)
            for id in ids.tolist()
        ]
        self.exact = np.array([exact for _, exact in paths], dtype=np.bool_)
        depth = max((len(path) for path, _ in paths), default=0)
        self.nodes = np.full((len(ids), depth + 1), REST, dtype=np.int64)
        for i, (path, _) in enumerate(paths):
            self.nodes[i, : len(path)] = path

    def done(self, attributes: Mapping[str, Attribute], earlier: Sequence[Placed]) -> Anonymous:
        """Divide by everything, in turn."""
        people = self.people
        self.atom = self.ground.atoms(people.unit_id, people.channel, people.month)
        self.published = Published(
            self.ground.sums, self.ground.people, [self._tally(each) for each in earlier],
            self.release_rule.least,
        )  # fmt: skip
        quarters, self.quarter = np.unique(people.quarter, return_inverse=True)
        self.quarters = quarters.tolist()
        self.node = self.nodes[self._unit, 0]
        self.extent = np.full(len(self.node), Extent.WHOLE, dtype=np.int64)
        self.group = self._tops()
        for depth in range(self.nodes.shape[1] - 1):
            self._by_unit(depth)
        channels, place = np.unique(people.channel, return_inverse=True)
        self.channels = channels.tolist()
        channel = self._by(place.astype(np.int64), self._shown_channels)
        version = self._by(people.version, self._categories)
        lows: dict[str, Ints] = {}
        highs: dict[str, Ints] = {}
        for name, each in attributes.items():
            if each.in_order:
                lows[name] = self._by(each.values, lambda values, _: runs(values, self.least)[0])
                highs[name] = _ends(self.group, lows[name], each.values)
            else:
                lows[name] = highs[name] = self._by(each.values, self._categories)
        named = np.array(["", *self.channels])[channel + 1]
        return Anonymous(self.group, self.node, self.extent, named, version, lows, highs)

    def _tally(self, placed: Placed) -> Tally:
        measures = self.ground.measures
        atom = self.ground.atoms(placed.unit_id, placed.channel, placed.month)
        people = np.zeros((len(atom), len(measures)), dtype=np.int64)
        for i, measure in enumerate(placed.measures):
            if measure in measures:
                people[:, measures[measure]] = placed.people[:, i]
        known = atom >= 0
        return Tally(atom[known], placed.group[known], people[known])

    def _tops(self) -> Ints:
        """Everybody of a quarter about a top of the tree, where that is shown."""
        tops, place = np.unique(np.stack([self.quarter, self.node]), axis=1, return_inverse=True)
        group = place.ravel().astype(np.int64)
        for i, (quarter, node) in enumerate(tops.T.tolist()):
            if node == REST or not self.shows(node, self.quarters[quarter], descendants=True):
                group[group == i] = LEFT_OUT
        group[self.atom < 0] = LEFT_OUT
        sizes = np.bincount(group[group >= 0], minlength=tops.shape[1])
        group[(group >= 0) & (sizes[np.maximum(group, 0)] < self.least)] = LEFT_OUT
        return admitted(self.published, self.atom, group, self.people.answered)

    def shows(
        self, node: int, quarter: str, *, descendants: bool, channel: str | None = None
    ) -> bool:
        """Whether strangers are shown the index of a unit and quarter, of one channel or all."""
        key = (node, descendants, quarter, channel)
        if key not in self._shown:
            of = members(self.structure, self.structure.tree, node, descendants=descendants)
            at = self.lattice.units.find(of)
            self._shown[key] = (
                len(at.places) == 1
                and not at.left_out
                and not of.shared
                and not self.lattice.hides(at, quarter, channel=channel)
            )
        return self._shown[key]

    def _by_unit(self, depth: int) -> None:
        """Divide classes about a whole unit of a depth into the units below, and itself alone."""
        below, exact = self.nodes[self._unit, depth + 1], self.exact[self._unit]
        part = np.where((below == REST) & exact, self.node, below)
        here = (self.extent == Extent.WHOLE) & (self.nodes[self._unit, depth] == self.node)

        def labels(values: Ints, among: Ints) -> Ints:
            first, values = among[0], values.copy()
            if (values == self.node[first]).all():
                here[among] = False  # nobody answered about a unit below: the whole is it alone
            for id in np.unique(values).tolist() if here[first] else ():
                below = id != self.node[first]
                if id != REST and not self.shows(id, self._quarter_of(first), descendants=below):
                    values[values == id] = REST
            found = categories(values, self.least)
            if (found == REST).all() or not here[first]:
                here[among] = False
                found[:] = REST
            return found

        found = self._by(part, labels)
        divided = here & self._accepted
        self.extent[divided & (found == REST)] = Extent.REMAINDER
        self.extent[divided & (found == self.node)] = Extent.ALONE
        self.node = np.where(divided & (found != REST), found, self.node)

    def _shown_channels(self, values: Ints, among: Ints) -> Ints:
        first, values = among[0], values.copy()
        if self.extent[first] == Extent.REMAINDER:
            # What strangers are not shown by unit they are not shown by unit and channel.
            values[:] = REST
        for place in np.unique(values[values != REST]).tolist():
            if not self.shows(
                int(self.node[first]), self._quarter_of(first), channel=self.channels[place],
                descendants=bool(self.extent[first] == Extent.WHOLE),
            ):  # fmt: skip
                values[values == place] = REST
        return categories(values, self.least)

    def _quarter_of(self, person: int) -> str:
        name: str = self.quarters[self.quarter[person]]
        return name

    def _categories(self, values: Ints, _among: Ints) -> Ints:
        return categories(values, self.least)

    def _by(self, values: Ints, labels: Callable[[Ints, Ints], Ints]) -> Ints:
        """Divide classes by labels of their people, as far as nothing few follows.

        ``labels`` is called with the values of a class's people and their places. What it gave is
        returned, ``REST`` where a class could not be divided so.
        """
        part = np.full(len(self.group), REST, dtype=np.int64)
        for among in _classes(self.group):
            part[among] = labels(values[among], among)
        self._accepted = refined(self.published, self.atom, self.group, part, self.people.answered)
        self.group, _ = divided(self.group, np.where(self._accepted, part, 0))
        return np.where(self._accepted, part, REST)


def _classes(group: Ints) -> list[Ints]:
    """The places of the people of each class; not of who is left out."""
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.diff(group[order], prepend=LEFT_OUT - 1))
    return [
        each for each in np.split(order, begins[1:]) if len(each) and group[each[0]] != LEFT_OUT
    ]


def _ends(group: Ints, lows: Ints, values: Ints) -> Ints:
    """The highest value of each run within its class, by person."""
    highs = lows.copy()
    for among in _classes(group):
        if lows[among[0]] >= 0:
            highs[among] = values[among].max()
    return highs
