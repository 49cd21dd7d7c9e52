"""Figures of units before and after a plan: for the dry run of those who run the whole service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.figures.session_cache import per_session
from app.registry.questionnaires import Published, published
from app.registry.structures import Structure, Units
from app.rollups import queries
from app.rollups.cells import SUMS

#: By questionnaire and node: respondents, satisfied answers, all answers.
_Sums = dict[tuple[str, int], NDArray[np.float64]]
_N, _A, _M = (SUMS.index(name) for name in ("n", "a", "m"))


@dataclass(frozen=True)
class Counted:
    """What a unit's people said to a questionnaire: how many, and how much of it was satisfied."""

    unit_id: int
    questionnaire: str
    #: No whole number where a share was dealt out.
    respondents: float
    #: None where nobody answered what is rated.
    rate: float | None


@dataclass(frozen=True)
class BeforeAndAfter:
    """The same answers by the units of the eve of a day, and by those of the day itself."""

    before: tuple[Counted, ...]
    after: tuple[Counted, ...]


def before_and_after(
    session: Session, units: Units, days: tuple[date, date], period: tuple[date, date],
    among: tuple[Collection[int], Collection[int]],
) -> BeforeAndAfter:  # fmt: skip
    """What was answered in a period, by the structures of two days: some units of each.

    Undivided rows are among those of the second day wherever they have people in them.
    """
    sums = _sums(session, period)
    before, after = (units.on(day) for day in days)
    return BeforeAndAfter(
        _counted(sums, before, set(among[0])),
        _counted(sums, after, {*among[1], *(id for id in after.tree.nodes if id < 0)}),
    )


def _sums(session: Session, period: tuple[date, date]) -> _Sums:
    """Respondents, satisfied and all answers by questionnaire and unit of all times."""
    found: _Sums = defaultdict(lambda: np.zeros(3))
    versions: list[Published] = per_session(session, ("published",), lambda: published(session))
    for version in versions:
        rows = queries.read(session, version, first=period[0], last=period[1])
        sums = rows.cells["sums"][:, 0, :]
        for unit in np.unique(rows.unit_id):
            own = sums[rows.unit_id == unit].sum(axis=0)
            found[version.form.code, int(unit)] += own[[_N, _A, _M]]
    return found


def _counted(sums: _Sums, structure: Structure, among: set[int]) -> tuple[Counted, ...]:
    """The sums of some nodes of a structure, with all that stands below each."""
    nodes: _Sums = defaultdict(lambda: np.zeros(3))
    for (form, unit), own in sums.items():
        for node, weight in structure.placements[unit].parts:
            for at in (node, *(above.id for above in structure.tree.above(node))):
                if at in among:
                    nodes[form, at] += weight * own
    return tuple(
        Counted(node, form, float(n), float(a / m) if m else None)
        for (form, node), (n, a, m) in sorted(nodes.items(), key=lambda each: each[0])
    )
