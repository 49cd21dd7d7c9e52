"""Drawn worlds for attacks on what strangers are shown: few people here and there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import combinations, product
from typing import Any

import numpy as np

from app.access.roles import Role
from app.db import Database
from app.figures import visible
from app.figures.lattice import lattice_of
from app.figures.release import ReleaseRule
from app.figures.unit_places import members
from app.registry.models import Channel, Unit, UnitKind
from app.registry.points import current_code, open_point
from app.registry.volumes import keep_volumes
from app.rollups.measure_counts import Measure
from tests.small_province import SmallProvince, body

LEAST = 10
FORM = "sipas-desk"
MONTHS = ("2025-11", "2025-12", "2026-01", "2026-02")
#: Of whom an answer about a unit tells: the unit alone, and all above it.
UNITS = {
    "A1": {"only A1", "A1", "77"},
    "D1": {"only D1", "D1", "77"},
    "C1": {"only C1", "C1", "D1", "77"},
    "C2": {"only C2", "C2", "D1", "77"},
    "C3": {"only C3", "C3", "D1", "77"},
}
CHANNELS = ("qr", "kiosk")
#: Who answered one question of each of two factors, or one of them alone.
GIVEN = (("A1", "B1"), ("A1",), ("B1",))
PERIODS = {
    "2025": ("2025-01-01", "2025-12-31", MONTHS[:2]),
    "2025-H2": ("2025-07-01", "2025-12-31", MONTHS[:2]),
    "2025-Q4": ("2025-10-01", "2025-12-31", MONTHS[:2]),
    "2026-Q1": ("2026-01-01", "2026-03-31", MONTHS[2:]),
    "2026": ("2026-01-01", "2026-12-31", MONTHS[2:]),
    "2025-11": ("2025-11-01", "2025-11-30", MONTHS[:1]),
    "2025-12": ("2025-12-01", "2025-12-31", MONTHS[1:2]),
    "2026-01": ("2026-01-01", "2026-01-31", MONTHS[2:3]),
    "2026-02": ("2026-02-01", "2026-02-28", MONTHS[3:]),
    None: (None, None, MONTHS),
}
Atom = tuple[str, str, str, tuple[str, ...]]
ATOMS: list[Atom] = list(product(UNITS, CHANNELS, MONTHS, GIVEN))


@dataclass
class World:
    """A province with its answers, not sent yet, and who may see what."""

    seed: int
    url: str
    province: SmallProvince
    #: Respondents of each atom.
    people: np.ndarray
    bodies: list[dict[str, Any]]
    #: The atom of each body.
    at: list[int]
    stranger: dict[str, str]
    visitor: dict[str, str]
    importer: dict[str, str]
    analyst: dict[str, str]

    @classmethod
    def drawn(cls, url: str, seed: int, *, tiny: int = 0) -> World:
        """A world of a seed, in a prepared database; so many units have next to nobody."""
        rng = np.random.default_rng(seed)
        with closing(Database(url)) as database:
            province = SmallProvince.found(database)
            points = _points(database, province)
            with database.reading() as session:
                version = visible.versions_of(session, FORM)[-1].form.version
            stranger, importer = province.public_reader(), province.importer()
            analyst = province.reader()
            visitor = province.person((Role.OPERATOR, None)).headers
        scale = float(rng.choice([6, 15, 40]))
        few = set(rng.choice([u for u in UNITS if u != "D1"], tiny, replace=False).tolist())
        mean = np.array([0.4 if unit in few else scale for unit, *_ in ATOMS])
        base = rng.negative_binomial(0.8, 0.8 / (0.8 + mean))
        share = np.array([(0.9, 0.05, 0.05)[GIVEN.index(given)] for *_, given in ATOMS])
        people = rng.binomial(base, share)
        at = [a for a, n in enumerate(people.tolist()) for _ in range(n)]
        bodies = [
            body(
                answers={item: int(rng.integers(1, 6)) for item in ATOMS[a][3]}
                | {"trips": int(rng.integers(1, 4))},
                version=version,
                point=points[ATOMS[a][0], ATOMS[a][1]],
                answered_at=f"{ATOMS[a][2]}-{10 + k % 9}T09:00:00+07:00",
                duration_s=int(rng.integers(5, 300)),
            )
            for k, a in enumerate(at)
        ]
        return cls(seed, url, province, people, bodies, at, stranger, visitor, importer, analyst)

    def send(self, client: Any) -> None:
        """Let everybody answer."""
        for start in range(0, len(self.bodies), 500):
            sent = client.post(
                "/api/v1/responses",
                json={"responses": self.bodies[start : start + 500]},
                headers=self.importer,
            )
            assert {r["status"] for r in sent.json()["responses"]} == {"accepted"}

    def shown_cells(self) -> Iterator[tuple[str, str | None, str | None, Measure]]:
        """Unit, channel, period and measure of each cell of the lattice that strangers see."""
        with closing(Database(self.url)) as database, database.reading() as session:
            versions = visible.versions_of(session, FORM)
            lattice = lattice_of(session, versions, ReleaseRule(LEAST, date.max), frozenset())
            structure = visible.structure(session, date.max)
        for name, channel, period, (measure, _) in product(
            sorted(set().union(*UNITS.values())), (None, *CHANNELS), PERIODS, MEASURES
        ):
            of = members(
                structure, structure.tree, self.province.units[name.removeprefix("only ")],
                descendants=not name.startswith("only "),
            )  # fmt: skip
            at = lattice.units.find(of)
            if (channel is None or measure == Measure()) and not lattice.hides(
                at, period, measure=measure, channel=channel
            ):
                yield name, channel, period, measure

    def hidden_twins(self) -> list[tuple[int, int]]:
        """Pairs of atoms of which every cell that is shown has both, or neither."""
        of_items = dict(MEASURES)
        shown = [
            [name in UNITS[unit] and (channel in (None, via)) and month in PERIODS[period][2]
             and of_items[measure](given) for unit, via, month, given in ATOMS]
            for name, channel, period, measure in self.shown_cells()
        ]  # fmt: skip
        kinds: dict[tuple[bytes, str, tuple[str, ...]], list[int]] = {}
        for atom, row in enumerate(np.array(shown).T):
            if self.people[atom]:
                _, _, month, given = ATOMS[atom]
                kinds.setdefault((row.tobytes(), month, given), []).append(atom)
        return [pair for same in kinds.values() for pair in combinations(same, 2)]

    def swapped(self, pairs: Sequence[tuple[int, int]]) -> tuple[list[dict[str, Any]], int]:
        """The bodies again, but of each pair two people of a day gave each other's answers.

        And how many people did.
        """
        bodies = [dict(each) for each in self.bodies]
        used: set[int] = set()
        for pair in pairs:
            both = ([i for i, at in enumerate(self.at) if at == atom] for atom in pair)
            for one, two in product(*both):
                mine, other = self.bodies[one], self.bodies[two]
                same_day = mine["answered_at"] == other["answered_at"]
                if same_day and mine["answers"] != other["answers"] and not used & {one, two}:
                    used |= {one, two}
                    for name in ("answers", "duration_s"):
                        bodies[one][name], bodies[two][name] = other[name], mine[name]
        return bodies, len(used)


MEASURES: tuple[tuple[Measure, Callable[[tuple[str, ...]], bool]], ...] = (
    (Measure(), lambda given: True),
    *((Measure(item[0], *more), lambda given, item=item: item in given)
      for item in ("A1", "B1") for more in ((), (item,))),
)  # fmt: skip


def _points(database: Database, province: SmallProvince) -> dict[tuple[str, str], str]:
    """A point a unit and channel, with volumes, and one commune more."""
    points = {}
    with database.writing() as session:
        district = session.get_one(Unit, province.units["D1"])
        more = Unit(
            code="C3", kind=UnitKind.COMMUNE, name_vi="Xã 3", name_en="Commune 3",
            parent=district, valid_from=date(2020, 1, 1),
        )  # fmt: skip
        session.add(more)
        session.flush()
        province.units["C3"] = more.id
        for code, channel in product(UNITS, CHANNELS):
            unit = session.get_one(Unit, province.units[code])
            point = open_point(session, unit, FORM, Channel(channel), code)
            points[code, channel] = current_code(point)
        served = [(code, date.fromisoformat(f"{month}-01"), 200) for code in UNITS
                  for month in MONTHS]  # fmt: skip
        keep_volumes(session, served, "test")
    return points
