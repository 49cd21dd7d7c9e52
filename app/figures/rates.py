"""Rates of satisfaction: from cells to rows with intervals.

Cells of all versions of a questionnaire are summed by factor and item code; different
questionnaires are never summed, since they ask different things. A parent's figure over its
descendants is the pooled rate; its own answers are another figure (``scope`` tells them apart).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.figures import periods, suppression, visible, within_correlation
from app.figures.intervals import estimated, with_days
from app.figures.lattice import Lattice, TooFine, check_steps, lattice_of, named_period
from app.figures.query import Cluster, Expand, Key, Query, Sensitivity
from app.figures.rate_arrays import Found, Rates
from app.figures.regrouping import Regrouping
from app.figures.release import ReleaseRule, find_unreleased
from app.figures.summing import Ground, Sums, covering
from app.figures.unit_places import members
from app.problems import Problem
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published, UnknownQuestionnaire
from app.rollups import queries


class QuestionnaireNeeded(Problem):
    """Factor and item codes mean something within a questionnaire only."""

    code, status = "questionnaire-needed", 422


class NotWithAside(Problem):
    """A figure that is not computed with what is set aside: of days, which must be many."""

    code, status = "not-with-aside", 422


def find(
    session: Session,
    query: Query,
    caller: Caller,
    release_rule: ReleaseRule,
    *,
    gated: bool = True,
    counting: bool = False,
    by_days: bool = False,
) -> Found:
    """Compute the rates that a query asks for, over the units whose figures the caller may read.

    Where the caller may not see what few respondents said, rows of so few are hidden, unless they
    are not ``gated``, and new answers are unreleased, unless ``counting``: then nothing but how
    many answered may be told. What days have in common is looked at if ``by_days``.

    Figures with what is set aside (``query.sensitivity``) tell nothing that those without and their
    differences do not. Of each unit, version, channel, month and measure nobody is set aside or at
    least as many as a figure must have (``app.intake.setting_aside``), so the difference of both
    figures of a row is a sum of such parts, and no parts but whole ones can be had. They are shown
    only where those without are: a combination of any of both is one of figures without, which the
    lattice looked at, and one of whole parts. Setting aside and counting again does not move them.

    Raises
    ------
    Problem
        For unknown units, questionnaires, factors and items, impossible periods, too many rows,
        parts of months where small cells may not be seen.
    """
    periods.check(query.first, query.last)
    regrouping = Regrouping.of(session, caller, query, release_rule.today)
    units = regrouping.units
    small = visible.small_units(session, caller)
    selected = _selected(session, units, query, regrouping.structure.day)
    versions = _versions(session, query)
    span = visible.span(session)
    # A row over several units shows small cells only if all of them may be shown.
    nodes = covering(units, selected, query)
    theirs = small is None or (nodes is not None and _valid(nodes) <= small)
    all_small = small is None or (
        theirs
        and not queries.with_cells(
            session,
            [version.id for version in versions],
            regrouping.units_in(nodes or ()) - small,
            query.first,
            query.last,
        )
    )
    period = None
    if not all_small and not counting and release_rule.least > 1:
        period = _checked(query, span, selected)
    first, last = periods.closed(query.first, query.last, span)
    by_code: dict[str, list[Published]] = {}
    for version in versions:
        by_code.setdefault(version.form.code, []).append(version)
    if query.sensitivity is Sensitivity.WITH:
        if query.cluster is Cluster.DAY:
            raise NotWithAside(field="cluster")
        by_days = False
    by_days = by_days or query.cluster is Cluster.DAY
    rates = []
    for code, of_code in by_code.items():
        unreleased = None if counting else find_unreleased(session, of_code, release_rule, small)
        ground = Ground(
            session, query, regrouping, code, of_code, first, last, unreleased,
            release_rule.least, small,
        )  # fmt: skip
        if not counting and within_correlation.matters(ground.measures):
            # All units' cells are read first: those of the rows are among them.
            within_correlation.everybody(session, query, of_code, unreleased)
        summed = ground.summed(selected, by_days=by_days)
        exempt = _exempt(summed, small, theirs)
        found = estimated(query, summed, None if counting else ground.alike(summed.splits))
        if by_days:
            month = release_rule.today.replace(day=1)
            found = with_days(query, summed, found, exempt, release_rule.least, month)
        guards = np.zeros(len(exempt), dtype=np.bool_)
        if (
            small is not None
            and not all_small
            and gated
            and not counting
            and release_rule.least > 1
        ):
            lattice = lattice_of(session, of_code, release_rule, small)
            guards = _hidden(lattice, regrouping, query, found, period, selected)
        staying = None
        if query.sensitivity is Sensitivity.WITH:
            staying = ground.staying(selected, summed.splits)
        rates.append(
            suppression.without_small_cells(
                found, release_rule.least if gated else 0, exempt, guards, staying
            )
        )
    day = regrouping.structure.day
    changed = visible.change_days(session, first, last)
    return Found(visible.synthetic(session), first, last, day, changed, rates)


def _checked(
    query: Query, known: tuple[date, date] | None, selected: Sequence[UnitNode]
) -> str | None:
    """The name of the period, where strangers may be shown what is asked for.

    Raises
    ------
    CalendarPeriodsOnly, TooFine
        Where the lattice has no such figures.
    """
    if len(query.channels) > 1 and Key.CHANNEL not in query.by:
        raise TooFine(field="channel")
    fine = query.factor or query.item or {Key.FACTOR, Key.ITEM} & set(query.by)
    if fine and (query.channels or Key.CHANNEL in query.by):
        raise TooFine(field="channel")
    if Key.UNIT not in query.by and (query.kinds or (query.units and len(selected) > 1)):
        raise TooFine(field="by")
    check_steps(query, known)
    return None if query.step else named_period(query.first, query.last, known)


def _hidden(
    lattice: Lattice,
    regrouping: Regrouping,
    query: Query,
    rates: Rates,
    period: str | None,
    selected: Sequence[UnitNode],
) -> NDArray[np.bool_]:
    """Which rows the lattice hides; a row of no unit is that of all tops, or of the one named."""
    structure, units = regrouping.structure, regrouping.units
    tops = [id for id, node in units.nodes.items() if node.parent_id not in units.nodes]
    pooled = [node.id for node in selected] if query.units else tops
    single = next(iter(query.channels)) if len(query.channels) == 1 else None
    at = {
        (id, below): lattice.units.find(members(structure, units, id, descendants=below))
        for below, ids in (
            (query.descendants, {unit.id for unit in rates.unit if unit is not None}),
            (query.descendants or not query.units, pooled if None in rates.unit else ()),
        )
        for id in ids
    }
    return np.array(
        [
            any(
                lattice.hides(
                    at[id, query.descendants or (unit is None and not query.units)],
                    rates.period[r] or period,
                    measure=rates.measure[r],
                    channel=rates.channel[r] or single,
                )
                for id in ([unit.id] if unit is not None else pooled)
            )
            for r, unit in enumerate(rates.unit)
        ],
        dtype=np.bool_,
    )


def _exempt(summed: Sums, small: frozenset[int] | None, theirs: bool) -> NDArray[np.bool_]:
    """Of which rows the caller may see small figures: of everybody who has people in them.

    ``theirs`` says it of a row over all units that are asked for.
    """
    if not small:
        return np.full(len(summed.foreign), small is None)
    own = [theirs if unit is None else _valid([unit.id]) <= small for unit in summed.rows.unit]
    return np.array(own, dtype=np.bool_) & ~summed.foreign


def _valid(nodes: Iterable[int]) -> set[int]:
    """Those of some nodes that are units; what stands undivided is of units of other times."""
    return {id for id in nodes if id > 0}


def _selected(session: Session, units: UnitTree, query: Query, day: date) -> list[UnitNode]:
    """The units that rows are about, in the order of the registry."""
    named = [visible.find(session, units, code, day) for code in query.units]
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
    versions = visible.published(session)
    if query.questionnaire is None:
        if query.factor or query.item:
            raise QuestionnaireNeeded(field="questionnaire")
        return versions
    found = [version for version in versions if version.form.code == query.questionnaire]
    if not found:
        raise UnknownQuestionnaire(questionnaire=query.questionnaire, field="questionnaire")
    return found
