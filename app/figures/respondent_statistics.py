"""What lies behind the rates: reliability, case-mix, weights to known margins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import casemix, ranks, reliability, weighting
from app.figures import microdata as respondents
from app.figures import visible
from app.figures.comparisons import SEED
from app.figures.context import Context, TooFewUnits, columns, number, unit_out
from app.figures.microdata import NotANumber, Respondents
from app.figures.query import Key
from app.figures.rate_arrays import Floats
from app.figures.results import Provenance
from app.problems import Problem
from app.registry.queries import UnitNode

#: With fewer, shares and alphas are noise, whoever asks.
LEAST_RESPONDENTS = 30


class TooFewRespondents(Problem):
    """Too few complete respondents for a statistic that looks at each of them."""

    code, status = "too-few-respondents", 422


class MarginInvalid(Problem):
    """A margin is not item:option=people,… (an option, or a range of them), or cannot be met."""

    code, status = "margin-invalid", 422


@dataclass(frozen=True)
class People:
    """The respondents whom a question is about."""

    people: Respondents
    units: dict[int, UnitNode]
    unit_of: NDArray[np.int64]
    #: Units whose sums the caller may not see.
    hidden: frozenset[int]


def people_of(context: Context, answer: Provenance) -> People:
    """The respondents of the newest version that has some, about the units asked for."""
    query = context.query
    rates, _ = context.rates(Key.UNIT)
    tops = [unit for unit in rates.unit if unit is not None]
    # A respondent belongs to the lowest of the units asked for that they are about.
    belongs: dict[int, int] = {}
    for top in tops:
        for id in context.units.below(top.id) if query.descendants else [top.id]:
            if id not in belongs or belongs[id] in context.above(top):
                belongs[id] = top.id
    for version in sorted(
        (
            each
            for each in visible.published(context.session)
            if each.form.code == query.questionnaire
        ),
        key=lambda each: -each.form.version,
    ):
        found = respondents.read(
            context.session,
            version,
            first=answer.first,
            last=answer.last,
            units=set(belongs),
            channels=query.channels,
            held=context.held,
        )
        if len(found):
            unit_of = np.array([belongs[id] for id in found.unit_id.tolist()], dtype=np.int64)
            hidden = {u.id for u, gone in zip(rates.unit, rates.hidden, strict=True) if u and gone}
            return People(found, {unit.id: unit for unit in tops}, unit_of, frozenset(hidden))
    raise TooFewRespondents(respondents=0, needed=LEAST_RESPONDENTS)


def check_enough(context: Context, people: People, n: int) -> None:
    """Refuse where too few are left, by the statistic or by the caller's rights."""
    least = LEAST_RESPONDENTS
    if not context.gate.everywhere:
        least = max(least, context.gate.least)
    if n < least:
        raise TooFewRespondents(respondents=n if context.gate.everywhere else None, needed=least)


def scores_of(people: Respondents) -> tuple[list[str], Floats]:
    """Mean level of each index factor, shape (respondents, factors)."""
    codes, scores = [], []
    for factor in people.version.form.index_factors:
        levels = people.rated(factor)
        if levels.shape[1]:
            codes.append(factor.code)
            answered = np.isfinite(levels).sum(axis=1)
            with np.errstate(invalid="ignore"):
                scores.append(np.nansum(levels, axis=1) / np.where(answered > 0, answered, np.nan))
    return codes, np.stack(scores, axis=1)


def find_reliability(context: Context) -> dict[str, Any]:
    """Cronbach's alpha of every factor and of the whole index."""
    _, answer = context.rates()
    people = people_of(context, answer)
    form = people.people.version.form
    levels = {factor.code: people.people.rated(factor) for factor in form.index_factors}
    whole = np.concatenate(list(levels.values()), axis=1)
    items = {f.code: [item.code for item in form.index_items(f)] for f in form.index_factors}
    rows = []
    for code, answers in ((None, whole), *levels.items()):
        if answers.shape[1] < 2:
            continue
        found = reliability.cronbach_alpha(answers, confidence=context.query.confidence)
        names = items[code] if code else [name for each in items.values() for name in each]
        enough = found.n >= max(LEAST_RESPONDENTS, 0 if context.gate.everywhere else context.least)
        rows.append(
            {
                "factor": code,
                "alpha": number(found.alpha) if enough else None,
                "low": number(found.low) if enough else None,
                "high": number(found.high) if enough else None,
                "complete_respondents": found.n if enough else None,
                "items": [
                    {"item": name, **row}
                    for name, row in zip(
                        names,
                        columns(
                            {
                                "alpha_if_deleted": found.alpha_if_deleted,
                                "item_rest_correlation": found.item_rest_correlation,
                            }
                        ),
                        strict=True,
                    )
                ]
                if enough
                else [],
            }
        )
    check_enough(context, people, len(people.people))
    return dict(answer) | {
        "method": "Cronbach's alpha of complete respondents, interval of Feldt (1965)",
        "units": len(people.units),
        "respondents": len(people.people),
        "rows": rows,
    }


def find_casemix(context: Context, *, adjusters: Sequence[str]) -> dict[str, Any]:
    """Mean scores of units as if all had the same respondents, and what that does to ranks."""
    _, answer = context.rates()
    people = people_of(context, answer)
    table, names = _adjusters(people.people, adjusters)
    _, scores = scores_of(people.people)
    with np.errstate(invalid="ignore"):
        outcome = np.nanmean(np.where(np.isfinite(scores), scores, np.nan), axis=1)
    complete = np.isfinite(outcome) & np.isfinite(table).all(axis=1)
    ids, place = np.unique(people.unit_of[complete], return_inverse=True)
    sizes = np.bincount(place, minlength=len(ids))
    gate = context.gate
    shown = np.array(
        [
            int(i) not in people.hidden and gate.shows(people.units[int(i)], n)
            for i, n in zip(ids, sizes, strict=True)
        ],
        dtype=bool,
    )
    check_enough(context, people, int(sizes[shown].sum()) if len(ids) else 0)
    if shown.sum() < 2:
        raise TooFewUnits(units=int(shown.sum()), needed=2)
    kept = shown[place]
    _, place = np.unique(place[kept], return_inverse=True)
    try:
        found = casemix.adjust(outcome[complete][kept], place, table[complete][kept])
    except ValueError as error:
        raise NotANumber(field="adjust", item=", ".join(adjusters)) from error
    units = [people.units[int(i)] for i in ids[shown]]
    single, adjusted = (
        ranks.confidence_sets(
            value, found.standard_error, confidence=context.query.confidence, seed=SEED
        )
        for value in (found.raw, found.adjusted)
    )
    rows = columns(
        {
            "raw": found.raw,
            "adjusted": found.adjusted,
            "difference": found.difference,
            "standard_error": found.standard_error,
            "respondents": found.n,
            "rank_raw": single.rank,
            "rank_adjusted": adjusted.rank,
            "rank_adjusted_low": adjusted.low,
            "rank_adjusted_high": adjusted.high,
        }
    )
    return dict(answer) | {
        "method": "linear regression with unit effects, adjusters centred (CAHPS)",
        "units": len(units),
        "respondents": int(found.n.sum()),
        "adjusters": [
            {"adjuster": name, "coefficient": number(value)}
            for name, value in zip(names, found.coefficient, strict=True)
        ],
        "f": number(found.f),
        "degrees_of_freedom": list(found.degrees_of_freedom),
        "p": number(found.p),
        "rows": [{"unit": unit_out(unit), **row} for unit, row in zip(units, rows, strict=True)],
    }


def _adjusters(people: Respondents, codes: Sequence[str]) -> tuple[Floats, list[str]]:
    """Numbers as they are, options as dummies without the most frequent one."""
    parts, names = [], []
    for code in codes:
        values = people.number(code)
        if not people.is_category(code):
            parts.append(values)
            names.append(code)
            continue
        options, sizes = np.unique(values[np.isfinite(values)], return_counts=True)
        for option in np.delete(options, sizes.argmax()) if len(options) else []:
            parts.append(np.where(np.isfinite(values), (values == option).astype(float), np.nan))
            names.append(f"{code}={int(option)}")
    if not parts:
        return np.empty((len(people), 0)), names
    return np.stack(parts, axis=1), names


def find_weighted(context: Context, *, margins: Sequence[str]) -> dict[str, Any]:
    """The rate, weighted so that respondents have the known margins of those who were served."""
    rates, answer = context.rates()
    people = people_of(context, answer)
    known = [_margin(text) for text in margins]
    table = people.people
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
        # By two sets of sizes the rate of each class can be solved for.
        for code, size in zip(codes, sizes, strict=True):
            in_class = np.bincount(code[complete], minlength=len(size))
            if ((in_class > 0) & (in_class < context.least)).any():
                raise TooFewRespondents(respondents=None, needed=context.least)
    arguments: Any = {
        "denominator": answers[complete],
        "confidence": context.query.confidence,
        "scale": "logit",
    }
    try:
        if len(known) == 1:
            found = weighting.poststratify(
                good[complete], codes[0][complete], sizes[0], **arguments
            )
        else:
            found = weighting.rake(
                good[complete], [code[complete] for code in codes], sizes, **arguments
            )
    except ValueError as error:
        raise MarginInvalid(field="margin", reason=str(error)) from error
    return dict(answer) | {
        "method": ("post-stratification" if len(known) == 1 else "raking")
        + ", linearised variance of residuals, logit, t",
        "units": len(people.units),
        "respondents": found.n,
        "left_out": int((answers > 0).sum() - complete.sum()),
        "rate": number(found.estimate),
        "low": number(found.low),
        "high": number(found.high),
        "standard_error": number(found.standard_error),
        "kish_effect": number(found.kish_effect),
        "unweighted": {
            "rate": number(float(rates.ratio.estimate[0])),
            "low": number(float(rates.low[0])),
            "high": number(float(rates.high[0])),
        },
    }


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
