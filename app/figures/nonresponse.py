"""Those who did not answer: weights for those who did, and how far the rate might move.

Open answers, at a kiosk or by a code on the wall, come from people who chose to give them; of how
many who did not, volumes tell. Of the invited it is known by unit and month.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from analysis import nonresponse, strata
from app.figures import served
from app.figures.context import Context, named, number
from app.figures.invited import find_invited
from app.figures.nonresponse_results import (
    Moved,
    NonResponse,
    NonResponseRow,
    ResponseWeighted,
    Sensitivity,
)
from app.figures.periods import span
from app.figures.query import Expand, Key
from app.figures.rate_arrays import Rates
from app.figures.regrouping import whole_number
from app.figures.response_rates import regrouped
from app.figures.results import unit_result
from app.figures.unit_places import members
from app.invitations.service import months
from app.registry.models import Channel
from app.registry.queries import UnitNode

#: By how much those who did not answer are supposed to differ.
DIFFERENCES = (0.05, 0.10, 0.20)


def find_nonresponse(context: Context, *, together: bool = False) -> NonResponse:
    """Of each unit how far its rate would move for those who did not answer.

    ``together`` gives one row for all that is asked about.
    """
    by = () if together else (Key.UNIT,)
    rates, provenance = context.rates(*by)
    invited_only = replace(context, query=replace(context.query, channels=(Channel.INVITATION,)))
    invited, _ = invited_only.rates(*by)
    ground = _Ground.of(context, invited_only, provenance.first, provenance.last)
    rows = []
    for i, unit in enumerate(rates.unit):
        ids = _ids(context, unit)
        hidden = bool(rates.hidden[i])
        rows.append(
            NonResponseRow(
                unit=unit_result(unit) if unit else None,
                suppressed=hidden,
                by_invitations=ground.by_invitations(ids, invited, i),
                by_volumes=None if hidden else ground.by_volumes(ids, rates, i),
                weighted=ground.weighted(ids, invited, i),
            )
        )
    return NonResponse(
        **dict(provenance),
        method=named(
            "rate ± (1 − response rate) × difference (Cochran 1977, section 13.2); answers to "
            "invitations weighted by one over the response rate of unit and month (weighting "
            "classes, Kalton and Flores-Cervantes 2003)",
            context.query,
        ),
        units=len(rows),
        respondents=whole_number(float(np.nansum(rates.sums["n"]))),
        rows=rows,
    )


def _ids(context: Context, unit: UnitNode | None) -> set[int]:
    """The nodes whose answers a row has."""
    tree = context.units
    if unit is not None:
        tops = [unit.id]
    else:
        tops = [context.find(code).id for code in context.query.units] or list(tree.nodes)
    if not context.query.descendants:
        return set(tops)
    return {below for id in tops for below in tree.below(id)}


@dataclass(frozen=True)
class _Ground:
    """What all rows are computed on, by node of the structure that is asked for."""

    context: Context
    days: tuple[date, date] | None
    asking: frozenset[int]
    cases: dict[int, float]
    #: Nodes of which the cases of some unit and month are not known.
    without: frozenset[int]
    #: Invited, and of these answered, by unit and month.
    invited: dict[tuple[int, str], tuple[float, float]]
    #: Rate, standard error, answers and people of invited ones by unit and month, as far as shown.
    answers: dict[tuple[int, str], tuple[float, float, float, float]]

    @classmethod
    def of(
        cls, context: Context, invited_only: Context, first: date | None, last: date | None
    ) -> _Ground:
        """Of all units that the caller may read."""
        questionnaire = str(context.query.questionnaire)
        days = (first, last) if first is not None and last is not None else None
        invited = {}
        answers = {}
        if days is not None:
            units = context.regrouping.units_in(context.units.nodes)
            found = months(context.session, units, *days, questionnaire)
            invited = {
                (row.node, row.month): (row.issued, row.answered)
                for row in regrouped(context.regrouping, found)
                if row.node in context.units.nodes
            }
        if invited:
            own, _ = invited_only.rates(
                Key.UNIT, Key.MONTH, units=(), kinds=(), expand=Expand.GIVEN, descendants=False
            )
            for i, unit in enumerate(own.unit):
                if unit is not None and not own.hidden[i] and own.sums["n"][i] > 0:
                    se = float(own.ratio.standard_error[i])
                    answers[unit.id, str(own.period[i])] = (
                        float(own.ratio.estimate[i]),
                        # One person shows no variance: the most there can be.
                        se if np.isfinite(se) else 0.5,
                        float(own.sums["m"][i]),
                        float(own.sums["n"][i]),
                    )
        return cls(
            context,
            days,
            frozenset(context.regrouping.asking(context.session, questionnaire)),
            served.cases(context, first, last),
            served.without_cases(context, *days) if days else frozenset(),
            invited,
            answers,
        )

    def by_invitations(self, ids: Set[int], rates: Rates, i: int) -> Sensitivity | None:
        """By how many of the invited answered."""
        rows = [row for (id, _), row in self.invited.items() if id in ids]
        issued, answered = sum(row[0] for row in rows), sum(row[1] for row in rows)
        if not issued:
            return None
        shown = not rates.hidden[i] and self._tells(ids)
        return _sensitivity(issued, answered, float(rates.ratio.estimate[i]), shown)

    def _tells(self, ids: Set[int]) -> bool:
        """Whether the caller is told how many were invited about some units, and answered."""
        tree = self.context.units
        tops = {id for id in ids if tree.nodes[id].parent_id not in ids}
        whole = all(ids >= set(tree.below(id)) for id in tops)
        return self.days is not None and self._shows(tops if whole else ids, *self.days, whole)

    def _tells_month(self, id: int, month: str) -> bool:
        """The same of one unit alone, in a month of which no day was left out."""
        days, asked = span(month), self.days
        whole = asked is not None and asked[0] <= days.first and days.last <= asked[1]
        return self._shows([id], days.first, days.last, False, cut=not whole)

    def _shows(
        self, ids: Collection[int], first: date, last: date, whole: bool, *, cut: bool = False
    ) -> bool:
        """Whether counts are told; where days are ``cut`` off, only to who sees them all."""
        context = self.context
        if context.gate.everywhere or context.gate.least <= 1:
            return True
        structure = context.regrouping.structure
        of = [members(structure, context.units, id, descendants=whole) for id in ids]
        invited = find_invited(context.session, context.release_rule, context.gate.small)
        if cut:
            return invited.theirs(of, first, last)
        return invited.tells(of, first, last, questionnaire=context.query.questionnaire)

    def by_volumes(self, ids: Collection[int], rates: Rates, i: int) -> Sensitivity | None:
        """By how many of those served answered, by whatever channel."""
        units = set(self.asking.intersection(ids))
        if self.days is None or self.context.query.channels:
            return None
        # An office above others about which nobody answered need not serve anybody itself.
        units = {id for id in units if id in self.cases or not self._has_parts(id, units)}
        if not units or units & self.without:
            return None
        cases, answered = sum(self.cases.get(id, 0) for id in units), float(rates.sums["n"][i])
        if cases < answered or not cases:
            return None
        return _sensitivity(cases, answered, float(rates.ratio.estimate[i]), True)

    def _has_parts(self, id: int, units: Collection[int]) -> bool:
        return any(below in units for below in self.context.units.below(id) if below != id)

    def weighted(self, ids: Set[int], rates: Rates, i: int) -> ResponseWeighted | None:
        """The rate of the invited, each by one over the response rate of unit and month."""
        issued = sum(row[0] for (id, _), row in self.invited.items() if id in ids)
        groups = [
            (*self.invited[key], *self.answers[key])
            for key in sorted(self.answers)
            if key[0] in ids and key in self.invited and self._tells_month(*key)
        ]
        if not groups or rates.hidden[i] or not self._tells(ids):
            return None
        invited, answered, rate, error, m, n = np.array(groups, dtype=np.float64).T
        weight = nonresponse.response_weights(invited, answered)
        kept = np.isfinite(weight)
        found = strata.combine(
            rate[kept], error[kept], weight[kept] * m[kept], n=n[kept],
            confidence=self.context.query.confidence,
        )  # fmt: skip
        return ResponseWeighted(
            rate=number(float(found.estimate)),
            low=number(float(found.low)),
            high=number(float(found.high)),
            unweighted=number(float(rates.ratio.estimate[i])),
            covered=float(invited[kept].sum()) / issued if issued else None,
        )


def _sensitivity(reached: float, answered: float, rate: float, shown: bool) -> Sensitivity:
    share = answered / reached
    low, high = nonresponse.moved(rate if shown else np.nan, share, DIFFERENCES)
    return Sensitivity(
        reached=whole_number(reached) if shown else None,
        answered=whole_number(answered) if shown else None,
        response_rate=share if shown else None,
        rate=number(rate) if shown else None,
        moved=[
            Moved(difference=difference, low=number(bottom), high=number(top))
            for difference, bottom, top in zip(DIFFERENCES, low, high, strict=True)
        ],
    )
