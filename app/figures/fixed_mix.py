"""Changes with the mix of units and channels held fixed: whether anybody's own rate changed.

The pooled rate of a province moves where one commune comes to send more answers than another, and
that of a commune where more people answer at the kiosk. Neither is a change of anybody's work. The
strata are the units below, each with its channels. Those that the caller may not see stand
together as the rest of their unit, or of the whole: it follows from what is shown, and so nothing
else does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analysis import clustered
from analysis.standardisation import StandardisedChange, Strata, standardised_change
from app.figures.change_results import FixedMix, PartAlone
from app.figures.context import Context, number, numbers
from app.figures.lattice import TooFine
from app.figures.query import Expand, Interval, Key
from app.figures.rate_arrays import PARTS, Floats, Rates
from app.figures.results import unit_result
from app.figures.session_cache import per_session
from app.figures.summing import TooManyRows
from app.registry.queries import UnitNode

#: A unit and a channel of it; without one, the unit's channels that are too small to be shown;
#: without a unit, all that are.
Part = tuple[UnitNode | None, str | None]
#: The rows of ``_OfUnit.values`` that are answers.
_ANSWERS = 1


@dataclass(frozen=True)
class _Side:
    """One period: the rows of units, by channel, and the units' own totals."""

    place: dict[tuple[int, str | None], int]
    rates: Rates
    total_place: dict[int, int]
    totals: Rates


@dataclass(frozen=True)
class _OfUnit:
    """A unit's own strata in both periods, as far as they are shown."""

    parts: list[Part]
    #: Shape (2, 6, parts): the sums of a clustered ratio.
    sums: Floats
    #: Shape (2, 4, parts): satisfied answers, answers, effective answers, people.
    values: Floats
    #: How many strata it has in truth, and whether all its answers are in those that are shown.
    strata: int
    complete: bool


def fixed_mix(
    context: Context, now: Rates, other: Rates, first: date | None, last: date | None
) -> list[FixedMix | None]:
    """Of each row of ``now``, its change since ``other`` with the mix held fixed.

    Rows are by unit, or one over all units; ``other`` is of the days from ``first`` to ``last``.
    None of a row that is hidden, or of a single part: its change has no mix.
    """
    own = _units_of(context, (first, last), (context.query.first, context.query.last))
    parts: list[Part] = []
    whole: list[int] = []
    values: list[Floats] = []
    several = np.zeros(len(now.unit), dtype=np.bool_)
    for row in np.flatnonzero(~now.hidden & ~other.hidden).tolist():
        found = [own[id] for id in _ids(context, now.unit[row]) if id in own]
        several[row] = sum(each.strata for each in found) > 1
        if not several[row]:
            continue
        for each in found:
            parts += each.parts
            values.append(each.values)
        whole += [row] * sum(len(each.parts) for each in found)
        if not all(each.complete for each in found):
            shown = sum((each.sums.sum(axis=-1) for each in found), np.zeros((2, len(PARTS))))
            parts.append((None, None))
            values.append(_rest((other, now), (row, row), shown)[1][..., None])
            whole.append(row)
    if not parts:
        return [None] * len(now.unit)
    table = np.concatenate(values, axis=-1)
    place = np.array(whole, dtype=np.intp)
    found_ = standardised_change(
        Strata(*table[0]), Strata(*table[1]), place, len(several),
        confidence=context.query.confidence,
    )  # fmt: skip
    return _results(found_, several, parts, place, table[:, _ANSWERS])


def _results(
    found: StandardisedChange,
    several: NDArray[np.bool_],
    parts: Sequence[Part],
    place: NDArray[np.intp],
    answers: Floats,
) -> list[FixedMix | None]:
    wholes = len(several)
    total: Floats = np.stack(
        [np.bincount(place, weights=m, minlength=wholes).astype(np.float64) for m in answers]
    )
    together = np.array([channel is None for _, channel in parts])
    rest = np.bincount(place, weights=answers.sum(axis=0) * together, minlength=wholes)
    with np.errstate(invalid="ignore"):
        unseparated = rest / total.sum(axis=0)
    figures = zip(
        *(
            numbers(array)
            for array in (
                found.estimate, found.low, found.high, found.p, found.crude, found.mix,
                found.elsewhere, found.covered_first, found.covered_second, unseparated,
            )
        ),
        found.strata.tolist(),
        _alone(parts, place, answers, total),
        several.tolist(),
        strict=True,
    )  # fmt: skip
    return [
        FixedMix(
            estimate=estimate, low=low, high=high, p=p, crude=crude, mix=mix, elsewhere=elsewhere,
            parts=strata, covered_before=covered_before, covered=covered,
            unseparated=unseparated_, one_period_only=only,
        )
        if made_of_several
        else None
        for (
            estimate, low, high, p, crude, mix, elsewhere, covered_before, covered, unseparated_,
            strata, only, made_of_several,
        ) in figures
    ]  # fmt: skip


def _units_of(
    context: Context, before: tuple[date | None, date | None], now: tuple[date | None, date | None]
) -> dict[int, _OfUnit]:
    """The strata of all units that the caller may read, by unit, once a session."""
    query = replace(
        context.query, units=(), kinds=(), expand=Expand.GIVEN, descendants=False, by=(),
        first=now[0], last=now[1], interval=Interval.SCORE,
    )  # fmt: skip
    key = ("strata", repr((query, before)), context.caller.grants, context.release_rule)

    def compute() -> dict[int, _OfUnit]:
        sides = [
            _side(replace(context, query=replace(query, first=first, last=last)))
            for first, last in (before, now)
        ]
        strata: dict[int, list[tuple[int, str | None]]] = {}
        for stratum in dict.fromkeys(stratum for side in sides for stratum in side.place):
            strata.setdefault(stratum[0], []).append(stratum)
        return {id: _of_unit(sides, id, keys) for id, keys in strata.items()}

    return per_session(context.session, key, compute)


def _side(context: Context) -> _Side:
    totals, _ = context.rates(Key.UNIT)
    try:
        rates, _ = context.rates(Key.UNIT, Key.CHANNEL)
    except (TooManyRows, TooFine):  # of ten thousands of units, or of one factor: by unit alone
        rates = totals
    rates = rates.take(np.flatnonzero(rates.hidden | (np.nan_to_num(rates.sums["m"]) > 0)))
    return _Side(
        place={
            (unit.id, channel): i
            for i, (unit, channel) in enumerate(zip(rates.unit, rates.channel, strict=True))
            if unit is not None
        },
        rates=rates,
        total_place={unit.id: i for i, unit in enumerate(totals.unit) if unit is not None},
        totals=totals,
    )


def _of_unit(sides: Sequence[_Side], id: int, strata: Sequence[tuple[int, str | None]]) -> _OfUnit:
    """A unit's strata: those shown in both periods, and the rest of it where its total is."""
    shown = [
        stratum
        for stratum in strata
        if not any(
            stratum in side.place and side.rates.hidden[side.place[stratum]] for side in sides
        )
    ]
    unit = sides[1].totals.unit[sides[1].total_place[id]]
    sums, values = np.zeros((2, len(PARTS), len(shown))), np.zeros((2, 4, len(shown)))
    for s, side in enumerate(sides):
        for k, stratum in enumerate(shown):
            if (i := side.place.get(stratum)) is not None:
                sums[s, :, k] = [side.rates.sums[name][i] for name in PARTS]
                values[s, :, k] = _values(sums[s, :, k], side.rates.ratio, i)
    parts: list[Part] = [(unit, channel) for _, channel in shown]
    complete = len(shown) == len(strata)
    places = [side.total_place[id] for side in sides]
    if not complete and not any(
        side.totals.hidden[i] for side, i in zip(sides, places, strict=True)
    ):
        totals = (sides[0].totals, sides[1].totals)
        more = _rest(totals, (places[0], places[1]), sums.sum(axis=-1))
        sums, values = (
            np.concatenate([old, new[..., None]], axis=-1)
            for old, new in zip((sums, values), more, strict=True)
        )
        parts.append((unit, None))
        complete = True
    return _OfUnit(parts, sums, values, len(strata), complete)


def _rest(
    rates: tuple[Rates, Rates], rows: tuple[int, int], shown: Floats
) -> tuple[Floats, Floats]:
    """What rows of both periods have besides what is shown, shape (2, 6): its sums and values."""
    sums = np.zeros((2, len(PARTS)))
    values = np.zeros((2, 4))
    for s, (each, row) in enumerate(zip(rates, rows, strict=True)):
        whole = np.array([each.sums[name][row] for name in PARTS])
        sums[s] = np.maximum(np.nan_to_num(whole) - shown[s], 0.0)
        ratio = clustered.ratio(*sums[s, :, None], correlation=each.correlation[row])
        values[s] = _values(sums[s], ratio, 0)
    return sums, values


def _values(sums: Floats, ratio: clustered.RatioEstimate, i: int) -> Floats:
    """Satisfied answers, answers, effective answers and people."""
    found = np.array([sums[0], sums[1], ratio.interval_n[i], ratio.people[i]], dtype=np.float64)
    values: Floats = np.nan_to_num(found)
    return values


def _ids(context: Context, unit: UnitNode | None) -> list[int]:
    """The ids of the units whose answers a row has."""
    query, tree = context.query, context.units
    if unit is not None:
        tops = [unit.id]
    else:
        tops = [context.find(code).id for code in query.units] or list(tree.nodes)
        tops = [id for id in tops if not query.kinds or tree.nodes[id].kind in query.kinds]
    if not query.descendants:
        return tops
    return list(dict.fromkeys(below for id in tops for below in tree.below(id)))


def _alone(
    parts: Sequence[Part], place: NDArray[np.intp], answers: Floats, total: Floats
) -> list[list[PartAlone]]:
    """Of each whole the parts that answered in one period alone, the largest share first."""
    found: list[list[PartAlone]] = [[] for _ in range(total.shape[1])]
    for i in np.flatnonzero((answers > 0).sum(axis=0) == 1).tolist():
        unit, channel = parts[i]
        before, now = answers[:, i] / np.maximum(total[:, place[i]], 1.0)
        found[place[i]].append(
            PartAlone(
                unit=unit_result(unit) if unit else None,
                channel=channel,
                share_before=number(before),
                share=number(now),
            )
        )
    return [
        sorted(each, key=lambda part: -max(part.share_before or 0.0, part.share or 0.0))
        for each in found
    ]
