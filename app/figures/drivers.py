"""Which factors drive overall satisfaction, which lie below the others, which to improve first."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis import drivers
from analysis.contrasts import Contrast
from app.figures.comparisons import SEED
from app.figures.context import Context, columns, number
from app.figures.microdata import Respondents
from app.figures.query import Key
from app.figures.rate_arrays import Floats, Rates
from app.figures.respondent_statistics import check_enough, people_of, scores_of
from app.problems import Problem
from surveys.model import PercentItem, Questionnaire, ZeroToTenItem

#: What was once taken where a form has no overall question: the mean of the very factors.
INDEX = "index"
_RATES_APART = (
    "each factor's rate less the mean of the others', within the same respondents; simultaneous "
    f"limits by bootstrap (Westfall and Young 1993), seed {SEED}"
)


class OutcomeNeeded(Problem):
    """Influence is asked for on an outcome that is not a question of its own, or there is none."""

    code, status = "outcome-needed", 422


def find_drivers(context: Context, *, outcome: str | None) -> dict[str, Any]:
    """Which factors drive overall satisfaction, and which to improve first.

    Raises
    ------
    OutcomeNeeded
        Where the outcome is the index or one of its items, or none is named and the form has no
        overall question.
    """
    rates, answer = context.rates(Key.FACTOR)
    people = people_of(context, answer)
    form = people.people.version.form
    outcome = _outcome(form, outcome)
    codes, scores = scores_of(people.people)
    overall = people.people.number(outcome)
    confidence = context.query.confidence
    found = drivers.importance(scores, overall, confidence=confidence, seed=SEED)
    check_enough(context, people, found.n)
    told = _told(rates)
    rate = np.array([told.get(code, np.nan) for code in codes])
    below = _apart(people.people, codes, rate, confidence)
    rows = columns(
        {
            "share": found.share,
            "low": found.low,
            "high": found.high,
            "relative": found.share / found.r_squared,
            "share_difference": found.apart.difference,
            "share_difference_low": found.apart.low,
            "share_difference_high": found.apart.high,
            "rate": rate,
            "rate_difference": below.difference,
            "rate_difference_low": below.low,
            "rate_difference_high": below.high,
            "quadrant": drivers.quadrants(found, below, confidence=confidence),
            "improve_first": drivers.to_improve_first(found, below, confidence=confidence),
        }
    )
    return dict(answer) | {
        "method": "LMG shares of R² (Lindeman, Merenda, Gold 1980); differences from the mean of "
        "the other factors with simultaneous limits by bootstrap over respondents (Westfall and "
        f"Young 1993), seed {SEED}",
        "outcome": outcome,
        "r_squared": number(found.r_squared),
        "units": len(people.units),
        "respondents": found.n,
        "rows": _named(form, codes, rows),
    }


def find_lowest(context: Context) -> dict[str, Any]:
    """By how much each factor's rate lies below or above the others', the lowest first."""
    rates, answer = context.rates(Key.FACTOR)
    people = people_of(context, answer)
    check_enough(context, people, len(people.people))
    codes, _ = scores_of(people.people)
    told = _told(rates)
    rate = np.array([told.get(code, np.nan) for code in codes])
    confidence = context.query.confidence
    found = _apart(people.people, codes, rate, confidence)
    rows = columns(
        {
            "rate": rate,
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            # By the limits that are shown: nothing is called lower whose limits hold 0.
            "below": found.high < 0,
        }
    )
    rows = _named(people.people.version.form, codes, rows)
    rows.sort(key=lambda row: (row["difference"] is None, row["difference"]))
    return dict(answer) | {"method": _RATES_APART, "respondents": len(people.people), "rows": rows}


def _outcome(form: Questionnaire, named: str | None) -> str:
    """The item whose answers are the outcome."""
    context = [item.code for item in form.items if isinstance(item, PercentItem | ZeroToTenItem)]
    outcome = named if named is not None else next(iter(context), None)
    of_index = {item.code for factor in form.index_factors for item in form.index_items(factor)}
    if outcome is None or outcome == INDEX or outcome in of_index:
        raise OutcomeNeeded(field="outcome", questionnaire=form.code)
    return outcome


def _told(rates: Rates) -> dict[str | None, float]:
    """The rate of each factor, as far as it is shown."""
    shown = np.where(rates.hidden, np.nan, rates.ratio.estimate)
    return {m.factor: float(rate) for m, rate in zip(rates.measure, shown, strict=True)}


def _apart(people: Respondents, codes: list[str], rate: Floats, confidence: float) -> Contrast:
    """Each factor's rate less the others', as far as the rates themselves are shown."""
    form, satisfied, answers = people.version.form, [], []
    for factor in form.index_factors:
        if factor.code in codes:
            items = form.index_items(factor)
            good = [
                np.isin(people.number(item.code), form.scales[item.scale].satisfied)
                for item in items
            ]
            satisfied.append(np.sum(good, axis=0))
            answers.append(np.isfinite(people.rated(factor)).sum(axis=1))
    known = np.isfinite(rate).all()
    return drivers.rates_apart(
        np.stack(satisfied, axis=1) * known,
        np.stack(answers, axis=1) * known,
        confidence=confidence,
        seed=SEED,
    )


def _named(
    form: Questionnaire, codes: list[str], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    titles = {factor.code: factor.title for factor in form.index_factors}
    return [
        {"factor": code, "name": {"vi": titles[code].vi, "en": titles[code].en}, **row}
        for code, row in zip(codes, rows, strict=True)
    ]
