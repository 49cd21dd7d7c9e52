"""Whose answers are to be looked at before anybody learns from their rate.

A unit of which far more forms than of the others were filled in within seconds, or have the same
level everywhere, is not shown as a model: somebody may have filled them in. Nor is one of which
answers are suspected of being no citizens' (``app.integrity``), nor what it became; a unit above is
another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from analysis import familywise, funnels
from app.figures import cell_reading
from app.figures.context import Context
from app.figures.late import CellSelection
from app.figures.query import Key
from app.figures.rate_arrays import Floats
from app.figures.session_cache import per_session
from app.figures.statistic_results import Judged
from app.integrity.batches import suspected_units
from app.registry.queries import UnitNode
from app.rollups.cells import FORMS
from app.rollups.conduct import Conduct

#: How likely any unit of those compared is doubted where none differs from what units differ in.
ERROR = 0.05


class Doubt(StrEnum):
    """Why a unit's answers are to be looked at first."""

    HASTY = "hasty"
    ALIKE = "alike"
    #: Answers of the period are suspected, set aside by a rule, or were rejected.
    SUSPECTED = "suspected"


#: What forms themselves say, beside those of others: how many, of how many.
_OF_FORMS = {
    Doubt.HASTY: (Conduct.HASTY, Conduct.TIMED),
    Doubt.ALIKE: (Conduct.ALIKE, Conduct.ABLE),
}


def suspected(context: Context) -> frozenset[int]:
    """The nodes of the structure that are units under suspicion in the period, or became of such.

    What is suspected says nothing of what anybody answered: it is told of hidden rows too.
    """
    first, last = context.query.first, context.query.last
    placements = context.regrouping.structure.placements

    def found() -> frozenset[int]:
        units = suspected_units(context.session, first, last)
        return frozenset(
            node for id in units if id in placements for node, _ in placements[id].parts
        )

    day = context.regrouping.structure.day
    return per_session(context.session, ("suspected", first, last, day), found)


def never_above(
    judged: Sequence[Judged], units: Sequence[UnitNode | None], context: Context
) -> list[Judged]:
    """Where rows of units lie against the target; those under suspicion are not called above it."""
    suspects = suspected(context)
    nothing = {"position": None, "interval_position": None}
    return [
        each.model_copy(update=nothing)
        if unit is not None
        and unit.id in suspects
        and "above" in (each.position, each.interval_position)
        else each
        for each, unit in zip(judged, units, strict=True)
    ]


def find_doubtful(whole: Context) -> dict[str, list[Doubt]]:
    """The units whose forms stand out among the others', by code, with why.

    ``whole`` asks about all units that are compared; only those are looked at whose figures it may
    show, and of whose forms enough say whether they are so. A unit stands out by the funnel's p,
    which allows for what units ordinarily differ in and is learnt without the unit itself; above
    the others alone, by Holm over units and both reasons.
    """
    key = ("doubtful", repr(whole.query), whole.caller.grants, whole.release_rule)
    return per_session(whole.session, key, lambda: _found(whole))


def _found(whole: Context) -> dict[str, list[Doubt]]:
    rates, _ = whole.rates(Key.UNIT)
    shown = ~rates.hidden & (np.nan_to_num(rates.sums["n"]) >= whole.least)
    row_of: dict[int, int] = {}
    # Those above come before those below them: a part of a part counts for the nearest.
    depth = [0 if unit is None else len(whole.above(unit)) for unit in rates.unit]
    for row in np.argsort(depth, kind="stable").tolist():
        unit = rates.unit[row]
        if unit is not None and shown[row]:
            nodes = set(whole.units.below(unit.id))
            row_of |= dict.fromkeys(whole.regrouping.wholly_in(nodes), row)
    counts = _counted(whole, row_of, len(rates.unit))
    counts *= counts[:, 1:] >= whole.least
    p = np.stack([_more_than_others(k, n) for k, n in counts])
    adjusted = familywise.holm(p.ravel()).reshape(p.shape)
    found: dict[str, list[Doubt]] = {}
    for place, row in np.argwhere(adjusted <= ERROR).tolist():
        unit = rates.unit[row]
        assert unit is not None
        found.setdefault(unit.code, []).append(tuple(_OF_FORMS)[place])
    suspects = suspected(whole)
    for unit in rates.unit:
        if unit is not None and unit.id in suspects:
            found.setdefault(unit.code, []).append(Doubt.SUSPECTED)
    return found


def _counted(context: Context, row_of: Mapping[int, int], rows: int) -> Floats:
    """How many forms are so, and of how many, by row of units; shape (reasons, 2, rows).

    Counts of cells: of days whose responses older software deleted nothing is known, and none are
    counted. All units that the caller may read are read at once, as their intervals want them.
    """
    query, unreleased = context.query, context.unreleased
    if unreleased is not None and not unreleased.touches(query.last):
        unreleased = None
    units = None
    if not context.units.whole:
        units = frozenset(context.regrouping.units_in(context.units.nodes))
    counts = np.zeros((len(_OF_FORMS), 2, rows))
    for version in context.versions:
        cells = cell_reading.cells(
            context.session, version, first=query.first, last=query.last, units=units, channels=()
        )
        if unreleased is not None:
            cells = unreleased.without(
                cells, version, CellSelection(query.first, query.last, units)
            )
        ids, own = np.unique(cells.unit_id, return_inverse=True)
        row = np.array([row_of.get(id, -1) for id in ids.tolist()], dtype=np.intp)[own]
        among = row >= 0
        forms = cells.cells["forms"][among]
        for place, columns in enumerate(_OF_FORMS.values()):
            for of, column in enumerate(columns):
                n = forms[:, FORMS.index(column)]
                counts[place, of] += np.bincount(row[among], weights=n, minlength=rows)
    return counts


def _more_than_others(k: Floats, n: Floats) -> Floats:
    """One-sided p of each unit's share of such forms, shape (units,); NaN where none is known."""
    if (n > 0).sum() < 2 or not k.any():
        return np.full(n.shape, np.nan)
    found = funnels.funnel(k, n, target=None, overdispersion=True)
    return np.where(found.z > 0, found.p / 2, 1 - found.p / 2)
