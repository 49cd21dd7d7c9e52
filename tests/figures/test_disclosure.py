"""An attack on what strangers are shown: no two or three answers differ by one to nine people.

A drawn world is asked everything that ``figures:read`` alone may ask of rates (other routes:
test_disclosure_routes.py). Each figure that comes is a sum over answers: whose they are is known
here, as the answers were sent. Then all pairs and triples are added and subtracted, and the people
are counted that what is left depends on.
"""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import closing
from datetime import date
from itertools import product

import numpy as np
import pytest
from sqlalchemy import select

from app.access.models import Right
from app.db import Database
from app.figures import lattice
from app.intake.models import Disposition, Response
from app.intake.setting_aside import Together, change_dispositions
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.figures.disclosure_anonymous import Beside, file_of
from tests.figures.disclosure_counts import About, Told, holds
from tests.figures.disclosure_world import ATOMS, FORM, PERIODS, World

SATISFACTION = "/api/v1/satisfaction"
#: More with DISCLOSURE_SEEDS=30.
SEEDS = range(int(os.environ.get("DISCLOSURE_SEEDS", "1")))


@pytest.fixture
def told_of(templates, tmp_path):
    """What a stranger is told of the world of a seed, and the anonymised rows."""

    def make(seed: int) -> tuple[Told, Beside]:
        url = address(copy_sqlite(templates("sqlite"), tmp_path / f"{seed}.db"))
        world = World.drawn(url, seed)
        with serving(Settings(database_url=url, cache_s=0, batch_limit=500)) as client:
            world.send(client)
            key = world.province.credential(Right.READ_ANONYMOUS)
            told = ask(client, world.stranger, world.people)
            return told, Beside.of(world, file_of(client, key))

    return make


def ask(client, stranger, people, told=None, **further) -> Told:
    """Everything that a stranger may ask, as far as it is answered."""
    told = told or Told(people)
    steps: list[list[str]] = [[], ["month"], ["quarter"], ["year"]]
    splits: list[list[str]] = [[], ["channel"], ["factor"], ["item"]]
    for (name, (first, last, months)), by, descendants, channel in product(
        PERIODS.items(), [[*a, *b] for a in steps for b in splits], (True, False), (None, "qr")
    ):
        parameters = {
            "questionnaire": FORM, "by": ["unit", *by], "descendants": descendants,
            **({"from": first, "to": last} if first else {}),
            **({"channel": channel} if channel else {}), **further,
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
            period, items = row.get("period"), ("A1", "B1")
            if row.get("item") or row.get("factor"):
                items = (row.get("item") or f"{row['factor']}1",)
            about = About(
                row["unit"]["code"], descendants, row.get("channel") or channel,
                tuple(month for month in months if period is None or holds(period, month)), items,
            )  # fmt: skip
            told.note(
                f"{name} {period} {about} {further}", about, row["respondents"],
                with_aside=further.get("sensitivity") == "with",
            )  # fmt: skip
    return told


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_or_three_answers_differ_by_one_to_nine_people(told_of, seed):
    told, beside = told_of(seed)
    assert len(told.figures) > 10
    assert told.leaks() == []
    # Nor do one or two of them and the anonymised export (more: test_anonymous_disclosure.py).
    assert len(set(beside.group.tolist())) > 5
    assert list(beside.leaks(told)) == []


def test_the_attack_finds_what_hiding_few_alone_gives_away(told_of, monkeypatch):
    def few_alone(n, axes, minimum, *given, **further):
        n = np.asarray(n)
        return (n > 0) & (n < minimum)

    monkeypatch.setattr(lattice, "protect_beside", few_alone)
    assert any(told_of(seed)[0].leaks() for seed in range(3))


@pytest.mark.parametrize("seed", SEEDS)
def test_nor_do_those_with_and_without_what_is_set_aside(templates, tmp_path, seed):
    url = address(copy_sqlite(templates("sqlite"), tmp_path / "aside.db"))
    world = World.drawn(url, seed)
    with serving(Settings(database_url=url, cache_s=0, batch_limit=500)) as client:
        world.send(client)
        aside = set_some_aside(world, np.random.default_rng(seed))
        assert aside.sum() >= 10
        told = Told(world.people - aside, aside=aside)
        for sensitivity in ("without", "with"):
            ask(client, world.stranger, None, told, sensitivity=sensitivity)
    both = {name.rsplit("'", 2)[-2] for name, _ in told.figures.values()}
    assert both == {"without", "with"}
    assert told.leaks() == []


def set_some_aside(world, rng):
    """Some of some pieces, as they may move; how many of each atom moved."""
    pieces = defaultdict(list)
    for sent, atom in zip(world.bodies, world.at, strict=True):
        pieces[ATOMS[atom][:3]].append(sent["id"])
    drawn = [
        id for ids in pieces.values() if rng.random() < 0.4
        for id in ids if rng.random() < 0.7
    ]  # fmt: skip
    with closing(Database(world.url)) as database:
        with database.writing() as session:
            change_dispositions(
                session, Together(10, date.max), Disposition.COUNTED, Disposition.QUARANTINED,
                "stuffing", Response.id.in_(drawn),
            )  # fmt: skip
        with database.reading() as session:
            moved = set(
                session.scalars(
                    select(Response.id).where(Response.disposition == Disposition.QUARANTINED.value)
                )
            )
    at = [atom for sent, atom in zip(world.bodies, world.at, strict=True) if sent["id"] in moved]
    return np.bincount(at, minlength=len(ATOMS))
