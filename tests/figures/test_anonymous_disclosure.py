"""The attack with anonymised rows besides: no one or two figures less any of them are few people.

Each row's class is known by what others may know of its respondent. Of every figure that strangers
are shown, and of each sum and difference of two, the rows of any classes are subtracted, question
by question, and the people are counted that what is left depends on. With figures that were asked
for by the interface, tests/figures/test_disclosure.py does the same.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime

import pytest

from app.access.callers import owner
from app.db import Database
from app.export.anonymous import AnonymousWish, prepare_anonymous
from app.export.formats import Format
from app.figures import anonymous
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.figures.disclosure_anonymous import Beside, shown_of
from tests.figures.disclosure_world import FORM, World

#: More with DISCLOSURE_SEEDS=30.
SEEDS = range(int(os.environ.get("DISCLOSURE_SEEDS", "2")))


def rows_of(settings):
    with closing(Database(settings.database_url)) as database:
        found = prepare_anonymous(
            database, settings, owner("test"), AnonymousWish(FORM), Format.CSV, "vi",
            datetime.now(UTC),
        )  # fmt: skip
    lines = found.table.to_pylist()
    return [{name: "" if v is None else str(v) for name, v in each.items()} for each in lines]


@pytest.fixture
def sent(templates, tmp_path):
    """The world of a seed, sent, with its settings; of other bodies a second one like it."""

    def make(seed, tiny=0, change=None, of=None):
        file = tmp_path / f"{seed}-{tiny}-{change is None}.db"
        first = copy_sqlite(templates("sqlite") if of is None else of[2], file)
        kept = copy_sqlite(first, file.with_suffix(".kept"))
        if of is None:
            world = World.drawn(address(first), seed, tiny=tiny)
            kept = copy_sqlite(first, file.with_suffix(".drawn"))
        else:
            world = of[0]
            world.bodies, world.url = change, address(first)
        settings = Settings(database_url=address(first), cache_s=0, batch_limit=500)
        with serving(settings) as client:
            world.send(client)
        return world, settings, kept

    return make


@pytest.mark.parametrize("seed", SEEDS)
def test_no_figures_less_any_rows_are_one_to_nine_people(sent, seed):
    world, settings, _ = sent(seed, tiny=seed % 3)
    beside = Beside.of(world, rows_of(settings))
    # Where strangers are not even shown a quarter of the whole province, it has no rows.
    whole = {period for name, channel, period, _ in world.shown_cells()
             if (name, channel) == ("77", None) and "Q" in str(period)}  # fmt: skip
    assert len(set(beside.group.tolist()) - {-1}) >= len(whole)
    assert whole or seed
    assert list(beside.leaks(shown_of(world))) == []


def test_the_attack_finds_what_ten_alike_alone_give_away(sent, monkeypatch):
    monkeypatch.setattr(anonymous._Dividing, "shows", lambda *given, **named: True)
    monkeypatch.setattr(anonymous, "admitted", lambda published, atom, group, answered: group)
    monkeypatch.setattr(
        anonymous, "refined", lambda published, atom, group, part, answered: group >= 0
    )
    for seed in range(6):
        world, settings, _ = sent(seed, 2)
        beside = Beside.of(world, rows_of(settings))
        if any(beside.leaks(shown_of(world), pairs=False)):
            return
    pytest.fail("the attack finds nothing")


def test_rows_do_not_change_when_people_of_hidden_cells_exchange_their_answers(sent):
    one = world, settings, _ = sent(0, 3)
    first = rows_of(settings)
    swapped, people = world.swapped(world.hidden_twins())
    assert people >= 2
    _, settings, _ = sent(0, 3, swapped, one)
    assert rows_of(settings) == first and len(first) > 50
    assert {row["A1"] for row in first} >= {"1", "5"}
