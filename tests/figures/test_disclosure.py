"""An attack on what strangers are shown: no two or three answers differ by one to nine people.

A drawn world is asked everything that ``figures:read`` alone may ask. Each figure that comes is a
sum over answers: whose they are is known here, as the answers were sent. Then all pairs and triples
are added and subtracted, and the people are counted that what is left depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest

from app.db import Database
from app.figures import lattice
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.questionnaires import published
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.small_province import SmallProvince, body

LEAST = 10
SATISFACTION = "/api/v1/satisfaction"
MONTHS = ("2025-11", "2025-12", "2026-01", "2026-02")
#: Of whom an answer about a unit tells: the unit alone, and all above it.
UNITS = {
    "A1": {"only A1", "A1", "77"},
    "D1": {"only D1", "D1", "77"},
    "C1": {"only C1", "C1", "D1", "77"},
    "C2": {"only C2", "C2", "D1", "77"},
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
    None: (None, None, MONTHS),
}
ATOMS = list(product(UNITS, CHANNELS, MONTHS, GIVEN))


@dataclass
class Told:
    """What a stranger was told: of each figure, over which answers it sums, shape (atoms, 2)."""

    people: np.ndarray
    figures: dict[bytes, tuple[str, np.ndarray]] = field(default_factory=dict)

    def note(self, name, units, channels, months, items, respondents):
        """A figure that was shown, with how many people it said to be of."""
        about = np.zeros((len(ATOMS), 2), dtype=np.int8)
        for at, (unit, channel, month, given) in enumerate(ATOMS):
            if UNITS[unit] & units and channel in channels and month in months:
                about[at] = [item in given and item in items for item in ("A1", "B1")]
        about[self.people == 0] = 0
        assert respondents == self.people[about.any(axis=1)].sum(), name
        if about.any():
            self.figures.setdefault(about.tobytes(), (name, about))

    def leaks(self) -> list[tuple[str, ...]]:
        """Pairs and triples that differ by one to nine people."""
        names = [name for name, _ in self.figures.values()]
        rows = np.array([about for _, about in self.figures.values()])
        kept = self.people > 0
        rows, weights = rows[:, kept], self.people[kept]
        answers = rows.any(axis=2) @ weights
        found: list[tuple[str, ...]] = []

        def few(combined):
            touched = combined.any(axis=2) @ weights
            return (touched > 0) & (touched < LEAST)

        for i, first in enumerate(rows):
            found += [(names[i], names[j]) for j in np.flatnonzero(few(rows - first)) if j > i]
            for j in range(i + 1, len(rows)):
                # What is left of a sum of two is few only if the third has about as many.
                near = np.flatnonzero(np.abs(answers - answers[i] - answers[j]) < 2 * LEAST + 40)
                bad = near[few(rows[near] - first - rows[j])]
                found += [(names[i], names[j], names[k]) for k in bad]
        return found


@pytest.fixture
def world(templates, tmp_path):
    """A way to draw a world: few people here and there, by unit, channel and month."""

    def make(seed: int) -> Iterator[Told]:
        url = address(copy_sqlite(templates("sqlite"), tmp_path / f"{seed}.db"))
        rng = np.random.default_rng(seed)
        with closing(Database(url)) as database:
            province = SmallProvince.found(database)
            points = {}
            with database.writing() as session:
                for code, channel in product(UNITS, CHANNELS):
                    unit = session.get_one(Unit, province.units[code])
                    point = open_point(session, unit, "sipas-desk", Channel(channel), code)
                    points[code, channel] = current_code(point)
            with database.reading() as session:
                version = max(
                    v.form.version for v in published(session) if v.form.code == "sipas-desk"
                )
            scale = float(rng.choice([6, 15, 40]))
            base = rng.negative_binomial(0.8, 0.8 / (0.8 + scale), len(ATOMS))
            share = np.array([(0.9, 0.05, 0.05)[GIVEN.index(given)] for *_, given in ATOMS])
            people = rng.binomial(base, share)
            bodies = [
                body(
                    answers={item: int(rng.integers(1, 6)) for item in given},
                    version=version,
                    point=points[unit, channel],
                    answered_at=f"{month}-{10 + k % 9}T09:00:00+07:00",
                )
                for (unit, channel, month, given), n in zip(ATOMS, people.tolist(), strict=True)
                for k in range(n)
            ]
            with serving(Settings(database_url=url, cache_s=0, batch_limit=500)) as client:
                for start in range(0, len(bodies), 500):
                    sent = client.post(
                        "/api/v1/responses",
                        json={"responses": bodies[start : start + 500]},
                        headers=province.importer(),
                    )
                    assert {r["status"] for r in sent.json()["responses"]} == {"accepted"}
                yield ask(client, province.public_reader(), people)

    return make


def ask(client, stranger, people) -> Told:
    """Everything that a stranger may ask, as far as it is answered."""
    told = Told(people)
    steps: list[list[str]] = [[], ["month"], ["quarter"], ["year"]]
    splits: list[list[str]] = [[], ["channel"], ["factor"], ["item"]]
    for (name, (first, last, months)), by, descendants, channel in product(
        PERIODS.items(), [[*a, *b] for a in steps for b in splits], (True, False), (None, "qr")
    ):
        parameters = {
            "questionnaire": "sipas-desk", "by": ["unit", *by], "descendants": descendants,
            **({"from": first, "to": last} if first else {}),
            **({"channel": channel} if channel else {}),
        }  # fmt: skip
        answer = client.get(SATISFACTION, params=parameters, headers=stranger)
        if answer.status_code != 200:
            assert answer.json()["type"] in (
                "/problems/too-fine",
                "/problems/calendar-periods-only",
            )
            continue
        for row in answer.json()["rows"]:
            if row["suppressed"] or not row["respondents"]:
                continue
            code = row["unit"]["code"]
            within = [m for m in months if _holds(row.get("period"), m)]
            items = _items(row)
            told.note(
                f"{code} {descendants} {row.get('period') or name} {row.get('channel') or channel} "
                f"{items}",
                {code} if descendants else {f"only {code}"},
                {row.get("channel") or channel} - {None} or set(CHANNELS),
                within, items, row["respondents"],
            )  # fmt: skip
    return told


def _items(row):
    if row.get("item"):
        return {row["item"]}
    return {f"{row['factor']}1"} if row.get("factor") else {"A1", "B1"}


def _holds(period, month):
    if period is None or len(period) == 4:
        return period is None or month.startswith(period)
    if "Q" in period:
        return month.startswith(period[:4]) and (int(month[5:]) - 1) // 3 + 1 == int(period[-1])
    return month == period


@pytest.mark.parametrize("seed", range(4))
def test_no_two_or_three_answers_differ_by_one_to_nine_people(world, seed):
    for told in world(seed):
        assert len(told.figures) > 10
        assert told.leaks() == []


def test_the_attack_finds_what_hiding_few_alone_gives_away(world, monkeypatch):
    def few_alone(n, axes, minimum, **given):
        n = np.asarray(n)
        return (n > 0) & (n < minimum)

    monkeypatch.setattr(lattice, "protect", few_alone)
    assert any(told.leaks() for seed in range(3) for told in world(seed))
