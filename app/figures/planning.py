"""How many more each unit must ask, to be published and to be known well enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from analysis import precision, sampling
from app.figures import periods, served
from app.figures.context import Context, named, numbers
from app.figures.periods import Length, name_of
from app.figures.query import Key
from app.figures.regrouping import whole_number
from app.figures.results import unit_result
from app.figures.statistic_results import Plan, PlanRow
from app.problems import Problem


class TotalTooLarge(Problem):
    """More respondents are to be spread over the units than they serve, as far as is known."""

    code, status = "total-too-large", 422


def plan(
    context: Context,
    *,
    month: date,
    margin: float,
    drop: float,
    total: int | None,
    neyman: bool,
) -> Plan:
    """How many more each unit must ask in a month, to be published and to be known well enough."""
    last = periods.end_of_month(month)
    this = replace(context, query=replace(context.query, first=month, last=last))
    # Counted at once, what has just been answered too: a count tells nothing of what they said.
    # But few are not counted out, nor what they would follow from.
    now, provenance = this.rates(Key.UNIT, counting=True)
    shown, _ = this.rates(Key.UNIT)
    # What a respondent is worth, and the level, are known better from all there is.
    ever, _ = replace(context, query=replace(context.query, first=None, last=None)).rates(Key.UNIT)
    volume = served.cases(context, month, last)
    n = ever.sums["n"]
    rate = ever.ratio.estimate
    released = ~ever.hidden
    with np.errstate(divide="ignore", invalid="ignore"):
        # What the limits that are shown rest on, of one respondent.
        answers_each, people_each = ever.ratio.interval_n / n, ever.ratio.people / n
    # The size needed depends on the rate: where that is not to be seen, on the least favourable.
    usable = released & np.isfinite(answers_each) & (answers_each > 0) & (people_each > 0)
    answers_each = np.where(usable, answers_each, 1.0)
    people_each = np.where(usable, people_each, 1.0)
    of_respondents = 1 / answers_each
    usual = np.where(released & np.isfinite(rate), np.clip(rate, 0.05, 0.95), 0.5)
    cases = np.array(
        [
            sum(volume.get(id, 0) for id in context.units.below(unit.id)) if unit is not None else 0
            for unit in now.unit
        ],
        dtype=np.float64,
    )
    # The interval of a unit knows no finite population, so neither does its plan.
    wanted = precision.respondents_within(
        margin, rate=usual, answers_each=answers_each, people_each=people_each,
        confidence=context.query.confidence,
    )  # fmt: skip
    have = now.sums["n"]
    told = np.array([
        unit is not None
        and (context.gate.shows(unit, n) or n == 0)
        and (not gone or context.gate.everywhere or unit.id in context.gate.exempt)
        for unit, n, gone in zip(now.unit, have.tolist(), shown.hidden.tolist(), strict=True)
    ], dtype=np.bool_)  # fmt: skip
    detected = sampling.power(
        usual,
        np.clip(usual - drop, 0.0, 1.0),
        np.maximum(have, 1.0),
        np.maximum(have, 1.0),
        design_effect=of_respondents,
        confidence=context.query.confidence,
    )
    allocated = np.full(len(have), np.nan)
    if total is not None:
        room = int(np.floor(cases).sum())
        if total > room:
            raise TotalTooLarge(field="total", cases=room)
        spread = np.sqrt(usual * (1 - usual)) if neyman else None
        allocated = sampling.allocate(total, cases, deviation=spread).astype(float)
    figures = zip(
        now.unit,
        cases.tolist(),
        have.tolist(),
        sampling.still_needed(have, context.least).tolist(),
        wanted.tolist(),
        sampling.still_needed(have, wanted).tolist(),
        numbers(allocated),
        of_respondents.tolist(),
        numbers(np.where((have > 1) & told, detected, np.nan)),
        told.tolist(),
        strict=True,
    )
    rows = [
        PlanRow(
            unit=unit_result(unit),
            cases=whole_number(served) or None,
            respondents=whole_number(float(respondents)) if is_told else None,
            needed_to_publish=to_publish if is_told else None,
            required=required,
            needed_for_margin=for_margin if is_told else None,
            allocated=None if part is None else int(part),
            publishable=respondents >= context.least,
            design_effect=design_effect,
            power=power,
        )
        for (
            unit,
            served,
            respondents,
            to_publish,
            required,
            for_margin,
            part,
            design_effect,
            power,
            is_told,
        ) in figures
        if unit is not None
    ]
    return Plan(
        **dict(provenance),
        method=named(
            "respondents from whom on the limits that are shown (Wilson's equation on effective "
            "answers, no finite population) lie within the margin, at the unit's rate so far; "
            "power of the two-sided z test",
            context.query,
        ),
        month=name_of(month, Length.MONTH),
        margin=margin,
        drop=drop,
        least_respondents=context.least,
        units=len(rows),
        respondents=int(have[told].sum()),
        rows=rows,
    )  # fmt: skip
