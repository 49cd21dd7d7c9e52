"""What a judge says of a world, and what that is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.integrity.worlds.world import World

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Verdict:
    """Of a whole world.

    ``probability`` (units, months, channels) is that some responses of a batch are stuffed, the
    highest where a unit has several batches of one channel and month, and 0 where it has none;
    from ``flag_from`` on a batch is flagged. ``quarantined`` (n,) are the responses set aside.
    """

    probability: NDArray[np.float64]
    quarantined: Bools
    flag_from: float = 0.5

    @property
    def flagged(self) -> Bools:
        """Unit-months, (units, months), of which any batch is flagged."""
        found: Bools = (self.probability >= self.flag_from).any(axis=2)
        return found

    def set_aside(self, world: World) -> Bools:
        """Unit-months, (units, months), of which any response is set aside."""
        found = np.zeros((world.units, len(world.months)), bool)
        found[world.unit[self.quarantined], world.month[self.quarantined]] = True
        return found


#: The judged code: what it says of the responses of a world, of which it must not read ``truth``.
Judge = Callable[[World], Verdict]


def all_knowing(world: World) -> Verdict:
    """Reads the truth: flags and sets aside what is stuffed."""
    return _verdict(world, world.answers.truth)


def blind(world: World) -> Verdict:
    """Suspects nobody."""
    return _verdict(world, np.zeros(len(world), bool))


def crude(world: World) -> Verdict:
    """A pile of thresholds: sets aside all that is alike on the top level and under 20 seconds."""
    levels = world.answers.levels
    top = (levels == 5).sum(axis=1) == np.maximum(np.count_nonzero(levels, axis=1), 1)
    with np.errstate(invalid="ignore"):
        return _verdict(world, top & (world.answers.duration_s < 20))


def _verdict(world: World, suspected: Bools) -> Verdict:
    probability = np.zeros((world.units, len(world.months), 3))
    at = (world.unit[suspected], world.month[suspected], world.answers.channel[suspected])
    probability[at] = 1.0
    return Verdict(probability, suspected)
