"""Figures with and without what is set aside, before and after: counted out by force.

People are drawn by unit, month, channel and the factors that they answered; some of them are set
aside by batches, as ``app.intake.setting_aside`` moves them. Of all figures that a stranger is
shown, without and with what is set aside, no combination of up to three with coefficients −1, 0, 1
depends on one to nine people. Nothing here is shared with the code under test but what hides cells
and what moves together.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.lattices import Axis
from app.figures.lattice import decided
from app.figures.lattice_axes import Axes, time_axis
from app.figures.unit_places import members, unit_places
from app.rollups.measure_counts import Measure, moved_together
from tests.figures.test_lattice_structures import FIRST, LEAST, TODAY, Country

MONTHS = (date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1))
CHANNELS = ("kiosk", "qr")
#: Which of two factors somebody answered, and how often.
GIVEN, OFTEN = ((1, 1), (1, 0), (0, 1)), (0.8, 0.1, 0.1)
MEASURES = {Measure(): 0, Measure("A"): 1, Measure("B"): 2}
#: More with DISCLOSURE_SEEDS=30.
EXAMPLES = 40 * int(os.environ.get("DISCLOSURE_SEEDS", "1"))


def country():
    """A province of one district with three communes."""
    made = Country()
    district = made.found("district", made.found("province", None, FIRST), FIRST)
    for _ in range(3):
        made.found("commune", district, FIRST)
    return made.read()


UNITS = country()
TREE = UNITS.on(TODAY)


@dataclass
class People:
    """Everybody, one entry a person; ``answered`` of shape (people, 2), of both factors."""

    unit: np.ndarray
    month: np.ndarray
    channel: np.ndarray
    answered: np.ndarray

    @classmethod
    def drawn(cls, rng):
        scale = float(rng.choice([6, 15, 30]))
        atoms = list(product([3, 4, 5], range(len(MONTHS)), range(len(CHANNELS))))
        few = {id for id in (3, 4, 5) if rng.random() < 0.4}
        n = [
            int(rng.negative_binomial(0.9, 0.9 / (0.9 + (2.0 if unit in few else scale))))
            for unit, *_ in atoms
        ]
        rows = np.repeat(np.array(atoms), n, axis=0).reshape(-1, 3)
        given = np.array(GIVEN)[rng.choice(3, len(rows), p=OFTEN)].reshape(-1, 2)
        return cls(*rows.T, given)

    def pieces(self):
        """The people of each unit, month and channel."""
        keys = np.stack([self.unit, self.month, self.channel], axis=1)
        for key in np.unique(keys, axis=0):
            yield np.flatnonzero((keys == key).all(axis=1))

    def batches(self, rng, among, *, enough_stay):
        """Who of some people is moved: of some pieces a part, as it may move.

        ``enough_stay``: only where as many stay of each measure that somebody answered who moves.
        """
        moved = np.zeros(len(self.unit), dtype=bool)
        for piece in self.pieces():
            piece = piece[among[piece]]
            if rng.random() < 0.5 or not len(piece):
                continue
            batch = piece[rng.random(len(piece)) < rng.choice([0.4, 0.8, 1.0])]
            index = np.ones((len(batch), 1), dtype=np.int64)
            given = np.concatenate([index, self.answered[batch]], axis=1)
            batch = batch[moved_together(given, LEAST)]
            rest = np.setdiff1d(piece, batch)
            n = np.array([len(rest), *self.answered[rest].sum(axis=0)])
            of = np.array([len(batch), *self.answered[batch].sum(axis=0)])
            if enough_stay and ((of > 0) & (n < LEAST)).any():
                continue
            moved[batch] = True
        return moved


def lattice_of(people, aside):
    """What is hidden, as the service decides it."""
    places = unit_places(UNITS, TODAY, {3, 4, 5})
    periods, of_time = time_axis(set(MONTHS))
    of_measures = Axis(np.array([-1, 0, 0]), nested=False)
    channels = {name: i for i, name in enumerate(CHANNELS, start=1)}
    axes = Axes(places, channels, periods, MEASURES, of_time, of_measures)

    def counts(chosen):
        n = np.zeros((len(places.axis.parent), 3, len(periods)), dtype=np.int64)
        by_measure = np.zeros((3, n.shape[0], n.shape[2]), dtype=np.int64)
        for p in np.flatnonzero(chosen):
            unit = places.alone[int(people.unit[p])]
            month = periods[MONTHS[people.month[p]].strftime("%Y-%m")]
            n[unit, 1 + people.channel[p], month] += 1
            by_measure[:, unit, month] += [1, *people.answered[p]]
        return n, by_measure

    guarding = decided(axes, *counts(np.ones(len(aside), dtype=bool)), LEAST)
    return decided(axes, *counts(~aside), LEAST, guarding)


def shown(people, aside, name):
    """All figures that a stranger is shown: names, and of each person's answers which are in it."""
    lattice = lattice_of(people, aside)
    for id, below, period, (measure, channel) in product(
        TREE.tree.nodes, (True, False), (None, *lattice.periods),
        [(Measure(), None), (Measure(), "kiosk"), (Measure(), "qr"), (Measure("A"), None),
         (Measure("B"), None)],
    ):  # fmt: skip
        of = members(TREE, TREE.tree, id, descendants=below)
        nodes = set(TREE.tree.below(id)) if below else {id}
        within = np.isin(people.unit, list(nodes))
        if period in {month.strftime("%Y-%m") for month in MONTHS}:
            within &= people.month == int(period[-2:]) - 1
        if channel is not None:
            within &= people.channel == CHANNELS.index(channel)
        columns = np.array([measure.factor in (None, "A"), measure.factor in (None, "B")])
        answers = people.answered * within[:, None] * columns
        counts = answers.any(axis=1) & ~aside
        if counts.sum() < LEAST or lattice.hides(
            lattice.units.find(of), period, measure=measure, channel=channel
        ):
            continue
        about = f"{name} {id} {below} {period} {measure} {channel}"
        yield f"{about} without", answers * ~aside[:, None]
        yield f"{about} with", answers


def leaks(figures):
    """Pairs and triples that depend on one to nine people."""
    found = {rows.tobytes(): (name, rows) for name, rows in figures if rows.any()}
    names = [name for name, _ in found.values()]
    rows = np.array([rows for _, rows in found.values()])
    if not len(rows):
        return []
    flat = rows.reshape(len(rows), rows.shape[1], 2)
    kinds, weights = np.unique(flat.transpose(1, 0, 2).reshape(rows.shape[1], -1), axis=0,
                               return_counts=True)  # fmt: skip
    rows = kinds.reshape(len(kinds), len(flat), 2).transpose(1, 0, 2)
    bad = []

    def few(combined):
        touched = (combined != 0).any(axis=2) @ weights
        return (touched > 0) & (touched < LEAST)

    for i, first in enumerate(rows):
        bad += [(names[i],)] if few(first[None])[0] else []
        bad += [(names[i], names[j]) for j in np.flatnonzero(few(rows - first)) if j > i]
        for j in range(i + 1, len(rows)):
            thirds = np.flatnonzero(few(rows - first - rows[j]))
            bad += [(names[i], names[j], names[k]) for k in thirds]
    return bad


def drawn(seed, *, enough_stay):
    """A world in which some are set aside; nobody where none may be."""
    rng = np.random.default_rng(seed)
    people = People.drawn(rng)
    everybody = np.ones(len(people.unit), dtype=bool)
    return people, people.batches(rng, everybody, enough_stay=enough_stay)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), enough_stay=st.booleans())
def test_no_two_or_three_figures_with_and_without_differ_by_few_people(seed, enough_stay):
    people, aside = drawn(seed, enough_stay=enough_stay)
    assert leaks(shown(people, aside, "now")) == []


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1))
def test_nor_those_of_before_and_after_where_enough_stay(seed):
    people, aside = drawn(seed, enough_stay=True)
    before = shown(people, np.zeros_like(aside), "before")
    assert leaks([*before, *shown(people, aside, "after")]) == []


def test_force_finds_who_stayed_where_they_are_few():
    """Whoever kept a month's figure learns what the few said who stay of it (docs/security.md)."""
    found = 0
    for seed in range(6):
        people, aside = drawn(seed, enough_stay=False)
        before = shown(people, np.zeros_like(aside), "before")
        found += bool(leaks([*before, *shown(people, aside, "after")]))
    assert found >= 2
