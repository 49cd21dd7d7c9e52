"""The kinds of marked responses, disjoint."""

from __future__ import annotations

from enum import StrEnum

import numpy as np


class Kind(StrEnum):
    """What stands out in a response, the most telling first where there is more than one.

    Alike: all items rated at one level. Close: soon after the one before from the same source.
    """

    ORDINARY = "ordinary"
    #: Alike, and nothing else.
    ALIKE = "alike"
    #: Faster than reading, with varied levels.
    HASTY = "hasty"
    #: Faster than reading, alike.
    SKIMMED = "skimmed"
    #: Faster than reading, alike, close.
    PRESSED = "pressed"
    #: Faster than a hand can be.
    INSTANT = "instant"
    #: Without a duration, where such responses have one.
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
#: The most telling first; everyday ones last. The share of each kind is looked at among those
#: that come after it.
ORDER = np.array(
    [
        KINDS.index(kind)
        for kind in (
            Kind.EVEN,
            Kind.REPEATED,
            Kind.COPIED,
            Kind.PRESSED,
            Kind.INSTANT,
            Kind.UNMEASURED,
            Kind.BUNCHED,
            Kind.UNANIMOUS,
            Kind.AFTER_HOURS,
            Kind.SKIMMED,
            Kind.HASTY,
            Kind.ALIKE,
            Kind.ORDINARY,
        )
    ],
    dtype=np.intp,
)
