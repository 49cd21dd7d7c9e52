"""The charts of a suspected batch: bars of what is suspected, beside a line of what is usual."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from app.integrity.pictures import Durations, Pictures
from app.messages.words import NOTHING, Words
from app.reports.charts.chart import Chart, Datum, Paper, Spec, Table
from app.reports.charts.colours import BRAND, INK
from app.reports.charts.frames import PERCENT, finished, ticks

#: Hours and days of which an axis names each third and each fifth.
_HOURS, _DAYS = list(range(0, 24, 3)), [1, 5, 10, 15, 20, 25, 30]


def charts(words: Words, found: Pictures) -> list[Chart]:
    """All charts of a batch that have something to show."""
    return [hours(words, found), days(words, found), *levels(words, found)]


def hours(words: Words, found: Pictures) -> Chart:
    """At which hours they came, as shares of each side."""
    sides = found.suspected.by_hour, found.others.by_hour
    rows = _rows(words, list(range(24)), [_shares(side) for side in sides])
    named = [
        [f"{hour:02}:00–{hour:02}:59", *_counted(words, sides, hour)]
        for hour in range(24)
        if sides[0][hour] or sides[1][hour]
    ]
    return _chart(
        words, found, "hours", words("integrity.hours_title"), words("integrity.hours_summary"),
        rows, named, words("integrity.hour"), _HOURS,
    )  # fmt: skip


def days(words: Words, found: Pictures) -> Chart:
    """On which days of the month they came, as counts."""
    sides = [each[1] for each in found.by_day], [each[2] for each in found.by_day]
    numbers = [day.day for day, _, _ in found.by_day]
    rows = _rows(words, numbers, sides)
    named = [
        [words.day(day), words.number(here), words.number(there)]
        for day, here, there in found.by_day
        if here or there
    ]
    return _chart(
        words, found, "days", words("integrity.days_title"), words("integrity.days_summary"),
        rows, named, words("integrity.day"), _DAYS, counts=True,
    )  # fmt: skip


def levels(words: Words, found: Pictures) -> list[Chart]:
    """What levels they gave, as shares of each side; nothing where either is of few."""
    sides = found.suspected.levels, found.others.levels
    if sides[0] is None:
        return []
    values = [level.value for level in found.scale.levels]
    rows = _rows(words, values, [_shares(side) for side in sides])
    named = [
        [f"{level.value}. {words.name(level.text)}", *_counted(words, sides, level.value - 1)]
        for level in found.scale.levels
    ]
    return [
        _chart(
            words, found, "levels", words("integrity.levels_title"),
            words("integrity.levels_summary"), rows, named, words("integrity.grade"), values,
        )
    ]  # fmt: skip


def durations(words: Words, found: Pictures) -> Table:
    """How long they took: quartiles of each side, in seconds."""
    keys = "integrity.side", "integrity.measured", "integrity.median", "integrity.quartiles"
    headings = [words(key) for key in keys]

    def row(name: str, of: Durations | None) -> list[str]:
        if of is None:
            return [name, NOTHING, NOTHING, NOTHING]
        return [
            name, words.number(of.measured), words.number(of.median),
            f"{words.number(of.low)} – {words.number(of.high)}",
        ]  # fmt: skip

    return Table(
        headings,
        [
            row(words("integrity.suspected_side"), found.suspected.durations),
            row(words("integrity.other_side"), found.others.durations),
        ],
    )


def _shares(counts: Sequence[int] | None) -> list[float]:
    """Of all; nothing where there are none, or what they gave is not told."""
    whole = sum(counts or ())
    return [count / whole for count in counts or ()] if whole else []


def _counted(words: Words, sides: Sequence[Sequence[int] | None], at: int) -> list[str]:
    """Of each side how many, and what share."""
    told = []
    for side in sides:
        shares = _shares(side)
        told += [
            NOTHING if side is None else words.number(side[at]),
            words.percent(shares[at]) if shares else NOTHING,
        ]
    return told


def _rows(words: Words, labels: Sequence[int], sides: Sequence[Sequence[float]]) -> list[Datum]:
    """A row for each side and label; none of a side of which nothing is told."""
    names = words("integrity.suspected_side"), words("integrity.other_side")
    return [
        {"at": label, "side": name, "value": value}
        for name, side in zip(names, sides, strict=True)
        if side
        for label, value in zip(labels, side, strict=True)
    ]


def _chart(
    words: Words,
    found: Pictures,
    name: str,
    title: str,
    summary: str,
    rows: Sequence[Datum],
    named: Sequence[Sequence[str]],
    along: str,
    marked: Sequence[int],
    *,
    counts: bool = False,
) -> Chart:
    here, there = words("integrity.suspected_side"), words("integrity.other_side")
    up = words("integrity.responses") if counts else words("integrity.share")
    share = words("integrity.share")
    headings = [here, there] if counts else [here, share, there, share]
    return Chart(
        name,
        title,
        summary,
        lambda paper: beside(rows, sides=(here, there), along=along, up=up, marked=marked,
                             counts=counts, paper=paper),
        Table([along, *headings], named),
        rows,
        words(
            "integrity.picture_note",
            suspected=words.number(found.suspected.responses),
            others=words.number(found.others.responses),
            days=words.days(found.first, found.last),
        ),
    )  # fmt: skip


def beside(
    rows: Sequence[Datum],
    *,
    sides: tuple[str, str],
    along: str,
    up: str,
    marked: Sequence[int],
    counts: bool,
    paper: Paper,
) -> Spec:
    """Bars of the first side, and a dashed line with points of the other, on one scale.

    Each row has ``at``, ``side`` and ``value``; ``marked`` are the places that the axis names.
    """
    x = alt.X("at:O", title=along, axis=alt.Axis(values=list(marked), labelAngle=0, grid=False))
    axis = alt.Axis(format=PERCENT, tickCount=ticks(paper))
    if counts:
        axis = alt.Axis(format=",.0f", tickCount=ticks(paper), tickMinStep=1)
    y = alt.Y("value:Q", title=up, axis=axis)
    colour = alt.Color(
        "side:N", scale=alt.Scale(domain=list(sides), range=[BRAND, INK]), title=None
    )
    first, second = ([row for row in rows if row["side"] == side] for side in sides)
    bars = alt.Chart(alt.InlineData(values=first)).mark_bar(opacity=0.65)
    line = alt.Chart(alt.InlineData(values=second)).mark_line(
        strokeDash=[5, 3], strokeWidth=1.5, point=alt.OverlayMarkDef(size=22, filled=True)
    )
    return finished(
        alt.layer(bars.encode(x=x, y=y, color=colour), line.encode(x=x, y=y, color=colour)),
        paper=paper,
        height=200,
    )
