"""Control limits of trends: by which baseline, what stands out, and what they say of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analysis import control_charts, moving_averages, xmr
from analysis.control_charts import Baseline
from analysis.runs import Runs, runs
from app.figures.context import number
from app.figures.limit_decisions import Decided
from app.figures.periods import Step, first_day, last_day
from app.figures.rate_arrays import Floats
from app.figures.trend_results import (
    Assurance,
    ControlLimits,
    LimitSegment,
    NhsRule,
    Rule,
    Variation,
)
from app.settings import Targets

Bools = NDArray[np.bool_]
Places = NDArray[np.int64]


class Rules(StrEnum):
    """Sets of rules by which a period stands out."""

    #: A period beyond its limits, and a small lasting shift.
    DEFAULT = "default"
    #: The four of Western Electric, and the EWMA.
    WESTERN_ELECTRIC = "western-electric"
    #: XmR limits and the rules of "Making Data Count".
    NHS = "nhs"


@dataclass(frozen=True)
class Judging:
    """By what trends are judged: a set of rules, or some rules alone, against which targets."""

    rules: Rules = Rules.DEFAULT
    chosen: tuple[Rule, ...] = ()
    targets: Targets | None = None

    def target(self, period: str, step: Step) -> float | None:
        """The rate aimed at when a period ended."""
        return None if self.targets is None else self.targets.on(last_day(period, step))

    @property
    def named(self) -> tuple[Rule | NhsRule, ...]:
        """The names of the rules, in the order in which they are told."""
        if self.rules is Rules.NHS:
            return tuple(map(NhsRule, xmr.NHS_RULES))
        if self.chosen:
            return tuple(rule for rule in map(Rule, control_charts.NAMED) if rule in self.chosen)
        if self.rules is Rules.WESTERN_ELECTRIC:
            return tuple(map(Rule, control_charts.NAMED))
        return tuple(map(Rule, control_charts.CHOSEN))

    def false_marks(self, periods: int) -> float:
        """How likely some rule marks something in so many ordinary periods."""
        if self.rules is Rules.NHS:
            return xmr.nhs_false_marks(periods)
        return control_charts.false_marks(periods, self.named)


@dataclass(frozen=True)
class Segment:
    """Periods from ``begin`` up to ``end`` (places), what their limits rest on, and why.

    ``start`` and ``rests_from`` are the labels of its first period and of its baseline's.
    """

    begin: int
    end: int
    first: int
    last: int | None
    start: str
    rests_from: str
    decided: Decided | None = None
    #: The day on which the unit itself changed, where they begin anew for that.
    reorganised: date | None = None

    def moved(self, by: int) -> Segment:
        """The same with places counted from a later period on."""
        last = None if self.last is None else self.last - by
        return replace(
            self, begin=max(self.begin - by, 0), end=self.end - by, first=self.first - by, last=last
        )


@dataclass(frozen=True)
class Judged:
    """One trend: arrays of shape (periods,), and its segments."""

    centre: Floats
    low: Floats
    high: Floats
    z: Floats
    between: Floats
    ewma: Floats
    ewma_limit: Floats
    rests_on: Places
    left_out: Bools
    side: Places
    screened: Places | None
    signals: dict[Rule | NhsRule, Bools]
    #: Which periods belong to the run of each rule that fired, and on which side of the centre.
    parts: dict[Rule | NhsRule, Bools]
    run_side: Places
    segments: list[Segment]
    method: str

    def variation(self, at: int) -> Variation:
        """What a period is, by itself or as part of a run."""
        return Variation(xmr.variation(int(self.side[at]) or int(self.run_side[at])))

    def cut(self, begin: int) -> Judged:
        """The trend without its first periods, which only the limits were to rest on."""
        if begin == 0:
            return self
        return Judged(
            self.centre[begin:], self.low[begin:], self.high[begin:], self.z[begin:],
            self.between[begin:], self.ewma[begin:], self.ewma_limit[begin:],
            self.rests_on[begin:], self.left_out[begin:], self.side[begin:],
            None if self.screened is None else self.screened[begin:],
            {name: at[begin:] for name, at in self.signals.items()},
            {name: at[begin:] for name, at in self.parts.items()}, self.run_side[begin:],
            [segment.moved(begin) for segment in self.segments if segment.end > begin],
            self.method,
        )  # fmt: skip


def judge(
    rate: Floats,
    effective: Floats,
    decisions: Sequence[Sequence[Decided]],
    labels: Sequence[str],
    step: Step,
    judging: Judging,
    before: int = 0,
    anew: Sequence[tuple[date, ...]] = (),
) -> list[Judged]:
    """Each row of rates (units, periods) by the decisions on it, or by what holds without any.

    ``anew`` has of each row the days on which the unit itself changed: limits begin anew, and a
    period that such a day cuts is not judged. The first ``before`` periods are there for decisions
    alone to rest on, and left out again: what nobody decided about is judged as if there were
    none, whatever holds for other rows.
    """
    n = np.where(np.isfinite(rate), effective, 0.0)
    days = list(anew) or [()] * len(rate)
    plain: dict[tuple[date, ...], list[int]] = {}
    for i, decided in enumerate(decisions):
        if not decided:
            plain.setdefault(days[i], []).append(i)
    found: dict[int, Judged] = {}
    for changed, rows in plain.items():
        usual = _rows(
            rate[rows, before:], n[rows, before:], (), labels[before:], step, judging,
            changed=changed,
        )  # fmt: skip
        found |= zip(rows, usual, strict=True)
    for i, decided in enumerate(decisions):
        if decided:
            (row,) = _rows(
                rate[[i]], n[[i]], decided, labels, step, judging, before, changed=days[i]
            )
            found[i] = row.cut(before)
    return [found[i] for i in range(len(rate))]


def _segments(
    decided: Sequence[Decided],
    labels: Sequence[str],
    step: Step,
    before: int,
    changed: Sequence[date] = (),
) -> list[Segment]:
    """The stretches of a trend, each with its baseline; those outside the periods left out.

    Where the unit itself changed one begins; the period that such a day cuts is one by itself.
    """
    days = [first_day(label, step) for label in labels]
    end = len(days)
    found = [Segment(before, end, before, None, labels[before], labels[before])]
    later: list[tuple[int, int, Decided | date]] = [
        (_begin(days, each.begins), 1, each) for each in decided
    ]
    for day in changed:
        begin = _begin(days, day)
        if begin > 0 and last_day(labels[begin - 1], step) >= day:
            later.append((begin - 1, 0, day))
        later.append((begin, 0, day))
    # What somebody decided goes before what follows from the day.
    for begin, _, each in sorted(later, key=lambda event: event[:2]):
        if isinstance(each, date):
            start = labels[min(begin, end - 1)]
            found[-1] = replace(found[-1], end=begin)
            found.append(Segment(begin, end, begin, None, start, start, reorganised=each))
            continue
        first = sum(day < each.first for day in days)
        # A baseline that is not over yet is as long as it will be; the grid begins before any.
        last = None if each.last is None else first + each.periods(step) - 1
        found[-1] = replace(found[-1], end=begin)
        start = labels[begin] if begin < end else each.first_label
        found.append(Segment(begin, end, min(first, begin), last, start, each.first_label, each))
    return [segment for segment in found if segment.begin < segment.end]


def _begin(days: Sequence[date], day: date) -> int:
    """The place of the first period that begins on a day or after it."""
    return sum(each < day for each in days)


def _rows(
    rate: Floats,
    n: Floats,
    decided: Sequence[Decided],
    labels: Sequence[str],
    step: Step,
    judging: Judging,
    before: int = 0,
    *,
    changed: Sequence[date] = (),
) -> list[Judged]:
    if not len(rate):
        return []
    segments = _segments(decided, labels, step, before, changed)
    if judging.rules is Rules.NHS:
        return _by_moving_ranges(rate, n, segments)
    # Before the first decision limits rest on all periods before the judged one, as without any.
    baselines = [Baseline(s.begin, s.first, s.last) for s in segments]
    chart = control_charts.chart(np.nan_to_num(rate) * n, n, baselines=baselines,
                                 rules=judging.named)  # fmt: skip
    average, limit = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    for segment in segments:
        here = slice(segment.begin, segment.end)
        found = moving_averages.ewma(chart.z[:, here], common=chart.common[:, here])
        known = np.isfinite(chart.z[:, here])
        average[:, here] = np.where(known, found.average, np.nan)
        limit[:, here] = np.where(known, found.limit, np.nan)
    fired = np.logical_or.reduce(list(chart.signals.values()))
    # A shift is to the side of the average, a period beyond its limits to its own.
    alone = np.abs(chart.z) > control_charts.RULES[control_charts.BEYOND][2]
    towards = np.where(alone | np.isnan(average), np.nan_to_num(chart.z), np.nan_to_num(average))
    side = np.where(fired, np.sign(towards), 0).astype(np.int64)
    parts = [_runs(chart.z[i], _of_row(chart.signals, i), side[i], average[i], segments)
             for i in range(len(n))]  # fmt: skip
    return [
        Judged(
            chart.centre[i], chart.low[i], chart.high[i], chart.z[i], chart.between[i],
            average[i], limit[i], chart.rests_on[i], chart.left_out[i], side[i], None,
            {Rule(name): at[i] for name, at in chart.signals.items()},
            {Rule(name): at for name, at in parts[i].members.items()}, parts[i].side,
            segments, chart.method,
        )
        for i in range(len(n))
    ]  # fmt: skip


def _of_row(signals: Mapping[str, Bools], row: int) -> dict[str, Bools]:
    return {name: at[row] for name, at in signals.items()}


def _runs(
    z: Floats, signals: Mapping[str, Bools], side: Places, average: Floats, segments: list[Segment]
) -> Runs:
    """The runs of one row; none goes on where limits begin anew."""
    whole = Runs(
        {name: np.zeros(len(z), dtype=bool) for name in signals}, np.zeros(len(z), dtype=np.int64)
    )
    for begin, end in [(segment.begin, segment.end) for segment in segments]:
        here = slice(begin, end)
        fired = {name: at[here] for name, at in signals.items()}
        found = runs(z[here], fired, side[here], average[here])
        whole.side[here] = found.side
        for name, there in found.members.items():
            whole.members[name][here] = there
    return whole


def _by_moving_ranges(rate: Floats, n: Floats, segments: list[Segment]) -> list[Judged]:
    values = np.where(n > 0, rate, np.nan)
    spans = [
        (s.first, s.end - 1 if s.last is None else s.last) if s.decided else (s.begin, s.end - 1)
        for s in segments
    ]
    starts = [s.begin for s in segments]
    if starts[0] > 0:
        spans.insert(0, (0, starts[0] - 1))
    found = xmr.xmr(values, starts=[start for start in starts if start > 0], baselines=spans)
    nothing = np.full(values.shape[1], np.nan)
    parts = [_runs(nothing, _of_row(found.signals, i), found.side[i], nothing, segments)
             for i in range(len(values))]  # fmt: skip
    # Moving ranges tell a standard deviation; it is not of the true rates alone.
    return [
        Judged(
            found.centre[i], np.maximum(found.low[i], 0.0), np.minimum(found.high[i], 1.0),
            nothing, nothing, nothing, nothing, found.rests_on[i],
            np.zeros(values.shape[1], dtype=bool), found.side[i], found.screened[i],
            {NhsRule(name): at[i] for name, at in found.signals.items()},
            {NhsRule(name): at for name, at in parts[i].members.items()}, parts[i].side,
            segments, found.method,
        )
        for i in range(len(values))
    ]  # fmt: skip


def described(judged: Judged, labels: Sequence[str], step: Step, judging: Judging) -> ControlLimits:
    """What limits rest on and promise, besides the points."""
    has_limits = np.flatnonzero(judged.rests_on > 0)
    current = judged.segments[-1] if judged.segments else None
    at = next((int(t) for t in has_limits[::-1] if current and t >= current.begin), None)
    shown = np.flatnonzero(np.isfinite(judged.centre))
    target = judging.target(labels[-1], step)
    return ControlLimits(
        method=judged.method,
        rules=list(judging.named),
        periods_judged=len(has_limits),
        false_marks=judging.false_marks(len(has_limits)),
        least_periods=control_charts.LEAST_BASELINE,
        between=number(judged.between[shown[-1]]) if len(shown) else None,
        variation=None if at is None else judged.variation(at),
        target=target,
        assurance=None if at is None or target is None else _assurance(judged, at, target),
        segments=[_segment(judged, segment, labels) for segment in judged.segments],
    )


def _assurance(judged: Judged, at: int, target: float) -> Assurance | None:
    found = xmr.assurance(judged.low[at], judged.high[at], target)
    return None if found is None else Assurance(found)


def _segment(judged: Judged, segment: Segment, labels: Sequence[str]) -> LimitSegment:
    here = np.arange(segment.begin, segment.end)
    with_limits = here[judged.rests_on[here] > 0]
    at = int(with_limits[-1]) if len(with_limits) else None
    begin = max(segment.first, 0)
    end = segment.end if segment.last is None else max(segment.last + 1, 0)
    left_out = np.flatnonzero(judged.left_out[begin:end]) + begin
    decided = segment.decided
    screened = None
    if judged.screened is not None:
        screened = int(judged.screened[at]) if at is not None else 0
    return LimitSegment(
        start=segment.start,
        baseline_first=segment.rests_from,
        baseline_last=decided.last_label if decided else None,
        rests_on=int(judged.rests_on[at]) if at is not None else 0,
        centre=None if at is None else number(judged.centre[at]),
        limit_low=None if at is None else number(judged.low[at]),
        limit_high=None if at is None else number(judged.high[at]),
        left_out=[labels[int(t)] for t in left_out],
        ranges_screened=screened,
        decision=decided.result() if decided else None,
        reorganised=segment.reorganised,
    )
