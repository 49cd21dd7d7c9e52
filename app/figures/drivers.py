"""Which factors drive overall satisfaction, which lie below the others, which to improve first."""

from __future__ import annotations

import numpy as np

from analysis import drivers
from analysis.contrasts import Contrast
from app.figures.comparisons import SEED
from app.figures.context import Context, named, number, numbers
from app.figures.microdata import Respondents
from app.figures.people import check_enough, check_shown, people_of, scores_of, told_dealt_out
from app.figures.query import Key
from app.figures.rate_arrays import Floats, Rates
from app.figures.results import Names
from app.figures.statistic_results import DriverRow, Drivers, Lowest, LowestRow
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


def find_drivers(context: Context, *, outcome: str | None) -> Drivers:
    """Which factors drive overall satisfaction, and which to improve first.

    Raises
    ------
    OutcomeNeeded
        Where the outcome is the index or one of its items, or none is named and the form has no
        overall question.
    """
    rates, provenance = context.rates(Key.FACTOR)
    people = people_of(context, provenance)
    form = people.respondents.version.form
    outcome = _outcome(form, outcome)
    codes, scores = scores_of(people.respondents)
    overall = people.respondents.number(outcome)
    confidence = context.query.confidence
    found = drivers.importance(scores, overall, confidence=confidence, seed=SEED)
    check_shown(context, people)
    check_enough(context, people, found.n)
    rate = _shown(rates, codes)
    below = _apart(people.respondents, codes, rate, confidence)
    # Nothing is said to be lower whose limits, which are shown, hold 0. It costs no power: what
    # decides is the influence, and that is a test to one side (docs/methods.md).
    first = drivers.to_improve_first(found, below, confidence=confidence) & (below.high < 0)
    quadrant_of = drivers.quadrants(found, below, confidence=confidence)
    concentrate, *_ = drivers.QUADRANTS
    quadrant_of = np.where(
        (quadrant_of == concentrate) & ~first, drivers.NOT_DISTINGUISHABLE, quadrant_of
    )
    figures = zip(
        codes,
        _names(form, codes),
        numbers(found.share),
        numbers(found.low),
        numbers(found.high),
        numbers(found.share / found.r_squared),
        numbers(found.apart.difference),
        numbers(found.apart.low),
        numbers(found.apart.high),
        numbers(rate),
        numbers(below.difference),
        numbers(below.low),
        numbers(below.high),
        quadrant_of.tolist(),
        first.tolist(),
        strict=True,
    )
    return Drivers(
        **dict(provenance),
        method=named(
            "LMG shares of R² (Lindeman, Merenda, Gold 1980); differences from the mean of the "
            "other factors with simultaneous limits by bootstrap over respondents (Westfall and "
            f"Young 1993), seed {SEED}; first to improve by the limits of the rate's difference, "
            "and among those factors by a one-sided test of the share's",
            context.query,
        ),
        outcome=outcome,
        r_squared=number(found.r_squared),
        units=len(people.units),
        dealt_out=told_dealt_out(context, people),
        respondents=found.n,
        rows=[
            DriverRow(
                factor=code,
                name=name,
                share=share,
                low=low,
                high=high,
                relative=relative,
                share_difference=share_difference,
                share_difference_low=share_low,
                share_difference_high=share_high,
                rate=own,
                rate_difference=rate_difference,
                rate_difference_low=rate_low,
                rate_difference_high=rate_high,
                quadrant=quadrant,
                improve_first=improve_first,
            )
            for (
                code, name, share, low, high, relative, share_difference, share_low, share_high,
                own, rate_difference, rate_low, rate_high, quadrant, improve_first,
            ) in figures
        ],
    )  # fmt: skip


def find_lowest(context: Context) -> Lowest:
    """By how much each factor's rate lies below or above the others', the lowest first."""
    rates, provenance = context.rates(Key.FACTOR)
    people = people_of(context, provenance)
    check_shown(context, people)
    check_enough(context, people, len(people.respondents))
    codes, _ = scores_of(people.respondents)
    rate = _shown(rates, codes)
    found = _apart(people.respondents, codes, rate, context.query.confidence)
    figures = zip(
        codes,
        _names(people.respondents.version.form, codes),
        numbers(rate),
        numbers(found.difference),
        numbers(found.low),
        numbers(found.high),
        # By the limits that are shown: nothing is called lower whose limits hold 0.
        (found.high < 0).tolist(),
        strict=True,
    )
    rows = [
        LowestRow(
            factor=code, name=name, rate=own, difference=difference, low=low, high=high, below=below
        )
        for code, name, own, difference, low, high, below in figures
    ]
    return Lowest(
        first=provenance.first,
        last=provenance.last,
        respondents=len(people.respondents),
        method=_RATES_APART,
        rows=sorted(rows, key=lambda row: (row.difference is None, row.difference or 0.0)),
    )


def _outcome(form: Questionnaire, wanted: str | None) -> str:
    """The item whose answers are the outcome."""
    overall = [item.code for item in form.items if isinstance(item, PercentItem | ZeroToTenItem)]
    outcome = wanted if wanted is not None else next(iter(overall), None)
    of_index = {item.code for factor in form.index_factors for item in form.index_items(factor)}
    if outcome is None or outcome == INDEX or outcome in of_index:
        raise OutcomeNeeded(field="outcome", questionnaire=form.code)
    return outcome


def _shown(rates: Rates, codes: list[str]) -> Floats:
    """The rate of each factor, NaN where it is not shown; shape (factors,)."""
    shown = np.where(rates.hidden, np.nan, rates.ratio.estimate).tolist()
    by_factor = {m.factor: rate for m, rate in zip(rates.measure, shown, strict=True)}
    return np.array([by_factor.get(code, np.nan) for code in codes])


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


def _names(form: Questionnaire, codes: list[str]) -> list[Names]:
    titles = {factor.code: factor.title for factor in form.index_factors}
    return [Names(vi=titles[code].vi, en=titles[code].en) for code in codes]
