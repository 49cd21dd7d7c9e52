"""Specifications in Vega-Lite, made with Altair: marks, scales and colours of all charts.

On narrow paper names stand over their rows instead of beside them, with the rate at the end, and
axes have fewer ticks: nothing is cut off.

What differs is told by shape or dash as well as by colour, so that it is told in print and by
those who do not see colours (palette: Okabe and Ito 2008). No specification has an expression
that a strict content security policy refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import altair as alt

from app.messages.words import Words
from app.reports.charts import insets
from app.reports.charts.chart import DESK, MOST_NAMED, Datum, Paper, Spec
from app.reports.charts.colours import BELOW, BRAND, INK, NEITHER, PLACES, SHAPES, SOFT
from app.reports.charts.frames import PERCENT, RatesAxis, finished, number, rates_axis, reach, ticks

Rows: TypeAlias = Sequence[Datum]
POSITIONS = ("above", "not_distinguishable", "below")
#: What names take beside a plot; on narrow paper they stand over their rows, these high.
_NAMES, _TALL_ROW = 230, 40


def labels_of(rows: Rows) -> list[str]:
    """The labels of rows, in their order."""
    return [str(row["label"]) for row in rows]


def placed(labels: Sequence[str]) -> tuple[alt.Color, alt.Shape]:
    """Colour and shape by where something lies, above, neither, below, with one legend."""
    domain = list(labels)
    return (
        alt.Color("place:N", scale=alt.Scale(domain=domain, range=list(PLACES)), title=None),
        alt.Shape("place:N", scale=alt.Scale(domain=domain, range=list(SHAPES)), title=None),
    )


def against_target(words: Words) -> list[str]:
    """How it is said where an interval lies against the target."""
    return [words(f"position.{position}") for position in POSITIONS]


def rule_at(value: float, channel: str, axis: RatesAxis | None = None) -> alt.Chart:
    """A dashed line at a rate, on an axis that other layers have, too."""
    data = alt.InlineData(values=[{"at": value}])
    line = alt.Chart(data).mark_rule(strokeDash=[6, 4], color=INK, opacity=0.7)
    if channel == "x":
        across: alt.Chart = line.encode(x=alt.X("at:Q", **axis) if axis else alt.X("at:Q"))
        return across
    along: alt.Chart = line.encode(y=alt.Y("at:Q", **axis) if axis else alt.Y("at:Q"))
    return along


def all_named(rows: Rows, paper: Paper) -> bool:
    """Whether each point is named: where no pointer can ask for its name, and they are few."""
    return paper.printed and len(rows) <= MOST_NAMED


def only_numbered(rows: Rows, paper: Paper, *, named: Rows) -> list[Datum]:
    """Points that have but a number on printed paper, as there are too many for their names."""
    if not paper.printed or all_named(rows, paper):
        return []
    labels = labels_of(named)
    return [row for row in rows if row["label"] not in labels]


def numbers_of(rows: Rows) -> alt.Chart:
    """The number of each point, small, at its upper right."""
    text: alt.Chart = alt.Chart(alt.InlineData(values=list(rows))).mark_text(
        align="left", dx=6, dy=-6, fontSize=9, color=INK
    )
    return text.encode(text="number:N")


def intervals(
    words: Words,
    rows: Rows,
    *,
    title: str,
    target: float | None,
    row_height: int = 26,
    paper: Paper = DESK,
) -> Spec:
    """One line a row: the rate as a mark, its interval as a bar, the target as a dashed line.

    Each row has ``label``, ``rate``, ``low``, ``high`` and ``place``.
    """
    shown = [row for row in rows if row["rate"] is not None]
    axis = rates_axis(title, *reach(shown, "low", "high", also=[target]), count=ticks(paper))
    colour, shape = placed(against_target(words))
    if not any(row["place"] for row in rows):
        colour, shape = alt.Color(value=BRAND), alt.Shape(value="circle")
    order = _order(rows, paper)
    base = alt.Chart(alt.InlineData(values=shown)).encode(y=order)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", **axis), x2="high:Q", color=colour)
    marks = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=alt.X("rate:Q", **axis), color=colour, shape=shape, tooltip=_tooltip(words)
    )
    layers = [bars, marks]
    if target is not None:
        layers.insert(0, rule_at(target, "x", axis))
    if paper.narrow:
        layers += _over_rows(base, "rate", paper)
        row_height = _TALL_ROW
    return finished(
        alt.layer(*layers), paper=paper, beside=_NAMES, height=max(60, row_height * len(rows))
    )


def _order(rows: Rows, paper: Paper) -> alt.Y:
    """One line a row, in the order in which they come; named beside it, if there is room."""
    axis = None if paper.narrow else alt.Axis(grid=False)
    return alt.Y("label:N", sort=labels_of(rows), title=None, axis=axis)


def _over_rows(base: alt.Chart, figure: str, paper: Paper) -> list[alt.Chart]:
    """On narrow paper: each row's name over it, and its figure at the end of that line."""
    limit = paper.width - 60
    # A line that goes through a name is interrupted there.
    gap = base.mark_text(
        align="left", limit=limit, dy=-14, fontSize=12, stroke="#ffffff", strokeWidth=4
    )
    named = base.mark_text(align="left", limit=limit, dy=-14, fontSize=12, color=INK)
    told = base.mark_text(align="right", fontWeight=600, dy=-14, fontSize=12, color=INK)
    return [
        gap.encode(x=alt.value(0), text="label:N"),
        named.encode(x=alt.value(0), text="label:N"),
        told.encode(x=alt.value("width"), text=alt.Text(f"{figure}:Q", format=".1%")),
    ]


def _tooltip(words: Words) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("label:N", title=words("chart.unit")),
        alt.Tooltip("rate:Q", title=words("chart.rate"), format=".1%"),
        alt.Tooltip("low:Q", title=words("chart.low"), format=".1%"),
        alt.Tooltip("high:Q", title=words("chart.high"), format=".1%"),
        alt.Tooltip("respondents:Q", title=words("chart.respondents"), format=",.0f"),
    ]


def quadrants(
    words: Words, rows: Rows, *, middle: tuple[float, float], paper: Paper = DESK
) -> Spec:
    """Importance against rate; the lines stand at the means, the labels name each factor."""
    shown = [row for row in rows if row["rate"] is not None and row["share"] is not None]
    x = alt.X(
        "share:Q",
        title=words("chart.importance"),
        axis=alt.Axis(format=".1%", grid=False, tickCount=ticks(paper)),
        scale=alt.Scale(zero=False, padding=20 if paper.narrow else 40),
    )
    axis = rates_axis(words("chart.rate"), *reach(shown, "rate"))
    base = alt.Chart(alt.InlineData(values=shown)).encode(x=x, y=alt.Y("rate:Q", **axis))
    first, others = words("quadrant.concentrate_here"), words("chart.other_factors")
    unclear = words("quadrant.not_distinguishable")
    kinds = {"concentrate here": first, "not distinguishable": unclear}
    marked = [{**row, "kind": kinds.get(str(row["quadrant"]), others)} for row in shown]
    kind = [first, others, unclear]
    marks = (
        alt.Chart(alt.InlineData(values=marked))
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            x=x,
            y=alt.Y("rate:Q", **axis),
            color=alt.Color(
                "kind:N", scale=alt.Scale(domain=kind, range=[BELOW, BRAND, NEITHER]), title=None
            ),
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=kind, range=["triangle-down", "circle", "diamond"]),
                title=None,
            ),
            tooltip=[
                alt.Tooltip("label:N", title=words("chart.factor")),
                alt.Tooltip("share:Q", title=words("chart.importance"), format=".1%"),
                alt.Tooltip("rate:Q", title=words("chart.rate"), format=".1%"),
            ],
        )
    )
    text = base.mark_text(align="left", dx=9, fontSize=12, color=INK).encode(text="short:N")
    return finished(
        alt.layer(rule_at(middle[0], "x"), rule_at(middle[1], "y", axis), marks, text),
        paper=paper,
        height=320,
    )


def places(words: Words, rows: Rows, *, paper: Paper = DESK) -> Spec:
    """Units as points where they stand on the map, larger the more answered.

    Those far from all others stand in frames (``app.reports.charts.insets``).
    """
    there = [row for row in rows if row["latitude"] is not None and row["rate"] is not None]
    height = _map_height(paper)
    drawn = _on_map(there, paper)
    shown = [
        {**row, "longitude": at[0], "latitude": at[1]}
        for row, at in zip(there, drawn.at, strict=True)
    ]
    colour, shape = placed(against_target(words))
    marks = (
        alt.Chart(alt.InlineData(values=shown))
        .mark_point(filled=True, opacity=0.85, stroke="#ffffff", strokeWidth=0.5)
        .encode(
            longitude="longitude:Q",
            latitude="latitude:Q",
            color=colour,
            shape=shape,
            size=alt.Size(
                "respondents:Q",
                title=words("chart.respondents"),
                scale=alt.Scale(range=[30, 400]),
                legend=alt.Legend(
                    symbolType="circle",
                    format=",.0f",
                    values=_round(shown),
                    orient="bottom" if paper.narrow else "top",
                    columns=3,
                ),
            ),
            tooltip=_tooltip(words),
        )
    )
    # Those that need help are named, where names have room; the others are by the pointer, and in
    # the table.
    below = [row for row in shown if row["place"] == words("position.below")][:12]
    named = shown if all_named(shown, paper) else [] if paper.narrow else below
    names = (
        alt.Chart(alt.InlineData(values=named))
        .mark_text(dy=-12, fontSize=11, color=INK)
        .encode(longitude="longitude:Q", latitude="latitude:Q", text="label:N")
    )
    layers = [*_frames(drawn.frames), marks, names]
    if others := only_numbered(shown, paper, named=named):
        layers.append(numbers_of(others).encode(longitude="longitude:Q", latitude="latitude:Q"))
    return finished(alt.layer(*layers).project("mercator"), paper=paper, height=height)


def has_frames(rows: Rows, *papers: Paper) -> bool:
    """Whether some places of a map stand in frames, nearer than they are."""
    return any(_on_map(rows, paper).frames for paper in papers)


def _on_map(rows: Rows, paper: Paper) -> insets.Placed:
    at = [(number(row, "longitude") or 0.0, number(row, "latitude") or 0.0) for row in rows]
    return insets.place(at, paper.width / _map_height(paper))


def _map_height(paper: Paper) -> int:
    return 320 if paper.narrow else 420


def _frames(frames: Sequence[insets.Frame]) -> list[alt.Chart]:
    """Lines around what stands nearer than it is."""
    rows = [
        {"frame": i, "order": j, "longitude": x, "latitude": y}
        for i, frame in enumerate(frames)
        for j, (x, y) in enumerate(frame.corners())
    ]
    if not rows:
        return []
    lines = alt.Chart(alt.InlineData(values=rows)).mark_line(
        color=SOFT, strokeDash=[3, 3], strokeWidth=1
    )
    return [
        lines.encode(
            longitude="longitude:Q", latitude="latitude:Q", order="order:O", detail="frame:N"
        )
    ]


def _round(rows: Rows) -> list[int]:
    """Two or three sizes to explain points by."""
    most = int(max((number(row, "respondents") or 0 for row in rows), default=0))
    if most < 10:
        return [most] if most else []
    unit = 10 ** (len(str(most)) - 1)
    top = most // unit * unit
    return sorted({max(1, top // 4), max(1, top // 2), top})


def bars(words: Words, rows: Rows, *, title: str, paper: Paper = DESK) -> Spec:
    """Shares as bars, one a row; each row has ``label`` and ``share``."""
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(y=_order(rows, paper))
    drawn = base.mark_bar(color=BRAND, size=10 if paper.narrow else 14).encode(
        x=alt.X("share:Q", title=title, axis=alt.Axis(format=PERCENT, tickCount=ticks(paper)))
    )
    over = _over_rows(base, "share", paper) if paper.narrow else []
    row_height = _TALL_ROW if paper.narrow else 24
    return finished(
        alt.layer(drawn, *over),
        paper=paper,
        beside=_NAMES,
        height=max(60, row_height * len(rows)),
    )
