"""What units of a day's tree were called before, themselves and as what they were made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.registry.names import folded_name
from app.registry.queries import UnitNode
from app.registry.structures import Units


@dataclass(frozen=True)
class FormerName:
    """A code and a name that a unit, or one of which it was made, had before a day."""

    code: str
    name_vi: str
    name_en: str
    #: The first day on which it was called so no longer.
    until: date

    def name(self, language: str) -> str:
        """The name."""
        return self.name_en if language == "en" else self.name_vi


def former_names(
    units: Units, nodes: Iterable[UnitNode], day: date
) -> Mapping[str, Sequence[FormerName]]:
    """By the code of each unit of a day's tree what it was called before, the latest first.

    A unit that was divided lives on in each of its parts: nobody who looks for it is led past one.
    """
    found = {}
    for node in nodes:
        names = _of(units, node, day) if node.id in units.histories else []
        if names:
            found[node.code] = names
    return found


def _of(units: Units, node: UnitNode, day: date) -> list[FormerName]:
    reached = {node.id}
    ahead = [node.id]
    while ahead:
        news = [id for id in units.before.get(ahead.pop(), ()) if id not in reached]
        reached |= set(news)
        ahead += news
    known = {(node.code, folded_name(node.name_vi))}
    names = []
    for id in reached:
        unit = units.histories[id]
        if unit.void:
            continue
        nexts = [state.first_day for state in unit.states[1:]]
        last = date.max if unit.last_day is None else unit.last_day + timedelta(days=1)
        for state, until in zip(unit.states, [*nexts, last], strict=True):
            if until <= day:
                names.append(FormerName(unit.code, state.name_vi, state.name_en, until))
    names.sort(key=lambda each: (-each.until.toordinal(), each.code))
    distinct = []
    for each in names:
        if (called := (each.code, folded_name(each.name_vi))) not in known:
            known.add(called)
            distinct.append(each)
    return distinct
