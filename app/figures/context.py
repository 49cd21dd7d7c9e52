"""What the statistics over units are asked for in common, and what all their answers carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Unpack

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app import RELEASE
from app.access.callers import Caller
from app.figures import rates as satisfaction
from app.figures import visible
from app.figures import within_correlation as resemblance
from app.figures.groupings import Splits
from app.figures.measures import measures_of
from app.figures.query import Interval, Key, Query, QueryChanges
from app.figures.rate_arrays import Floats, Rates
from app.figures.regrouping import Regrouping
from app.figures.release import ReleaseRule, Unreleased, find_unreleased
from app.figures.results import Names, Provenance
from app.messages import say
from app.problems import Problem
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published
from app.registry.structures import UNDIVIDED
from app.rollups import queries


class TooFewUnits(Problem):
    """Fewer units with enough respondents than the comparison needs."""

    code, status = "too-few-units", 422


class TooManyUnits(Problem):
    """More units than one answer can rank, or follow over time."""

    code, status = "too-many-units", 422


def named(method: str, query: Query) -> str:
    """A method's name, with that of the rates' intervals where they are not the usual ones."""
    if query.interval is Interval.SCORE:
        return method
    return f"{method}; intervals of rates by {query.interval.value}"


@dataclass(frozen=True)
class Gate:
    """Who may see figures of how many respondents, where these are counted one by one.

    Figures that are sums come through ``satisfaction.find``, which also hides what would give a
    small one away.
    """

    least: int
    everywhere: bool
    #: The units of which the caller may see small figures.
    small: frozenset[int]
    #: The nodes in which nobody but these has people in the period.
    exempt: frozenset[int]

    @classmethod
    def of(cls, context: Context) -> Gate:
        """The gate for who asks a question."""
        small = visible.small_units(context.session, context.caller)
        if not small:
            return cls(context.least, small is None, frozenset(), frozenset())
        tree, query = context.units, context.query
        units_of = {
            id: context.regrouping.units_in(tree.below(id)) - small
            for id in small if id in tree.nodes
        }  # fmt: skip
        others = queries.with_cells(
            context.session,
            [version.id for version in context.versions],
            set().union(*units_of.values()),
            query.first,
            query.last,
        )
        seen = frozenset(id for id, units in units_of.items() if not units & others)
        return cls(context.least, False, small, seen)

    def shows(self, unit: UnitNode | None, respondents: float) -> bool:
        """Whether a figure about a unit of so many respondents may be shown."""
        return (
            respondents >= self.least
            or self.everywhere
            or (unit is not None and unit.id in self.exempt)
        )


@dataclass(frozen=True)
class Context:
    """One question to the statistics: who asks what, in which session."""

    session: Session
    caller: Caller
    query: Query
    release_rule: ReleaseRule

    @property
    def least(self) -> int:
        """From how many respondents on a figure is shown to everybody who may read it."""
        return self.release_rule.least

    @cached_property
    def unreleased(self) -> Unreleased | None:
        """What is unreleased of the one questionnaire's answers; None for nothing."""
        small = visible.small_units(self.session, self.caller)
        return find_unreleased(self.session, self.versions, self.release_rule, small)

    @cached_property
    def versions(self) -> list[Published]:
        """All versions of the one questionnaire."""
        return visible.versions_of(self.session, self.query.questionnaire)

    def correlation(self) -> float:
        """What answers of one respondent have in common, as learnt from all units over all days."""
        single = Splits(None, range(1), (None,))
        measures = measures_of(self.query, self.versions)
        found = resemblance.learnt(
            self.session, self.query, self.versions, measures, single, self.unreleased, self.least
        )
        return float(found[0, 0])

    @cached_property
    def gate(self) -> Gate:
        """Who may see small figures."""
        return Gate.of(self)

    @cached_property
    def regrouping(self) -> Regrouping:
        """Where units of all times stand in the structure that is asked for."""
        return Regrouping.of(self.session, self.caller, self.query, self.release_rule.today)

    @property
    def units(self) -> UnitTree:
        """The units of that structure whose figures the caller may read."""
        return self.regrouping.units

    def find(self, code: str) -> UnitNode:
        """The unit of that structure with a code; UnknownUnit where there is none."""
        day = self.regrouping.structure.day
        return visible.find(self.session, self.units, code, day)

    def above(self, unit: UnitNode) -> set[int]:
        """The ids of the units above one, as far as the caller may read them."""
        return {above.id for above in self.units.above(unit.id)}

    def lowest(self, units: Sequence[UnitNode | None]) -> NDArray[np.bool_]:
        """Those of some units that have none of the others below them: what may be compared.

        What stands undivided is no unit.
        """
        proper = [unit for unit in units if unit is not None and unit.kind != UNDIVIDED]
        above = set().union(*(self.above(unit) for unit in proper))
        lowest = {unit.id for unit in proper} - above
        return np.array([unit is not None and unit.id in lowest for unit in units], dtype=bool)

    def rates(
        self,
        *by: Key,
        gated: bool = True,
        counting: bool = False,
        by_days: bool = False,
        **changes: Unpack[QueryChanges],
    ) -> tuple[Rates, Provenance]:
        """The rates of the one questionnaire by some keys, and what the answer carries.

        Small rows, and those that would give one away, are NaN: what is computed from the others
        tells nothing that could not be computed from what is shown. What is not ``gated`` may
        not leave this room, nor anything that a hidden row follows from; while ``counting``
        nothing but how many answered.
        """
        query = replace(self.query, by=list(by), **changes)
        found = satisfaction.find(
            self.session,
            query,
            self.caller,
            self.release_rule,
            gated=gated and not counting,
            counting=counting,
            by_days=by_days,
        )
        (rates,) = found.rates
        notice = None
        if found.synthetic:
            notice = Names(vi=say("synthetic.notice", "vi"), en=say("synthetic.notice", "en"))
        return rates, Provenance(
            synthetic=found.synthetic,
            notice=notice,
            version=RELEASE,
            questionnaire=rates.questionnaire,
            first=found.first,
            last=found.last,
            confidence=query.confidence,
            structure=found.structure,
            change_days=found.change_days,
        )


def number(value: float) -> float | None:
    """A figure on the wire: null where undefined."""
    return float(value) if np.isfinite(value) else None


def numbers(values: Floats) -> list[float | None]:
    """Figures as they leave the room: None where undefined."""
    return [value if isfinite(value) else None for value in values.tolist()]
