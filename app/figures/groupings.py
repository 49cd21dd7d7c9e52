"""What rows are split by besides units: periods and channels; and sums by what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import conventions
from app.figures import periods
from app.figures.periods import Step
from app.registry.questionnaires import Published
from app.rollups.cells import SUMS, Cells, layout_of
from app.rollups.measure_counts import Measure
from app.rollups.queries import CellRows


@dataclass(frozen=True)
class Splits:
    """The periods and channels of rows; one of each where rows are not grouped by them."""

    step: Step | None
    #: The numbers of the periods (``periods.ordinals``).
    ordinals: range
    channels: tuple[str | None, ...]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.ordinals) * len(self.channels)

    def labels(self) -> list[tuple[str | None, str | None]]:
        """Period and channel of each, in their order."""
        return [
            (periods.label(ordinal, self.step) if self.step else None, channel)
            for ordinal in self.ordinals
            for channel in self.channels
        ]

    def among(self, rows: CellRows) -> NDArray[np.bool_]:
        """Which cells belong to one of them."""
        kept = np.ones(len(rows.unit_id), dtype=np.bool_)
        if self.channels != (None,):
            kept &= np.isin(rows.channel, np.array(self.channels, dtype=np.str_))
        if self.step is not None:
            at = periods.ordinals(rows.day, self.step)
            kept &= (at >= self.ordinals.start) & (at < self.ordinals.stop)
        return kept

    def place(self, rows: CellRows) -> NDArray[np.intp]:
        """The place of each cell among them."""
        place = np.zeros(len(rows.unit_id), dtype=np.intp)
        if self.step is not None:
            place += periods.ordinals(rows.day, self.step) - self.ordinals.start
        place *= len(self.channels)
        if self.channels != (None,):
            place += np.searchsorted(np.array(self.channels, dtype=np.str_), rows.channel)
        return place


def sums_by_measure(
    version: Published, total: Cells, measures: Sequence[Measure], convention: str | None
) -> NDArray[np.float64]:
    """Shape (cells, measures, 10); zeros where this version has no such factor or item."""
    layout = layout_of(version)
    scale_of = {
        item.code: version.form.scales[item.scale]
        for factor in version.form.index_factors
        for item in version.form.index_items(factor)
    }
    sums = np.zeros((len(total), len(measures), len(SUMS)))
    for j, measure in enumerate(measures):
        if measure.item is None:
            if measure.factor is None or measure.factor in layout.factors:
                sums[:, j] = total["sums"][:, layout.row(measure.factor)]
        elif measure.item in scale_of:
            scale = scale_of[measure.item]
            values = np.array([level.value for level in scale.levels], dtype=np.float64)
            slots = [layout.slots[(measure.item, level.value)] for level in scale.levels]
            counts = total["counts"][:, slots].astype(np.float64)
            m = counts.sum(axis=1)
            a = counts[:, np.isin(values, scale.satisfied)].sum(axis=1)
            if convention is not None:
                none = total["counts"][:, layout.slots.get((measure.item, None), 0)]
                none = none if (measure.item, None) in layout.slots else np.zeros_like(none)
                found = conventions.counted(convention, counts, none)
                a, m = found.successes, found.trials
            s, ss = counts @ values, counts @ values**2
            # One answer a respondent: m_i is 1, and a_i 0 or 1.
            sums[:, j] = np.stack([m, a, m, a, a, m, s, ss, s, a], axis=-1)
    return sums


def scale_of(version: Published, measure: Measure) -> tuple[float, float]:
    """The lowest and the highest level of what is measured; (inf, -inf) where it is not asked."""
    values = [
        level.value
        for factor in version.form.index_factors
        if measure.factor in (None, factor.code)
        for item in version.form.index_items(factor)
        if measure.item in (None, item.code)
        for level in version.form.scales[item.scale].levels
    ]
    return (min(values), max(values)) if values else (np.inf, -np.inf)
