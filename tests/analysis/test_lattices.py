"""No two or three cells that are shown differ by few people: counted out over drawn lattices."""

from itertools import product

import numpy as np
import pytest

from analysis.lattices import Axis, protect

LEAST = 10


def drawn(seed):
    """A lattice of units, channels and periods with few people in many places."""
    rng = np.random.default_rng(seed)
    axes = [_units(rng), _flat(int(rng.integers(1, 4))), _periods(rng)]
    lowest = [sorted(set(range(len(parent))) - set(parent)) for parent in axes]
    base = list(product(*lowest))
    scale = rng.choice([2, 5, 12, 30])
    people = rng.negative_binomial(0.7, 0.7 / (0.7 + scale), len(base))
    if rng.random() < 0.5:
        people = np.where(rng.random(len(base)) < 0.5, 0, people)
    cells = np.zeros((*map(len, axes), len(base)), dtype=np.int8)
    for b, place in enumerate(base):
        for cell in product(*(_upwards(p, i) for p, i in zip(axes, place, strict=True))):
            cells[(*cell, b)] = 1
    return [Axis(np.array(parent)) for parent in axes], cells, people


def _units(rng):
    parent = [-1]
    for _ in range(rng.integers(2, 4)):
        parent.append(0)
        if rng.random() < 0.4:
            parent += [len(parent) - 1] * 2
    return parent + [0] * int(rng.random() < 0.3)


def _periods(rng):
    parent = [-1]
    for _ in range(rng.integers(1, 3)):
        parent.append(0)
        parent += [len(parent) - 1] * int(rng.integers(1, 4))
    return parent


def _flat(places):
    return [-1] + [0] * places


def _upwards(parent, place):
    found = [place]
    while parent[found[-1]] >= 0:
        found.append(parent[found[-1]])
    return found


def few_people(cells, people, hidden):
    """By how many people some two or three shown cells differ, where these are few."""
    shown = cells[~hidden & ((cells * people).sum(axis=-1) > 0)]
    rows = np.unique(shown[:, people > 0].astype(np.int8), axis=0)
    weights = people[people > 0]
    found = []
    for i, first in enumerate(rows):
        touched = (rows[i + 1 :] != first) @ weights
        found += touched[(touched > 0) & (touched < LEAST)].tolist()
        for second in rows[i + 1 :]:
            touched = (rows != first + second) @ weights
            found += touched[(touched > 0) & (touched < LEAST)].tolist()
    return found


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_no_two_or_three_shown_cells_differ_by_few_people(first):
    leaks = 0
    for seed in range(first, first + 20):
        axes, cells, people = drawn(seed)
        n = (cells * people).sum(axis=-1)
        hidden = protect(n, axes, LEAST)
        assert hidden[(n > 0) & (n < LEAST)].all() and not hidden[n == 0].any()
        assert not few_people(cells, people, hidden), seed
        leaks += bool(few_people(cells, people, (n > 0) & (n < LEAST)))
    assert leaks >= 10  # where cells of few alone are hidden


def test_a_whole_and_its_other_parts_hide_one_more():
    axes = [Axis(np.array([-1, 0, 0, 0]))]
    assert protect([100, 4, 36, 60], axes, LEAST).tolist() == [False, True, True, False]
    # Two small parts hide one another, if they are ten together.
    assert protect([72, 4, 8, 60], axes, LEAST).tolist() == [False, True, True, False]
    assert protect([68, 4, 4, 60], axes, LEAST).tolist() == [False, True, True, True]
    assert protect([14, 4, 10, 0], axes, LEAST).tolist() == [False, True, True, False]


def test_what_cannot_be_subtracted_hides_only_what_follows():
    """A factor that 58 of 60 answered differs from the index by two people, and by questions."""
    axes = [Axis(np.array([-1, 0, 0, 0]), nested=False)]
    assert not protect([60, 60, 58, 60], axes, LEAST).any()
    assert protect([60, 60, 5, 60], axes, LEAST).sum() == 2


def test_who_sees_a_cell_anyway_is_not_guarded_by_it():
    axes = [Axis(np.array([-1, 0, 0, 0]))]
    seen = np.array([False, False, True, False])
    hidden = protect([100, 4, 36, 60], axes, LEAST, seen=seen)
    assert hidden.tolist() == [False, True, False, True]
    assert not protect([100, 4, 36, 60], axes, LEAST, seen=[True] * 4).any()


def test_what_is_hidden_anyway_stays_so_and_does_not_follow():
    axes = [Axis(np.array([-1, 0, 0, 0]))]
    hidden = protect([100, 20, 20, 60], axes, LEAST, hidden=[False, True, False, False])
    assert hidden.tolist() == [False, True, True, False]


def test_the_same_people_under_two_names_are_shown_twice_or_never():
    """A unit with one month of answers: its month is its year."""
    units, months = Axis(np.array([-1, 0, 0, 0])), Axis(np.array([-1, 0]))
    n = np.array([[100, 100], [4, 4], [36, 36], [60, 60]])
    hidden = protect(n, [units, months], LEAST)
    assert (hidden[:, 0] == hidden[:, 1]).all() and hidden.sum() == 4


def test_before_anybody_answered_there_is_nothing_to_hide():
    units, no_months = Axis(np.array([-1, 0])), Axis(np.array([], dtype=np.intp))
    assert protect(np.zeros((2, 0)), [units, no_months], LEAST).shape == (2, 0)


@pytest.mark.parametrize(
    ("n", "minimum", "message"),
    [([[1, 2]], 10, "shape"), ([1, -2], 10, "n"), ([1, 2], 0, "minimum")],
)
def test_bad_input_is_named(n, minimum, message):
    with pytest.raises(ValueError, match=message):
        protect(n, [Axis(np.array([-1, 0]))], minimum)
