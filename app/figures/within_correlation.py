"""How much one respondent's answers resemble one another, learnt from all units.

A unit's own answers tell it badly where few answered, least where few are dissatisfied. So it is
learnt from the answers about every unit, each by itself, in exactly the period that a row is
about; then a unit's interval is the same whoever asks, alone or among others. It is rounded, and
nothing that one unit's respondents said follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy.orm import Session

from analysis.clustered import shared_correlation
from app.figures import cell_reading
from app.figures.groupings import Splits
from app.figures.late import CellSelection
from app.figures.query import Query
from app.figures.rate_arrays import PARTS, Floats
from app.figures.release import Unreleased
from app.figures.session_cache import per_session
from app.registry.questionnaires import Published
from app.rollups.cells import SUMS, layout_of
from app.rollups.measure_counts import Measure
from app.rollups.queries import CellRows

_NONE = np.zeros(0, dtype=np.int64)
_COLUMNS = [SUMS.index(name) for name in PARTS]
_PEOPLE = PARTS.index("n")


def learnt(
    session: Session,
    query: Query,
    versions: Sequence[Published],
    measures: Sequence[Measure],
    splits: Splits,
    unreleased: Unreleased | None,
    least: int,
) -> Floats:
    """The shared correlation by period, channel and measure; shape (splits, measures).

    Of the question only its days, channels and questionnaire matter, not its units: whoever asks
    is told the same, but for what is ``unreleased`` to all who may not see small figures. Units
    of fewer than ``least`` respondents teach something only where they have so many together:
    what is learnt can be told from a figure that is shown, and may tell nothing of a hidden one.
    """
    if not matters(measures):
        return np.ones((len(splits), len(measures)))
    key = (
        "resemblance", tuple(version.id for version in versions), query.first, query.last,
        tuple(sorted(query.channels)), splits, tuple(measures), unreleased is None,
    )  # fmt: skip
    return per_session(
        session,
        key,
        lambda: _learn(everybody(session, query, versions, unreleased), measures, splits, least),
    )


def matters(measures: Sequence[Measure]) -> bool:
    """Whether a respondent can have several answers to what is measured."""
    return any(measure.item is None for measure in measures)


def everybody(
    session: Session, query: Query, versions: Sequence[Published], unreleased: Unreleased | None
) -> dict[Published, CellRows]:
    """The cells of all units, less what is unreleased to whoever may see no small figures."""
    read = {}
    for version in versions:
        rows = cell_reading.cells(
            session, version, first=query.first, last=query.last, units=None,
            channels=sorted(query.channels),
        )  # fmt: skip
        if unreleased is not None and unreleased.touches(query.last):
            rows = replace(unreleased, exempt=frozenset()).without(
                rows, version, CellSelection(query.first, query.last, None, query.channels)
            )
        read[version] = rows
    return read


def _learn(
    read: Mapping[Published, CellRows], measures: Sequence[Measure], splits: Splits, least: int
) -> Floats:
    units = np.unique(np.concatenate([_NONE, *(rows.unit_id for rows in read.values())]))
    places, parts = [], []
    for version, rows in read.items():
        chosen = splits.among(rows)
        rows = rows if chosen.all() else rows[chosen]
        # One split after the other, and in each the units: what is learnt from together is a run.
        places.append(splits.place(rows) * len(units) + np.searchsorted(units, rows.unit_id))
        layout = layout_of(version)
        sums = rows.cells["sums"]
        part = np.zeros((len(sums), len(measures), len(PARTS)))
        for j, measure in enumerate(measures):
            if measure.factor is None or measure.factor in layout.factors:
                part[:, j] = sums[:, layout.row(measure.factor)][:, _COLUMNS]
        parts.append(part)
    found = np.ones((len(splits), len(measures)))
    place = np.concatenate([_NONE, *places])
    if not len(place):
        return found
    order = np.argsort(place, kind="stable")
    used, starts = np.unique(place[order], return_index=True)
    total = np.add.reduceat(np.concatenate(parts)[order], starts, axis=0)
    ends = np.searchsorted(used // len(units), np.arange(len(splits) + 1))
    for i in np.flatnonzero(np.diff(ends)):
        found[i] = among(total[ends[i] : ends[i + 1]], least)
    return found


def among(sums: Floats, least: int) -> Floats:
    """What is learnt from units' sums, shape (units, measures, parts): shape (measures,).

    Small units that are not ``least`` people together are left out.
    """
    few = sums[..., _PEOPLE] < least
    hidden = few & (np.where(few, sums[..., _PEOPLE], 0.0).sum(axis=0) < least)
    kept = np.where(hidden[..., None], 0.0, sums)
    found: Floats = shared_correlation(*np.moveaxis(kept, -1, 0), axis=0)[0]
    return found
