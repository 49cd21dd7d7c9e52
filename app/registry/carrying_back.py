"""What somebody may read of other times, who has a right on units of today."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from app.registry.structures import Structure, Units


def readable_nodes(structure: Structure, readable: Collection[int]) -> set[int]:
    """The nodes of a structure that hold nothing but units, of all times, that may be read."""
    return {
        id
        for id, held in structure.held.items()
        if (held and held <= set(readable)) or (not held and structure.shared[id] <= set(readable))
    }


def carried_back(units: Units, granted: Collection[int], today: date) -> set[int]:
    """Units on which somebody has a right, and those that became nothing else.

    What ended is theirs if all that it became is theirs; without anything after it, if what it
    stood below is.
    """
    found = set(granted)
    past = [
        unit for unit in units.histories.values()
        if unit.id not in found and not unit.valid_on(today)
        and unit.last_day is not None and unit.last_day < today
    ]  # fmt: skip
    changed = True
    while changed:
        changed = False
        for unit in past:
            if unit.id in found:
                continue
            steps = units.after.get(unit.id, ())
            above = unit.states[-1].parent_id
            theirs = all(step.to_id in found for step in steps) if steps else above in found
            if theirs:
                found.add(unit.id)
                changed = True
    return found
