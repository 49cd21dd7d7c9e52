"""The chart of a trend, with all that is said of its control limits."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.limit_decisions import period_of
from app.figures.periods import Step, span
from app.figures.trend_results import (
    ControlLimits,
    EarlierDecision,
    LimitSegment,
    NotedAction,
    TrendPoint,
)
from app.messages.words import NOTHING, Words, axis_period
from app.reports import structure_sentences
from app.reports.charts import trend_spec
from app.reports.charts.chart import Chart, Datum, Table, note
from app.reports.named_values import ASSURANCES, RULES, VARIATIONS
from app.reports.views.results import Overview, TrendView, UnitView


def trend(words: Words, view: Overview | UnitView) -> Chart | None:
    """A unit over time; None where there is no course to show."""
    shown = view.trend
    if shown is None or not any(point.rate is not None for point in shown.points):
        return None
    points = shown.points
    rows, actions = drawn_points(words, shown), noted_actions(shown)
    changes = reorganised_days(words, shown)
    judged = any(point.limit_low is not None for point in points)
    method = "; ".join(
        words(f"chart.{key}") for key in ("method_rates", *(["method_trend"] if judged else []))
    )
    period = f"{words.period(points[0].period)} – {words.period(points[-1].period)}"
    return Chart(
        "trend",
        words("chart.trend_title"),
        words("chart.trend_summary", unit=words.unit(shown.unit), count=len(points)),
        lambda paper: trend_spec.trend(words, rows, actions=actions, changes=changes, paper=paper),
        Table(
            [words(f"chart.{key}") for key in
             ("period", "rate", "interval", "respondents", "centre", "limits", "signals")],
            [
                [
                    words.period(point.period),
                    words.percent(point.rate),
                    words.limits(point),
                    words.people(point.respondents),
                    words.percent(point.centre),
                    words.between(point.limit_low, point.limit_high),
                    signals(words, point) or NOTHING,
                ]
                for point in points
            ],
        ),
        [_in_its_days(point.model_dump(mode="json")) for point in points],
        note(words, period, sum(point.respondents or 0 for point in points), method),
        about=[
            *(structure_sentences.reorganised(words, each) for each in shown.reorganised),
            *limits(words, shown.limits),
            *(_decided_before(words, each) for each in shown.earlier_decisions),
        ],
        numbered=[_noted(words, each) for each in shown.action_notes],
        interactive=True,
    )  # fmt: skip


def _noted(words: Words, note: NotedAction) -> str:
    """What was done, when and as noted by whom; of what became the unit with its name."""
    day, text, name = words.day(note.day), note.text, note.recorded_by
    if note.of is None:
        return words("chart.noted", day=day, text=text, name=name)
    return words("chart.noted_of", day=day, text=text, name=name, unit=words.name(note.of))


def _decided_before(words: Words, decision: EarlierDecision) -> str:
    """What was decided about a unit that became this one."""
    assert decision.of is not None
    return words(
        "chart.limits_decided_before", unit=words.name(decision.of), name=decision.decided_by,
        period=words.period(decision.start), day=words.day(decision.decided_at.date()),
        reason=decision.reason,
    )  # fmt: skip


def _in_its_days(row: Datum) -> Datum:
    """A point of a trend with the days of its own period, for CSV."""
    shown = span(str(row["period"]))
    days: Datum = {"first": shown.first.isoformat(), "last": shown.last.isoformat()}
    return {"period": row["period"], **days, **row}


def drawn_points(words: Words, shown: TrendView) -> list[Datum]:
    """The points as the specification wants them, with the words that a pointer is told."""
    segments = [segment.start for segment in shown.limits.segments]
    places = [point.period for point in shown.points]
    rows: list[Datum] = []
    for place, (point, run) in enumerate(zip(shown.points, _runs(shown.points), strict=True)):
        begun = [start for start in segments if start in places and places.index(start) <= place]
        rows.append(
            {
                **point.model_dump(mode="json"),
                "label": axis_period(point.period),
                "run": run,
                "segment": begun[-1] if begun else None,
                "period_told": words.period(point.period),
                "rate_told": words.percent(point.rate),
                "interval_told": words.limits(point),
                "respondents_told": words.people(point.respondents),
                "centre_told": words.percent(point.centre),
                "limits_told": words.between(point.limit_low, point.limit_high),
                "target_told": words.percent(point.target),
                "kind": words(trend_spec.LOOKS[point.variation][0]),
                "signals_told": signals(words, point) or words("chart.no_signal"),
            }
        )
    return rows


def noted_actions(shown: TrendView) -> list[Datum]:
    """The periods in which something was noted, each with the numbers of its notes."""
    numbers: dict[str, list[str]] = {}
    for place, each in enumerate(shown.action_notes, start=1):
        period = period_of(each.day, Step(shown.step))
        numbers.setdefault(axis_period(period), []).append(str(place))
    return [{"label": label, "numbers": ", ".join(found)} for label, found in numbers.items()]


def reorganised_days(words: Words, shown: TrendView) -> list[Datum]:
    """The periods from which on the unit itself was another one, with what a picture says."""
    places = [point.period for point in shown.points]
    found: list[Datum] = []
    for mark in shown.reorganised:
        period = period_of(mark.day, Step(shown.step))
        if period in places:
            found.append(
                {
                    "label": axis_period(period),
                    "day": words.day(mark.day),
                    "told": structure_sentences.in_picture(words, mark),
                    # Where it is, from 0 to 1: what is said stands where there is room for it.
                    "at": (places.index(period) + 0.5) / len(places),
                }
            )
    return found


def _runs(points: Sequence[TrendPoint]) -> list[int | None]:
    """Which run each point is drawn in: neighbours to one side that rules rested on."""
    found: list[int | None] = []
    last = None
    for place, point in enumerate(points):
        if point.rate is None:  # it breaks no run
            found.append(None)
            continue
        if not point.part_of:
            found.append(None)
        elif (
            last is not None
            and found[last] is not None
            and (points[last].variation is point.variation)
        ):
            found.append(found[last])
        else:
            found.append(place)
        last = place
    return found


def signals(words: Words, point: TrendPoint) -> str:
    """Which rules marked a point, and of which runs it is a part without being marked."""
    parts = [rule for rule in point.part_of if rule not in point.signals]
    return "; ".join(
        [
            *(signal(words, rule) for rule in point.signals),
            *(words("chart.part_of", rule=signal(words, rule)) for rule in parts),
        ]
    )


def limits(words: Words, found: ControlLimits) -> list[str]:
    """What control limits rest on, how often they err, and what they say of the target."""
    said = []
    if found.variation:
        said.append(words(VARIATIONS[found.variation]))
    if found.assurance:
        key = ASSURANCES[found.assurance]
        said.append(words(key, target=words.percent(found.target, 0)))
    segments = found.segments
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
        day = segment.reorganised
        if day is not None and following is not None and following.reorganised == day:
            continue  # the period that the day cuts, which is not judged
        if day is not None:
            said.append(words("chart.limits_reorganised", day=words.day(day)))
        said.append(_resting(words, segment, following, found.least_periods))
        decision = segment.decision
        if decision:
            said.append(
                words(
                    "chart.limits_decided", name=decision.decided_by,
                    day=words.day(decision.decided_at.date()), reason=decision.reason,
                )
            )  # fmt: skip
        if segment.left_out:
            periods = ", ".join(words.period(each) for each in segment.left_out)
            said.append(words("chart.limits_left_out", periods=periods))
    if found.periods_judged:
        share = words.percent(found.false_marks)
        said.append(words("chart.limits_false", count=found.periods_judged, share=share))
    return said


def _resting(
    words: Words, segment: LimitSegment, following: LimitSegment | None, least: int
) -> str:
    """What a segment's limits rest on; the first is told by its end, as nothing began it."""
    start, first = words.period(segment.start), words.period(segment.baseline_first)
    count = segment.rests_on
    end = words.period(following.start) if following else None
    anew = segment.decision is not None or segment.reorganised is not None
    if not count and (anew or end is None):
        key = "chart.limits_none" if anew else "chart.limits_none_yet"
        return words(key, start=start, least=least)
    if not count:
        return words("chart.limits_none_before", end=end, least=least)
    if segment.baseline_last:
        last = words.period(segment.baseline_last)
        return words("chart.limits_frozen", start=start, first=first, last=last, count=count)
    if anew:
        return words("chart.limits_anew", start=start, first=first, count=count, least=least)
    if end is not None:
        return words("chart.limits_before", end=end, least=least)
    return words("chart.limits_running", count=count, least=least)


def signal(words: Words, name: str) -> str:
    """The name of a rule that fired."""
    return words(RULES[name])
