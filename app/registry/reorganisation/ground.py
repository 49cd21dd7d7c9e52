"""What is known of units and points while a plan is looked at, and what it was found to change."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from app.problems import FieldError
from app.registry.reorganisation.changes import (
    Becoming,
    Change,
    Changes,
    Closing,
    Ending,
    Founding,
    Move,
    Points,
)
from app.registry.structures import UnitHistory, Units


class Ground:
    """What is known of units and points while a plan is looked at, with all that it changes.

    Of a plan that was carried out nothing is checked: what it made is there.
    """

    def __init__(self, units: Units, points: Points, *, carried_out: bool) -> None:
        self.carried_out = carried_out
        self.histories = dict(units.histories)
        self.after = {id: list(steps) for id, steps in units.after.items()}
        self.before = {id: list(ids) for id, ids in units.before.items()}
        self.points = points
        self.by_code: dict[str, list[int]] = defaultdict(list)
        for unit in self.histories.values():
            self.by_code[unit.code].append(unit.id)
        self.next_id = max(self.histories, default=0) + 1
        self.mistakes: list[FieldError] = []
        self.foundings: list[Founding] = []
        self.endings: list[Ending] = []
        self.changed: list[Change] = []
        self.becomings: list[Becoming] = []
        self.moves: list[Move] = []
        self.closings: list[Closing] = []

    def find(self, code: str, day: date) -> UnitHistory | None:
        """The unit of a code that is valid on a day."""
        for id in self.by_code.get(code, ()):
            if self.histories[id].valid_on(day):
                return self.histories[id]
        return None

    def named(self, id: int, day: date) -> str:
        """A unit with its name and code."""
        unit = self.histories[id]
        return f"{unit.on(day).name_vi} ({unit.code})"

    def changes(self) -> Changes:
        """All that was found."""
        return Changes(
            tuple(self.foundings), tuple(self.endings), tuple(self.changed),
            tuple(self.becomings), tuple(self.moves), tuple(self.closings),
            Units(self.histories, self.after, self.before),
        )  # fmt: skip
