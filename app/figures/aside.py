"""How many are set aside, by unit and rule, and the rate without and with them.

Told of rows alone that are shown without and with (``app.figures.rates.find``): from as many on as
a figure must have; fewer are "fewer than ten". How many it is says nothing of what they answered,
and what they answered is in no figure but those of the row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from pydantic import Field
from sqlalchemy.orm import Session

from app.figures import cell_reading, visible
from app.figures.context import Context, numbers
from app.figures.query import Key, Sensitivity
from app.figures.rate_arrays import Rates
from app.figures.regrouping import whole_number
from app.figures.results import People, Result, UnitOut, unit_result
from app.figures.statistic_results import Side
from app.rollups.cells import SUMS


class AsideByRule(Result):
    """How many a rule set aside."""

    rule: str = Field(description="Its name, or distrusted: what came from a device or key that "
                      "was in other hands.")  # fmt: skip
    respondents: People | None = Field(description="null: some, but fewer than fewer_than.")
    fewer_than: int | None = Field(description="HAILONG_LEAST_RESPONDENTS where so few are told.")


class AsideRow(Result):
    """A unit of which something is set aside in the period."""

    unit: UnitOut
    suppressed: bool = Field(
        description="Whether too few stay, or a figure is hidden for another's sake: nothing is "
        "said then of how many are set aside by which rule."
    )
    without: Side = Field(description="The rate of the answers that count.")
    with_aside: Side = Field(description="The rate with those that are set aside.")
    rules: list[AsideByRule]


def find_aside(context: Context) -> list[AsideRow]:
    """The units that are asked for of which something is set aside, on days that are shown."""
    rules_of = by_rule(context)
    if not rules_of:
        return []
    without, _ = context.rates(Key.UNIT)
    both = replace(context, query=replace(context.query, sensitivity=Sensitivity.WITH))
    with_aside, _ = both.rates(Key.UNIT)
    place = {unit.id: i for i, unit in enumerate(with_aside.unit) if unit is not None}
    sides = _sides(without), _sides(with_aside)
    rows = []
    for i, unit in enumerate(without.unit):
        if unit is None or unit.id not in rules_of:
            continue
        j = place[unit.id]
        hidden = bool(without.hidden[i] or with_aside.hidden[j])
        exact = context.gate.shows(unit, 0)
        rules = [
            AsideByRule(rule=rule, respondents=None, fewer_than=context.least)
            if n < context.least and not exact
            else AsideByRule(rule=rule, respondents=whole_number(n), fewer_than=None)
            for rule, n in sorted(rules_of[unit.id].items())
        ]
        rows.append(
            AsideRow(
                unit=unit_result(unit),
                suppressed=hidden,
                without=sides[0][i],
                with_aside=sides[1][j],
                rules=[] if hidden else rules,
            )
        )
    return rows


def anything_aside(session: Session) -> bool:
    """Whether anything at all is set aside."""
    return any(
        len(
            cell_reading.cells_aside(
                session, version, first=None, last=None, units=None, channels=()
            ).rule
        )
        for version in visible.published(session)
    )


def by_rule(context: Context) -> Mapping[int, Mapping[str, float]]:
    """How many respondents are set aside, by node and rule; those below count where asked for.

    On days that the caller is shown. Of how few it may be is for the caller to look at.
    """
    query, regrouping = context.query, context.regrouping
    by_unit: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for version in context.versions:
        aside = cell_reading.cells_aside(
            context.session, version, first=query.first, last=query.last, units=None,
            channels=sorted(query.channels),
        )  # fmt: skip
        rows = aside.rows
        if context.unreleased is not None:
            shown = ~context.unreleased.among(rows.unit_id, rows.day, rows.channel)
            aside = aside[shown]
            rows = aside.rows
        n = rows.cells["sums"][:, 0, SUMS.index("n")]
        for rule, unit_id, count in zip(
            aside.rule.tolist(), rows.unit_id.tolist(), n.tolist(), strict=True
        ):
            by_unit[rule][unit_id] += count
    found: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    tree = regrouping.units
    for rule, counts in by_unit.items():
        for node, count in regrouping.regrouped(counts).items():
            if not count or node not in tree.nodes:
                continue
            found[node][rule] += count
            if query.descendants:
                for above in tree.above(node):
                    found[above.id][rule] += count
    return found


def _sides(rates: Rates) -> list[Side]:
    figures = (numbers(each) for each in (rates.ratio.estimate, rates.low, rates.high))
    return [
        Side(rate=rate, low=low, high=high, respondents=None if hidden else whole_number(n))
        for rate, low, high, n, hidden in zip(
            *figures, rates.sums["n"].tolist(), rates.hidden.tolist(), strict=True
        )
    ]
