"""With which others a unit is compared: those under its parent, or all others of its kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.figures.comparison_days import With
from app.figures.context import Context
from app.figures.intervals import intervals
from app.figures.query import Expand, Key
from app.figures.rate_arrays import Rates
from app.registry.queries import UnitNode
from app.registry.structures import UNDIVIDED


def others_of(context: Context, rates: Rates, with_: With) -> Rates:
    """For each unit the answers of the others under its parent, or of all others of its kind.

    The unit itself is left out of them: it would be compared with itself. So are those that the
    caller may not see: less the ones that are shown, they would follow from the sum.
    """
    groups = [_group(unit, with_) for unit in rates.unit]
    everybody, _ = context.rates(Key.UNIT, units=(), kinds=(), expand=Expand.GIVEN)
    totals: dict[tuple[int | str | None], dict[str, float]] = {}
    for i, unit in enumerate(everybody.unit):
        key = _group(unit, with_)
        if key is None:  # what stands undivided is nobody's peer
            continue
        into = totals.setdefault(key, dict.fromkeys(everybody.sums, 0.0))
        for name, values in everybody.sums.items():
            into[name] += float(np.nan_to_num(values[i]))
    rest = {
        name: np.array([totals[group][name] if group in totals else 0.0 for group in groups])
        - np.nan_to_num(values)
        for name, values in rates.sums.items()
    }
    rest = {name: np.maximum(values, 0.0) for name, values in rest.items()}
    # Their answers are of the same days, and as alike.
    ratio = intervals(rest, rates.correlation, context.query)
    return replace(
        rates, sums=rest, ratio=ratio, low=ratio.low, high=ratio.high, method=ratio.method
    )


def _group(unit: UnitNode | None, with_: With) -> tuple[int | str | None] | None:
    """With which others a unit is compared; None for what is no unit."""
    if unit is None or unit.kind == UNDIVIDED:
        return None
    return (unit.parent_id if with_ is With.PARENT else unit.kind,)
