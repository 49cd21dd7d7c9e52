"""How many answered each measure that strangers are told over all channels, cell by cell.

The index, its factors, their items, and the questions besides. A figure may move by none or by
enough people of each of them: for a question that few answer, ten respondents are too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.registry.questionnaires import Published
from app.rollups.cells import SUMS, Cells, layout_of
from surveys.model import SingleChoiceItem

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """What a row measures: the whole index, one factor of it, or one item."""

    factor: str | None = None
    item: str | None = None


def measures_of_all(versions: Sequence[Published]) -> dict[Measure, int | None]:
    """The measures over all versions, the index first, each with the place of what it is part of.

    A question besides the index is part of nothing.
    """
    places: dict[Measure, int] = {}
    within: dict[Measure, int | None] = {}

    def add(measure: Measure, whole: int | None) -> int:
        if measure not in places:
            places[measure], within[measure] = len(places), whole
        return places[measure]

    index = add(Measure(), None)
    for version in versions:
        for factor in version.form.index_factors:
            whole = add(Measure(factor.code), index)
            for item in version.form.index_items(factor):
                add(Measure(factor.code, item.code), whole)
        for other in version.form.more:
            add(Measure(None, other.code), None)
    return within


def counted(version: Published, cells: Cells) -> Iterable[tuple[Measure, Counts]]:
    """How many answered each measure of a version, by cell."""
    layout = layout_of(version)
    n = cells["sums"][:, :, SUMS.index("n")]
    yield Measure(), n[:, layout.row(None)]
    for factor in version.form.index_factors:
        yield Measure(factor.code), n[:, layout.row(factor.code)]
        for item in version.form.index_items(factor):
            scale = version.form.scales[item.scale]
            slots = [layout.slots[(item.code, level.value)] for level in scale.levels]
            yield (
                Measure(factor.code, item.code),
                cells["counts"][:, slots].sum(axis=1, dtype=np.int64),
            )
    for other in version.form.more:
        if other.code in layout.numbers:
            yield Measure(None, other.code), cells["moments"][:, layout.numbers[other.code]][:, 0]
        elif isinstance(other, SingleChoiceItem):
            slots = [layout.slots[(other.code, option.value)] for option in other.options]
            yield Measure(None, other.code), cells["counts"][:, slots].sum(axis=1, dtype=np.int64)


def counts_by_measure(versions: Sequence[Published], version: Published, cells: Cells) -> Counts:
    """The same as one array, shape (cells, measures of all versions)."""
    place = {measure: i for i, measure in enumerate(measures_of_all(versions))}
    found = np.zeros((len(cells), len(place)), dtype=np.int64)
    for measure, count in counted(version, cells):
        found[:, place[measure]] = count
    return found


def moved_together(answered: Counts, least: int) -> NDArray[np.bool_]:
    """Which of n people can move together, so that no measure moves by one to ``least`` - 1.

    Who answered what too few others of them answered is left out, and then whoever is alone without
    these; none are left where fewer than ``least`` are.

    Parameters
    ----------
    answered
        Which measures each answered, 0 or 1, shape (n, measures); the first is not special.
    """
    among = np.ones(len(answered), dtype=np.bool_)
    while among.sum() >= least:
        n = answered[among].sum(axis=0)
        few = (n > 0) & (n < least)
        if not few.any():
            return among
        # Which questions somebody answered says who stays; what they said to them does not.
        among &= ~answered[:, few].any(axis=1)
    return np.zeros(len(answered), dtype=np.bool_)
