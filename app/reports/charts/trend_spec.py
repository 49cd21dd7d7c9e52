"""The specification of a trend: points by what they are, runs, intervals, centre, limits, target.

As the NHS's "Making Data Count" draws them: improvement blue, concern orange, common cause grey,
each with a shape of its own. Every point carries its words, which a pointer is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from app.figures.trend_results import Variation
from app.messages.words import Words
from app.reports.charts.chart import DESK, Datum, Paper, Spec
from app.reports.charts.colours import ABOVE, BELOW, INK, NEITHER, SOFT
from app.reports.charts.frames import RatesAxis, finished, number, rates_axis, reach
from app.reports.charts.specs import Rows, labels_of, rule_at

#: What a point may be, the key of its name, its colour and shape; without limits nobody knows.
LOOKS: Mapping[Variation | None, tuple[str, str, str]] = {
    Variation.IMPROVEMENT: ("chart.improvement", ABOVE, "triangle-up"),
    Variation.CONCERN: ("chart.concern", BELOW, "triangle-down"),
    Variation.COMMON_CAUSE: ("chart.common_cause", NEITHER, "circle"),
    None: ("chart.unjudged", SOFT, "square"),
}
#: The lines, by the key of their names: the columns that they run through, and their dashes.
_LINES = {
    "chart.centre": (("centre",), [1, 0]),
    "chart.limits": (("limit_low", "limit_high"), [2, 3]),
    "chart.target": (("target",), [8, 4]),
}
#: What a pointer is told: columns of words that stand in each row, by the key of their names.
TOLD = {
    "period_told": "chart.period",
    "rate_told": "chart.rate",
    "interval_told": "chart.interval",
    "respondents_told": "chart.respondents",
    "centre_told": "chart.centre",
    "limits_told": "chart.limits",
    "target_told": "chart.target",
    "kind": "chart.variation",
    "signals_told": "chart.signals",
}
#: Sizes of points that a rule marks, and of others, and the breadth of what joins a run.
_SIZES, _NARROW_SIZES = (120, 70, 14), (70, 35, 8)

#: Pixels between the line of a day and what is said of it, and between that and the axis.
_BESIDE_LINE, _ABOVE_AXIS = 6, 8

#: So many slanted labels stand side by side on a page.
_MOST_LABELS = 24


def trend(
    words: Words, rows: Rows, *, actions: Rows = (), changes: Rows = (), paper: Paper = DESK
) -> Spec:
    """Rates over time; ``actions`` are numbers of notes by the label of their period.

    ``changes`` are days on which the unit itself changed: ``label``, ``day``, ``told``, and ``at``,
    how far from the left: what is said stands on the side with more room, and is cut off there.

    Each row is a point with ``label``, ``kind`` (the name of its look), ``run`` (the same for the
    points of one run, None outside), ``segment``, ``target``, and the words of ``TOLD``.
    """
    shown = [row for row in rows if row["rate"] is not None]
    columns = ("rate", "limit_low", "limit_high", "target")
    axis = rates_axis(words("chart.rate"), *reach(shown, *columns), pad=0.03)
    marked, others, breadth = _NARROW_SIZES if paper.narrow else _SIZES
    level = len(rows) <= (4 if paper.narrow else 9)
    x = alt.X(
        "label:O", sort=labels_of(rows), title=None, scale=alt.Scale(domain=labels_of(rows)),
        axis=alt.Axis(
            labelAngle=0 if level else -45, grid=False,
            labelOverlap="parity" if paper.narrow else alt.Undefined,
            values=alt.Undefined if paper.narrow else _labelled(labels_of(rows)),
        ),
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=shown)).encode(x=x)
    kinds = _kinds(words, shown)
    named = [words(key) for key, _, _ in kinds]
    colour = alt.Color(
        "kind:N", title=None, scale=alt.Scale(domain=named, range=[each[1] for each in kinds]),
        # The broad pale line of a run would be its symbol otherwise.
        legend=alt.Legend(
            symbolOpacity=1, symbolStrokeWidth=0, symbolSize=90, columns=1 if paper.narrow else 4
        ),
    )  # fmt: skip
    shape = alt.Shape(
        "kind:N", title=None, scale=alt.Scale(domain=named, range=[each[2] for each in kinds])
    )
    runs = (
        alt.Chart(alt.InlineData(values=[row for row in shown if row["run"] is not None]))
        .mark_line(strokeWidth=breadth, opacity=0.25, strokeCap="round", strokeJoin="round")
        .encode(x=x, y=alt.Y("rate:Q", **axis), color=colour, detail="run:N")
    )
    # The interval of a period with few respondents would flatten all the others: it is cut off.
    bars = base.mark_rule(color=NEITHER, strokeWidth=2, opacity=0.35, clip=True).encode(
        y=alt.Y("low:Q", **axis), y2="high:Q"
    )
    line = base.mark_line(color=NEITHER, strokeWidth=1.5).encode(y=alt.Y("rate:Q", **axis))
    marks = (
        alt.Chart(
            alt.InlineData(
                values=[
                    {**row, "size": marked if row["signals"] else others} for row in shown
                ]
            )
        )
        .mark_point(filled=True, opacity=1)
        .encode(
            x=x, y=alt.Y("rate:Q", **axis), color=colour, shape=shape,
            size=alt.Size("size:Q", scale=None, legend=None),
            tooltip=[alt.Tooltip(f"{name}:N", title=words(key)) for name, key in TOLD.items()],
        )
    )  # fmt: skip
    # What was done stands behind the points, its numbers at the upper edge.
    behind = [*_noted(actions, x), *_changed(changes, x, paper), runs]
    layers = [*behind, *_lines(words, shown, x, axis), bars, line, marks]
    return finished(alt.layer(*layers), paper=paper)


def _noted(actions: Rows, x: alt.X) -> list[alt.Chart]:
    if not actions:
        return []
    base = alt.Chart(alt.InlineData(values=list(actions))).encode(x=x)
    lines = base.mark_rule(strokeDash=[1, 3], strokeCap="round", color=INK, strokeWidth=2)
    numbers = base.mark_text(baseline="bottom", dy=-3, fontSize=12, fontWeight="bold", color=INK)
    return [lines, numbers.encode(y=alt.value(0), text="numbers:N")]


def _labelled(labels: Sequence[str]) -> list[str]:
    """The periods that are named below the picture: the last, and as many as do not touch."""
    step = -(-len(labels) // _MOST_LABELS)
    return list(labels[::-1][:: max(1, step)][::-1])


def _changed(changes: Rows, x: alt.X, paper: Paper) -> list[alt.Chart]:
    """A line where the unit itself changed, and what happened; on a phone the day alone."""
    found: list[alt.Chart] = []
    for row in changes:
        base = alt.Chart(alt.InlineData(values=[row])).encode(x=x, tooltip=alt.Tooltip("told:N"))
        found.append(base.mark_rule(color=INK, strokeWidth=1.5, strokeDash=[6, 2]))
        at = number(row, "at") or 0.0
        late = at > 0.5
        room = paper.width * max(at, 1 - at) - 2 * _BESIDE_LINE
        text = "day:N" if paper.narrow else "told:N"
        said = base.encode(y=alt.value("height"), text=text)
        # Upon bars and lines it is read by the white around it.
        found += [
            said.mark_text(
                align="right" if late else "left", dx=-_BESIDE_LINE if late else _BESIDE_LINE,
                baseline="bottom", dy=-_ABOVE_AXIS, limit=room,
                fontSize=12, color=colour, stroke=colour, strokeWidth=breadth,
            )
            for colour, breadth in (("white", 5), (INK, 0))
        ]  # fmt: skip
    return found


def _kinds(words: Words, shown: Rows) -> list[tuple[str, str, str]]:
    """The looks that the legend names: where something is judged, all that it could be."""
    there = {row["kind"] for row in shown}
    unjudged, judged = LOOKS[None], [look for kind, look in LOOKS.items() if kind is not None]
    found = judged if there - {words(unjudged[0])} else []
    return [*found, *([unjudged] if words(unjudged[0]) in there else [])]


def _lines(words: Words, shown: Rows, x: alt.X, axis: RatesAxis) -> list[alt.Chart]:
    """Centre, limits and target; each begins anew with a segment of the limits."""
    if len(shown) == 1:  # a line has two ends
        target = shown[0]["target"]
        return [rule_at(target, "y", axis)] if isinstance(target, float) else []
    rows: list[Datum] = []
    there: list[str] = []
    dashes: list[Sequence[int]] = []
    for key, (columns, dash) in _LINES.items():
        found: list[Datum] = [
            {
                "label": row["label"], "line": words(key), "at": row[column],
                "part": f"{column} {'' if column == 'target' else row['segment']}",
            }
            for column in columns
            for row in shown
        ]  # fmt: skip
        if any(row["at"] is not None for row in found):
            rows += found
            there.append(words(key))
            dashes.append(dash)
    if not there:
        return []
    lines = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(interpolate="step", color=INK, strokeWidth=1.5, opacity=0.8)
        .encode(
            x=x,
            y=alt.Y("at:Q", **axis),
            detail="part:N",
            strokeDash=alt.StrokeDash(
                "line:N",
                title=None,
                scale=alt.Scale(domain=there, range=dashes),
                legend=alt.Legend(orient="bottom", symbolType="stroke", symbolSize=400),
            ),
        )
    )
    return [lines]
