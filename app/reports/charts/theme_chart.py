"""The chart of a theme: by month, which share of the comments is about it, with its interval."""

from __future__ import annotations

import altair as alt

from app.figures.comment_results import ThemeTrend
from app.messages.words import Words, axis_period
from app.reports.charts.chart import Chart, Datum, Paper, Spec, Table
from app.reports.charts.colours import BRAND
from app.reports.charts.frames import finished, rates_axis, reach


def theme_chart(words: Words, trend: ThemeTrend, name: str) -> Chart:
    """A theme over months; ``name`` is what it is called."""
    rows: list[Datum] = [
        {
            "month": each.month, "label": axis_period(each.month), "comments": each.comments,
            "about": each.about, "share": each.share, "low": each.low, "high": each.high,
        }
        for each in trend.months
    ]  # fmt: skip
    headings = [
        words("chart.period"), words("comments.about"), words("comments.all"),
        words("comments.share"), words("chart.interval"),
    ]  # fmt: skip
    named = [
        [
            words.period(each.month), words.number(each.about), words.number(each.comments),
            words.percent(each.share, 0), words.limits(each, 0),
        ]
        for each in reversed(trend.months)
    ]  # fmt: skip
    return Chart(
        "themes",
        words("comments.trend_title", theme=name),
        words("comments.trend_summary", theme=name),
        lambda paper: _spec(rows, words("comments.share"), paper),
        Table(headings, named),
        rows,
        words("comments.trend_note"),
    )


def _spec(rows: list[Datum], title: str, paper: Paper) -> Spec:
    order = [str(row["label"]) for row in rows]
    known = [row for row in rows if row["share"] is not None]
    x = alt.X(
        "label:O", title=None, sort=order, scale=alt.Scale(domain=order),
        axis=alt.Axis(labelAngle=-90 if paper.narrow else -45, grid=False, labelFontSize=11),
    )  # fmt: skip
    low, high = reach(known, "low", "high")
    y = alt.Y("share:Q", **rates_axis(title, low, high))
    base = alt.Chart(alt.InlineData(values=known))
    limits = base.mark_rule(color=BRAND, strokeWidth=1.5, opacity=0.6).encode(
        x=x, y=alt.Y("low:Q", **rates_axis(title, low, high)), y2="high:Q"
    )
    points = base.mark_point(color=BRAND, filled=True, size=55, opacity=1).encode(x=x, y=y)
    return finished(alt.layer(limits, points), paper=paper, height=200)
