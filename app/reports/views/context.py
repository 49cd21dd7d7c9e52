"""What a view is about: whose unit, which questionnaire, which period, which units are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Unpack

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app import RELEASE
from app.access.callers import Caller
from app.clock import local_today
from app.figures import doubts, families, visible
from app.figures.comparison_days import With
from app.figures.comparisons import difference
from app.figures.context import Context, number
from app.figures.families import Family
from app.figures.invited import find_invited
from app.figures.late import CellSelection
from app.figures.lattice import lattice_of, named_period
from app.figures.periods import Length, Span, Step, name_of, span
from app.figures.query import Expand, Key, Query, QueryChanges, StructureOf, structure_day
from app.figures.rate_arrays import Rates
from app.figures.regrouping import whole_number
from app.figures.release import ReleaseRule
from app.figures.results import Names, unit_result
from app.figures.statistic_results import Judged
from app.figures.unit_places import Members, members
from app.problems import Problem
from app.registry.queries import UnitNode
from app.registry.questionnaires import Published, UnknownQuestionnaire
from app.registry.structures import UNDIVIDED
from app.reports.views.index_results import Difference, Figure
from app.reports.views.opening import kinds_below, only_top, period_to_open_with
from app.reports.views.results import ViewHead
from app.rollups import queries
from app.rollups.measure_counts import Measure
from app.settings import Settings

#: Units of the level that is shown unless one is asked for.
_MOST_AT_FIRST = 1_500


class NothingToShow(Problem):
    """No unit that the caller may read has a survey point: there is nothing to show yet."""

    code, status = "nothing-asked", 404


class UnknownKind(Problem):
    """No unit of this kind below the one that is looked at uses the questionnaire."""

    code, status = "unknown-kind", 404


@dataclass(frozen=True)
class Chosen:
    """What a link names; what it leaves out is chosen for the caller."""

    unit: str | None = None
    questionnaire: str | None = None
    period: str | None = None
    kind: str | None = None
    #: In the tree of units of which time the view is given.
    structure: StructureOf | date = StructureOf.TODAY


@dataclass(frozen=True)
class ViewContext:
    """What a view is about, with everything chosen that the link left out."""

    figures: Context
    settings: Settings
    unit: UnitNode | None
    span: Span
    #: Kinds of units below that have figures, with how many; the one compared is ``kind``.
    kinds: dict[str, int]
    kind: str | None
    #: The ids of the units looked at that have a survey point with the questionnaire.
    asking: frozenset[int]
    #: The ids of all units that have one, and of those above them.
    reached: frozenset[int]
    questionnaires: Sequence[str]
    #: First and last day of all figures.
    known: tuple[date, date]

    @classmethod
    def of(
        cls, session: Session, caller: Caller, settings: Settings, chosen: Chosen
    ) -> ViewContext:
        """The scene that a caller finds behind a link.

        Raises
        ------
        UnknownUnit, UnknownQuestionnaire, PeriodUnknown, UnknownLevel, NothingToShow
            Where the link names what is not there, or nothing is.
        """
        rule, today = ReleaseRule.of(settings), local_today(settings.zone)
        # Without a period the last one that is told is of today, or near it.
        end = span(chosen.period).last if chosen.period else None
        day = structure_day(chosen.structure, end, today)
        figures = Context(session, caller, Query(structure=day), rule)
        units = figures.units
        unit = figures.find(chosen.unit) if chosen.unit else only_top(figures)
        within = set(units.below(unit.id)) if unit else set(units.nodes)
        codes = list(dict.fromkeys(each.form.code for each in visible.published(session)))
        everywhere = {code: figures.regrouping.asking(session, code) for code in codes}
        asking = {code: nodes & within for code, nodes in everywhere.items()}
        # Where a unit asks several, first the one by which it is compared with most others.
        used = sorted(
            (code for code in codes if asking[code]),
            key=lambda code: (-len(asking[code]), -len(everywhere[code])),
        )
        questionnaire = chosen.questionnaire or next(iter(used), None)
        if questionnaire is None:
            raise NothingToShow
        if questionnaire not in codes:
            raise UnknownQuestionnaire(field="questionnaire", questionnaire=questionnaire)
        known = visible.span(session) or (today, today)
        reached = frozenset(units.with_all_above(asking[questionnaire]))
        kinds = kinds_below(figures, unit, reached)
        if chosen.kind and chosen.kind not in kinds:
            raise UnknownKind(field="kind", kind=chosen.kind)
        few = [kind for kind, count in kinds.items() if count <= _MOST_AT_FIRST]
        kind = chosen.kind or max(few, key=lambda kind: kinds[kind], default=None)
        about = Query(units=[unit.code] if unit else [], questionnaire=questionnaire, structure=day)
        figures = replace(figures, query=about)
        shown = span(chosen.period) if chosen.period else period_to_open_with(figures, known, today)
        query = replace(about, first=shown.first, last=shown.last)
        return cls(
            replace(figures, query=query),
            settings,
            unit,
            shown,
            kinds,
            kind,
            frozenset(asking[questionnaire]),
            reached,
            used if questionnaire in used else [questionnaire, *used],
            known,
        )

    @property
    def questionnaire(self) -> str:
        """The code of the questionnaire."""
        return str(self.figures.query.questionnaire)

    @cached_property
    def form(self) -> Published:
        """Its newest version."""
        return max(self.figures.versions, key=lambda each: each.form.version)

    @cached_property
    def today(self) -> date:
        """The local day."""
        return local_today(self.settings.zone)

    @property
    def target(self) -> float:
        """The rate aimed at when the period ends."""
        return self.settings.target_rate.on(self.span.last)

    @cached_property
    def running_to(self) -> date | None:
        """The last day that a running period has so far; None where it is over, or not begun."""
        if not self.span.first <= self.today <= self.span.last:
            return None
        return max(self.span.first, min(self.today, self.known[1]))

    def over(self, **changes: Unpack[QueryChanges]) -> Context:
        """The same question with other filters."""
        return replace(self.figures, query=replace(self.figures.query, **changes))

    @property
    def compared(self) -> Context:
        """The question about the units that are compared: those of the level, below the unit."""
        if self.unit is None:
            return self.over(units=(), kinds=(self.kind,) if self.kind else ())
        return self.over(expand=Expand.ALL, kinds=(self.kind,) if self.kind else ())

    def compared_over(self, first: date) -> Context:
        """The question about the units compared, from an earlier first day on."""
        return replace(self.compared, query=replace(self.compared.query, first=first))

    @cached_property
    def version_ids(self) -> list[int]:
        """The ids of all versions of the questionnaire."""
        return [each.id for each in self.figures.versions]

    @cached_property
    def within(self) -> set[int]:
        """The ids of the unit and all below it; without one, of all that the caller may read."""
        if self.unit is None:
            return set(self.figures.units.nodes)
        return set(self.figures.units.below(self.unit.id))

    @cached_property
    def unit_ids(self) -> set[int]:
        """The ids of the units of all times that stand wholly in it: whose answers it has."""
        return self.figures.regrouping.wholly_in(self.within)

    @cached_property
    def unreleased(self) -> int:
        """How many respondents of the period have answered whose answers are not told yet."""
        if self.figures.unreleased is None or not self.figures.unreleased.touches(self.span.last):
            return 0
        everybody, _ = self.figures.rates(counting=True)
        told_of, _ = self.figures.rates(gated=False)
        return int(everybody.sums["n"][0] - told_of.sums["n"][0])

    def hides(self, measure: Measure = Measure()) -> bool:  # noqa: B008 - frozen
        """Whether what the unit's respondents said of something is hidden from the caller."""
        figures = self.figures
        if figures.gate.everywhere or figures.least <= 1:
            return False
        session, nodes = figures.session, figures.units.nodes
        lattice = lattice_of(session, figures.versions, figures.release_rule, figures.gate.small)
        tops = [id for id, node in nodes.items() if node.parent_id not in nodes]
        at = map(lattice.units.find, self._members([self.unit.id] if self.unit else tops))
        period = named_period(self.span.first, self.span.last, visible.span(session))
        return any(lattice.hides(each, period, measure=measure) for each in at)

    def tells_invited(self) -> bool:
        """Whether the caller is told how many were invited about the unit, and answered."""
        figures = self.figures
        if figures.gate.everywhere or figures.least <= 1:
            return True
        tops = [id for id in self.within if figures.units.nodes[id].parent_id not in self.within]
        invited = find_invited(figures.session, figures.release_rule, figures.gate.small)
        return invited.tells(self._members(tops), self.span.first, self.span.last)

    def _members(self, tops: Sequence[int]) -> list[Members]:
        """Who stands in some units and below them, in the structure that is asked for."""
        of = self.figures.regrouping
        return [members(of.structure, of.units, id) for id in tops]

    def change_family(self, kind: str, *, crude: bool = False) -> Family:
        """The changes since the period before of all units of a kind, told together."""
        calendar, with_ = self.span.calendar, With.PREVIOUS
        return families.change_family(
            self.figures, kind, calendar=calendar, with_=with_, crude=crude
        )

    def target_family(self, kind: str, *, factors: bool = False) -> Family:
        """All units of a kind against the target, or all their factors, told together."""
        target, calendar = self.target, self.span.calendar
        return families.target_family(
            self.figures, kind, target, calendar=calendar, factors=factors
        )

    def judged(self, rates: Rates) -> list[Judged]:
        """Where rows about the unit, its factors or its items lie against the target.

        Its index and factors are judged with those of all units of the kind, since they are shown
        beside them; items with the unit's own.
        """
        unit, family = self.unit, None
        factors = any(measure.factor for measure in rates.measure)
        if unit is not None and not any(measure.item for measure in rates.measure):
            family = self.target_family(unit.kind, factors=factors)
        id = unit.id if unit else 0
        places = [(id, measure.item or measure.factor) for measure in rates.measure]
        judged = families.judged(rates, self.target, family, places)
        return doubts.never_above(judged, [unit] * len(judged), self.figures)

    def judged_units(self, rates: Rates, *, factors: bool = False) -> list[Judged]:
        """Where units, or units by factor, lie against the target, each with all of its kind."""
        kinds = [unit.kind if unit else "" for unit in rates.unit]
        found: dict[int, Judged] = {}
        for kind in dict.fromkeys(kinds):
            at = np.array([i for i, each in enumerate(kinds) if each == kind], dtype=np.intp)
            rows = rates.take(at)
            family = self.target_family(kind, factors=factors)
            judged = families.judged(rows, self.target, family, families.places(rows))
            found |= zip(at.tolist(), judged, strict=True)
        return doubts.never_above([found[i] for i in range(len(kinds))], rates.unit, self.figures)

    @cached_property
    def heard(self) -> frozenset[int]:
        """The ids of the compared units of which somebody answered, released or not.

        Empty where everything is released: how many answered is told by the figures then.
        """
        if self.figures.unreleased is None or not self.figures.unreleased.touches(self.span.last):
            return frozenset()
        rates, _ = self.compared.rates(Key.UNIT, counting=True)
        return frozenset(
            unit.id
            for unit, n in zip(rates.unit, rates.sums["n"].tolist(), strict=True)
            if unit is not None and n > 0
        )

    @cached_property
    def undivided(self) -> list[Names]:
        """What units were called whose answers in the period stand in undivided rows."""
        figures = self.figures
        nodes = figures.units.nodes
        rows = [id for id in self.within if nodes[id].kind == UNDIVIDED]
        answered = queries.with_cells(
            figures.session, self.version_ids, figures.regrouping.units_in(rows),
            self.span.first, self.span.last,
        )  # fmt: skip
        histories = visible.units_of_all_times(figures.session).histories
        states = [histories[id].on(self.span.last) for id in sorted(answered)]
        return [Names(vi=state.name_vi, en=state.name_en) for state in states]

    def head(self) -> ViewHead:
        """What every view says of itself."""
        return ViewHead(
            synthetic=visible.synthetic(self.figures.session),
            version=RELEASE,
            unit=unit_result(self.unit) if self.unit else None,
            questionnaire=self.questionnaire,
            period=self.span.name,
            first=self.span.first,
            last=self.span.last,
            running_to=self.running_to,
            kind=self.kind,
            target=self.target,
            unreleased=self.unreleased,
            structure=self.figures.regrouping.structure.day,
            changed_since=bool(
                visible.change_days(self.figures.session, self.span.last, self.today)
            ),
            undivided=self.undivided,
        )


def up_to_whole(figures: Context, step: Step, known: date) -> Context | None:
    """The question up to the last whole period, if there is one: a month is no quarter."""
    first, last = figures.query.first, figures.query.last
    if last is None or last >= known:
        return figures
    end = span(name_of(last, Length(step.value)))
    if end.last == last:
        return figures
    before = end.first - timedelta(days=1)
    if first is not None and before < first:
        return None
    return replace(figures, query=replace(figures.query, last=before))


def released_cells(context: ViewContext, version: Published) -> queries.CellRows:
    """The cells of a version, over the period and all units, that the caller is told."""
    rows = queries.read(
        context.figures.session,
        version,
        first=context.span.first,
        last=context.span.last,
        units=context.unit_ids,
    )
    unreleased = context.figures.unreleased
    if unreleased is None:
        return rows
    chosen = CellSelection(context.span.first, context.span.last, context.unit_ids)
    return unreleased.without(rows, version, chosen)


def figure(rates: Rates, place: int = 0) -> Figure:
    """A row as a view shows it."""
    hidden = bool(rates.hidden[place])
    return Figure(
        rate=number(rates.ratio.estimate[place]),
        low=number(rates.low[place]),
        high=number(rates.high[place]),
        respondents=None if hidden else whole_number(float(rates.sums["n"][place])),
        answers=None if hidden else whole_number(float(rates.sums["m"][place])),
        mean_score=number(rates.mean.estimate[place]),
        wholly_satisfied=number(rates.wholly.estimate[place]),
        design_effect=number(rates.ratio.design_effect[place]),
        suppressed=hidden,
        method=str(rates.method[place]),
    )


def differences(now: Rates, other: Rates) -> list[Difference]:
    """The difference of each row from another one, with interval and p-value; not adjusted."""
    with np.errstate(invalid="ignore"):
        fit: NDArray[np.bool_] = (
            (now.sums["n"] > 0) & (other.sums["n"] > 0) & ~now.hidden & ~other.hidden
        )
    found = difference(other, now)
    return [
        Difference(
            other=number(other.ratio.estimate[i]) if fit[i] else None,
            other_respondents=whole_number(float(other.sums["n"][i])) if fit[i] else None,
            estimate=number(found.estimate[i]) if fit[i] else None,
            low=number(found.low[i]) if fit[i] else None,
            high=number(found.high[i]) if fit[i] else None,
            p=number(found.p[i]) if fit[i] else None,
        )
        for i in range(len(fit))
    ]
