"""k-anonymity beside sums: classes are large, and brute force finds nothing few by subtraction."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.anonymity import (
    LEFT_OUT,
    MISSING,
    REST,
    Published,
    Sums,
    Tally,
    admitted,
    categories,
    divided,
    refined,
    runs,
)

values = st.lists(st.integers(0, 6), min_size=0, max_size=60).map(
    lambda drawn: np.array(drawn, dtype=np.int64)
)
least = st.integers(1, 12)


@given(values, least)
def test_labels_without_order_are_of_many_or_all_are_the_rest(drawn, least):
    found = categories(drawn, least)
    names, counts = np.unique(found, return_counts=True)
    assert len(found) == len(drawn)
    assert (counts >= least).all() or names.tolist() == [REST]
    assert ((found == drawn) | (found == REST)).all()
    known, sizes = np.unique(drawn, return_counts=True)
    if (sizes >= least).all():
        assert (found == drawn).all(), "nothing is withheld that need not be"
    # At most one value joins the rare ones, and only where these are few together.
    kept = set(names.tolist())
    joined = [n for v, n in zip(known.tolist(), sizes.tolist(), strict=True)
              if n >= least and v not in kept]  # fmt: skip
    rare = int(sizes[sizes < least].sum())
    assert len(joined) <= 1 and (not joined or 0 < rare < least)


@given(values, least, st.randoms())
def test_labels_do_not_depend_on_who_comes_first(drawn, least, random):
    order = list(range(len(drawn)))
    random.shuffle(order)
    assert (categories(drawn[order], least) == categories(drawn, least)[order]).all()
    for one, other in zip(runs(drawn[order], least), runs(drawn, least), strict=True):
        assert (one == other[order]).all()


@given(st.lists(st.sampled_from([MISSING, *range(7)]), max_size=60), least)
def test_runs_hold_their_values_and_do_not_overlap(drawn, least):
    drawn = np.array(drawn, dtype=np.int64)
    lows, highs = runs(drawn, least)
    shown = lows >= 0
    assert ((lows <= drawn) & (drawn <= highs))[shown].all()
    assert (drawn[lows == MISSING] == MISSING).all()
    pairs, counts = np.unique(np.stack([lows, highs]), axis=1, return_counts=True)
    assert (counts >= least).all() or pairs.T.tolist() == [[REST, REST]]
    spans = sorted((low, high) for low, high in pairs.T.tolist() if low >= 0)
    assert all(high < low for (_, high), (low, _) in pairwise(spans))


def nothing_missing():
    return np.array([3, 3, 5, 5, 5, 9], dtype=np.int64)


def test_a_run_takes_the_next_value_until_it_has_enough():
    lows, highs = runs(nothing_missing(), 3)
    assert lows.tolist() == [3] * 6 and highs.tolist() == [9] * 6
    lows, highs = runs(nothing_missing(), 2)
    assert lows.tolist() == [3, 3, 5, 5, 5, 5] and highs.tolist() == [3, 3, 9, 9, 9, 9]


def published(sums, atom, answered, least, pairs=()):
    """Sums over atoms as rows of 0 and 1, all shown, of the people of each atom."""
    over = sparse.csr_matrix(np.array(sums, dtype=np.int64))
    people = np.zeros((over.shape[1], answered.shape[1]), dtype=np.int64)
    np.add.at(people, atom, answered.astype(np.int64))
    parts, wholes = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    shown = (over @ people).T > 0
    return Published(Sums(over, shown, parts, wholes), people, [], least)


def fewest(of, group, atom, answered):
    """Per published sum, measure: the people that no way to add rows of classes leaves fewer of."""
    rows = of.sums.over.toarray()
    vectors = [*rows, *(rows[w] - rows[p] for p, w in zip(of.sums.parts, of.sums.wholes,
                                                          strict=True))]  # fmt: skip
    classes = sorted(set(group.tolist()) - {LEFT_OUT})
    found = []
    for vector, measure in product(vectors, range(answered.shape[1])):
        among = answered[:, measure]
        if not (vector[atom] * among).any():
            continue
        # By all ways at one time: of classes each takes the best by itself.
        left = sum(
            min(int(((vector[atom] != times) & among & (group == each)).sum()) for times in (0, 1))
            for each in classes
        ) + int(((vector[atom] != 0) & among & (group == LEFT_OUT)).sum())
        found.append(left)
    return found


@st.composite
def worlds(draw):
    """People of some atoms, nested sums over these, a label each, and what they answered."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    atoms, n = 6, draw(st.integers(1, 80))
    atom = np.sort(rng.integers(0, atoms, n)).astype(np.int64)
    part = rng.choice(3, n, p=(0.6, 0.3, 0.1)).astype(np.int64)
    if draw(st.booleans()):  # a label that is nearly an atom's
        part = np.where(rng.random(n) < 0.1, part, atom % 2)
    answered = np.stack([np.ones(n, dtype=np.bool_), rng.random(n) < 0.7], axis=1)
    sums = [[1] * 6, [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]
    pairs = ((1, 0), (2, 0), (3, 1), (4, 2))
    return published(sums, atom, answered, 10, pairs), atom, part, answered


@settings(max_examples=120)
@given(worlds())
def test_no_sum_less_any_rows_leaves_few(world):
    of, atom, part, answered = world
    group = admitted(of, atom, np.zeros(len(atom), dtype=np.int64), answered)
    assert all(n == 0 or n >= 10 for n in fewest(of, group, atom, answered)) or (
        (group == LEFT_OUT).all()  # then no rows are out, and sums are as they were
    )
    before = fewest(of, group, atom, answered)
    accepted = refined(of, atom, group, part, answered)
    made, parent = divided(group, np.where(accepted, part, 0))
    after = fewest(of, made, atom, answered)
    assert all(n == 0 or n >= 10 for n in after) or after == before
    # A class is divided whole or not at all.
    for each in np.unique(group[group != LEFT_OUT]).tolist():
        assert len(set(accepted[group == each].tolist())) == 1
    assert (made[group == LEFT_OUT] == LEFT_OUT).all() and len(parent) == made.max(initial=-1) + 1


def test_a_class_that_a_sum_nearly_is_is_not_divided():
    # Twenty of an atom that has a sum, twenty of another; the label is the atom's but for three.
    atom = np.repeat([0, 1], [20, 20])
    answered = np.ones((40, 1), dtype=np.bool_)
    of = published([[1, 1], [1, 0]], atom, answered, 10)
    group = np.zeros(40, dtype=np.int64)
    exact, nearly = atom.copy(), np.where(np.arange(40) < 17, 0, 1)
    assert refined(of, atom, group, exact, answered).all()
    assert not refined(of, atom, group, nearly, answered).any()
    fewer = np.where(np.arange(40) < 10, 0, 1)
    assert refined(of, atom, group, fewer, answered).all()


def test_classes_that_are_out_already_count_with_the_new_ones():
    atom = np.repeat([0, 1], [20, 20])
    answered = np.ones((40, 1), dtype=np.bool_)
    old, new = atom == 0, atom == 1
    label = np.where(np.arange(40) % 20 < 5, 0, 1)
    sums = [[1, 1]]
    # A sum over both quarters less the old rows is the new ones: all of them, or none.
    of = published(sums, atom, answered, 10)
    earlier = [Tally.of(atom[old], label[old] * 0, answered[old])]
    with_earlier = Published(of.sums, of.people, earlier, 10)
    group = admitted(with_earlier, atom[new], np.zeros(20, dtype=np.int64), answered[new])
    assert (group == 0).all()
    # If three of those of before are in no row, nobody may see which they are by this quarter's.
    some = old & (np.arange(40) >= 3)
    earlier = [Tally.of(atom[some], label[some] * 0, answered[some])]
    with_earlier = Published(of.sums, of.people, earlier, 10)
    group = admitted(with_earlier, atom[new], np.zeros(20, dtype=np.int64), answered[new])
    assert (group == LEFT_OUT).all()


@pytest.mark.parametrize("n", (0, 5))
def test_too_few_people_are_nothing_by_themselves(n):
    few = np.arange(n, dtype=np.int64)
    assert categories(few, 10).tolist() == [REST] * n
    assert [each.tolist() for each in runs(few, 10)] == [[REST] * n] * 2
