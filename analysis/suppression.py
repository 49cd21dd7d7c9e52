"""Hiding small cells so that they cannot be got back by subtraction from published totals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.arrays import Floats, counts

Mask = NDArray[np.bool_]
#: A sum that is published: the cells that add up, and the cell that is their total.
Sum = tuple[Sequence[int], int]


def mask(table: ArrayLike, minimum: int) -> Mask:
    """Which cells of a table to hide, its margins (over any axes) being published.

    Parameters
    ----------
    table
        Counts of any number of dimensions.
    minimum
        Cells of some, but fewer, are hidden (primary suppression); a cell of nobody tells about
        nobody and is shown. Then others, the smallest first, until no hidden cell follows from what
        is shown (complementary suppression).

    Returns
    -------
    array of bool
        True where hidden, of the table's shape. Margins that are themselves small are not shown
        and so protect by themselves.

    Raises
    ------
    ValueError
        For negative or non-finite counts, a minimum under 1.

    References
    ----------
    Cox (1980), JASA 75:377-385; Willenborg and de Waal (2001), Elements of Statistical Disclosure
    Control, chapter 7.

    Examples
    --------
    The cell of 3 would follow from its row and column:

    >>> mask([[3, 40, 50], [60, 30, 90], [70, 80, 20]], 10)
    array([[ True,  True, False],
           [ True,  True, False],
           [False, False, False]])
    """
    (cells,) = counts(table=table)
    if cells.ndim == 0:
        raise ValueError("table must have at least one dimension")
    # The table with its margins: one more place along every axis.
    whole = cells
    for axis in range(cells.ndim):
        whole = np.concatenate([whole, whole.sum(axis=axis, keepdims=True)], axis=axis)
    number = np.arange(whole.size).reshape(whole.shape)
    sums: list[Sum] = []
    for axis in range(cells.ndim):
        lines = np.moveaxis(number, axis, -1).reshape(-1, whole.shape[axis])
        sums += [(line[:-1].tolist(), int(line[-1])) for line in lines]
    inside = tuple(slice(0, size) for size in cells.shape)
    margins = np.ones(whole.shape, dtype=bool)
    margins[inside] = False
    hidden = protect(whole.ravel(), minimum, sums, shown=margins.ravel())
    inner: Mask = hidden.reshape(whole.shape)[inside]
    return inner


def protect(
    values: ArrayLike,
    minimum: int,
    sums: Sequence[Sum],
    *,
    shown: ArrayLike | None = None,
) -> Mask:
    """Which of many published counts to hide, given which of them add up to which.

    Parameters
    ----------
    values
        Shape (cells,).
    minimum
        As in ``mask``.
    sums
        For every published total the places of its parts and its own.
    shown
        Shape (cells,): cells that are published come what may, unless they are small themselves.

    Returns
    -------
    array of bool
        Shape (cells,). A hidden cell is determined if it is the same in every solution of the sums;
        as long as a small one is, the smallest shown cell that adds up with it is hidden too.
    """
    (n,) = counts(values=values)
    if minimum < 1:
        raise ValueError(f"minimum must be at least 1, not {minimum}")
    if n.ndim != 1:
        raise ValueError("values must have one axis")
    fixed = np.zeros(n.shape, dtype=bool) if shown is None else np.asarray(shown, dtype=bool)
    equations = [np.array([*parts, total], dtype=np.intp) for parts, total in sums]
    signs = [np.array([1.0] * len(parts) + [-1.0]) for parts, _ in sums]
    of_cell: dict[int, list[int]] = {}
    for place, equation in enumerate(equations):
        for cell in equation.tolist():
            of_cell.setdefault(cell, []).append(place)
    small: Mask = (n > 0) & (n < minimum)
    hidden = small.copy()
    todo = set(np.flatnonzero(small).tolist())
    while todo:
        group, touched = _together(next(iter(todo)), hidden, equations, of_cell)
        todo -= set(group)
        known = _determined(group, touched, hidden, equations, signs)
        exposed = [cell for cell in known if small[cell]]
        if not exposed:
            continue
        others = {
            cell
            for each in exposed
            for place in of_cell.get(each, ())
            for cell in equations[place].tolist()
            if not (hidden[cell] or fixed[cell]) and n[cell] > 0
        }
        if not others:
            # Alone in every sum, with nobody else to hide behind: nothing tells more than its sum.
            continue
        chosen = min(others, key=lambda cell: (n[cell], cell))
        hidden[chosen] = True
        todo |= set(group) | {chosen}
    # The smallest nearest cell is not always needed once others are hidden.
    for cell in sorted(np.flatnonzero(hidden & ~small), key=lambda cell: -n[cell]):
        group, touched = _together(int(cell), hidden, equations, of_cell)
        hidden[cell] = False
        known = _determined(group, touched, hidden, equations, signs)
        hidden[cell] = any(small[each] for each in known)
    return hidden


def _together(
    start: int, hidden: Mask, equations: list[NDArray[np.intp]], of_cell: dict[int, list[int]]
) -> tuple[list[int], list[int]]:
    """The hidden cells that hang together with one through sums, and those sums."""
    group, touched, edge = {start}, set(), [start]
    while edge:
        for place in of_cell.get(edge.pop(), ()):
            if place in touched:
                continue
            touched.add(place)
            fresh = {cell for cell in equations[place].tolist() if hidden[cell]} - group
            group |= fresh
            edge += fresh
    return sorted(group), sorted(touched)


def _determined(
    group: list[int],
    touched: list[int],
    hidden: Mask,
    equations: list[NDArray[np.intp]],
    signs: list[Floats],
) -> list[int]:
    """The cells of a group that are the same in every solution of its sums.

    Those where every vector of the null space has a zero.
    """
    column = {cell: i for i, cell in enumerate(cell for cell in group if hidden[cell])}
    matrix = np.zeros((len(touched), len(column)))
    for row, place in enumerate(touched):
        for cell, sign in zip(equations[place].tolist(), signs[place], strict=True):
            if hidden[cell]:
                matrix[row, column[cell]] += sign
    if not touched:
        return []
    _, size, right = np.linalg.svd(matrix)
    rank = int((size > 1e-9 * max(1.0, size.max(initial=0.0))).sum())
    free = np.abs(right[rank:]).max(axis=0, initial=0.0)
    return [cell for cell, most in zip(column, free, strict=True) if most < 1e-9]
