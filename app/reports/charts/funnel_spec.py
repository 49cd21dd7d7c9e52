"""The specification of a funnel: units by size and rate between limits, those outside by name."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt

from app.messages.words import Words
from app.reports.charts.chart import DESK, Datum, Paper, Spec
from app.reports.charts.colours import BRAND, INK, SOFT
from app.reports.charts.frames import RatesAxis, finished, number, rates_axis, reach, ticks
from app.reports.charts.specs import POSITIONS, Rows, all_named, numbers_of, only_numbered, placed

#: What a pointer is told: columns of words that stand in each row, by the key of their names.
TOLD = {
    "label": "chart.unit",
    "rate_told": "chart.rate",
    "interval_told": "chart.interval",
    "respondents_told": "chart.respondents",
    "limits_95_told": "chart.limits_95",
    "limits_998_told": "chart.funnel_limits",
    "place": "chart.position",
}
_HEIGHT = 340
#: What an axis with its title takes beside or under a plot.
_AXIS = 52
#: What a line of the legend under it takes.
_LINE = 24
#: Dashes of the lines across, in their order.
_DASHES = ([1, 0], [8, 4], [2, 3])


def funnel(
    words: Words, rows: Rows, curve: Rows, *, lines: Mapping[str, float], paper: Paper = DESK
) -> Spec:
    """Units between limits that are wider for small ones.

    ``place`` of a row says whether it lies outside the wider ones, ``name`` what is written beside
    it (nothing if empty), ``own`` whether it is the caller's unit; ``lines`` are rates by name.
    On narrow paper only the caller's unit is named; the pointer and the table name the others. On
    printed paper all are named if they are few, or have their ``number``.
    """
    shown = [row for row in rows if number(row, "effective_answers") and row["rate"] is not None]
    # The wider limits are seen for units of more than middling size; for the least of them they lie
    # so far away that little else would be left of the picture.
    wide = reach(curve[len(curve) // 2 :], "low_998", "high_998")
    axis = rates_axis(
        words("chart.rate"),
        *reach(shown, "rate", also=[*reach(curve, "low_95", "high_95"), *wide, *lines.values()]),
    )
    x = alt.X(
        "effective_answers:Q",
        title=words("chart.effective_answers"),
        axis=alt.Axis(format=",.0f", grid=False, tickCount=ticks(paper)),
        scale=alt.Scale(nice=False, zero=False),
    )
    base = alt.Chart(alt.InlineData(values=list(curve))).encode(x=x)
    limits = [
        base.mark_line(
            strokeDash=[6, 4] if size == "95" else [1, 0], color=SOFT, strokeWidth=1.5, clip=True
        ).encode(y=alt.Y(f"{side}_{size}:Q", **axis))
        for size in ("95", "998")
        for side in ("low", "high")
    ]
    # By the lines of this plot, not by the target, from which they are drawn apart.
    colour, shape = placed([words(f"funnel.{position}") for position in POSITIONS])
    points = alt.Chart(alt.InlineData(values=shown)).encode(x=x, y=alt.Y("rate:Q", **axis))
    marks = points.mark_point(filled=True, size=60, opacity=0.85).encode(
        color=colour,
        shape=shape,
        tooltip=[alt.Tooltip(f"{name}:N", title=words(key)) for name, key in TOLD.items()],
    )
    layers = [*limits, _across(lines, axis, paper), marks]
    # Without a row there is no layer: Vega warns of scales of nothing.
    if own := [row for row in shown if row["own"]]:
        ring = alt.Chart(alt.InlineData(values=own)).mark_point(
            filled=False, size=340, color=INK, strokeWidth=2
        )
        layers.append(ring.encode(x=x, y=alt.Y("rate:Q", **axis)))
    layers += _names(shown, x, axis, paper)
    if others := only_numbered(shown, paper, named=[row for row in shown if row["name"]]):
        layers.append(numbers_of(others).encode(x=x, y=alt.Y("rate:Q", **axis)))
    return finished(alt.layer(*layers), paper=paper, below=_LINE * len(lines), height=_HEIGHT)


def _across(lines: Mapping[str, float], axis: RatesAxis, paper: Paper) -> alt.Chart:
    """Rates that everything is set against, over the whole width, named in a legend."""
    # Vega cuts names off at 160 pixels unless it is told otherwise.
    whole = paper.width - 36
    legend = alt.Legend(
        orient="bottom", symbolType="stroke", symbolSize=400, columns=1, labelLimit=whole
    )
    if paper.narrow:  # from the edge of the paper, not of the plot: the names are long
        legend = alt.Legend(
            orient="none", legendX=-_AXIS, legendY=_HEIGHT + _AXIS, direction="vertical",
            symbolType="stroke", symbolSize=400, labelFontSize=11, labelLimit=whole,
        )  # fmt: skip
    across: alt.Chart = (
        alt.Chart(alt.InlineData(values=[{"line": name, "at": at} for name, at in lines.items()]))
        .mark_rule(color=BRAND, strokeWidth=1.5)
        .encode(
            y=alt.Y("at:Q", **axis),
            strokeDash=alt.StrokeDash(
                "line:N",
                title=None,
                scale=alt.Scale(domain=list(lines), range=list(_DASHES[: len(lines)])),
                legend=legend,
            ),
        )
    )
    return across


def _names(shown: Rows, x: alt.X, axis: RatesAxis, paper: Paper) -> list[alt.Chart]:
    """Names beside points, on the side where there is room."""
    sizes = [number(row, "effective_answers") or 0.0 for row in shown]
    middle = (min(sizes) + max(sizes)) / 2 if sizes else 0.0
    named: dict[bool, list[Datum]] = {True: [], False: []}
    everyone = all_named(shown, paper)
    for row, size in zip(shown, sizes, strict=True):
        if everyone or (row["name"] and (row["own"] or not paper.narrow)):
            named[size <= middle].append(row)
    return [
        alt.Chart(alt.InlineData(values=rows))
        .mark_text(
            align="left" if left else "right",
            dx=10 if left else -10,
            fontSize=11,
            color=INK,
            limit=paper.width // 2 - 30 if paper.narrow else alt.Undefined,
        )
        .encode(x=x, y=alt.Y("rate:Q", **axis), text="label:N")
        for left, rows in named.items()
        if rows
    ]
