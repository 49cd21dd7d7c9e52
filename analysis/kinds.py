"""The kinds of marked responses, disjoint, and the tree in which their shares are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analysis._validation import Floats


class Kind(StrEnum):
    """What stands out in a response, the most telling first where there is more than one.

    Alike: all items rated at one level. Close: soon before or after another of the same source.
    """

    ORDINARY = "ordinary"
    #: Alike, and nothing else.
    ALIKE = "alike"
    #: Faster than reading, with varied levels.
    HASTY = "hasty"
    #: Faster than reading, alike.
    SKIMMED = "skimmed"
    #: Varied levels, close.
    CROWDED = "crowded"
    #: Alike, close.
    QUEUED = "queued"
    #: Faster than reading, alike, close.
    PRESSED = "pressed"
    #: In a rush: many close ones in a row, nearly all faster than reading.
    RUSHED = "rushed"
    #: Faster than a hand can be.
    INSTANT = "instant"
    #: Alike and without a duration, where such responses have one.
    UNMEASURED = "unmeasured"
    #: In a run of evenly spaced ones.
    EVEN = "even"
    #: A varied sheet, the same as that before or after it.
    REPEATED = "repeated"
    #: Nearly a sheet of an earlier day.
    COPIED = "copied"
    #: In a run of one straight line that is improbable in the unit.
    UNANIMOUS = "unanimous"
    #: The same, close.
    BUNCHED = "bunched"
    #: While the unit is closed, where that is rare.
    AFTER_HOURS = "after_hours"


KINDS: tuple[Kind, ...] = tuple(Kind)
#: Kinds that are of no weight by themselves.
EVERYDAY = (Kind.ORDINARY, Kind.ALIKE, Kind.HASTY, Kind.CROWDED, Kind.QUEUED)


@dataclass(frozen=True)
class Fork:
    """Responses of some kinds parted in two: those of the kinds on its left, and on its right.

    A side is a fork of its own (its place among ``FORKS``) or, where it is ``~k``, the kind k.
    """

    left: int
    right: int


def _forks() -> tuple[Fork, ...]:
    """The tree, each fork after those on its sides.

    The share of what is telling is taken of all, that of hasty ones of those that are as alike
    and as close: a crowd, or a unit that all praise, does not make people hasty.
    """

    def of(kind: Kind) -> int:
        return ~KINDS.index(kind)

    found = [
        Fork(of(Kind.PRESSED), of(Kind.QUEUED)),
        Fork(0, of(Kind.CROWDED)),
        Fork(of(Kind.SKIMMED), of(Kind.ALIKE)),
        Fork(of(Kind.HASTY), of(Kind.ORDINARY)),
        Fork(2, 3),
        Fork(1, 4),
    ]
    for kind in (
        Kind.AFTER_HOURS,
        Kind.UNANIMOUS,
        Kind.BUNCHED,
        Kind.UNMEASURED,
        Kind.INSTANT,
        Kind.RUSHED,
        Kind.COPIED,
        Kind.REPEATED,
        Kind.EVEN,
    ):
        found.append(Fork(of(kind), len(found) - 1))
    return tuple(found)


FORKS = _forks()


def _sides() -> NDArray[np.float64]:
    found = np.zeros((2, len(FORKS), len(KINDS)))
    for f, fork in enumerate(FORKS):
        for side, child in enumerate((fork.left, fork.right)):
            if child < 0:
                found[side, f, ~child] = 1
            else:
                found[side, f] = found[:, child].sum(axis=0)
    return found


#: Whether a kind lies on the left and on the right of a fork, shape (2, forks, kinds).
SIDES = _sides()


#: Forks between everyday kinds: crowds come, and units come to be praised, without any stuffing.
EVERYDAY_FORKS = np.array(
    [all((side @ [kind in EVERYDAY for kind in KINDS]) > 0 for side in SIDES[:, fork])
     for fork in range(len(FORKS))]
)  # fmt: skip


#: Forks that lead to what depends on how a source is set up: its hours, what its device sends.
SETUP_FORKS = np.array(
    [fork.left in (~KINDS.index(Kind.AFTER_HOURS), ~KINDS.index(Kind.UNMEASURED)) for fork in FORKS]
)


#: The fork that leads to rushes.
RUSH_FORKS = np.array([fork.left == ~KINDS.index(Kind.RUSHED) for fork in FORKS])


def parted(counted: Floats) -> Floats:
    """Counts (…, kinds) by how many lie on each side of each fork, shape (…, forks, 2)."""
    found: Floats = np.stack([counted @ SIDES[0].T, counted @ SIDES[1].T], axis=-1)
    return found


def shares(left: Floats) -> Floats:
    """Share of each kind (…, kinds) from the share on the left of each fork (…, forks)."""
    found: Floats = np.exp(np.log(left) @ SIDES[0] + np.log1p(-left) @ SIDES[1])
    return found
