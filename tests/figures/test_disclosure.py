"""An attack on what strangers are shown: no two or three answers differ by one to nine people.

A drawn world is asked everything that ``figures:read`` alone may ask of rates (other routes:
test_disclosure_routes.py). Each figure that comes is a sum over answers: whose they are is known
here, as the answers were sent. Then all pairs and triples are added and subtracted, and the people
are counted that what is left depends on.
"""

from __future__ import annotations

import os
from itertools import product

import numpy as np
import pytest

from app.figures import lattice
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.figures.disclosure_counts import About, Told, holds
from tests.figures.disclosure_world import FORM, PERIODS, World

SATISFACTION = "/api/v1/satisfaction"
#: More with DISCLOSURE_SEEDS=30.
SEEDS = range(int(os.environ.get("DISCLOSURE_SEEDS", "1")))


@pytest.fixture
def told_of(templates, tmp_path):
    """What a stranger is told of the world of a seed."""

    def make(seed: int) -> Told:
        url = address(copy_sqlite(templates("sqlite"), tmp_path / f"{seed}.db"))
        world = World.drawn(url, seed)
        with serving(Settings(database_url=url, cache_s=0, batch_limit=500)) as client:
            world.send(client)
            return ask(client, world.stranger, world.people)

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
            "questionnaire": FORM, "by": ["unit", *by], "descendants": descendants,
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
            period, items = row.get("period"), ("A1", "B1")
            if row.get("item") or row.get("factor"):
                items = (row.get("item") or f"{row['factor']}1",)
            about = About(
                row["unit"]["code"], descendants, row.get("channel") or channel,
                tuple(month for month in months if period is None or holds(period, month)), items,
            )  # fmt: skip
            told.note(f"{name} {period} {about}", about, row["respondents"])
    return told


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_or_three_answers_differ_by_one_to_nine_people(told_of, seed):
    told = told_of(seed)
    assert len(told.figures) > 10
    assert told.leaks() == []


def test_the_attack_finds_what_hiding_few_alone_gives_away(told_of, monkeypatch):
    def few_alone(n, axes, minimum, **given):
        n = np.asarray(n)
        return (n > 0) & (n < minimum)

    monkeypatch.setattr(lattice, "protect", few_alone)
    assert any(told_of(seed).leaks() for seed in range(3))
