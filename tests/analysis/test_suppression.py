"""Hidden cells cannot be got back: tried by linear programming, as an inspector would."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.optimize import linprog

from analysis.suppression import mask, protect


def known_exactly(values, hidden, sums, minimum):
    """Small hidden cells that follow from what is shown, none being negative."""
    places = np.flatnonzero(hidden)
    column = {cell: i for i, cell in enumerate(places.tolist())}
    rows, right = [], []
    for parts, total in sums:
        row, known = np.zeros(len(places)), 0.0
        for cell, sign in [*((part, 1.0) for part in parts), (total, -1.0)]:
            if hidden[cell]:
                row[column[cell]] += sign
            else:
                known -= sign * values[cell]
        if row.any():
            rows.append(row)
            right.append(known)
    found = []
    # Who reads it knows that cells of nobody are shown.
    least = [(min(1.0, value), None) for value in values[places]]
    for cell, i in column.items():
        if not 0 < values[cell] < minimum or not rows:
            continue
        target = np.zeros(len(places))
        target[i] = 1.0
        bounds = []
        for sign in (1.0, -1.0):
            best = linprog(sign * target, A_eq=rows, b_eq=right, bounds=least)
            bounds.append(best.fun if best.status == 0 else -np.inf)
        if bounds[0] + bounds[1] > -1 + 1e-6:
            found.append(cell)
    return found


def margins_of(table):
    """The table with its margins as one array, and which cells add up to which."""
    whole = table.astype(float)
    for axis in range(table.ndim):
        whole = np.concatenate([whole, whole.sum(axis=axis, keepdims=True)], axis=axis)
    number = np.arange(whole.size).reshape(whole.shape)
    sums = [
        (line[:-1].tolist(), int(line[-1]))
        for axis in range(table.ndim)
        for line in np.moveaxis(number, axis, -1).reshape(-1, whole.shape[axis])
    ]
    return whole, sums


@settings(max_examples=30, deadline=None)
@given(arrays(int, array_shapes(min_dims=1, max_dims=3, max_side=3), elements=st.integers(0, 40)))
def test_no_small_cell_of_a_table_follows_from_its_margins(table):
    hidden = mask(table, 10)
    small = (table > 0) & (table < 10)
    assert (hidden | ~small).all()
    assume(hidden.sum() <= 20)  # of many more only subtraction is looked at
    if hidden.all() or table.size == 1:
        return  # nobody is left to hide behind
    whole, sums = margins_of(table.squeeze())
    gone = mask(table, 10, margins=True)
    assert (gone[tuple(slice(0, size) for size in table.squeeze().shape)] == hidden.squeeze()).all()
    assert known_exactly(whole.ravel(), gone.ravel(), sums, 10) == []


def test_one_small_cell_takes_three_others_with_it():
    # Willenborg and de Waal: a cell of a two-way table needs a rectangle.
    table = np.array([[3, 40, 50], [60, 30, 90], [70, 80, 20]])
    hidden = mask(table, 10)
    assert hidden.sum() == 4 and hidden[0, 0]
    whole, sums = margins_of(table)
    alone = np.zeros(whole.shape, bool)
    alone[0, 0] = True
    assert known_exactly(whole.ravel(), alone.ravel(), sums, 10) == [0]  # the test can fail


def test_a_tree_of_units_is_protected_at_every_level():
    # A province of 3 districts of 4 communes; sums along the tree.
    rng = np.random.default_rng(4)
    for _ in range(30):
        communes = rng.poisson(rng.choice([6, 15, 60], 12)).astype(float)
        districts = communes.reshape(3, 4).sum(axis=1)
        values = np.r_[communes, districts, districts.sum()]
        sums = [(list(range(4 * d, 4 * d + 4)), 12 + d) for d in range(3)] + [([12, 13, 14], 15)]
        hidden = protect(values, 10, sums)
        assert hidden[(values > 0) & (values < 10)].all() and not hidden[15]
        assert known_exactly(values, hidden, sums, 10) == []


def test_nothing_small_nothing_hidden():
    assert not mask([[10, 20], [30, 0]], 10).any()
    assert protect([5.0], 10, []).tolist() == [True]


def test_what_is_impossible_is_refused():
    with pytest.raises(ValueError, match="table"):
        mask([[-1]], 10)
    with pytest.raises(ValueError, match="minimum"):
        mask([[1]], 0)
    with pytest.raises(ValueError, match="dimension"):
        mask(3, 10)
    with pytest.raises(ValueError, match="one axis"):
        protect([[1]], 10, [])
