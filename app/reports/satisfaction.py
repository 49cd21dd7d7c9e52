"""Rates of satisfaction: from cells to rows with intervals.

Cells of all versions of a questionnaire are summed by factor and item code; different
questionnaires are never summed, since they ask different things. A parent's figure over its
descendants is the pooled rate; its own answers are another figure (``scope`` tells them apart).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from analysis import clustered, conventions, proportions
from app.access.callers import Caller
from app.problems import Problem
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published, UnknownQuestionnaire
from app.reports import periods, reading, seen, small_cells
from app.reports.disclosure import Disclosure, HeldBack, held_back
from app.reports.measures import measures_of
from app.reports.once import once
from app.reports.periods import Step
from app.reports.query import Expand, Key, Query
from app.reports.rows import Found, Measure, Rates
from app.rollups import queries
from app.rollups.cells import SUMS, Cells, add_up, layout_of

ROW_LIMIT = 50_000
#: Name of the interval where every respondent gave one answer.
WILSON = "wilson"
#: Keys by which respondents, rather than what is measured, are told apart.
_SPLITTING = frozenset({Key.CHANNEL, *(Key(step.value) for step in Step)})


class TooManyRows(Problem):
    """The grouping gives more rows than one answer holds."""

    code, status = "too-many-rows", 422


class QuestionnaireNeeded(Problem):
    """Factor and item codes mean something within a questionnaire only."""

    code, status = "questionnaire-needed", 422


def find(
    session: Session,
    query: Query,
    caller: Caller,
    disclosure: Disclosure,
    *,
    gated: bool = True,
    counting: bool = False,
) -> Found:
    """Compute the rates that a query asks for, over the units whose figures the caller may read.

    Where the caller may not see what few respondents said, rows of so few are hidden, unless they
    are not ``gated``, and new answers are held back, unless ``counting``: then nothing but how
    many answered may be told.

    Raises
    ------
    Problem
        For unknown units, questionnaires, factors and items, impossible periods, too many rows,
        parts of months where small cells may not be seen.
    """
    periods.check(query.first, query.last)
    units = seen.units(session, caller)
    small = seen.small_units(session, caller)
    selected = _selected(units, query)
    # A row over several units shows small cells only if all of them may be shown.
    covered = _covered(units, selected, query)
    all_small = small is None or (covered is not None and covered <= small)
    versions = _versions(session, query)
    span = seen.span(session)
    if not all_small and not counting:
        disclosure.check_months(query, span)
    first, last = periods.closed(query.first, query.last, span)
    by_code: dict[str, list[Published]] = {}
    for version in versions:
        by_code.setdefault(version.form.code, []).append(version)
    rates = []
    for code, of_code in by_code.items():
        held = None if counting else held_back(session, of_code, disclosure, small)
        found = _rates(session, query, units, selected, code, of_code, first, last, held)
        exempt = [
            all_small if unit is None else small is None or unit.id in small for unit in found.unit
        ]
        guards = np.zeros(len(exempt), dtype=np.bool_)
        if small is not None and gated:
            own = replace(query, units=(), kinds=(), by=_splits(query), descendants=False)
            own = replace(own, factor=None, item=None, convention=None)
            key = ("hidden", repr(own), code, first, last, caller.grants, disclosure)
            compute = partial(
                _hidden, session, own, units, code, of_code, first, last, held, small,
                disclosure.least,
            )  # fmt: skip
            hidden = once(session, key, compute)
            pooled = [node.id for node in selected] if query.units else []
            guards = hidden.rows(found, pooled, descendants=query.descendants)
        rates.append(
            small_cells.without_small_cells(
                found, disclosure.least if gated else 0, np.array(exempt, dtype=np.bool_), guards
            )
        )
    return Found(seen.synthetic(session), first, last, rates)


def _hidden(
    session: Session,
    own: Query,
    units: UnitTree,
    code: str,
    versions: list[Published],
    first: date | None,
    last: date | None,
    held: HeldBack | None,
    small: frozenset[int],
    least: int,
) -> small_cells.Hidden:
    everybody = _rates(
        session, own, units, _selected(units, own), code, versions, first, last, held
    )
    return small_cells.hidden_cells(everybody, units, small, least)


def _splits(query: Query) -> list[Key]:
    """The keys by which respondents are told apart: those of units, times and channels."""
    return [Key.UNIT, *(key for key in query.by if key in _SPLITTING)]


def _selected(units: UnitTree, query: Query) -> list[UnitNode]:
    """The units that rows are about, in the order of the registry."""
    named = [units.find(code) for code in query.units]
    if not named:
        ids: Iterable[int] = units.nodes
    elif query.expand is Expand.CHILDREN:
        ids = (child for node in named for child in units.children(node.id))
    elif query.expand is Expand.ALL:
        ids = (below for node in named for below in units.below(node.id))
    else:
        ids = (node.id for node in named)
    nodes = [units.nodes[id] for id in dict.fromkeys(ids)]
    return [node for node in nodes if not query.kinds or node.kind in query.kinds]


def _versions(session: Session, query: Query) -> list[Published]:
    versions = seen.published(session)
    if query.questionnaire is None:
        if query.factor or query.item:
            raise QuestionnaireNeeded(field="questionnaire")
        return versions
    found = [version for version in versions if version.form.code == query.questionnaire]
    if not found:
        raise UnknownQuestionnaire(questionnaire=query.questionnaire, field="questionnaire")
    return found


def _rates(
    session: Session,
    query: Query,
    units: UnitTree,
    selected: list[UnitNode],
    code: str,
    versions: list[Published],
    first: date | None,
    last: date | None,
    held: HeldBack | None,
) -> Rates:
    measures = measures_of(query, versions)
    covered = _covered(units, selected, query)
    read = {version: _read(session, version, query, covered, held) for version in versions}
    step = query.step
    period_range = range(0, 1)
    if step is not None and first is not None and last is not None:
        ends = periods.ordinals(np.array([first, last], dtype="datetime64[D]"), step)
        period_range = range(int(ends[0]), int(ends[1]) + 1)
    elif step is not None:
        period_range = range(0)
    channels: list[str | None] = [None]
    if Key.CHANNEL in query.by:
        found = {str(c) for rows in read.values() for c in np.unique(rows.channel)}
        channels = [*sorted(found | set(query.channels))]
    grouped_units: list[UnitNode | None] = list(selected) if Key.UNIT in query.by else [None]
    shape = (len(grouped_units), len(period_range), len(channels))
    groups = int(np.prod(shape))
    if groups * len(measures) > ROW_LIMIT:
        raise TooManyRows(count=groups * len(measures), limit=ROW_LIMIT, field="by")

    sums = np.zeros((groups, len(measures), len(SUMS)))
    for version, rows in read.items():
        place = np.zeros(len(rows.unit_id), dtype=np.intp)
        if step is not None:
            place += periods.ordinals(rows.day, step) - period_range.start
        place *= len(channels)
        if Key.CHANNEL in query.by:
            place += np.searchsorted(np.array(channels, dtype=np.str_), rows.channel)
        cells, target = _spread(query, units, selected, rows, place, shape)
        total = add_up(cells, target, groups)
        sums += _sums_by_measure(version, total, measures, query.convention)

    n_measures = len(measures)
    flat = sums.reshape(groups * n_measures, len(SUMS))
    keys = [
        (unit, channel, periods.label(ordinal, step) if step else None)
        for unit in grouped_units
        for ordinal in period_range
        for channel in channels
    ]
    return _estimates(
        code,
        [unit for unit, _, _ in keys for _ in measures],
        measures * groups,
        [channel for _, channel, _ in keys for _ in measures],
        [period for _, _, period in keys for _ in measures],
        {name: flat[:, i] for i, name in enumerate(SUMS)},
        query.confidence,
    )


def _read(
    session: Session,
    version: Published,
    query: Query,
    covered: set[int] | None,
    held: HeldBack | None,
) -> queries.CellRows:
    rows = reading.cells(
        session,
        version,
        first=query.first,
        last=query.last,
        units=None if covered is None else frozenset(covered),
        channels=sorted(query.channels),
    )
    return held.without(rows) if held is not None and held.touches(query.last) else rows


def _covered(units: UnitTree, selected: list[UnitNode], query: Query) -> set[int] | None:
    """The units whose cells are needed; None for all."""
    if not query.units and not query.kinds and units.whole:
        return None
    ids = {node.id for node in selected}
    if query.descendants:
        ids = {below for id in ids for below in units.below(id)}
    return None if units.whole and len(ids) == len(units.nodes) else ids


def _spread(
    query: Query,
    units: UnitTree,
    selected: list[UnitNode],
    rows: queries.CellRows,
    place: NDArray[np.intp],
    shape: tuple[int, int, int],
) -> tuple[Cells, NDArray[np.intp]]:
    """Cells with the group that each adds to; with descendants, a cell adds to every ancestor.

    Cells are first summed within (unit, period, channel), so that what is repeated for each
    ancestor is small.
    """
    per_unit = shape[1] * shape[2]
    if Key.UNIT not in query.by:
        return rows.cells, place
    own_ids, own = np.unique(rows.unit_id, return_inverse=True)
    used, where = np.unique(own * per_unit + place, return_inverse=True)
    cells = add_up(rows.cells, where, len(used))
    unit_of, rest = own_ids[used // per_unit], used % per_unit
    position = {node.id: i for i, node in enumerate(selected)}
    index, target = [], []
    above: dict[int, int | None] = {int(id): int(id) for id in own_ids}
    while above:
        positions = {id: position.get(a, -1) for id, a in above.items() if a is not None}
        at = np.array([positions.get(int(id), -1) for id in unit_of], dtype=np.intp)
        kept = np.flatnonzero(at >= 0)
        index.append(kept)
        target.append(at[kept] * per_unit + rest[kept])
        if not query.descendants:
            break
        above = {id: units.nodes[a].parent_id for id, a in above.items() if a in units.nodes}
        above = {id: a for id, a in above.items() if a is not None}
    order = np.concatenate(index) if index else np.zeros(0, dtype=np.intp)
    return cells[order], np.concatenate(target) if target else order


def _sums_by_measure(
    version: Published, total: Cells, measures: Sequence[Measure], convention: str | None
) -> NDArray[np.float64]:
    """Shape (groups, measures, 10); zeros where this version has no such factor or item."""
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


def _estimates(
    code: str,
    unit: list[UnitNode | None],
    measure: list[Measure],
    channel: list[str | None],
    period: list[str | None],
    sums: dict[str, NDArray[np.float64]],
    confidence: float,
) -> Rates:
    ratio = clustered.ratio(
        sums["a"], sums["m"], sums["aa"], sums["am"], sums["mm"], sums["n"], confidence=confidence
    )
    # Where everybody gave one answer there are no clusters, and Wilson's interval is better
    # than the logit's at rates near 1.
    single = (sums["mm"] == sums["m"]) & (sums["n"] > 0)
    wilson = proportions.interval(sums["a"], sums["m"], confidence=confidence)
    return Rates(
        questionnaire=code,
        unit=unit,
        measure=measure,
        channel=channel,
        period=period,
        sums=sums,
        ratio=ratio,
        low=np.where(single, wilson.low, ratio.low),
        high=np.where(single, wilson.high, ratio.high),
        method=np.where(single, WILSON, ratio.method),
        mean=clustered.mean_score(
            *(sums[name] for name in ("s", "m", "ss", "sm", "mm", "n")),
            bounds=(-np.inf, np.inf),
            confidence=confidence,
        ),
        wholly=proportions.interval(sums["whole"], sums["n"], confidence=confidence),
        hidden=np.zeros(len(single), dtype=bool),
    )
