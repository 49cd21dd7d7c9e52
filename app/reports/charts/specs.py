"""Specifications in Vega-Lite, made with Altair: marks, scales and colours of all charts.

What differs is told by shape or dash as well as by colour, so that it is told in print and by
those who do not see colours (palette: Okabe and Ito 2008). No specification has an expression
that a strict content security policy refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypedDict

import altair as alt

from app.messages.words import Words
from app.reports.charts.chart import Datum, Spec
from app.reports.charts.colours import BELOW, BRAND, INK, LINE, NEITHER, PLACES, SHAPES, SOFT

Rows: TypeAlias = Sequence[Datum]
POSITIONS = ("above", "not_distinguishable", "below")
WIDTH = 560
_FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_PERCENT = ".0%"


class RatesAxis(TypedDict):
    """A scale of rates, its axis and its title."""

    title: str
    axis: alt.Axis
    scale: alt.Scale


def finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart, *, width: int = WIDTH, height: int = 260
) -> Spec:
    """The chart's specification with the house's sizes and type."""
    sized = chart.properties(width=width, height=height)
    spec: Spec = (
        sized.configure(font=_FONT, background="#ffffff")
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelColor=INK,
            titleColor=SOFT, gridColor="#e8edeb", domainColor=LINE, tickColor=LINE,
            labelLimit=260, titlePadding=8,
        )
        .configure_legend(
            labelFontSize=12, titleFontSize=12, orient="top", labelColor=INK, symbolSize=90,
            titleColor=SOFT, labelLimit=400, columns=3,
        )
        .to_dict(validate=False)
    )  # fmt: skip
    spec.pop("$schema", None)
    return spec


def rates_axis(title: str, low: float, high: float, pad: float = 0.01) -> RatesAxis:
    """A scale of rates that holds what is shown, never a zero line that hides differences."""
    pad = max(pad, (high - low) * 0.06)
    return {
        "title": title,
        "axis": alt.Axis(format=_PERCENT if high - low > 0.05 else ".1%", tickCount=6),
        "scale": alt.Scale(domain=[max(0.0, low - pad), min(1.0, high + pad)], nice=False),
    }


def reach(rows: Rows, *names: str, also: Sequence[float | None] = ()) -> tuple[float, float]:
    """The least and the greatest of some columns; the whole scale where there is nothing."""
    values = [value for row in rows for name in names if (value := number(row, name)) is not None]
    values += [value for value in also if value is not None]
    return (min(values), max(values)) if values else (0.0, 1.0)


def number(row: Datum, name: str) -> float | None:
    """A figure of a line; None where it has none."""
    value = row.get(name)
    return value if isinstance(value, int | float) else None


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


def intervals(
    words: Words, rows: Rows, *, title: str, target: float | None, row_height: int = 26
) -> Spec:
    """One line a row: the rate as a mark, its interval as a bar, the target as a dashed line.

    Each row has ``label``, ``rate``, ``low``, ``high`` and ``place``.
    """
    shown = [row for row in rows if row["rate"] is not None]
    axis = rates_axis(title, *reach(shown, "low", "high", also=[target]))
    colour, shape = placed(against_target(words))
    if not any(row["place"] for row in rows):
        colour, shape = alt.Color(value=BRAND), alt.Shape(value="circle")
    order = alt.Y("label:N", sort=labels_of(rows), title=None, axis=alt.Axis(grid=False))
    base = alt.Chart(alt.InlineData(values=shown)).encode(y=order)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", **axis), x2="high:Q", color=colour)
    marks = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=alt.X("rate:Q", **axis), color=colour, shape=shape, tooltip=_tooltip(words)
    )
    layers = [bars, marks]
    if target is not None:
        layers.insert(0, rule_at(target, "x", axis))
    return finished(alt.layer(*layers), width=WIDTH - 230, height=max(60, row_height * len(rows)))


def _tooltip(words: Words) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("label:N", title=words("chart.unit")),
        alt.Tooltip("rate:Q", title=words("chart.rate"), format=".1%"),
        alt.Tooltip("low:Q", title=words("chart.low"), format=".1%"),
        alt.Tooltip("high:Q", title=words("chart.high"), format=".1%"),
        alt.Tooltip("respondents:Q", title=words("chart.respondents"), format=",.0f"),
    ]


def quadrants(words: Words, rows: Rows, *, middle: tuple[float, float]) -> Spec:
    """Importance against rate; the lines stand at the means, the labels name each factor."""
    shown = [row for row in rows if row["rate"] is not None and row["share"] is not None]
    x = alt.X(
        "share:Q",
        title=words("chart.importance"),
        axis=alt.Axis(format=".1%", grid=False, tickCount=6),
        scale=alt.Scale(zero=False, padding=40),
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
        alt.layer(rule_at(middle[0], "x"), rule_at(middle[1], "y", axis), marks, text), height=320
    )


def places(words: Words, rows: Rows) -> Spec:
    """Units as points where they stand on the map, larger the more answered."""
    shown = [row for row in rows if row["latitude"] is not None and row["rate"] is not None]
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
                legend=alt.Legend(symbolType="circle", format=",.0f", values=_round(shown)),
            ),
            tooltip=_tooltip(words),
        )
    )
    # Those that need help are named; the others are by the pointer, and in the table.
    named = [row for row in shown if row["place"] == words("position.below")][:12]
    names = (
        alt.Chart(alt.InlineData(values=named))
        .mark_text(dy=-12, fontSize=11, color=INK)
        .encode(longitude="longitude:Q", latitude="latitude:Q", text="label:N")
    )
    return finished(alt.layer(marks, names).project("mercator"), height=420)


def _round(rows: Rows) -> list[int]:
    """Two or three sizes to explain points by."""
    most = int(max((number(row, "respondents") or 0 for row in rows), default=0))
    if most < 10:
        return [most] if most else []
    unit = 10 ** (len(str(most)) - 1)
    top = most // unit * unit
    return sorted({max(1, top // 4), max(1, top // 2), top})


def bars(words: Words, rows: Rows, *, title: str) -> Spec:
    """Shares as bars, one a row; each row has ``label`` and ``share``."""
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(
        y=alt.Y("label:N", sort=labels_of(rows), title=None, axis=alt.Axis(grid=False)),
        x=alt.X("share:Q", title=title, axis=alt.Axis(format=_PERCENT, tickCount=5)),
    )
    return finished(
        base.mark_bar(color=BRAND, size=14), width=WIDTH - 230, height=max(60, 24 * len(rows))
    )
