"""How forms of a period were filled in, as far as a caller is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.registry.questionnaires import Published
from app.reports.views.context import ViewContext
from app.rollups.cells import FORMS
from app.rollups.conduct import Conduct
from app.rollups.queries import CellRows

#: Cells of the period that the caller is told, by version.
Told = Mapping[Published, CellRows]


def respondents(told: Told) -> int:
    """All of them."""
    return sum(int(rows.cells["respondents"].sum()) for rows in told.values())


def is_told_of_forms(context: ViewContext, told: Told) -> bool:
    """Whether the caller is told of forms: of everybody's, or as who sees everything.

    A count of those alone whose days are known would be one of months that nobody asked for, and
    may give a month away that is hidden.
    """
    known = forms_of(told)[Conduct.KNOWN]
    return context.figures.gate.everywhere or known == respondents(told)


def forms_of(told: Told) -> Counter[Conduct]:
    """How many forms were filled in how."""
    return sum(map(_sum, told.values()), Counter[Conduct]())


def forms_among(context: ViewContext, told: Told, base: Conduct) -> Counter[Conduct]:
    """The same of forms of which something is known first, as how long they took, is ``base``.

    Whoever may not see small figures is told of months that are over, and of those of a unit,
    channel and version alone with enough forms of the base. It is no measure of the lattice
    (``app.figures.lattice``), which says what may be told of a measure: so whatever two periods,
    units or channels are set against one another, they differ by none of them or by enough.
    """
    if sees_few(context):
        return forms_of(told)
    return forms_of({version: rows[_enough(context, rows, base)] for version, rows in told.items()})


def sees_few(context: ViewContext) -> bool:
    """Whether the caller is told what few respondents of the view did."""
    return context.figures.gate.shows(context.unit, 1)


def _enough(context: ViewContext, rows: CellRows, base: Conduct) -> NDArray[np.bool_]:
    """Which cells are of a month that is over with enough forms of the base; shape (n,)."""
    month = rows.day.astype("datetime64[M]")
    _, unit = np.unique(rows.unit_id, return_inverse=True)
    _, channel = np.unique(rows.channel, return_inverse=True)
    alike = np.stack([month.astype(np.int64), unit, channel])
    _, place = np.unique(alike, axis=1, return_inverse=True)
    forms = rows.cells["forms"][:, FORMS.index(base)].astype(np.int64)
    enough = np.bincount(place.ravel(), weights=forms) >= context.figures.least
    over: NDArray[np.bool_] = month < np.datetime64(context.figures.release_rule.today, "M")
    return over & enough[place.ravel()]


def _sum(rows: CellRows) -> Counter[Conduct]:
    counts = rows.cells["forms"].sum(axis=0, dtype=np.int64)
    return Counter(dict(zip(FORMS, counts.tolist(), strict=True)))
