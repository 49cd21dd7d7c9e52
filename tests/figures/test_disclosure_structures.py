"""The attack over the trees of several days: no two or three figures differ by few people.

A drawn world with a merger, divided communes with shares and without, a merger over a district's
border, a closed district and merged provinces is asked in the tree of today, of then and of days
before; by a stranger, and by the head of a unit who sees its small cells and all others' figures.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import date
from itertools import product

import numpy as np
import pytest

from app.access.roles import Role
from app.db import Database
from app.figures import lattice, within_correlation
from app.figures.unit_places import Standing, UnitPlaces
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.figures.disclosure_counts import holds
from tests.figures.disclosure_reform import (
    PERIODS,
    STRUCTURES,
    UNITS,
    Reformed,
    Row,
    leaks,
)
from tests.figures.disclosure_routes import content_of
from tests.figures.disclosure_world import FORM, MONTHS
from tests.small_province import SmallProvince

TODAY = date(2026, 3, 20)
#: More with DISCLOSURE_SEEDS=30.
SEEDS = range(int(os.environ.get("DISCLOSURE_SEEDS", "1")))
#: Whose small cells a head sees: of a merged commune, of one that is no more, of a part.
HEADS = ("N1", "C1", "N4", "D1")


@pytest.fixture
def told_of(templates, tmp_path):
    """What readers are told of the world of a seed: by reader, figures and the units they know."""

    def make(seed, *, strangers_alone=False):
        url = address(copy_sqlite(templates("sqlite"), tmp_path / f"{seed}.db"))
        world = Reformed.drawn(url, seed, TODAY)
        code = HEADS[seed % len(HEADS)]
        with closing(Database(url)) as database:
            province = SmallProvince(database, world.ids)
            head = province.person((Role.OPERATOR, None), (Role.AUDITOR, code)).headers
        own = frozenset(world.ids[each] for each, _, above, *_ in UNITS if code in (each, above))
        if not strangers_alone:
            world.readers[f"the head of {code}"] = (head, own)
        with serving(Settings(database_url=url, cache_s=0, batch_limit=500)) as client:
            world.send(client)
            return world, {
                name: (ask(client, world, headers), known)
                for name, (headers, known) in world.readers.items()
            }

    return make


def ask(client, world, headers):
    """Everything of rates that may be asked, in the trees of all days."""
    figures = {}
    for period, structure, by, descendants in product(
        PERIODS, STRUCTURES, ([], ["month"], ["quarter"], ["item"]), (True, False)
    ):
        parameters = {
            "questionnaire": FORM, "by": ["unit", *by], "descendants": descendants, **period,
            **({"structure": structure} if structure else {}),
        }  # fmt: skip
        answer = client.get(SATISFACTION, params=parameters, headers=headers)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        within = [m for m in MONTHS if not period or period["from"][:7] <= m <= period["to"][:7]]
        for row in found["rows"]:
            if row["suppressed"] or not row["respondents"]:
                continue
            name = row.get("period")
            about = Row(
                date.fromisoformat(found["structure"]), row["unit"]["code"], descendants,
                tuple(month for month in within if name is None or holds(name, month)),
                (row["item"],) if row.get("item") else ("A1", "B1"),
            )  # fmt: skip
            weights = world.weights(about)
            people = (weights.max(axis=1) * world.people).sum()
            assert np.isclose(row["respondents"], people), (about, row["respondents"], people)
            figures[weights.tobytes()] = (f"{about}", weights)
    return figures


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_or_three_answers_of_several_trees_differ_by_few_people(told_of, seed):
    world, told = told_of(seed)
    for figures, known in told.values():
        # Of a unit's people who see everything of it know each.
        others = np.array([world.ids[unit] not in known for unit, *_ in world.atoms])
        rest = [(name, about * others[:, None]) for name, about in figures.values()]
        rest = {about.tobytes(): (name, about) for name, about in rest if about.any()}
        assert len(figures) > 10
        assert leaks(rest, world.people) == []


#: Statistics of which each is asked of units drawn, in a tree drawn.
STATISTICS = (
    "/ranking", "/funnel", "/trend", "/alerts", "/reliability", "/stratified", "/casemix", "",
)  # fmt: skip
SATISFACTION = "/api/v1/satisfaction"
MONTHLY = {"questionnaire": FORM, "by": ["unit", "month", "item"]}
VIEWS = ("overview", "units", "unit", "comparison", "sections", "items", "quality", "levels")


def ask_all(client, headers, seed):
    """Every statistic and view in several trees; answers by question."""
    rng, told = np.random.default_rng(seed), {}
    for path, structure in product(
        (*(f"{SATISFACTION}{name}" for name in STATISTICS),
         *(f"/api/v1/views/{name}" for name in VIEWS)),
        (None, "then", "2025-12-31"),
    ):  # fmt: skip
        period = str(rng.choice(["2025-Q4", "2026-Q1"]))
        old = structure == "2025-12-31" or (structure == "then" and period == "2025-Q4")
        units = ["77", "D1", "D2", "C3"] if old else ["79", "D1", "N1", "C7"]
        parameters = {"questionnaire": FORM, "unit": str(rng.choice(units))}
        if "views" in path:
            parameters |= {"period": period}
        else:
            parameters |= PERIODS[1 if period == "2025-Q4" else 2]
            parameters |= {"expand": "all"} if rng.random() < 0.7 else {}
            parameters |= {"adjust": "channel"} if "casemix" in path else {}
        if structure:
            parameters["structure"] = structure
        if rng.random() < 0.3 and "views" not in path:
            del parameters["unit"]
            parameters.pop("expand", None)
        answer = client.get(path, params=parameters, headers=headers)
        told[f"{path} {parameters}"] = content_of(answer)
    return told


#: Pages and files that tell whoever has figures:read alone, or anybody.
PAGES = (
    *(f"/dashboard/{name}" for name in ("overview", "units", "unit", "comparison", "items",
                                        "quality")),
    "/dashboard/charts/unit/trend.csv", "/api/v1/feed.csv", "/public", "/public/data.csv",
    "/wall/79", "/wall/D1", "/public/79/card", "/public/N1/badge.svg",
)  # fmt: skip


def ask_pages(client, headers, seed):
    """Pages and files in the trees of two days; answers by question."""
    rng, told = np.random.default_rng(seed), {}
    for path, structure in product(PAGES, (None, "then")):
        ours = path.startswith(("/dashboard", "/api"))
        period = str(rng.choice(["2025-Q4", "2026-Q1"]))
        old = structure == "then" and period == "2025-Q4"
        unit = str(rng.choice(["77", "D1", "D2"] if old else ["79", "D1", "N1"]))
        parameters = {"questionnaire": FORM, "period": period, "unit": unit}
        if "feed" in path:
            parameters = {"questionnaire": FORM, "step": str(rng.choice(["month", "quarter"]))}
        elif not ours:
            parameters = {"questionnaire": FORM, "period": period}
        if structure and (ours or path in ("/public", "/public/data.csv")):
            parameters["structure"] = structure
        sent = headers if ours else {}
        answer = client.get(path, params=parameters, headers=sent)
        # By hand: the client would forget who asks.
        while answer.is_redirect:
            answer = client.get(answer.headers["location"], headers=sent)
        told[f"{path} {parameters}"] = content_of(answer)
    return told


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_is_told_in_any_tree_changes_when_hidden_people_swap_answers(
    templates, tmp_path, monkeypatch, seed
):
    # What answers of one person have in common is learnt from everybody (docs/security.md).
    monkeypatch.setattr(
        within_correlation, "among", lambda sums, least: np.full(sums.shape[1], 0.3)
    )
    one = copy_sqlite(templates("sqlite"), tmp_path / "one.db")
    world = Reformed.drawn(address(one), seed, date(2026, 11, 1))
    (headers, _) = world.readers["a stranger"]
    with closing(Database(address(one))) as database:
        visitor = SmallProvince(database, world.ids).person((Role.OPERATOR, None)).headers
    urls = [address(one), address(copy_sqlite(one, tmp_path / "two.db"))]
    told, seen, people = [], [], 0
    for url in urls:
        settings = Settings(database_url=url, cache_s=0, batch_limit=500, public_page=True)
        with serving(settings) as client:
            world.send(client)
            told.append(ask_all(client, headers, seed) | ask_pages(client, visitor, seed))
            seen.append(client.get(SATISFACTION, params=MONTHLY, headers=world.analyst).content)
        if not people:
            world.bodies, people = world.swapped(world.hidden_twins())
    assert people >= 2
    # Whoever may see small cells sees that they changed.
    assert seen[0] != seen[1]
    first, second = told
    answered = sum(status == 200 for status, _ in first.values())
    assert answered > 0.5 * len(first), {q: s for q, (s, _) in first.items() if s != 200}
    pages = {q.split()[0] for q, (status, _) in first.items() if status == 200}
    assert pages >= {*PAGES}, {q: first[q] for q in first if q.split()[0] in {*PAGES} - pages}
    assert [question for question in first if first[question] != second[question]] == []


def a_stranger_finds_some(told_of, seeds):
    """Whether in any of the worlds; the first in which one does is the last that is asked."""
    for seed in seeds:
        world, told = told_of(seed, strangers_alone=True)
        ((figures, _),) = told.values()
        if leaks(figures, world.people):
            return True
    return False


def test_the_attack_finds_what_hiding_few_alone_gives_away(told_of, monkeypatch):
    def few_alone(n, axes, minimum, *given, **further):
        n = np.asarray(n)
        return (n > 0) & (n < minimum)

    monkeypatch.setattr(lattice, "protect_beside", few_alone)
    assert a_stranger_finds_some(told_of, range(2))


def test_the_attack_finds_what_rows_that_cross_others_would_give_away(told_of, monkeypatch):
    found = UnitPlaces.find
    monkeypatch.setattr(
        UnitPlaces, "find", lambda self, of: Standing(found(self, of).places, left_out=())
    )
    assert a_stranger_finds_some(told_of, range(3))
