"""Specifications in Vega-Lite, made with Altair: marks, scales and colours of all charts.

What differs is told by shape or dash as well as by colour, so that it is told in print and by
those who do not see colours (palette: Okabe and Ito 2008). No specification has an expression
that a strict content security policy refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from app.messages.words import Words, axis_period

Rows = Sequence[Mapping[str, Any]]
ABOVE, BELOW, NEITHER = "#0072B2", "#B34700", "#5f6b68"
INK, SOFT, LINE, BAND, BRAND = "#17211f", "#55625f", "#d5dcda", "#cfe3dd", "#0b5d4f"
POSITIONS = ("above", "not_distinguishable", "below")
_COLOURS, _SHAPES = (ABOVE, NEITHER, BELOW), ("triangle-up", "circle", "triangle-down")
#: Colour and shape of a period by what its limits say of it.
_LOOKS = {
    "unjudged": (NEITHER, "square"),
    "ordinary": (BRAND, "circle"),
    "stands_out": (BELOW, "diamond"),
}
WIDTH = 560
_FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_PERCENT = ".0%"


def finished(chart: Any, *, width: int | str = WIDTH, height: int | Any = 260) -> dict[str, Any]:
    """The chart's specification with the house's sizes and type."""
    sized = chart.properties(width=width, height=height)
    spec: dict[str, Any] = (
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


def rates_axis(title: str, low: float, high: float, pad: float = 0.01) -> dict[str, Any]:
    """A scale of rates that holds what is shown, never a zero line that hides differences."""
    pad = max(pad, (high - low) * 0.06)
    return {
        "title": title,
        "axis": alt.Axis(format=_PERCENT if high - low > 0.05 else ".1%", tickCount=6),
        "scale": alt.Scale(domain=[max(0.0, low - pad), min(1.0, high + pad)], nice=False),
    }


def reach(rows: Rows, *names: str, also: Sequence[float | None] = ()) -> tuple[float, float]:
    """The least and the greatest of some columns; the whole scale where there is nothing."""
    values = [row[name] for row in rows for name in names if row.get(name) is not None]
    values += [value for value in also if value is not None]
    return (min(values), max(values)) if values else (0.0, 1.0)


def placed(labels: Sequence[str]) -> tuple[Any, Any]:
    """Colour and shape by where something lies, above, neither, below, with one legend."""
    scale: dict[str, Any] = {"domain": list(labels)}
    return (
        alt.Color("place:N", scale=alt.Scale(**scale, range=list(_COLOURS)), title=None),
        alt.Shape("place:N", scale=alt.Scale(**scale, range=list(_SHAPES)), title=None),
    )


def against_target(words: Words) -> list[str]:
    """How it is said where an interval lies against the target."""
    return [words(f"position.{position}") for position in POSITIONS]


def rule_at(value: float, channel: str, axis: Mapping[str, Any] | None = None) -> Any:
    """A dashed line at a rate, on an axis that other layers have, too."""
    data = alt.InlineData(values=[{"at": value}])
    kind = alt.X if channel == "x" else alt.Y
    encoding = {channel: kind("at:Q", **(axis or {}))}
    return alt.Chart(data).mark_rule(strokeDash=[6, 4], color=INK, opacity=0.7).encode(**encoding)


def intervals(
    words: Words, rows: Rows, *, title: str, target: float | None, row_height: int = 26
) -> dict[str, Any]:
    """One line a row: the rate as a mark, its interval as a bar, the target as a dashed line.

    Each row has ``label``, ``rate``, ``low``, ``high`` and ``place``.
    """
    shown = [row for row in rows if row["rate"] is not None]
    axis = rates_axis(title, *reach(shown, "low", "high", also=[target]))
    colour: Any = alt.value(BRAND)
    shape: Any = alt.value("circle")
    if any(row["place"] for row in rows):
        colour, shape = placed(against_target(words))
    order = alt.Y(
        "label:N", sort=[row["label"] for row in rows], title=None, axis=alt.Axis(grid=False)
    )
    base = alt.Chart(alt.InlineData(values=shown)).encode(y=order)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", **axis), x2="high:Q", color=colour)
    marks = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=alt.X("rate:Q", **axis), color=colour, shape=shape, tooltip=_tooltip(words)
    )
    layers = [bars, marks]
    if target is not None:
        layers.insert(0, rule_at(target, "x", axis))
    return finished(alt.layer(*layers), width=WIDTH - 230, height=max(60, row_height * len(rows)))


def _tooltip(words: Words) -> list[Any]:
    return [
        alt.Tooltip("label:N", title=words("chart.unit")),
        alt.Tooltip("rate:Q", title=words("chart.rate"), format=".1%"),
        alt.Tooltip("low:Q", title=words("chart.low"), format=".1%"),
        alt.Tooltip("high:Q", title=words("chart.high"), format=".1%"),
        alt.Tooltip("respondents:Q", title=words("chart.respondents"), format=",.0f"),
    ]


def _kind(point: Mapping[str, Any]) -> str:
    if point["signals"]:
        return "stands_out"
    return "unjudged" if point["limit_low"] is None else "ordinary"


def trend(words: Words, points: Rows, *, target: float) -> dict[str, Any]:
    """Rates over time with their intervals, control limits, and the periods that stand out."""
    rows = [{**point, "label": axis_period(point["period"])} for point in points]
    shown = [row for row in rows if row["rate"] is not None]
    axis = rates_axis(
        words("chart.rate"),
        *reach(shown, "rate", "limit_low", "limit_high", also=[target]),
        pad=0.03,
    )
    labels = [row["label"] for row in rows]
    x = alt.X(
        "label:O", sort=labels, title=None,
        axis=alt.Axis(labelAngle=0 if len(rows) <= 9 else -45, grid=False),
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=shown)).encode(x=x)
    names = {
        "unjudged": words("chart.unjudged"),
        "ordinary": words("chart.ordinary"),
        "stands_out": words("chart.stands_out"),
    }
    marked = [{**row, "kind": names[_kind(row)]} for row in shown]
    # A period without limits is not within them; the legend names it where there is one.
    there = {_kind(row) for row in shown}
    kinds = [
        kind for kind in names if kind in there or (kind != "unjudged" and there - {"unjudged"})
    ]
    named = [names[kind] for kind in kinds]
    colours, shapes = zip(*(_LOOKS[kind] for kind in kinds), strict=True)
    limits = [
        base.mark_line(interpolate="step", strokeDash=[3, 3], color=SOFT, strokeWidth=1.5).encode(
            y=alt.Y(f"{name}:Q", **axis)
        )
        for name in ("limit_low", "limit_high")
    ]
    # The interval of a period with few respondents would flatten all the others: it is cut off.
    bars = base.mark_rule(color=BRAND, strokeWidth=2, opacity=0.45, clip=True).encode(
        y=alt.Y("low:Q", **axis), y2="high:Q"
    )
    line = base.mark_line(color=BRAND, strokeWidth=2).encode(y=alt.Y("rate:Q", **axis))
    marks = (
        alt.Chart(alt.InlineData(values=marked))
        .mark_point(filled=True, size=80, opacity=1)
        .encode(
            x=x,
            y=alt.Y("rate:Q", **axis),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=named, range=list(colours)),
                title=None,
            ),
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=named, range=list(shapes)),
                title=None,
            ),
            tooltip=_tooltip(words),
        )
    )
    return finished(alt.layer(rule_at(target, "y", axis), *limits, bars, line, marks))


def funnel(words: Words, rows: Rows, curve: Rows, *, target: float) -> dict[str, Any]:
    """Units by size and rate, between limits that are wider for small ones.

    ``place`` of a row says whether it lies outside the wider ones.
    """
    shown = [row for row in rows if row["rate"] is not None]
    # The wider limits are seen for units of more than middling size; for the least of them they lie
    # so far away that little else would be left of the picture.
    wide = reach(curve[len(curve) // 2 :], "low_998", "high_998")
    axis = rates_axis(
        words("chart.rate"),
        *reach(shown, "rate", also=[*reach(curve, "low_95", "high_95"), *wide]),
    )
    x = alt.X(
        "effective_answers:Q",
        title=words("chart.effective_answers"),
        axis=alt.Axis(format=",.0f", grid=False, tickCount=6),
        scale=alt.Scale(nice=False, zero=False),
    )
    base = alt.Chart(alt.InlineData(values=list(curve))).encode(x=x)
    lines = [
        base.mark_line(
            strokeDash=[6, 4] if size == "95" else [1, 0], color=SOFT, strokeWidth=1.5, clip=True
        ).encode(y=alt.Y(f"{side}_{size}:Q", **axis))
        for size in ("95", "998")
        for side in ("low", "high")
    ]
    # By the lines of this plot, not by the target, from which they are drawn apart.
    colour, shape = placed([words(f"funnel.{position}") for position in POSITIONS])
    marks = (
        alt.Chart(alt.InlineData(values=shown))
        .mark_point(filled=True, size=60, opacity=0.85)
        .encode(x=x, y=alt.Y("rate:Q", **axis), color=colour, shape=shape, tooltip=_tooltip(words))
    )
    return finished(alt.layer(*lines, rule_at(target, "y", axis), marks), height=340)


def quadrants(words: Words, rows: Rows, *, middle: tuple[float, float]) -> dict[str, Any]:
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
    marked = [{**row, "kind": kinds.get(row["quadrant"], others)} for row in shown]
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


def places(words: Words, rows: Rows) -> dict[str, Any]:
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
    most = max((row["respondents"] or 0 for row in rows), default=0)
    if most < 10:
        return [most] if most else []
    unit = 10 ** (len(str(int(most))) - 1)
    top = int(most // unit) * unit
    return sorted({max(1, top // 4), max(1, top // 2), top})


def bars(words: Words, rows: Rows, *, title: str) -> dict[str, Any]:
    """Shares as bars, one a row; each row has ``label`` and ``share``."""
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(
        y=alt.Y(
            "label:N", sort=[row["label"] for row in rows], title=None, axis=alt.Axis(grid=False)
        ),
        x=alt.X("share:Q", title=title, axis=alt.Axis(format=_PERCENT, tickCount=5)),
    )
    return finished(
        base.mark_bar(color=BRAND, size=14), width=WIDTH - 230, height=max(60, 24 * len(rows))
    )
