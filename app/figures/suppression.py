"""The gate that hides what few respondents said: they could be told by it.

Two reasons: a row has too few respondents itself, or it would give such a row away by subtraction,
as one of two communes does whose district is shown. The second is looked after along the tree of
units, and along the periods and channels that rows are grouped by, each with its total, since all
of these can be asked for. It cannot be looked after between questions about overlapping days.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.suppression import Sum, protect
from app.figures.rate_arrays import Rates, Summed
from app.registry.queries import UnitTree

#: Named as the method of a row that is hidden.
SUPPRESSED = "suppressed"


@dataclass(frozen=True)
class Hidden:
    """Which figures of units are hidden, by split and in total, alone and with those below."""

    row_of: Mapping[int, int]
    column_of: Mapping[tuple[str | None, str | None], int]
    #: Shape (2, units, splits + 1): first the units alone, then with all below them.
    cells: NDArray[np.bool_]

    def rows(self, rates: Rates, pooled: Sequence[int], *, descendants: bool) -> NDArray[np.bool_]:
        """Which rows are hidden: by themselves, or for another one's sake.

        ``pooled`` are the units over which rows are summed that name none; ``descendants`` says
        whether rows count the answers about units below.
        """
        kind = 1 if descendants else 0
        result = np.zeros(len(rates.unit), dtype=np.bool_)
        for r, unit in enumerate(rates.unit):
            column = self.column_of.get((rates.period[r], rates.channel[r]), -1)
            about = [unit.id] if unit is not None else pooled
            result[r] = any(
                self.cells[kind, self.row_of[id], column] for id in about if id in self.row_of
            )
        return result


def hidden_cells(own: Summed, units: UnitTree, exempt: Collection[int], least: int) -> Hidden:
    """What is to be hidden so that no small figure follows from those that are shown.

    Parameters
    ----------
    own
        All units that the caller may see, each with the answers about itself alone, split by
        periods and channels as the rows are that were asked for.
    exempt
        Units of which the caller may see small figures.
    """
    ids = list(dict.fromkeys(unit.id for unit in own.unit if unit is not None))
    splits = list(dict.fromkeys(zip(own.period, own.channel, strict=True)))
    if not ids or not splits:
        return Hidden({}, {}, np.zeros((2, 0, 1), dtype=np.bool_))
    by_unit = own.sums["n"].reshape(len(ids), len(splits))
    row_of = {id: i for i, id in enumerate(ids)}
    # The last column is the total over all periods and channels.
    alone = np.concatenate([by_unit, by_unit.sum(axis=1, keepdims=True)], axis=1)
    whole = alone.copy()
    for id in reversed(_downwards(units, ids)):
        parent = units.nodes[id].parent_id
        if parent in row_of:
            whole[row_of[parent]] += whole[row_of[id]]
    shape = (2, *alone.shape)
    number = np.arange(alone.size * 2).reshape(shape)
    sums: list[Sum] = []
    for i, id in enumerate(ids):
        below = [row_of[child] for child in units.children(id) if child in row_of]
        for column in range(shape[2]):
            parts = [number[0, i, column], *(number[1, b, column] for b in below)]
            sums.append(([int(part) for part in parts], int(number[1, i, column])))
        if len(splits) > 1:
            sums += [(number[kind, i, :-1].tolist(), int(number[kind, i, -1])) for kind in (0, 1)]
    values = np.stack([alone, whole])
    visible = np.array([id in exempt for id in ids])
    # What the caller may see anyway needs no guard: it counts as nobody's.
    values[:, visible] = np.where(values[:, visible] < least, 0, values[:, visible])
    last = np.zeros(shape, dtype=np.bool_)
    last[1, :, -1] = True
    hidden = protect(values.ravel(), least, sums, shown=last.ravel()).reshape(shape)
    return Hidden(row_of, {split: j for j, split in enumerate(splits)}, hidden)


def _downwards(units: UnitTree, ids: Sequence[int]) -> list[int]:
    """The units, each after those above it."""
    among = set(ids)
    tops = [id for id in ids if units.nodes[id].parent_id not in among]
    return [below for top in tops for below in units.below(top) if below in among]


def without_small_cells(
    rates: Rates, least: int, exempt: NDArray[np.bool_], guarding: NDArray[np.bool_]
) -> Rates:
    """The rows again, without the figures of those with some, but fewer than ``least`` respondents.

    ``exempt``, one entry a row, marks those that the caller may see all the same; ``guarding``
    those that are hidden for another row's sake. The one gate for JSON, pages, files and the
    terminal.
    """
    n = rates.sums["n"]
    hidden = (n > 0) & ((n < least) | guarding) & ~exempt
    if not hidden.any():
        return rates

    def blank(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(hidden, np.nan, values)

    ratio, wholly, mean = rates.ratio, rates.wholly, rates.mean
    return replace(
        rates,
        sums={name: blank(values) for name, values in rates.sums.items()},
        ratio=replace(
            ratio,
            estimate=blank(ratio.estimate),
            standard_error=blank(ratio.standard_error),
            low=blank(ratio.low),
            high=blank(ratio.high),
            n=blank(ratio.n),
            design_effect=blank(ratio.design_effect),
            effective_n=blank(ratio.effective_n),
            interval_n=blank(ratio.interval_n),
            people=blank(ratio.people),
            method=np.where(hidden, SUPPRESSED, ratio.method),
        ),
        low=blank(rates.low),
        high=blank(rates.high),
        method=np.where(hidden, SUPPRESSED, rates.method),
        mean=replace(
            mean,
            estimate=blank(mean.estimate),
            standard_error=blank(mean.standard_error),
            low=blank(mean.low),
            high=blank(mean.high),
            n=blank(mean.n),
        ),
        wholly=replace(
            wholly,
            estimate=blank(wholly.estimate),
            low=blank(wholly.low),
            high=blank(wholly.high),
        ),
        day_effect=blank(rates.day_effect),
        hidden=hidden,
    )
