"""Hiding small cells so that they cannot be got back by subtraction from published totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, optimize

from analysis._validation import Floats, counts

Mask = NDArray[np.bool_]
#: A sum that is published: the cells that add up, and the cell that is their total.
Sum = tuple[Sequence[int], int]
#: Hidden cells left of those that hang together whose sums are solved as equations; of more it is
#: only asked whether one follows from another by subtraction, one sum after the other.
_MOST_SOLVED = 300
#: And whose bounds are looked at by linear programming.
_MOST_BOUNDED = 40


def mask(table: ArrayLike, minimum: int, *, margins: bool = False) -> Mask:
    """Which cells of a table to hide, its margins (over any axes) being published.

    Parameters
    ----------
    table
        Counts of any number of dimensions.
    margins
        Whether to say which margins are to be hidden too.
    minimum
        Cells of some, but fewer, are hidden (primary suppression); a cell of nobody tells about
        nobody and is shown where it can be. Then others, few and small, until no small cell
        follows from what is shown (complementary suppression).

    Returns
    -------
    array of bool
        True where hidden, of the table's shape; with ``margins`` one longer along every axis of
        more than one place. Margins are hidden that are small themselves, and as a last resort.

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
    if minimum < 1:
        raise ValueError(f"minimum must be at least 1, not {minimum}")
    (given,) = counts(table=table)
    # An axis of one place is none: its margin would be the cell itself.
    cells = given.squeeze()
    if given.ndim == 0:
        raise ValueError("table must have at least one dimension")
    if cells.ndim == 0:
        alone: Mask = (given > 0) & (given < minimum)
        return alone
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
    outside = np.ones(whole.shape, dtype=bool)
    outside[inside] = False
    hidden = protect(whole.ravel(), minimum, sums, shown=outside.ravel())
    if margins:
        return hidden.reshape(whole.shape)
    inner: Mask = hidden.reshape(whole.shape)[inside].reshape(given.shape)
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
        Shape (cells,): cells, like margins, that are hidden last.

    Returns
    -------
    array of bool
        Shape (cells,). A hidden cell is determined if it is the same in every solution of the sums;
        as long as a small one is, a shown cell that adds up with it, or with what was hidden for
        its sake, is hidden too: the one that exposes the fewest other sums, of those the smallest.
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
    #: How many hidden cells stand in each sum.
    behind = np.array([int(hidden[equation].sum()) for equation in equations], dtype=np.intp)
    lines = _Lines(n, small, equations, signs, of_cell)
    todo = set(np.flatnonzero(small).tolist())
    while todo:
        group, touched = lines.together(next(iter(todo)), hidden)
        todo -= set(group)
        known = lines.determined(group, touched, hidden)
        if not any(small[cell] for cell in known):
            continue
        others = {
            cell
            for each in known
            for place in of_cell.get(each, ())
            for cell in equations[place].tolist()
            if not hidden[cell]
        }
        if not others:
            # Alone in every sum, with nobody else to hide behind: nothing tells more than its sum.
            continue

        # Cells of nobody hide little, and margins are wanted: they go last. One that stands in sums
        # with hidden cells already exposes no further sum.
        def cost(cell: int) -> tuple[bool, bool, int, float, int]:
            opened = sum(not behind[place] for place in of_cell.get(cell, ()))
            return bool(fixed[cell]), bool(n[cell] == 0), opened, float(n[cell]), cell

        chosen = min(others, key=cost)
        hidden[chosen] = True
        behind[of_cell.get(chosen, [])] += 1
        todo |= set(group) | {chosen}
    # What was hidden first is not always needed once others are.
    for cell in sorted(np.flatnonzero(hidden & ~small).tolist(), key=lambda cell: -n[cell]):
        group, touched = lines.together(cell, hidden)
        hidden[cell] = False
        hidden[cell] = any(small[each] for each in lines.determined(group, touched, hidden))
    return hidden


@dataclass(frozen=True)
class _Lines:
    """The sums of a table, and what they tell of hidden cells."""

    values: Floats
    small: Mask
    equations: list[NDArray[np.intp]]
    signs: list[Floats]
    of_cell: dict[int, list[int]]

    def together(self, start: int, hidden: Mask) -> tuple[list[int], list[int]]:
        """The hidden cells that hang together with one through sums, and those sums."""
        group, touched, edge = {start}, set(), [start]
        while edge:
            for place in self.of_cell.get(edge.pop(), ()):
                if place in touched:
                    continue
                touched.add(place)
                fresh = {cell for cell in self.equations[place].tolist() if hidden[cell]} - group
                group |= fresh
                edge += fresh
        return sorted(group), sorted(touched)

    def determined(self, group: list[int], touched: list[int], hidden: Mask) -> list[int]:
        """Cells of a group that are the same in every solution of its sums.

        All of them where none is small; else some, with a small one: whatever finds that costs
        less than what comes after it.
        """
        cells = [cell for cell in group if hidden[cell]]
        if not touched or not cells:
            return []
        for known in self._following(cells, touched, hidden):
            if any(self.small[cell] for cell in known):
                break
        return [cell for cell in cells if cell in known]

    def _following(self, cells: list[int], touched: list[int], hidden: Mask) -> Iterator[set[int]]:
        """Cells that follow by subtraction, then also by equations, then also by their bounds."""
        among = {
            place: {cell for cell in self.equations[place].tolist() if hidden[cell]}
            for place in touched
        }
        sums_of: dict[int, set[int]] = {cell: set() for cell in cells}
        for place, members in among.items():
            for cell in members:
                sums_of[cell].add(place)
        known: set[int] = set()
        # A sum's only unknown is known, and is taken out of other sums.
        single = [place for place, members in among.items() if len(members) == 1]
        while single:
            for cell in list(among[single.pop()]):
                known.add(cell)
                for place in sums_of.pop(cell):
                    among[place].discard(cell)
                    if len(among[place]) == 1:
                        single.append(place)
        yield known
        known |= self._solved(among, sums_of)
        yield known
        own = self.values[cells]
        if own.min() > 1 or len(cells) > _MOST_BOUNDED:
            return
        # Everybody knows that a hidden cell has somebody: near that bound solutions run out.
        matrix = self._matrix(cells, touched)
        least = np.minimum(own, 1.0)
        sums = matrix @ own
        loose = _have_room(matrix, own, least)
        for i, cell in enumerate(cells):
            if self.small[cell] and not loose[i] and self._is_bounded(matrix, sums, least, i):
                yield known | {cell}

    def _solved(self, among: dict[int, set[int]], sums_of: dict[int, set[int]]) -> set[int]:
        """Cells that follow from sums of at least two unknown ones each, as equations.

        A sum with an unknown that stands in no other one tells nothing of the rest; that unknown
        follows if all the rest do. Such sums are put aside one after another, which leaves few.
        """
        aside: list[tuple[int, set[int]]] = []
        loose = [cell for cell, places in sums_of.items() if len(places) == 1]
        while loose:
            cell = loose.pop()
            for place in sums_of.pop(cell, ()):
                others = among.pop(place) - {cell}
                aside.append((cell, others))
                for other in others:
                    sums_of[other].discard(place)
                    if len(sums_of[other]) == 1:
                        loose.append(other)
        left = [cell for cell, places in sums_of.items() if places]
        found: set[int] = set()
        if left and len(left) <= _MOST_SOLVED:
            # A cell follows if its axis lies in the space of the equations: its projection on an
            # orthonormal basis of that space is then of length one.
            matrix = self._matrix(left, [place for place, members in among.items() if members])
            basis, triangle, _ = linalg.qr(matrix.T, mode="economic", pivoting=True)
            size = np.abs(np.diag(triangle))
            rank = int((size > 1e-9 * max(1.0, size.max(initial=0.0))).sum())
            length = (basis[:, :rank] ** 2).sum(axis=1)
            found = {cell for cell, one in zip(left, length, strict=True) if one > 1 - 1e-9}
        for cell, others in reversed(aside):
            if others <= found:
                found.add(cell)
        return found

    def _matrix(self, cells: list[int], places: list[int]) -> Floats:
        """The sums as equations of some cells, shape (sums, cells)."""
        column = {cell: i for i, cell in enumerate(cells)}
        matrix = np.zeros((len(places), len(cells)))
        for row, place in enumerate(places):
            for cell, sign in zip(self.equations[place].tolist(), self.signs[place], strict=True):
                if cell in column:
                    matrix[row, column[cell]] += sign
        return matrix

    @staticmethod
    def _is_bounded(matrix: Floats, sums: Floats, least: Floats, i: int) -> bool:
        """Whether less than one person lies between the largest and smallest solution."""
        target = np.zeros(matrix.shape[1])
        target[i] = 1.0
        ends = []
        for sign in (1.0, -1.0):
            found = optimize.linprog(
                sign * target, A_eq=matrix, b_eq=sums, bounds=[(low, None) for low in least]
            )
            if found.status != 0:
                return False
            ends.append(float(found.fun))
        return bool(ends[0] + ends[1] > -1 + 1e-6)


def _have_room(matrix: Floats, values: Floats, least: Floats) -> Mask:
    """Which cells can surely be one more or less than they are, all sums staying the same.

    For each the shortest way in which the others make up for it is tried; where that leads a
    cell below its least there may still be another one.
    """
    _, size, right = np.linalg.svd(matrix)
    rank = int((size > 1e-9 * max(1.0, size.max(initial=0.0))).sum())
    ways = right[rank:].T @ right[rank:]
    room = np.zeros(len(values))
    for sign in (1.0, -1.0):
        down = np.maximum(-sign * ways, 0.0)
        down[down < 1e-9] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.where(down > 0, (values - least) / down, np.inf).min(axis=1)
            room += np.where(np.diag(ways) > 1e-9, steps * np.diag(ways), 0.0)
    return room >= 1
