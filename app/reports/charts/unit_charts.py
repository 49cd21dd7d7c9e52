"""The charts of one unit: each from a view, in one language."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from app.figures.periods import span
from app.figures.results import Result
from app.figures.trend_results import ControlLimits, LimitSegment
from app.messages.words import NOTHING, Words
from app.reports.charts import specs
from app.reports.charts.chart import Chart, Datum, Table, note
from app.reports.named_values import ASSURANCES, QUADRANTS, RULES, VARIATIONS
from app.reports.views.form_results import Quality
from app.reports.views.results import (
    Driving,
    FactorRow,
    Importance,
    ItemRow,
    Overview,
    Position,
    Sections,
    UnitView,
)

#: What a row is of stands first in a CSV.
_FIRST = ("unit", "item", "factor", "channel", "period", "name")
#: Longer names are cut in charts; the table under them has them whole.
_LONGEST = 34


def short(text: str, longest: int = _LONGEST) -> str:
    """A name that fits beside a chart."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def placed(words: Words, position: Position) -> str:
    """Where an interval lies against the target, in words."""
    return words(f"position.{position}") if position else ""


def trend(words: Words, view: Overview | UnitView) -> Chart | None:
    """A unit over time; None where there is no course to show."""
    shown = view.trend
    if shown is None or not any(point.rate is not None for point in shown.points):
        return None
    points = shown.points
    rows = [point.model_dump(mode="json") for point in points]
    judged = any(point.limit_low is not None for point in points)
    method = "; ".join(
        words(f"chart.{key}") for key in ("method_rates", *(["method_trend"] if judged else []))
    )
    period = f"{words.period(points[0].period)} – {words.period(points[-1].period)}"
    return Chart(
        "trend",
        words("chart.trend_title"),
        words("chart.trend_summary", unit=words.unit(shown.unit), count=len(points)),
        lambda paper: specs.trend(words, rows, target=view.target, paper=paper),
        Table(
            [words(f"chart.{key}") for key in
             ("period", "rate", "interval", "respondents", "limits", "signals")],
            [
                [
                    words.period(point.period),
                    words.percent(point.rate),
                    words.limits(point),
                    words.number(point.respondents),
                    words.between(point.limit_low, point.limit_high),
                    ", ".join(signal(words, name) for name in point.signals) or NOTHING,
                ]
                for point in points
            ],
        ),
        [_in_its_days(row) for row in rows],
        note(words, period, sum(point.respondents or 0 for point in points), method),
        about=limits(words, shown.limits),
        interactive=True,
    )  # fmt: skip


def _in_its_days(row: Datum) -> Datum:
    """A point of a trend with the days of its own period, for CSV."""
    shown = span(str(row["period"]))
    days: Datum = {"first": shown.first.isoformat(), "last": shown.last.isoformat()}
    return {"period": row["period"], **days, **row}


def limits(words: Words, found: ControlLimits) -> list[str]:
    """What control limits rest on, how often they err, and what they say of the target."""
    said = []
    if found.variation:
        said.append(words(VARIATIONS[found.variation]))
    if found.assurance:
        key = ASSURANCES[found.assurance]
        said.append(words(key, target=words.percent(found.target)))
    segments = found.segments
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
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
    """What a segment's limits rest on; the first is told by its end, as nobody decided it."""
    start, first = words.period(segment.start), words.period(segment.baseline_first)
    count = segment.rests_on
    end = words.period(following.start) if following else None
    if not count and (segment.decision or end is None):
        key = "chart.limits_none" if segment.decision else "chart.limits_none_yet"
        return words(key, start=start, least=least)
    if not count:
        return words("chart.limits_none_before", end=end, least=least)
    if segment.baseline_last:
        last = words.period(segment.baseline_last)
        return words("chart.limits_frozen", start=start, first=first, last=last, count=count)
    if segment.decision:
        return words("chart.limits_anew", start=start, first=first, count=count, least=least)
    if end is not None:
        return words("chart.limits_before", end=end, least=least)
    return words("chart.limits_running", count=count, least=least)


def signal(words: Words, name: str) -> str:
    """The name of a rule that fired."""
    return words(RULES[name])


def factors(words: Words, view: UnitView | Sections | Importance) -> Chart | None:
    """The rate of each factor; None where none has a figure."""
    return _rates(words, view, "factors", view.factors, words("chart.factor"))


def items(words: Words, view: UnitView | Importance) -> Chart | None:
    """The rate of each item; None where none has a figure."""
    return _rates(words, view, "items", view.items, words("chart.item"))


def _rates(
    words: Words,
    view: UnitView | Sections | Importance,
    name: str,
    rows: Sequence[FactorRow],
    heading: str,
) -> Chart | None:
    if all(row.rate is None for row in rows):
        return None
    labelled = [
        {
            **flat(row),
            "label": short(_label(words, row)),
            "place": placed(words, row.position),
        }
        for row in rows
    ]
    return Chart(
        name,
        words("chart.factors_title") if name == "factors" else words("chart.items_title"),
        words("chart.factors_summary", count=len(rows))
        if name == "factors"
        else words("chart.items_summary", count=len(rows)),
        lambda paper: specs.intervals(
            words, labelled, title=words("chart.rate"), target=view.target, paper=paper
        ),
        Table(
            [heading, *(words(f"chart.{key}") for key in
             ("rate", "interval", "mean", "respondents", "standing", "change", "change_interval"))],
            [
                [
                    _label(words, row),
                    words.percent(row.rate),
                    words.limits(row),
                    words.number(row.mean_score, 2),
                    words.number(row.respondents),
                    placed(words, row.position) or NOTHING,
                    words.points(row.change.estimate),
                    words.change(row.change),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, words.period_of(view), view.index.respondents,
            words("chart.method_rates"),
        ),
    )  # fmt: skip


def channels(words: Words, view: UnitView) -> Chart | None:
    """The rate of each channel; None where there is but one."""
    rows = view.channels
    if len(rows) < 2:
        return None
    labelled = [
        {**flat(row), "label": words(f"channel.{row.channel}"), "place": ""} for row in rows
    ]
    return Chart(
        "channels",
        words("chart.channels_title"),
        words("chart.channels_summary", count=len(rows)),
        lambda paper: specs.intervals(
            words, labelled, title=words("chart.rate"), target=None, paper=paper
        ),
        Table(
            [words(f"chart.{key}") for key in ("channel", "rate", "interval", "respondents")],
            [
                [
                    words(f"channel.{row.channel}"),
                    words.percent(row.rate),
                    words.limits(row),
                    words.number(row.respondents),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, words.period_of(view), view.index.respondents,
            words("chart.method_rates"),
        ),
    )  # fmt: skip


def drivers(words: Words, view: UnitView | Importance) -> Chart | None:
    """Importance and performance; None where too few answered everything."""
    driving = view.drivers
    if driving is None:
        return None
    rows = driving.rows
    labelled = [
        {**flat(row), "label": f"{row.factor}. {words.name(row.name)}", "short": row.factor}
        for row in rows
    ]
    fine = [(row.share, row.rate) for row in rows if row.share is not None and row.rate is not None]
    middle = (
        sum(share for share, _ in fine) / max(1, len(fine)),
        sum(rate for _, rate in fine) / max(1, len(fine)),
    )
    return Chart(
        "drivers",
        words("chart.drivers_title"),
        words("chart.drivers_summary", count=len(rows)),
        lambda paper: specs.quadrants(words, labelled, middle=middle, paper=paper),
        Table(
            [words(f"chart.{key}") for key in
             ("factor", "importance", "interval", "rate", "quadrant")],
            [
                [
                    f"{row.factor}. {words.name(row.name)}",
                    words.percent(row.share),
                    words.limits(row),
                    words.percent(row.rate),
                    quadrant(words, row.quadrant),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, _days(words, driving), driving.respondents,
            words("chart.method_drivers"),
        ),
        interactive=True,
    )  # fmt: skip


def _days(words: Words, driving: Driving) -> str:
    if driving.first is None or driving.last is None:
        return NOTHING
    return words.days(driving.first, driving.last)


def quadrant(words: Words, name: str) -> str:
    """The name of a quadrant."""
    return words(QUADRANTS[name]) if name else NOTHING


def no_opinion(words: Words, view: Quality) -> Chart | None:
    """How many had no opinion, by item; None where no item lets them say so."""
    rows = [row for row in view.no_opinion if row.share]
    if not rows:
        return None
    labelled = [
        {**flat(row), "label": short(f"{row.item}. {words.name(row.name)}")} for row in rows
    ]
    return Chart(
        "no_opinion",
        words("chart.no_opinion_title"),
        words("chart.no_opinion_summary", count=len(rows)),
        lambda paper: specs.bars(words, labelled, title=words("chart.share"), paper=paper),
        Table(
            [words(f"chart.{key}") for key in ("item", "no_opinion", "share")],
            [
                [
                    f"{row.item}. {words.name(row.name)}",
                    words.number(row.no_opinion),
                    words.percent(row.share),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, words.period_of(view), view.responses.counted,
            words("chart.method_counts"),
        ),
    )  # fmt: skip


def _label(words: Words, row: FactorRow) -> str:
    code = row.item if isinstance(row, ItemRow) else row.factor
    return f"{code}. {words.name(row.name)}"


def flat(row: Result) -> Datum:
    """A row without what a chart and a CSV do not want: lists, and names within names."""
    dumped: dict[str, JsonValue] = row.model_dump(mode="json")
    ordered = {name: dumped[name] for name in _FIRST if name in dumped} | dumped
    flat: Datum = {}
    for key, value in ordered.items():
        if isinstance(value, dict):
            for inner, each in value.items():
                if inner != "within" and not isinstance(each, dict | list):
                    flat[f"{key}_{inner}"] = each
            names = value["name"] if key == "unit" else value
            if key in ("unit", "name") and isinstance(names, dict):
                flat |= {f"{key}_vi": names["vi"], f"{key}_en": names["en"]}
            if key == "unit":
                flat |= _above(value["within"])
        elif not isinstance(value, list):
            flat[key] = value
    return flat


def _above(within: JsonValue) -> Datum:
    """What a unit is part of; the columns are there whatever the units are."""
    if not isinstance(within, dict):
        return {"within_code": None, "within_vi": None, "within_en": None}
    name = within["name"]
    assert isinstance(name, dict)
    return {"within_code": within["code"], "within_vi": name["vi"], "within_en": name["en"]}
