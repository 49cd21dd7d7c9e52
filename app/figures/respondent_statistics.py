"""What lies behind the rates: reliability, and case-mix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis import casemix, casemix_limits, ranks, reliability
from app.figures.comparisons import SEED
from app.figures.context import Context, TooFewUnits, named, number, numbers
from app.figures.microdata import NotANumber, Respondents
from app.figures.people import (
    LEAST_RESPONDENTS,
    check_enough,
    check_shown,
    few_left_out,
    people_of,
    scores_of,
    told_dealt_out,
)
from app.figures.query import Key
from app.figures.rate_arrays import Floats, Rates
from app.figures.results import unit_result
from app.figures.statistic_results import (
    Adjuster,
    Casemix,
    CasemixRow,
    ReliabilityItem,
    ReliabilityResult,
    ReliabilityRow,
)
from surveys.model import NumberItem, PercentItem, SingleChoiceItem, ZeroToTenItem

#: What is adjusted: mean levels, or shares of satisfied answers.
Outcome = Literal["score", "rate"]
#: The adjuster that is no item: by which channel people answered, as HCAHPS adjusts for mode.
CHANNEL = "channel"


def find_reliability(context: Context) -> ReliabilityResult:
    """Cronbach's alpha of every factor and of the whole index."""
    _, provenance = context.rates(Key.UNIT)
    people = people_of(context, provenance)
    form = people.respondents.version.form
    levels = {factor.code: people.respondents.rated(factor) for factor in form.index_factors}
    whole = np.concatenate(list(levels.values()), axis=1)
    items = {f.code: [item.code for item in form.index_items(f)] for f in form.index_factors}
    least = max(LEAST_RESPONDENTS, 0 if context.gate.everywhere else context.least)
    rows = []
    for code, answers in ((None, whole), *levels.items()):
        if answers.shape[1] < 2:
            continue
        found = reliability.cronbach_alpha(answers, confidence=context.query.confidence)
        if found.n < least:
            rows.append(
                ReliabilityRow(
                    factor=code,
                    alpha=None,
                    low=None,
                    high=None,
                    complete_respondents=None,
                    items=[],
                )
            )
            continue
        figures = zip(
            items[code] if code else [name for each in items.values() for name in each],
            numbers(found.alpha_if_deleted),
            numbers(found.item_rest_correlation),
            strict=True,
        )
        rows.append(
            ReliabilityRow(
                factor=code,
                alpha=number(found.alpha),
                low=number(found.low),
                high=number(found.high),
                complete_respondents=None if few_left_out(context, people, found.n) else found.n,
                items=[
                    ReliabilityItem(item=item, alpha_if_deleted=without, item_rest_correlation=rest)
                    for item, without, rest in figures
                ],
            )
        )
    check_shown(context, people)
    check_enough(context, people, len(people.respondents))
    return ReliabilityResult(
        **dict(provenance),
        method=named(
            "Cronbach's alpha of complete respondents, interval of Feldt (1965)", context.query
        ),
        units=len(people.units),
        dealt_out=told_dealt_out(context, people),
        respondents=len(people.respondents),
        rows=rows,
    )


def find_casemix(
    context: Context, *, adjusters: Sequence[str], outcome: Outcome = "score"
) -> Casemix:
    """Scores or rates of units as if all had the same respondents, and what that does to ranks."""
    rates, provenance = context.rates(Key.UNIT)
    people = people_of(context, provenance)
    table, names = _adjusters(people.respondents, adjusters)
    values = (_shares if outcome == "rate" else _means)(people.respondents)
    complete = np.isfinite(values) & np.isfinite(table).all(axis=1)
    if not context.gate.everywhere:
        complete &= _answered_all(people.respondents)
        complete &= ~np.isin(people.unit_of, _unadjustable(context, rates, adjusters))
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
    chosen, names = _separable(table[complete][kept], place, names)
    try:
        found = casemix.adjust(values[complete][kept], place, chosen)
    except ValueError as error:
        raise NotANumber(field="adjust", item=", ".join(adjusters)) from error
    units = [people.units[int(i)] for i in ids[shown]]
    single, adjusted = (
        ranks.confidence_sets(
            value, found.standard_error, confidence=context.query.confidence, seed=SEED
        )
        for value in (found.raw, found.adjusted)
    )
    # Strangers are told of everybody what is not adjusted: complete people are other people than
    # those of any figure beside it, and by the difference a few of them.
    row_of = {unit.id: i for i, unit in enumerate(rates.unit) if unit is not None}
    place_of = np.array([row_of[unit.id] for unit in units], dtype=np.intp)
    crude = rates.ratio.estimate if outcome == "rate" else rates.mean.estimate
    guarded = [not gate.everywhere and unit.id not in gate.exempt for unit in units]
    raw = np.where(guarded, crude[place_of], found.raw)
    people_told = np.where(guarded, rates.sums["n"][place_of], found.n)
    if not names and any(guarded):
        raise NotANumber(field="adjust", item=", ".join(adjusters))
    # By how much complete people differ is told to nobody who may not see few of them.
    by_one, by_own = (
        casemix_limits.limits(
            values[complete][kept], place, chosen, found,
            confidence=context.query.confidence, own=own,
        )
        for own in (False, True)
    )  # fmt: skip
    low, high = np.where(guarded, by_one, by_own)
    # A rate stays on its scale, though the regression knows none.
    most = 1.0 if outcome == "rate" else np.inf
    figures = zip(
        units,
        numbers(raw),
        numbers(np.clip(found.adjusted, 0.0, most)),
        numbers(np.clip(low, 0.0, most)),
        numbers(np.clip(high, 0.0, most)),
        numbers(found.adjusted - raw),
        numbers(found.standard_error),
        people_told.tolist(),
        single.rank.tolist(),
        adjusted.rank.tolist(),
        adjusted.low.tolist(),
        adjusted.high.tolist(),
        guarded,
        strict=True,
    )
    return Casemix(
        **dict(provenance),
        method=named(
            "linear regression with unit effects, adjusters centred (CAHPS); limits the wider of "
            "one variance for all and the unit's own (White, t with n - 1); the channel is "
            "adjusted for as HCAHPS does for the survey's mode",
            context.query,
        ),
        units=len(units),
        dealt_out=told_dealt_out(context, people),
        respondents=int(people_told.sum()),
        outcome=outcome,
        left_out=len(values) - int(found.n.sum()) if gate.everywhere else None,
        adjusters=[
            Adjuster(adjuster=name, coefficient=number(value))
            for name, value in zip(names, found.coefficient.tolist(), strict=True)
        ],
        f=number(found.f),
        degrees_of_freedom=list(found.degrees_of_freedom),
        p=number(found.p),
        rows=[
            CasemixRow(
                unit=unit_result(unit),
                raw=raw,
                adjusted=mean,
                low=low,
                high=high,
                difference=difference,
                standard_error=error,
                respondents=int(n),
                rank_raw=None if guard else rank_raw,
                rank_adjusted=rank,
                rank_adjusted_low=rank_low,
                rank_adjusted_high=rank_high,
            )
            for (
                unit,
                raw,
                mean,
                low,
                high,
                difference,
                error,
                n,
                rank_raw,
                rank,
                rank_low,
                rank_high,
                guard,
            ) in figures
        ],
    )


def _unadjustable(context: Context, rates: Rates, adjusters: Sequence[str]) -> list[int]:
    """Units of whose respondents strangers are told nothing adjusted.

    Of a unit above others that are asked about these others are no part, and what is left are
    other people than those of any figure. What a hidden channel's few said follows from what
    channels have to do with answers.
    """
    units = [unit for unit in rates.unit if unit is not None]
    found: set[int] = set()
    if context.query.descendants:
        lowest = context.lowest(units)
        found |= {unit.id for unit, is_lowest in zip(units, lowest, strict=True) if not is_lowest}
    if CHANNEL in adjusters:
        by_channel, _ = context.rates(Key.UNIT, Key.CHANNEL)
        gone = zip(by_channel.unit, by_channel.hidden.tolist(), strict=True)
        found |= {unit.id for unit, hidden in gone if unit is not None and hidden}
    return sorted(found - context.gate.exempt)


def _answered_all(people: Respondents) -> NDArray[np.bool_]:
    """Who answered every item that everybody is asked and that could be an adjuster."""
    complete = np.ones(len(people), dtype=np.bool_)
    for item in people.version.form.more:
        could = isinstance(item, SingleChoiceItem | NumberItem | PercentItem | ZeroToTenItem)
        if could and item.shown_if is None:
            complete &= np.isfinite(people.number(item.code))
    return complete


def _means(people: Respondents) -> Floats:
    """Each respondent's mean level, over factors; NaN where there is none."""
    _, scores = scores_of(people)
    return _mean(scores)


def _shares(people: Respondents) -> Floats:
    """Each respondent's share of satisfied answers; NaN where there is none."""
    form = people.version.form
    satisfied = []
    for factor in form.index_factors:
        for item in form.index_items(factor):
            levels = people.number(item.code)
            good = np.isin(levels, form.scales[item.scale].satisfied)
            satisfied.append(np.where(np.isfinite(levels), good, np.nan))
    return _mean(np.stack(satisfied, axis=1))


def _mean(values: Floats) -> Floats:
    there = np.isfinite(values)
    n = there.sum(axis=1)
    found: Floats = np.where(n > 0, np.nansum(values, axis=1) / np.maximum(n, 1), np.nan)
    return found


def _separable(table: Floats, unit: NDArray[np.intp], names: list[str]) -> tuple[Floats, list[str]]:
    """Adjusters without the channels that cannot be told from units, as one unit's only channel.

    Nothing is adjusted for these; whoever names an item that cannot be told apart is refused.
    """
    size = np.maximum(np.bincount(unit), 1.0)
    within = np.empty_like(table)
    for j, values in enumerate(table.T):
        within[:, j] = values - (np.bincount(unit, weights=values) / size)[unit]
    kept: list[int] = []
    for j, name in enumerate(names):
        is_channel = name.startswith(f"{CHANNEL}=")
        if not is_channel or np.linalg.matrix_rank(within[:, [*kept, j]], tol=1e-9) > len(kept):
            kept.append(j)
    return table[:, kept], [names[j] for j in kept]


def _adjusters(people: Respondents, codes: Sequence[str]) -> tuple[Floats, list[str]]:
    """Numbers as they are, options as dummies without the most frequent one."""
    parts, names = [], []
    for code in codes:
        if code == CHANNEL:
            channels, sizes = np.unique(people.channel, return_counts=True)
            for channel in np.delete(channels, sizes.argmax()) if len(channels) else []:
                parts.append((people.channel == channel).astype(np.float64))
                names.append(f"{code}={channel}")
            continue
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
