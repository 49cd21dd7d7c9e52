"""A rate weighted so that respondents have the known margins of those who were served."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from analysis import weighting
from app.figures.context import Context, named, number
from app.figures.people import TooFewRespondents, check_enough, people_of, told_dealt_out
from app.figures.statistic_results import Rate, Weighted
from app.problems import Problem


class MarginInvalid(Problem):
    """A margin is not item:option=people,… (an option, or a range of them), or cannot be met."""

    code, status = "margin-invalid", 422


class MarginUnregistered(Problem):
    """Who may not see what few respondents said gives a margin that the operator did not set.

    By sizes of one's own choice classes are weighed against one another until they can be solved
    for.
    """

    code, status = "margin-unregistered", 422


def find_weighted(
    context: Context, *, margins: Sequence[str], registered: Sequence[str]
) -> Weighted:
    """The rate, weighted so that respondents have the known margins of those who were served.

    Whoever may not see small figures weighs by ``registered`` margins alone, none of whose classes
    is empty; and those who are left out for want of an answer are none, or as many as may be shown.

    Raises
    ------
    MarginInvalid, MarginUnregistered, TooFewRespondents
    """
    rates, provenance = context.rates()
    if not context.gate.everywhere:
        known_margins = {_margin_key(text) for text in registered}
        for text in margins:
            if _margin_key(text) not in known_margins:
                raise MarginUnregistered(field="margin", margin=text)
    people = people_of(context, provenance)
    known = [_margin(text) for text in margins]
    table = people.respondents
    levels = np.concatenate(
        [table.rated(factor) for factor in table.version.form.index_factors], axis=1
    )
    satisfied = np.concatenate(
        [
            np.isin(
                table.number(item.code),
                table.version.form.scales[item.scale].satisfied,
            )[:, None]
            for factor in table.version.form.index_factors
            for item in table.version.form.index_items(factor)
        ],
        axis=1,
    )
    answers = np.isfinite(levels).sum(axis=1).astype(float)
    good = satisfied.sum(axis=1).astype(float)
    codes, sizes = [], []
    complete = answers > 0
    for item, classes in known:
        values = table.number(item)
        place = np.full(len(values), -1, dtype=np.intp)
        for number_of, (low, high, _) in enumerate(classes):
            place[(values >= low) & (values <= high)] = number_of
        complete &= place >= 0
        codes.append(place)
        sizes.append(np.array([size for _, _, size in classes]))
    check_enough(context, people, 0 if rates.hidden[0] else int(complete.sum()))
    if not context.gate.everywhere:
        everybody = float(np.nan_to_num(rates.sums["n"][0]))
        if 0 < everybody - complete.sum() < context.least:
            raise TooFewRespondents(respondents=None, needed=context.least)
        # By two sets of sizes the rate of each class can be solved for.
        for code, size in zip(codes, sizes, strict=True):
            if not (size > 0).all():
                raise MarginInvalid(field="margin", reason="0")
            in_class = np.bincount(code[complete], minlength=len(size))
            if ((in_class > 0) & (in_class < context.least)).any():
                raise TooFewRespondents(respondents=None, needed=context.least)
    taken, weights = good[complete], answers[complete]
    confidence = context.query.confidence
    try:
        found = (
            weighting.poststratify(
                taken,
                codes[0][complete],
                sizes[0],
                denominator=weights,
                confidence=confidence,
                scale="logit",
            )
            if len(known) == 1
            else weighting.rake(
                taken,
                [code[complete] for code in codes],
                sizes,
                denominator=weights,
                confidence=confidence,
                scale="logit",
            )
        )
    except ValueError as error:
        raise MarginInvalid(field="margin", reason=str(error)) from error
    how = "post-stratification" if len(known) == 1 else "raking"
    return Weighted(
        **dict(provenance),
        method=named(f"{how}, linearised variance of residuals, logit, t", context.query),
        units=len(people.units),
        dealt_out=told_dealt_out(context, people),
        respondents=found.n,
        left_out=int((answers > 0).sum() - complete.sum()),
        rate=number(found.estimate),
        low=number(found.low),
        high=number(found.high),
        standard_error=number(found.standard_error),
        kish_effect=number(found.kish_effect),
        unweighted=Rate(
            rate=number(rates.ratio.estimate[0]),
            low=number(rates.low[0]),
            high=number(rates.high[0]),
        ),
    )  # fmt: skip


def _margin_key(text: str) -> tuple[str, tuple[tuple[float, float, float], ...]]:
    """A margin however its classes are ordered and written."""
    item, classes = _margin(text)
    return item, tuple(classes)


def _margin(text: str) -> tuple[str, list[tuple[float, float, float]]]:
    """``sex:1=4800,2=5200`` or ``age:0-39=4000,40-120=6000``: an item, its classes and sizes."""
    item, _, sizes = text.partition(":")
    classes = []
    try:
        for pair in sizes.split(","):
            option, size = pair.split("=")
            low, dash, high = option.partition("-")
            classes.append((float(low), float(high if dash else low), float(size)))
    except ValueError:
        raise MarginInvalid(field="margin", reason=text) from None
    classes.sort()
    apart = all(a[1] < b[0] for a, b in pairwise(classes))
    fine = all(low <= high and 0 <= size < 1e12 for low, high, size in classes)
    if not item or not fine or not apart or sum(size for _, _, size in classes) <= 0:
        raise MarginInvalid(field="margin", reason=text)
    return item, classes
