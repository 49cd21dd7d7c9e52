"""What a view is about: whose unit, which questionnaire, which period, which units are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app import RELEASE
from app.access.callers import Caller, Grant
from app.access.models import Right
from app.problems import Problem
from app.registry.points import units_asking
from app.registry.queries import UnitNode
from app.registry.questionnaires import Published, UnknownQuestionnaire
from app.reports import seen
from app.reports.asked import Asked, number, unit_out
from app.reports.comparisons import With, difference, other_days
from app.reports.disclosure import Disclosure
from app.reports.query import Expand, Key, Query
from app.reports.rows import Rates
from app.reports.spans import Span, span, usual
from app.rollups import queries
from app.settings import Settings

#: Whoever reads what is published: everything, and of nobody few respondents.
PUBLIC = Caller("public", (Grant(frozenset({Right.READ_FIGURES})),))
#: A reference figure is told to everybody if so many units answered besides the one compared.
_LEAST_UNITS_OF_REFERENCE = 5
#: Units of the level that is shown unless one is asked for.
_MOST_AT_FIRST = 1_500


class NothingAsked(Problem):
    """No unit that the caller may read has a survey point: there is nothing to show yet."""

    code, status = "nothing-asked", 404


class UnknownLevel(Problem):
    """No unit of this kind below the one that is looked at uses the questionnaire."""

    code, status = "unknown-level", 404


@dataclass(frozen=True)
class Chosen:
    """What a link names; what it leaves out is chosen for the caller."""

    unit: str | None = None
    questionnaire: str | None = None
    period: str | None = None
    level: str | None = None


@dataclass(frozen=True)
class Scene:
    """What a view is about, with everything chosen that the link left out."""

    asked: Asked
    settings: Settings
    unit: UnitNode | None
    span: Span
    #: Kinds of units below that have figures, with how many; the one compared is ``level``.
    levels: dict[str, int]
    level: str | None
    #: The ids of the units looked at that have a survey point with the questionnaire.
    asking: frozenset[int]
    #: The ids of all units that have one, and of those above them.
    reached: frozenset[int]
    questionnaires: Sequence[str]
    #: First and last day of all figures.
    known: tuple[date, date]

    @classmethod
    def of(cls, session: Session, caller: Caller, settings: Settings, chosen: Chosen) -> Scene:
        """The scene that a caller finds behind a link.

        Raises
        ------
        UnknownUnit, UnknownQuestionnaire, PeriodUnknown, UnknownLevel, NothingAsked
            Where the link names what is not there, or nothing is.
        """
        asked = Asked(session, caller, Query(), Disclosure.of(settings))
        units = asked.units
        unit = units.find(chosen.unit) if chosen.unit else _only_top(asked)
        within = set(units.below(unit.id)) if unit else set(units.nodes)
        codes = list(dict.fromkeys(each.form.code for each in seen.published(session)))
        asking = {code: units_asking(session, code) & within for code in codes}
        used = sorted((code for code in codes if asking[code]), key=lambda c: -len(asking[c]))
        questionnaire = chosen.questionnaire or next(iter(used), None)
        if questionnaire is None:
            raise NothingAsked
        if questionnaire not in codes:
            raise UnknownQuestionnaire(field="questionnaire", questionnaire=questionnaire)
        today = datetime.now(settings.zone).date()
        known = seen.span(session) or (today, today)
        shown = span(chosen.period or usual(min(known[1], today)))
        reached = _reached(asked, asking[questionnaire])
        levels = _levels(asked, unit, reached)
        if chosen.level and chosen.level not in levels:
            raise UnknownLevel(field="level", level=chosen.level)
        few = [kind for kind, count in levels.items() if count <= _MOST_AT_FIRST]
        level = chosen.level or max(few, key=lambda kind: levels[kind], default=None)
        query = Query(
            units=[unit.code] if unit else [],
            questionnaire=questionnaire,
            first=shown.first,
            last=shown.last,
        )
        return cls(
            replace(asked, query=query),
            settings,
            unit,
            shown,
            levels,
            level,
            frozenset(asking[questionnaire]),
            reached,
            used if questionnaire in used else [questionnaire, *used],
            known,
        )

    @property
    def questionnaire(self) -> str:
        """The code of the questionnaire."""
        return str(self.asked.query.questionnaire)

    @cached_property
    def form(self) -> Published:
        """Its newest version."""
        versions = seen.published(self.asked.session)
        of_it = [each for each in versions if each.form.code == self.questionnaire]
        return max(of_it, key=lambda each: each.form.version)

    @cached_property
    def today(self) -> date:
        """The local day."""
        return datetime.now(self.settings.zone).date()

    def over(self, **changes: Any) -> Asked:
        """The same question with other filters."""
        return replace(self.asked, query=replace(self.asked.query, **changes))

    @property
    def compared(self) -> Asked:
        """The question about the units that are compared: those of the level, below the unit."""
        if self.unit is None:
            return self.over(units=(), kinds=(self.level,) if self.level else ())
        return self.over(expand=Expand.ALL, kinds=(self.level,) if self.level else ())

    def compared_over(self, first: date) -> Asked:
        """The question about the units compared, from an earlier first day on."""
        return replace(self.compared, query=replace(self.compared.query, first=first))

    @cached_property
    def version_ids(self) -> list[int]:
        """The ids of all versions of the questionnaire."""
        return [
            each.id
            for each in seen.published(self.asked.session)
            if each.form.code == self.questionnaire
        ]

    @cached_property
    def within(self) -> set[int]:
        """The ids of the unit and all below it; without one, of all that the caller may read."""
        if self.unit is None:
            return set(self.asked.units.nodes)
        return set(self.asked.units.below(self.unit.id))

    @cached_property
    def held_back(self) -> int:
        """How many respondents of the period have answered whose answers are not told yet."""
        if self.asked.held is None or not self.asked.held.touches(self.span.last):
            return 0
        everybody, _ = self.asked.rates(counting=True)
        told_of, _ = self.asked.rates(gated=False)
        return int(everybody.sums["n"][0] - told_of.sums["n"][0])

    def head(self) -> dict[str, Any]:
        """What every view's answer says of itself."""
        return {
            "synthetic": seen.synthetic(self.asked.session),
            "version": RELEASE,
            "unit": unit_out(self.unit),
            "questionnaire": self.questionnaire,
            "period": self.span.name,
            "first": self.span.first,
            "last": self.span.last,
            "level": self.level,
            "target": self.settings.target_rate,
            "held_back": self.held_back,
        }


def told(scene: Scene, version: Published) -> queries.CellRows:
    """The cells of a version, over the period and all units, that the caller is told."""
    rows = queries.read(
        scene.asked.session,
        version,
        first=scene.span.first,
        last=scene.span.last,
        units=scene.within,
    )
    held = scene.asked.held
    return rows if held is None else held.without(rows)


def _only_top(asked: Asked) -> UnitNode | None:
    """The caller's one unit that has none of theirs above it; None where there are several."""
    nodes = asked.units.nodes
    tops = [node for node in nodes.values() if node.parent_id not in nodes]
    return tops[0] if len(tops) == 1 else None


def _reached(asked: Asked, asking: set[int]) -> frozenset[int]:
    """Some units, and those above them that the caller may read."""
    reached: set[int] = set()
    nodes = asked.units.nodes
    for id in asking:
        at: int | None = id
        while at is not None and at in nodes and at not in reached:
            reached.add(at)
            at = nodes[at].parent_id
    return frozenset(reached)


def _levels(asked: Asked, unit: UnitNode | None, reached: frozenset[int]) -> dict[str, int]:
    """How many units of each kind below a unit are asked about, themselves or in a part."""
    nodes = asked.units.nodes
    below = set(asked.units.below(unit.id)) - {unit.id} if unit else set(nodes)
    return dict(Counter(nodes[id].kind for id in reached & below).most_common())


def figure(rates: Rates, place: int = 0) -> dict[str, Any]:
    """A row as a view shows it."""
    hidden = bool(rates.hidden[place])
    return {
        "rate": number(rates.ratio.estimate[place]),
        "low": number(rates.low[place]),
        "high": number(rates.high[place]),
        "respondents": None if hidden else int(rates.sums["n"][place]),
        "answers": None if hidden else int(rates.sums["m"][place]),
        "mean_score": number(rates.mean.estimate[place]),
        "wholly_satisfied": number(rates.wholly.estimate[place]),
        "design_effect": number(rates.ratio.design_effect[place]),
        "suppressed": hidden,
        "method": str(rates.method[place]),
    }


def differences(now: Rates, other: Rates) -> list[dict[str, Any]]:
    """The difference of each row from another one, with interval and p-value; not adjusted."""
    with np.errstate(invalid="ignore"):
        fit: NDArray[np.bool_] = (
            (now.sums["n"] > 0) & (other.sums["n"] > 0) & ~now.hidden & ~other.hidden
        )
    found = difference(other, now)
    return [
        {
            "other": number(other.ratio.estimate[i]) if fit[i] else None,
            "other_respondents": int(other.sums["n"][i]) if fit[i] else None,
            "estimate": number(found.estimate[i]) if fit[i] else None,
            "low": number(found.low[i]) if fit[i] else None,
            "high": number(found.high[i]) if fit[i] else None,
            "p": number(found.p[i]) if fit[i] else None,
        }
        for i in range(len(fit))
    ]


def index(scene: Scene) -> dict[str, Any]:
    """The index of what a view is about, beside the period before, the year before, the whole."""
    now, _ = scene.asked.rates(by_days=True)
    changes = {}
    for with_ in (With.PREVIOUS, With.YEAR_BEFORE):
        first, last = other_days(scene.span.first, scene.span.last, with_)
        other, _ = scene.asked.rates(first=first, last=last)
        (difference,) = differences(now, other)
        changes[with_.value.replace("-", "_")] = {"first": first, "last": last, **difference}
    shown = figure(now)
    return {
        **shown,
        "position": position(shown, scene.settings.target_rate),
        "day_effect": number(now.day_effect[0]),
        **changes,
        "reference": reference(scene, now),
    }


def position(row: dict[str, Any], target: float) -> str | None:
    """Where an interval lies against the target: above it, below it, or holding it."""
    if row["low"] is None or row["high"] is None:
        return None
    if row["low"] > target:
        return "above"
    return "below" if row["high"] < target else "not_distinguishable"


def reference(scene: Scene, now: Rates) -> dict[str, Any] | None:
    """The rate of everybody, which whoever reads one unit's figures may set them against.

    It is what would be published: told only of periods of the calendar, and only if enough other
    units and respondents stand behind it that nothing of one of them follows from it.
    """
    if not scene.span.calendar or scene.unit is None:
        return None
    public = replace(scene.asked, caller=PUBLIC)
    tops = [node for node in public.units.nodes.values() if node.parent_id is None]
    if len(tops) != 1 or tops[0].id == scene.unit.id:
        return None
    whole, _ = public.rates(units=[tops[0].code])
    with np.errstate(invalid="ignore"):
        others = float(whole.sums["n"][0]) - float(np.nan_to_num(now.sums["n"][0]))
    parts, _ = public.rates(Key.UNIT, units=(), descendants=False)
    answering = int((np.nan_to_num(parts.sums["n"]) > 0).sum())
    if others < 10 * scene.settings.least_respondents or answering < _LEAST_UNITS_OF_REFERENCE:
        return None
    (difference,) = differences(now, whole)
    return {
        "unit": unit_out(tops[0]),
        "rate": number(whole.ratio.estimate[0]),
        "low": number(whole.low[0]),
        "high": number(whole.high[0]),
        "difference": difference["estimate"],
        "difference_low": difference["low"],
        "difference_high": difference["high"],
    }
