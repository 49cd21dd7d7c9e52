"""A drawn world that was reorganised, and what is told of it in the trees of several days.

Until 31 December 2025                      From 1 January 2026
77 ─┬─ D1 ─┬─ C1, C2                        79 ─┬─ D1 ─┬─ N1, made of C1 and C2
    │      ├─ C3                                │      ├─ N2 and N3, made of C3: shares unknown
    │      ├─ C4                                │      ├─ N4 and N5, 75 % and 25 % of C4
    │      └─ C5                                │      └─ N6, made of C5 and C6
    └─ D2 ─┬─ C6                                ├─ C7
           └─ C7                                └─ E1
78 ─── E1
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, product
from typing import Any

import numpy as np

from app.db import Database
from app.figures import visible
from app.figures.lattice import lattice_of
from app.figures.release import ReleaseRule
from app.figures.unit_places import Standing
from app.registry.models import Channel, Succession, Unit, UnitPeriod
from app.registry.points import current_code, open_point
from app.registry.structures import Structure, Units
from app.rollups.measure_counts import Measure
from tests.figures.disclosure_counts import Sums
from tests.figures.disclosure_world import FORM, LEAST, MONTHS, World
from tests.small_province import SmallProvince, body

FIRST, DAY, LAST = date(2020, 1, 1), date(2026, 1, 1), date(2025, 12, 31)
#: Code, kind, what it stands below at first, first and last day.
UNITS = (
    ("77", "province", None, FIRST, LAST), ("78", "province", None, FIRST, LAST),
    ("79", "province", None, DAY, None), ("D1", "district", "77", FIRST, None),
    ("D2", "district", "77", FIRST, LAST),
    *((f"C{k}", "commune", "D1", FIRST, LAST) for k in range(1, 6)),
    ("C6", "commune", "D2", FIRST, LAST), ("C7", "commune", "D2", FIRST, None),
    ("E1", "commune", "78", FIRST, None),
    *((f"N{k}", "commune", "D1", DAY, None) for k in range(1, 7)),
)  # fmt: skip
BECAME = (
    ("77", "79", None), ("78", "79", None), ("C1", "N1", None), ("C2", "N1", None),
    ("C3", "N2", None), ("C3", "N3", None), ("C4", "N4", 0.75), ("C4", "N5", 0.25),
    ("C5", "N6", None), ("C6", "N6", None),
)  # fmt: skip
MOVED = ("D1", "C7", "E1")
#: Of whom somebody is asked: not of the provinces themselves.
ASKED = [code for code, kind, *_ in UNITS if kind != "province"]
#: Who answered a question of each of two factors, or one of them alone.
GIVEN = (("A1", "B1"), ("A1",))
Atom = tuple[str, str, tuple[str, ...]]
#: Of a question: its first and last day.
PERIODS: tuple[dict[str, str], ...] = (
    {}, {"from": "2025-10-01", "to": "2025-12-31"}, {"from": "2026-01-01", "to": "2026-03-31"},
)  # fmt: skip
#: By name of a period of the lattice, the months of it in which somebody answered.
MONTHS_OF: dict[str | None, tuple[str, ...]] = {
    "2025": MONTHS[:2], "2025-H2": MONTHS[:2], "2025-Q4": MONTHS[:2], "2026": MONTHS[2:],
    "2026-H1": MONTHS[2:], "2026-Q1": MONTHS[2:], **{month: (month,) for month in MONTHS},
    None: MONTHS,
}  # fmt: skip
MEASURES: tuple[tuple[Measure, tuple[str, ...]], ...] = (
    (Measure(), ("A1", "B1")), (Measure("A"), ("A1",)), (Measure("A", "A1"), ("A1",)),
    (Measure("B"), ("B1",)), (Measure("B", "B1"), ("B1",)),
)  # fmt: skip
STRUCTURES = (None, "then", "2025-12-31", "2019-01-01")


@dataclass
class Reformed:
    """Its ids, its answers, and who asks."""

    url: str
    ids: dict[str, int]
    units: Units
    atoms: list[Atom]
    people: np.ndarray
    bodies: list[dict[str, Any]]
    #: The atom of each body.
    at: list[int]
    importer: dict[str, str]
    analyst: dict[str, str]
    #: By name: who asks, and the units of which they see everything.
    readers: dict[str, tuple[dict[str, str], frozenset[int]]]
    today: date
    _structures: dict[date, Structure] = field(default_factory=dict)

    @classmethod
    def drawn(cls, url: str, seed: int, today: date) -> Reformed:
        """A world of a seed, in a prepared database."""
        rng = np.random.default_rng(seed)
        with closing(Database(url)) as database:
            province = SmallProvince(database)
            points = _found(database, province)
            with database.reading() as session:
                version = visible.versions_of(session, FORM)[-1].form.version
                units = visible.units_of_all_times(session)
            ids = province.units
            everywhere = province.public_reader()
            readers = {"a stranger": (everywhere, frozenset[int]())}
            importer, analyst = province.importer(), province.reader()
        atoms = [
            atom for atom in product(ASKED, MONTHS, GIVEN)
            if units.histories[ids[atom[0]]].valid_on(date.fromisoformat(f"{atom[1]}-01"))
        ]  # fmt: skip
        scale, few = float(rng.choice([12, 30, 60])), set(rng.choice(ASKED, 4, replace=False))
        mean = np.array([2.0 if unit in few else scale for unit, *_ in atoms])
        share = np.array([0.92 if given == GIVEN[0] else 0.08 for *_, given in atoms])
        people = rng.binomial(rng.negative_binomial(0.9, 0.9 / (0.9 + mean)), share)
        at = [a for a, n in enumerate(people.tolist()) for _ in range(n)]
        bodies = [
            body(
                answers={item: int(rng.integers(1, 6)) for item in atoms[a][2]},
                version=version,
                point=points[atoms[a][0]],
                answered_at=f"{atoms[a][1]}-{10 + k % 9}T09:00:00+07:00",
                duration_s=int(rng.integers(5, 300)),
            )
            for k, a in enumerate(at)
        ]
        return cls(url, ids, units, atoms, people, bodies, at, importer, analyst, readers, today)

    def send(self, client: Any) -> None:
        """Let everybody answer."""
        for start in range(0, len(self.bodies), 500):
            sent = client.post(
                "/api/v1/responses",
                json={"responses": self.bodies[start : start + 500]},
                headers=self.importer,
            )
            assert {r["status"] for r in sent.json()["responses"]} == {"accepted"}

    def hidden_twins(self) -> list[tuple[int, int]]:
        """Pairs of atoms of which every figure of every tree that is shown has both, or neither.

        Figures by shares are made of such of their parts (``Lattice.hides``), each shown.
        """
        with closing(Database(self.url)) as database, database.reading() as session:
            versions = visible.versions_of(session, FORM)
            rule = ReleaseRule(LEAST, self.today)
            lattice = lattice_of(session, versions, rule, frozenset())
        shown = []
        for units, place in lattice.units.of.items():
            for (period, months), (measure, items) in product(MONTHS_OF.items(), MEASURES):
                if not lattice.hides(Standing((place,)), period, measure=measure):
                    shown.append(
                        [self.ids[unit] in units and month in months and bool({*given} & {*items})
                         for unit, month, given in self.atoms]
                    )  # fmt: skip
        kinds: dict[tuple[bytes, str, tuple[str, ...]], list[int]] = {}
        for atom, row in enumerate(np.array(shown).T):
            if self.people[atom]:
                _, month, given = self.atoms[atom]
                kinds.setdefault((row.tobytes(), month, given), []).append(atom)
        return [pair for same in kinds.values() for pair in combinations(same, 2)]

    def swapped(self, pairs: Sequence[tuple[int, int]]) -> tuple[list[dict[str, Any]], int]:
        """The bodies again, but of each pair two people of a day gave each other's answers."""
        return World.swapped(self, pairs)  # type: ignore[arg-type]

    def structure(self, day: date) -> Structure:
        """The structure of a day, as the registry says it."""
        if day not in self._structures:
            self._structures[day] = self.units.on(day)
        return self._structures[day]

    def weights(self, row: Row) -> np.ndarray:
        """How much of each atom, and of which of both factors, a figure is of."""
        structure = self.structure(row.day)
        node = structure.tree.by_code[row.code].id
        nodes = set(structure.tree.below(node)) if row.descendants else {node}
        found = np.zeros((len(self.atoms), 2))
        for a, (unit, month, given) in enumerate(self.atoms):
            if month in row.months:
                parts = structure.placements[self.ids[unit]].parts
                weight = sum(w for node, w in parts if node in nodes)
                found[a] = [weight * (i in given and i in row.items) for i in ("A1", "B1")]
        found[self.people == 0] = 0
        return found


@dataclass(frozen=True)
class Row:
    """What a figure says that it is of."""

    day: date
    code: str
    descendants: bool
    months: tuple[str, ...]
    items: tuple[str, ...]


def leaks(figures: dict[bytes, tuple[str, np.ndarray]], people: np.ndarray) -> list[Any]:
    """Pairs and triples that depend on one to nine people."""
    names = [name for name, _ in figures.values()]
    rows = np.array([about for _, about in figures.values()])
    kept = people > 0
    rows, weights = rows[:, kept], people[kept]
    answers = (rows.max(axis=2) > 0) @ weights
    found: list[Any] = []
    # Shares here are quarters.
    quarters = np.rint(4 * rows)
    assert np.allclose(quarters, 4 * rows, atol=1e-9)
    sums = Sums(quarters, weights)

    def few(combined: np.ndarray) -> np.ndarray:
        touched = (np.abs(combined) > 1e-9).any(axis=2) @ weights
        return (touched > 0) & (touched < LEAST)

    for i, first in enumerate(rows):
        found += [(names[i], names[j]) for j in np.flatnonzero(few(rows - first)) if j > i]
        for j, near in sums.thirds(i):
            # What is left of two is few only if the third has about as many, or as their union.
            most = answers[i] + answers[j] + LEAST
            as_many = answers[near]
            near = near[(as_many > max(answers[i], answers[j]) - LEAST) & (as_many < most)]
            bad = near[few(rows[near] - first - rows[j])]
            found += [(names[i], names[j], names[k]) for k in bad]
    return found


def _found(database: Database, province: SmallProvince) -> dict[str, str]:
    """Units, what they became, and a point each."""
    with database.writing() as session:
        rows: dict[str | None, Unit] = {}
        for code, kind, parent, first, last in UNITS:
            rows[code] = Unit(
                code=code, kind=kind, name_vi=code, name_en=code, valid_from=first, valid_to=last,
                parent=rows.get(parent),
            )  # fmt: skip
            session.add(rows[code])
        session.flush()
        for one, other, share in BECAME:
            session.add(
                Succession(from_id=rows[one].id, to_id=rows[other].id, day=DAY, share=share)
            )
        for code in MOVED:
            before = rows[code].parent_id
            rows[code].parent = rows["79"]
            for first, parent_id in ((FIRST, before), (DAY, rows["79"].id)):
                session.add(
                    UnitPeriod(
                        unit_id=rows[code].id, first_day=first, kind=rows[code].kind,
                        name_vi=code, name_en=code, parent_id=parent_id,
                    )
                )  # fmt: skip
        points = {}
        for code in ASKED:
            points[code] = current_code(open_point(session, rows[code], FORM, Channel.QR, code))
        province.units = {str(code): row.id for code, row in rows.items()}
    return points
