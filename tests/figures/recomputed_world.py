"""A province through three drawn reorganisations, kept in a ledger that knows nothing of ours.

The ledger follows each unit's people forwards, day by day, as the plan's lines say: to one unit,
to some by their shares, or to a set of which nobody knows more. What it says of an answer is
compared with what the service computes, and the figures with those of R and statsmodels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import delete, select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from app.db import Database
from app.intake.models import LateResponse, Response
from app.invitations.models import Invitation
from app.registry.models import Channel, ServiceVolume, Unit, UnitKind
from app.registry.points import current_code, find_by_code, open_point
from app.registry.reorganisation.carrying_out import carry_out
from app.registry.reorganisation.plan import Action, Plan, PlanLine
from tests.databases import PostgresServer, new_database
from tests.intake.test_store import Preparing
from tests.small_province import body

FOUNDED, TODAY = date(2024, 1, 1), date(2026, 7, 15)
#: Days of reorganisations, and months in which people answer.
DAYS = (date(2025, 3, 1), date(2025, 7, 1), date(2026, 1, 1))
MONTHS = (date(2025, 2, 1), date(2025, 6, 1), date(2025, 8, 1), date(2026, 2, 1))
#: Days whose trees are looked at: before everything, and since each reorganisation.
TREES = (date(2025, 2, 28), date(2025, 6, 30), date(2025, 12, 31), TODAY)
ITEMS = ("A1", "A2", "B1", "B2", "C1", "C2", "D1", "E1")
CHANNELS = (Channel.QR, Channel.PAPER)
#: A unit of all times: its code and first day.
Who = tuple[str, date]
#: Of a unit's people which part is where: weight, and the units of which it may be any.
Masses = list[tuple[float, frozenset[str]]]


@dataclass
class Ledger:
    """Where the people of all units are, and the parents of the communes of the day."""

    parents: dict[str, str] = field(default_factory=dict)
    since: dict[str, date] = field(default_factory=dict)
    masses: dict[Who, Masses] = field(default_factory=dict)

    def begin(self, code: str, parent: str, day: date) -> None:
        """A unit that is there from a day on."""
        self.parents[code], self.since[code] = parent, day
        self.masses[code, day] = [(1.0, frozenset({code}))]

    def pass_on(self, became: Mapping[str, list[tuple[str, float | None]]]) -> None:
        """Send everybody on to what their units became on a day."""
        for who, masses in self.masses.items():
            found: Masses = []
            for weight, where in masses:
                targets = {to for code in where for to, _ in became.get(code, [(code, None)])}
                (one, *others) = where
                steps = became.get(one, [])
                if not others and steps and all(share is not None for _, share in steps):
                    found += [(weight * (share or 0), frozenset({to})) for to, share in steps]
                else:
                    found.append((weight, frozenset(targets)))
            self.masses[who] = found

    def rows(self) -> dict[Who, dict[str, float]]:
        """Of each unit the rows where its people stand, with weights."""
        found: dict[Who, dict[str, float]] = {("P", FOUNDED): {"P": 1.0}}
        found |= {(code, FOUNDED): {code: 1.0} for code in ("D1", "D2")}
        for who, masses in self.masses.items():
            parts: dict[str, float] = {}
            for weight, where in masses:
                above = {self.parents[code] for code in where}
                row = next(iter(where)) if len(where) == 1 else (
                    f"{above.pop()}~" if len(above) == 1 else "P~"
                )  # fmt: skip
                parts[row] = parts.get(row, 0.0) + weight
            found[who] = parts
        return found

    def above(self, row: str) -> set[str]:
        """A row and the units that it is below."""
        if row in self.parents:
            return {row, self.parents[row], "P"}
        return {row, "P"} | ({row.rstrip("~")} if row != "P~" else set())


@dataclass
class Recomputed:
    """What was drawn, sent and foretold."""

    seed: int
    #: By day of ``TREES``: of each unit the rows where its people stand.
    rows: dict[date, dict[Who, dict[str, float]]] = field(default_factory=dict)
    above: dict[date, Callable[[str], set[str]]] = field(default_factory=dict)
    sent: dict[str, dict[str, int]] = field(default_factory=dict)
    #: Cases served, and the invited with those who answered, by unit and month.
    cases: dict[tuple[Who, date], int] = field(default_factory=dict)
    invited: dict[tuple[Who, date], tuple[int, int]] = field(default_factory=dict)
    commented: int = 0

    def people(self, session: Session) -> pd.DataFrame:
        """A row a respondent: who their unit was by the database, and what they sent."""
        query = select(
            Response.id, Response.day, Response.channel, Unit.code, Unit.valid_from
        ).join(Unit, Unit.id == Response.unit_id)
        rows = []
        for id, day, channel, code, first in session.execute(query):
            levels = self.sent[str(id)]
            rows.append(
                {
                    "who": (code, first), "day": day, "channel": str(channel),
                    "a": sum(level >= 4 for level in levels.values()), "m": len(levels),
                    "s": sum(levels.values()), "A1": levels.get("A1"),
                }
            )  # fmt: skip
        return pd.DataFrame(rows)

    def standing(self, people: pd.DataFrame, tree: date, below: bool = True) -> pd.DataFrame:
        """Some people a row and part of theirs: where they stand in a tree, with their weights."""
        parts = []
        for n, who in enumerate(people["who"]):
            found: dict[str, float] = {}
            for row, weight in self.rows[tree][who].items():
                for at in self.above[tree](row) if below else {row}:
                    found[at] = found.get(at, 0.0) + weight
            parts += [(n, row, weight) for row, weight in found.items()]
        placed = pd.DataFrame(parts, columns=["person", "row", "weight"])
        return placed.join(people.reset_index(drop=True), on="person")


def _founding(day: date, code: str, parent: str) -> PlanLine:
    return PlanLine(
        2, day, Action.FOUND, code, name_vi=f"Xã {code} {day}", name_en=f"{code} {day}",
        kind=UnitKind.COMMUNE, parent=parent,
    )  # fmt: skip


class _Drawing:
    """The lines of one day, and what they mean for the ledger."""

    def __init__(self, ledger: Ledger, rng: np.random.Generator, day: date) -> None:
        self._ledger, self._rng, self.day = ledger, rng, day
        self._free = [str(code) for code in rng.permutation(sorted(ledger.parents))]
        self.lines: list[PlanLine] = []
        self._became: dict[str, list[tuple[str, float | None]]] = {}
        self._begun: dict[str, str] = {}

    def draw(self) -> Plan:
        """All of it; what must happen, and one thing more."""
        shares = [(0.3, 0.7), (0.05, 0.95), (0.75, 0.25)][DAYS.index(self.day)]
        self._merge(2)
        self._split(shares)
        self._swap()
        self._split((None, None))
        if self._free and self._rng.random() < 0.5:
            self._merge(1 + int(self._rng.integers(len(self._free))))
        self._ledger.pass_on(self._became)
        for code in self._became:
            self._ledger.parents.pop(code)
        for code, parent in self._begun.items():
            self._ledger.begin(code, parent, self.day)
        return Plan(tuple(_numbered(self.lines)))

    def _take(self, n: int) -> list[str]:
        taken, self._free = self._free[:n], self._free[n:]
        return taken

    def _found(self, code: str, like: str) -> None:
        parent = self._ledger.parents[like]
        self.lines.append(_founding(self.day, code, parent))
        self._begun[code] = parent

    def _line(self, action: Action, code: str, to: str, share: float | None = None) -> None:
        self.lines.append(PlanLine(2, self.day, action, code, to=to, share=share))
        self._became.setdefault(code, []).append((to, share))

    def _merge(self, n: int) -> None:
        codes = self._take(n)
        to = codes[0]
        self._found(to, codes[-1])
        for code in codes:
            self._line(Action.MERGE, code, to)

    def _split(self, shares: tuple[float | None, ...]) -> None:
        (code,) = self._take(1)
        new = f"N{self.day:%m}{code}"
        self._found(code, code)
        # The other part may come to another district.
        self._found(new, str(self._rng.choice(sorted(self._ledger.parents))))
        for to, share in zip((code, new), shares, strict=True):
            self._line(Action.SPLIT, code, to, share)

    def _swap(self) -> None:
        one, other = self._take(2)
        self._found(one, other)
        self._found(other, one)
        self._line(Action.MERGE, one, other)
        self._line(Action.MERGE, other, one)


def _numbered(lines: list[PlanLine]) -> Iterator[PlanLine]:
    for number, line in enumerate(lines, start=2):
        yield PlanLine(**{**vars(line), "number": number})


def _reorganise(database: Database, made: Recomputed, rng: np.random.Generator) -> None:
    ledger = Ledger()
    units = [("P", UnitKind.PROVINCE, None), ("D1", UnitKind.DISTRICT, "P"),
             ("D2", UnitKind.DISTRICT, "P")]  # fmt: skip
    units += [(f"C{n}", UnitKind.COMMUNE, "D1" if n < 5 else "D2") for n in range(9)]
    with database.writing("a test") as session:
        rows: dict[str, Unit] = {}
        for code, kind, parent in units:
            rows[code] = Unit(
                code=code, kind=kind, name_vi=code, name_en=code, valid_from=FOUNDED,
                parent=rows.get(parent or ""),
            )  # fmt: skip
            session.add(rows[code])
            if kind is UnitKind.COMMUNE:
                ledger.begin(code, str(parent), FOUNDED)
    for tree, day in zip(TREES, (None, *DAYS), strict=True):
        if day is not None:
            plan = _Drawing(ledger, rng, day).draw()
            with database.writing("a test") as session:
                carry_out(session, plan, name=str(day), decision="", today=TODAY)
        made.rows[tree] = ledger.rows()
        kept = Ledger(dict(ledger.parents))
        made.above[tree] = kept.above


def _answer(database: Database, made: Recomputed, rng: np.random.Generator) -> None:
    bodies: list[dict[str, Any]] = []
    with database.writing("a test") as session:
        for unit in session.scalars(select(Unit).order_by(Unit.id)).all():
            points = [
                current_code(open_point(session, unit, "sipas-desk", channel, str(channel)))
                for channel in CHANNELS
            ]
            who, rate = (unit.code, unit.valid_from), float(rng.uniform(0.4, 0.9))
            for month in MONTHS:
                if unit.valid_from > month or (unit.valid_to is not None and unit.valid_to < month):
                    continue
                for _ in range(int(rng.integers(2, 6))):
                    items = [item for item in ITEMS if rng.random() < 0.85] or ["B1"]
                    levels = {
                        item: int(rng.choice([4, 5] if rng.random() < rate else [1, 2, 3]))
                        for item in items
                    }
                    day = month.replace(day=int(rng.integers(1, 6)))
                    said = {"comment": f"Góp ý {len(bodies)}"} if rng.random() < 0.2 else {}
                    made.commented += bool(said)
                    bodies.append(
                        body(
                            points[int(rng.integers(2))], levels | said,
                            answered_at=f"{day}T09:00:00+07:00",
                        )
                    )  # fmt: skip
                    made.sent[bodies[-1]["id"]] = levels
                cases = int(rng.integers(20, 60))
                made.cases[who, month] = cases
                session.add(ServiceVolume(unit_id=unit.id, month=month, cases=cases))
                issued = int(rng.integers(2, 8))
                answered = int(rng.integers(1, issued + 1))
                made.invited[who, month] = issued, answered
                for k in range(issued):
                    mark = f"{unit.id} {month} {k}"
                    session.add(
                        Invitation(
                            number=mark, token_hash=mark, case_hash=mark, unit_id=unit.id,
                            point_id=find_by_code(session, points[0]).id,
                            finished_on=month.replace(day=10), answered=k < answered,
                            expires_at=datetime(2027, 1, 1, tzinfo=UTC),
                        )
                    )  # fmt: skip
    prepare = Preparing(database)
    prepare.store.append([prepare(each) for each in bodies])
    with database.writing("a test") as session:
        # Sent on their day, for what is looked at: which came late a test says itself.
        session.execute(delete(LateResponse))


@contextmanager
def recomputed(
    seed: int,
    backend: str,
    templates: Callable[[str], URL],
    postgres: PostgresServer,
    folder: Path,
) -> Iterator[tuple[Recomputed, Database]]:
    """The province of a seed in a store of a kind."""
    with closing(Database(new_database(backend, templates, postgres, folder))) as database:
        made, rng = Recomputed(seed), np.random.default_rng(seed)
        _reorganise(database, made, rng)
        _answer(database, made, rng)
        yield made, database
