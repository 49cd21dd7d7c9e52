"""A unit over time with the mix of channels held fixed: whoever answers by QR code differs."""

from __future__ import annotations

import numpy as np

from analysis.standardisation import Strata, standardised_rate
from app.figures.change_results import ChannelMix, ChannelShare
from app.figures.context import Context, number, numbers
from app.figures.periods import Step
from app.figures.query import Key
from app.figures.rate_arrays import Rates
from app.figures.trend_results import FixedChannels, Trend

#: By how much a channel's share must have moved before a page speaks of it.
NOTABLE = 0.10


def with_fixed_channels(context: Context, found: Trend, step: Step) -> Trend:
    """A trend with each period's rate as it were with the channels that the unit has over all.

    Channels of a period that are too small to be shown are left out of it; ``covered`` says so.
    """
    together = any(row.unit is None for row in found.rows)
    rows = fixed_channels(context, step, together=together)
    new = []
    for row in found.rows:
        by_period = rows.get(row.unit.code if row.unit else None, {})
        points = [
            point.model_copy(update={"fixed_channels": by_period.get(point.period)})
            for point in row.points
        ]
        new.append(row.model_copy(update={"points": points}))
    method = (
        f"{found.method}; beside it with the mix of channels held fixed: standardised directly to "
        "the channels' shares over all periods asked for"
    )
    return found.model_copy(update={"rows": new, "method": method})


def fixed_channels(
    context: Context, step: Step, *, together: bool = False
) -> dict[str | None, dict[str, FixedChannels]]:
    """By unit and period the rate with the unit's mix of channels over all periods."""
    by = () if together else (Key.UNIT,)
    over_all, _ = context.rates(*by, Key.CHANNEL)
    by_period, _ = context.rates(*by, Key.CHANNEL, Key(step.value))
    weight = {_key(over_all, i): float(m) for i, m in enumerate(np.nan_to_num(over_all.sums["m"]))}
    channels = sorted({channel for _, channel in weight}, key=str)
    labels = [str(label) for label in dict.fromkeys(by_period.period)]
    units = list(dict.fromkeys(unit for unit, _ in weight))
    place = {(*_key(by_period, i), by_period.period[i]): i for i in range(len(by_period.unit))}
    found: dict[str | None, dict[str, FixedChannels]] = {}
    for unit in units:
        mix = [weight.get((unit, channel), 0.0) for channel in channels]
        if not labels or not sum(mix) > 0:
            continue
        at = np.array([[place[unit, channel, label] for channel in channels] for label in labels])
        rates = standardised_rate(
            Strata(
                np.nan_to_num(by_period.sums["a"])[at],
                np.nan_to_num(by_period.sums["m"])[at],
                np.nan_to_num(by_period.ratio.interval_n)[at],
                np.nan_to_num(by_period.ratio.people)[at],
            ),
            mix,
            confidence=context.query.confidence,
        )
        figures = zip(
            labels, *map(numbers, (rates.rate, rates.low, rates.high, rates.covered)), strict=True
        )
        found[unit] = {
            label: FixedChannels(rate=rate, low=low, high=high, covered=covered)
            for label, rate, low, high, covered in figures
        }
    return found


def _key(rates: Rates, i: int) -> tuple[str | None, str | None]:
    unit = rates.unit[i]
    return (unit.code if unit else None), rates.channel[i]


def channel_mix(before: Rates, now: Rates) -> ChannelMix:
    """The channels' shares of the answers of two periods, as far as they are shown."""
    shares = []
    sides = [
        {
            channel: float(m)
            for channel, m in zip(side.channel, np.nan_to_num(side.sums["m"]), strict=True)
        }
        for side in (before, now)
    ]
    totals = [sum(side.values()) for side in sides]
    for channel in sorted({str(channel) for side in sides for channel in side}):
        first, second = (
            side.get(channel, 0.0) / total if total else float("nan")
            for side, total in zip(sides, totals, strict=True)
        )
        shares.append(
            ChannelShare(channel=channel, share_before=number(first), share=number(second))
        )
    moves = [
        abs(each.share - each.share_before)
        for each in shares
        if each.share is not None and each.share_before is not None
    ]
    largest = max(moves, default=None)
    # What is a tenth by counting shall not fail by a rounding.
    moved = largest is not None and largest > NOTABLE + 1e-12
    return ChannelMix(largest_move=largest, moved=moved, shares=shares)
