"""Parents' rates by service volume, and how many more must be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from analysis import clustered, sampling, strata
from app.figures import periods
from app.figures.comparisons import take
from app.figures.context import Context, columns, number, unit_out
from app.figures.query import Expand, Key
from app.figures.rate_arrays import PARTS
from app.problems import Problem
from app.registry.points import units_asking
from app.registry.volumes import volumes_between


class TotalTooLarge(Problem):
    """More respondents are to be spread over the units than they serve, as far as is known."""

    code, status = "total-too-large", 422


def stratified(context: Context) -> dict[str, Any]:
    """Each unit's rate from the units below it, weighted by how many they serve."""
    pooled, answer = context.rates(Key.UNIT)
    # Strata that the caller may not see are left out: a mean with other weights than the pooled
    # one would be a second equation for them.
    own, _ = context.rates(Key.UNIT, units=(), kinds=(), expand=Expand.GIVEN, descendants=False)
    volume = volumes_between(context.session, answer.first, answer.last)
    # Who never asks by this questionnaire is no stratum of its.
    asking = units_asking(context.session, str(context.query.questionnaire))
    place = {
        unit.id: i for i, unit in enumerate(own.unit) if unit is not None and unit.id in asking
    }
    rows_of = np.array(list(place.values()), dtype=np.intp)
    own = take(own, rows_of)
    place = {id: i for i, id in enumerate(place)}
    cases = np.array([volume.get(id, 0) for id in place], dtype=np.float64)
    sums = {name: np.nan_to_num(values) for name, values in own.sums.items()}
    n = sums["n"]
    # Who served fewer than answered has a volume that cannot be right: no correction then.
    population = np.where(cases >= n, np.maximum(cases, n), np.inf)
    finite = np.isfinite(population)
    with_correction = clustered.ratio(
        *(sums[name] for name in PARTS),
        correlation=own.correlation,
        population=np.where(finite, population, 1e15),
        confidence=context.query.confidence,
    )
    rows = []
    for unit, people, hidden, estimate, low, high in zip(
        pooled.unit,
        pooled.sums["n"],
        pooled.hidden,
        pooled.ratio.estimate,
        pooled.low,
        pooled.high,
        strict=True,
    ):
        assert unit is not None
        below = [place[id] for id in context.units.below(unit.id) if id in place]
        shown = not hidden
        se = with_correction.standard_error[below]
        # A stratum of one respondent has no variance of its own: the most there can be.
        se = np.where(np.isfinite(se), se, 0.5)
        found = strata.combine(
            np.where(n[below] > 0, with_correction.estimate[below], np.nan),
            se,
            cases[below],
            n=n[below],
            confidence=context.query.confidence,
        )
        served = float(cases[below].sum())
        rows.append(
            {
                "unit": unit_out(unit),
                "suppressed": bool(hidden),
                "strata": int(((n[below] > 0) & (cases[below] > 0)).sum()),
                "cases": int(served),
                "respondents": int(people) if shown else None,
                "pooled": {
                    "rate": number(estimate) if shown else None,
                    "low": number(low) if shown else None,
                    "high": number(high) if shown else None,
                },
                "stratified": {
                    "rate": number(float(found.estimate)) if shown else None,
                    "low": number(float(found.low)) if shown else None,
                    "high": number(float(found.high)) if shown else None,
                    "standard_error": number(float(found.standard_error)) if shown else None,
                    "covered": number(float(found.covered)) if shown else None,
                },
            }
        )
    return dict(answer) | {
        "method": "weights by service volume, finite-population correction (Cochran 1977, "
        "chapter 5), logit with the t of the design; beside it the pooled rate, in which every "
        "answer counts the same",
        "units": len(rows),
        "respondents": int(n.sum()),
        "rows": rows,
    }


def planning(
    context: Context,
    *,
    month: date,
    margin: float,
    drop: float,
    total: int | None,
    neyman: bool,
) -> dict[str, Any]:
    """How many more each unit must ask in a month, to be published and to be known well enough."""
    last = periods.end_of_month(month)
    this = replace(context, query=replace(context.query, first=month, last=last))
    # Only counted: how many answered is no secret here, and tells nothing of what they said.
    now, answer = this.rates(Key.UNIT, counting=True)
    # What a respondent is worth, and the level, are known better from all there is.
    ever, _ = replace(context, query=replace(context.query, first=None, last=None)).rates(Key.UNIT)
    volume = volumes_between(context.session, month, last)
    n, m = ever.sums["n"], ever.sums["m"]
    rate, deff = ever.ratio.estimate, ever.ratio.design_effect
    with np.errstate(divide="ignore", invalid="ignore"):
        # The design effect on answers, over the answers of one respondent, is that of respondents.
        of_respondents = np.where(np.isfinite(deff) & (deff > 0), deff / (m / n), 1.0)
    told = ~ever.hidden
    # The size needed depends on the rate: where that is not to be seen, on the least favourable.
    of_respondents = np.where(told, of_respondents, 1.0)
    usual = np.where(told & np.isfinite(rate), np.clip(rate, 0.05, 0.95), 0.5)
    cases = np.array(
        [
            sum(volume.get(id, 0) for id in context.units.below(unit.id)) if unit is not None else 0
            for unit in now.unit
        ],
        dtype=np.float64,
    )
    known = cases > 0
    wanted = np.where(
        known,
        sampling.required(
            cases, margin=margin, confidence=context.query.confidence,
            design_effect=of_respondents, rate=usual,
        ),
        sampling.required(
            margin=margin, confidence=context.query.confidence,
            design_effect=of_respondents, rate=usual,
        ),
    )  # fmt: skip
    have = now.sums["n"]
    seen_change = sampling.power(
        usual,
        np.clip(usual - drop, 0.0, 1.0),
        np.maximum(have, 1.0),
        np.maximum(have, 1.0),
        design_effect=of_respondents,
        confidence=context.query.confidence,
    )
    allocated = np.full(len(have), np.nan)
    if total is not None:
        if total > cases.sum():
            raise TotalTooLarge(field="total", cases=int(cases.sum()))
        spread = np.sqrt(usual * (1 - usual)) if neyman else None
        allocated = sampling.allocate(total, cases, deviation=spread).astype(float)
    rows = columns(
        {
            "respondents": have.astype(np.int64),
            "needed_to_publish": sampling.still_needed(have, context.least),
            "required": wanted,
            "needed_for_margin": sampling.still_needed(have, wanted),
            "allocated": allocated,
            "publishable": have >= context.least,
            "design_effect": of_respondents,
            "power": np.where(have > 1, seen_change, np.nan),
        }
    )
    return dict(answer) | {
        "method": "Cochran (1977), section 4.4, with the design effect of respondents and, where "
        "volumes are known, the finite population; power of the two-sided z test",
        "month": f"{month:%Y-%m}",
        "margin": margin,
        "drop": drop,
        "least_respondents": context.least,
        "units": len(rows),
        "respondents": int(have.sum()),
        "rows": [
            {"unit": unit_out(unit), "cases": int(served) if served else None, **row}
            for unit, served, row in zip(now.unit, cases, rows, strict=True)
        ],
    }
