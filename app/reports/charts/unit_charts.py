"""The figures of one unit: each from an answer of ``app.reports.views``, in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.messages.words import NOTHING, Words
from app.reports.charts import specs
from app.reports.charts.chart import Figure, Table, note

Answer = Mapping[str, Any]
#: Longer names are cut in charts; the table under them has them whole.
_LONGEST = 34


def short(text: str, longest: int = _LONGEST) -> str:
    """A name that fits beside a chart."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def place_of(words: Words, row: Mapping[str, Any]) -> str:
    """Where a row's interval lies against the target, in words."""
    return words(f"position.{row['position']}") if row.get("position") else ""


def trend(words: Words, answer: Answer) -> Figure | None:
    """A unit over time; None where there is no course to show."""
    shown = answer["trend"]
    if shown is None or not any(point["rate"] is not None for point in shown["points"]):
        return None
    points = shown["points"]
    judged = any(point["limit_low"] is not None for point in points)
    method = "; ".join(
        words(f"chart.{key}") for key in ("method_rates", *(["method_trend"] if judged else []))
    )
    period = f"{words.period(points[0]['period'])} – {words.period(points[-1]['period'])}"
    return Figure(
        "trend",
        words("chart.trend_title"),
        words("chart.trend_summary", unit=words.unit(shown["unit"]), count=len(points)),
        specs.trend(words, points, target=answer["target"]),
        Table(
            [words(f"chart.{key}") for key in
             ("period", "rate", "interval", "respondents", "limits", "signals")],
            [
                [
                    words.period(point["period"]),
                    words.percent(point["rate"]),
                    words.limits(point),
                    words.number(point["respondents"]),
                    words.limits({"low": point["limit_low"], "high": point["limit_high"]}),
                    ", ".join(signal(words, name) for name in point["signals"]) or NOTHING,
                ]
                for point in points
            ],
        ),
        points,
        note(words, period, sum(point["respondents"] or 0 for point in points), method),
        about=limits(words, shown["limits"]),
        interactive=True,
    )  # fmt: skip


def limits(words: Words, told: Mapping[str, Any]) -> list[str]:
    """What control limits rest on, how often they err, and what they say of the target."""
    said = []
    if told["variation"]:
        said.append(words("variation." + told["variation"].replace(" ", "_")))
    if told["assurance"]:
        key = "assurance." + told["assurance"].replace(" ", "_")
        said.append(words(key, target=words.percent(told["target"])))
    segments = told["segments"]
    for segment, following in zip(segments, [*segments[1:], None], strict=True):
        said.append(_resting(words, segment, following, told["least_periods"]))
        decision = segment["decision"]
        if decision:
            said.append(
                words(
                    "chart.limits_decided", name=decision["decided_by"],
                    day=words.day(decision["decided_at"].date()), reason=decision["reason"],
                )
            )  # fmt: skip
        if segment["left_out"]:
            periods = ", ".join(words.period(each) for each in segment["left_out"])
            said.append(words("chart.limits_left_out", periods=periods))
    if told["periods_judged"]:
        share = words.percent(told["false_marks"])
        said.append(words("chart.limits_false", count=told["periods_judged"], share=share))
    return said


def _resting(
    words: Words, segment: Mapping[str, Any], following: Mapping[str, Any] | None, least: int
) -> str:
    """What a segment's limits rest on; the first is told by its end, as nobody decided it."""
    start, first = words.period(segment["start"]), words.period(segment["baseline_first"])
    count = segment["rests_on"]
    end = words.period(following["start"]) if following else None
    if not count and (segment["decision"] or end is None):
        key = "chart.limits_none" if segment["decision"] else "chart.limits_none_yet"
        return words(key, start=start, least=least)
    if not count:
        return words("chart.limits_none_before", end=end, least=least)
    if segment["baseline_last"]:
        last = words.period(segment["baseline_last"])
        return words("chart.limits_frozen", start=start, first=first, last=last, count=count)
    if segment["decision"]:
        return words("chart.limits_anew", start=start, first=first, count=count, least=least)
    if end is not None:
        return words("chart.limits_before", end=end, least=least)
    return words("chart.limits_running", count=count, least=least)


def signal(words: Words, name: str) -> str:
    """The name of a rule that fired."""
    return words("rule." + name.replace(" ", "_"))


def factors(words: Words, answer: Answer) -> Figure | None:
    """The rate of each factor; None where none has a figure."""
    return _rates(words, answer, "factors", answer["factors"], words("chart.factor"))


def items(words: Words, answer: Answer) -> Figure | None:
    """The rate of each item; None where none has a figure."""
    return _rates(words, answer, "items", answer["items"], words("chart.item"))


def _rates(
    words: Words, answer: Answer, name: str, rows: Sequence[Mapping[str, Any]], heading: str
) -> Figure | None:
    if all(row["rate"] is None for row in rows):
        return None
    labelled = [
        {
            **flat(row),
            "label": short(f"{row.get('item') or row['factor']}. {words.name(row['name'])}"),
            "place": place_of(words, row),
        }
        for row in rows
    ]
    return Figure(
        name,
        words("chart.factors_title") if name == "factors" else words("chart.items_title"),
        words("chart.factors_summary", count=len(rows))
        if name == "factors"
        else words("chart.items_summary", count=len(rows)),
        specs.intervals(
            words, labelled, title=words("chart.rate"), target=answer["target"]
        ),
        Table(
            [heading, *(words(f"chart.{key}") for key in
             ("rate", "interval", "mean", "respondents", "standing", "change", "change_interval"))],
            [
                [
                    f"{row.get('item') or row['factor']}. {words.name(row['name'])}",
                    words.percent(row["rate"]),
                    words.limits(row),
                    words.number(row["mean_score"], 2),
                    words.number(row["respondents"]),
                    place_of(words, row) or NOTHING,
                    words.points(row["change"]["estimate"]),
                    words.change(row["change"]),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, words.period(answer["period"]), answer["index"]["respondents"],
            words("chart.method_rates"),
        ),
    )  # fmt: skip


def channels(words: Words, answer: Answer) -> Figure | None:
    """The rate of each channel; None where there is but one."""
    rows = answer["channels"]
    if len(rows) < 2:
        return None
    labelled = [{**row, "label": words(f"channel.{row['channel']}"), "place": ""} for row in rows]
    return Figure(
        "channels",
        words("chart.channels_title"),
        words("chart.channels_summary", count=len(rows)),
        specs.intervals(words, labelled, title=words("chart.rate"), target=None),
        Table(
            [words(f"chart.{key}") for key in ("channel", "rate", "interval", "respondents")],
            [
                [
                    words(f"channel.{row['channel']}"),
                    words.percent(row["rate"]),
                    words.limits(row),
                    words.number(row["respondents"]),
                ]
                for row in rows
            ],
        ),
        rows,
        note(
            words, words.period(answer["period"]), answer["index"]["respondents"],
            words("chart.method_rates"),
        ),
    )  # fmt: skip


def drivers(words: Words, answer: Answer) -> Figure | None:
    """Importance and performance; None where too few answered everything."""
    driving = answer["drivers"]
    if driving is None:
        return None
    rows = driving["rows"]
    labelled = [
        {
            **row,
            "label": f"{row['factor']}. {words.name(row['name'])}",
            "short": row["factor"],
        }
        for row in rows
    ]
    fine = [row for row in rows if row["share"] is not None and row["rate"] is not None]
    middle = (
        sum(row["share"] for row in fine) / max(1, len(fine)),
        sum(row["rate"] for row in fine) / max(1, len(fine)),
    )
    return Figure(
        "drivers",
        words("chart.drivers_title"),
        words("chart.drivers_summary", count=len(rows)),
        specs.quadrants(words, labelled, middle=middle),
        Table(
            [words(f"chart.{key}") for key in
             ("factor", "importance", "interval", "rate", "quadrant")],
            [
                [
                    row["label"],
                    words.percent(row["share"]),
                    words.limits(row),
                    words.percent(row["rate"]),
                    quadrant(words, row["quadrant"]),
                ]
                for row in labelled
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, words.days(driving["first"], driving["last"]), driving["respondents"],
            words("chart.method_drivers"),
        ),
        interactive=True,
    )  # fmt: skip


def quadrant(words: Words, name: str) -> str:
    """The name of a quadrant."""
    return words(f"quadrant.{name.replace(' ', '_')}") if name else NOTHING


def no_opinion(words: Words, answer: Answer) -> Figure | None:
    """How many had no opinion, by item; None where no item lets them say so."""
    rows = [row for row in answer["no_opinion"] if row["share"]]
    if not rows:
        return None
    labelled = [
        {**row, "label": short(f"{row['item']}. {words.name(row['name'])}")} for row in rows
    ]
    return Figure(
        "no_opinion",
        words("chart.no_opinion_title"),
        words("chart.no_opinion_summary", count=len(rows)),
        specs.bars(words, labelled, title=words("chart.share")),
        Table(
            [words(f"chart.{key}") for key in ("item", "no_opinion", "share")],
            [
                [
                    f"{row['item']}. {words.name(row['name'])}",
                    words.number(row["no_opinion"]),
                    words.percent(row["share"]),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, words.period(answer["period"]), answer["responses"]["counted"],
            words("chart.method_counts"),
        ),
    )  # fmt: skip


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what a chart and a CSV do not want: lists, and names within names."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            for inner, each in value.items():
                if inner != "within" and not isinstance(each, Mapping | list):
                    flat[f"{key}_{inner}"] = each
            if key in ("unit", "name"):
                names = value["name"] if key == "unit" else value
                flat |= {f"{key}_vi": names["vi"], f"{key}_en": names["en"]}
            if key == "unit":
                within = value["within"] or {"code": None, "name": {"vi": None, "en": None}}
                flat |= {"within_code": within["code"]}
                flat |= {f"within_{language}": name for language, name in within["name"].items()}
        elif not isinstance(value, list):
            flat[key] = value
    return flat
