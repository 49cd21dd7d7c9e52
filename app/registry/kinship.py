"""Units that are the same people at other times, and what stands above or below them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date

from app.registry.structures import Units


def kin(units: Units, ids: Collection[int]) -> frozenset[int]:
    """Units with all that they became, and all that they were before."""
    became = reached(ids, lambda id: [step.to_id for step in units.after.get(id, ())])
    return became | reached(ids, lambda id: units.before.get(id, ()))


def with_all_above(units: Units, ids: Collection[int], today: date) -> frozenset[int]:
    """Units with all that they stand below today; of what ended, where it stood last."""

    def above(id: int) -> Sequence[int]:
        parent = units.histories[id].on(today).parent_id
        return () if parent is None else (parent,)

    return reached(ids, above)


def below(units: Units, top: int, today: date) -> frozenset[int]:
    """A unit with all that stands below it today."""
    children: dict[int | None, list[int]] = {}
    for id, unit in units.histories.items():
        children.setdefault(unit.on(today).parent_id, []).append(id)
    return reached([top], lambda id: children.get(id, ()))


def reached(ids: Collection[int], steps: Callable[[int], Sequence[int]]) -> frozenset[int]:
    """What steps lead to, with where they begin."""
    found: set[int] = set()
    pending = list(ids)
    while pending:
        id = pending.pop()
        if id not in found:
            found.add(id)
            pending += steps(id)
    return frozenset(found)
