"""What all charts have around their marks: size, type, and a scale of rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import altair as alt

from app.reports.charts.chart import Datum, Paper, Spec
from app.reports.charts.colours import INK, LINE, SOFT

PERCENT = ".0%"
_FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


class RatesAxis(TypedDict):
    """A scale of rates, its axis and its title."""

    title: str
    axis: alt.Axis
    scale: alt.Scale


def finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart,
    *,
    paper: Paper,
    beside: int = 0,
    below: int = 0,
    height: int = 260,
) -> Spec:
    """The chart's specification with the house's sizes and type.

    ``beside`` are pixels that something beside the plot takes of the width of a desk; on narrow
    paper the plot gets what is left, and ``below`` are left free under it.
    """
    sized = chart.properties(width=paper.width, height=height)
    if paper.narrow:
        fit = alt.AutoSizeParams(type="fit-x", contains="padding")
        sized = sized.properties(
            autosize=fit, padding={"left": 4, "right": 4, "top": 4, "bottom": 4 + below}
        )
    else:
        sized = sized.properties(width=paper.width - beside)
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
            titleColor=SOFT, labelLimit=260 if paper.narrow else 400,
            columns=1 if paper.narrow else 3,
        )
        .to_dict(validate=False)
    )  # fmt: skip
    spec.pop("$schema", None)
    return spec


def rates_axis(
    title: str, low: float, high: float, pad: float = 0.01, *, count: int = 6
) -> RatesAxis:
    """A scale of rates that holds what is shown, never a zero line that hides differences."""
    pad = max(pad, (high - low) * 0.06)
    return {
        "title": title,
        "axis": alt.Axis(format=PERCENT if high - low > 0.05 else ".1%", tickCount=count),
        "scale": alt.Scale(domain=[max(0.0, low - pad), min(1.0, high + pad)], nice=False),
    }


def reach(
    rows: Sequence[Datum], *names: str, also: Sequence[float | None] = ()
) -> tuple[float, float]:
    """The least and the greatest of some columns; the whole scale where there is nothing."""
    values = [value for row in rows for name in names if (value := number(row, name)) is not None]
    values += [value for value in also if value is not None]
    return (min(values), max(values)) if values else (0.0, 1.0)


def number(row: Datum, name: str) -> float | None:
    """A figure of a line; None where it has none."""
    value = row.get(name)
    return value if isinstance(value, int | float) else None


def ticks(paper: Paper) -> int:
    """How many ticks an axis has room for, about."""
    return 4 if paper.narrow else 6
