"""Puts places far from all others into frames beside the map, as printed maps put islands.

An island a day's voyage off would squeeze the mainland, where everybody else is, into a corner of
the picture. Where it would, the island stands in a frame on the side on which it lies, nearer than
it is; tables and pointers tell where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, radians
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

#: Places are one group that have another one of it within so many times the usual distance.
_NEAR = 4.0
#: Frames are drawn where the mainland would have less than this share of its size.
_SQUEEZED = 0.7
#: Of all places this share may stand in frames.
_MOST_APART = 0.2
#: A frame's least side and the gap around it, as shares of the mainland's longer side.
_SIDE, _GAP = 0.14, 0.05


Points: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """A frame in degrees: where it is drawn."""

    west: float
    south: float
    east: float
    north: float

    def touches(self, other: Frame) -> bool:
        """Whether two frames have a point in common."""
        return not (
            self.east < other.west
            or other.east < self.west
            or self.north < other.south
            or other.north < self.south
        )

    def corners(self) -> list[tuple[float, float]]:
        """Longitude and latitude of the corners, the first one again at the end."""
        w, s, e, n = self.west, self.south, self.east, self.north
        return [(w, s), (e, s), (e, n), (w, n), (w, s)]


@dataclass(frozen=True)
class Placed:
    """Where each place is drawn, longitude and latitude in degrees, and the frames."""

    at: Sequence[tuple[float, float]]
    frames: Sequence[Frame]


def place(positions: Sequence[tuple[float, float]], aspect: float) -> Placed:
    """Where places are drawn on a picture of an aspect (its width over its height).

    ``positions`` are longitude and latitude in degrees, one a place.
    """
    given = np.array(positions, dtype=float).reshape(-1, 2)
    if len(given) < 5:
        return Placed([*positions], ())
    # Degrees as long as they are there: a picture is as true as it need be.
    wide = cos(radians(float(given[:, 1].mean())))
    points = given * [wide, 1.0]
    groups = _groups(points)
    main = max(groups, key=len)
    far = [group for group in groups if group is not main]
    apart = sum(map(len, far))
    if not far or apart > max(1.0, _MOST_APART * len(points)):
        return Placed([*positions], ())
    if _size(points[main], aspect) > _SQUEEZED * _size(points, aspect):
        return Placed([*positions], ())
    low, high = points[main].min(axis=0), points[main].max(axis=0)
    scale = float(max(high - low)) or 0.1
    frames: list[Frame] = [Frame(*low, *high)]
    drawn = points.copy()
    for group in sorted(far, key=len, reverse=True):
        frame = _frame(points[group], frames, scale)
        frames.append(frame)
        drawn[group] = _within(points[group], frame)
    at = drawn / [wide, 1.0]
    found = [Frame(f.west / wide, f.south, f.east / wide, f.north) for f in frames[1:]]
    return Placed([(float(x), float(y)) for x, y in at], found)


def _groups(points: Points) -> list[list[int]]:
    """Places that follow one another at no unusual distance, as lists of indices."""
    places, of = np.unique(points.round(4), axis=0, return_inverse=True)
    if len(places) < 2:
        return [list(range(len(points)))]
    tree = cKDTree(places)
    reach = _NEAR * float(np.median(tree.query(places, k=2)[0][:, 1]))
    near = tree.sparse_distance_matrix(tree, reach, output_type="coo_matrix")
    count, group = connected_components(near, directed=False)
    return [np.flatnonzero(group[of.ravel()] == each).tolist() for each in range(count)]


def _size(points: Points, aspect: float) -> float:
    """How much of a picture's height places want, the picture as wide as its aspect says."""
    width, height = points.max(axis=0) - points.min(axis=0)
    return float(max(width / aspect, height))


def _frame(points: Points, taken: Sequence[Frame], scale: float) -> Frame:
    """A frame for a group, on the side of the mainland on which it lies, where nothing is yet."""
    main = taken[0]
    side = max(_SIDE * scale, min(float(np.ptp(points, axis=0).max()) * 1.4, 0.3 * scale))
    gap = _GAP * scale
    middle = np.array([(main.west + main.east) / 2, (main.south + main.north) / 2])
    way = points.mean(axis=0) - middle
    length = hypot(*way) or 1.0
    step = way / length * gap
    # Outwards from the mainland's middle until it stands apart from all that is there.
    at = middle.copy()
    while True:
        at = at + step
        half = side / 2
        found = Frame(at[0] - half, at[1] - half, at[0] + half, at[1] + half)
        room = Frame(found.west - gap, found.south - gap, found.east + gap, found.north + gap)
        if not any(room.touches(each) for each in taken):
            return found


def _within(points: Points, frame: Frame) -> Points:
    """A group's places in its frame, as they lie to one another."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = float(max(high - low))
    side = frame.east - frame.west
    shrunk = min(1.0, 0.7 * side / span) if span else 1.0
    middle = np.array([(frame.west + frame.east) / 2, (frame.south + frame.north) / 2])
    within: Points = middle + (points - (low + high) / 2) * shrunk
    return within
