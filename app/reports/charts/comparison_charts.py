"""The charts of many units: funnel, league, map, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.statistic_results import FunnelResult, FunnelRow, RankRow
from app.messages.words import NOTHING, Words
from app.reports.change_sentences import told
from app.reports.charts import funnel_spec, specs
from app.reports.charts.chart import (
    DESK,
    MOST_NAMED,
    PHONE,
    Chart,
    Datum,
    Table,
    note,
    note_on_rates,
)
from app.reports.charts.unit_charts import flat, placed, short
from app.reports.views.results import Beside, ComparisonView, UnitRow, Units

#: Signs of a unit's name beside a chart; what it is part of is among them.
_LONGEST_NAME = 42
#: Units outside a funnel's limits whose names stand beside them, the farthest first.
_NAMED = 15


def funnel(words: Words, view: ComparisonView) -> Chart | None:
    """Units between limits; None where too few can be compared."""
    found = view.funnel
    if found is None:
        return None
    lines = {
        words("chart.funnel_middle", rate=words.percent(found.target)): found.target,
        words("chart.funnel_target", rate=words.percent(view.target, 0)): view.target,
    }
    if view.whole.rate is not None:
        whole = words(
            "chart.funnel_whole", unit=words.unit(view.unit), rate=words.percent(view.whole.rate)
        )
        lines[whole] = view.whole.rate
    rows = _in_funnel(words, view, found)
    return Chart(
        "funnel",
        words("chart.funnel_title"),
        words("chart.funnel_summary", count=found.units),
        lambda paper: funnel_spec.funnel(
            words, rows, [flat(point) for point in found.curve], lines=lines, paper=paper
        ),
        Table(
            [words(f"chart.{key}") for key in
             ("unit", "rate", "interval", "respondents", "funnel_limits", "adjusted_p")],
            [
                [
                    words.unit(row.unit),
                    words.percent(row.rate),
                    words.limits(row),
                    words.people(row.respondents),
                    words.between(row.low_998, row.high_998),
                    words.p(row.adjusted_p),
                ]
                for row in found.rows
                if row.rate is not None
            ],
        ),
        [flat(row) for row in found.rows],
        note(
            words, words.period_of(view), found.respondents,
            words("chart.method_funnel"),
        ),
        interactive=True,
        by_number=sum(row.rate is not None for row in found.rows) > MOST_NAMED,
    )  # fmt: skip


def _in_funnel(words: Words, view: ComparisonView, found: FunnelResult) -> list[Datum]:
    """Units as the specification wants them: the own one, and those far outside, with names."""
    # Those beyond 95 % are named, too, as one sees them there; their mark says that it is chance.
    beyond = [
        row for row in found.rows
        if row.position.startswith("below")
        or (row.position.startswith("above") and not row.suspected)
    ]  # fmt: skip
    beyond.sort(key=lambda row: -abs(row.z or 0.0))
    named = {row.unit.code for row in beyond[:_NAMED]}
    own = view.own.code if view.own else None
    rows: list[Datum] = []
    for datum, row in zip(_units(words, found.rows, view.league), found.rows, strict=True):
        label = str(datum["label"])
        if row.unit.code == own:
            label = words("chart.own_unit", unit=label)
        rows.append(
            {
                **datum,
                "label": label,
                "name": label if row.unit.code in named or row.unit.code == own else "",
                "own": row.unit.code == own,
                "place": words(f"funnel.{_beyond(row)}"),
                "rate_told": words.percent(row.rate),
                "interval_told": words.limits(row),
                "respondents_told": words.people(row.respondents),
                "limits_95_told": words.between(row.low_95, row.high_95),
                "limits_998_told": words.between(row.low_998, row.high_998),
            }
        )
    return rows


def _beyond(row: FunnelRow) -> str:
    """On which side of the limits of 99.8 % a unit lies; of 80 units four pass those of 95 %.

    One under suspicion is not shown above them.
    """
    if row.suspected and row.position.startswith("above"):
        return "not_distinguishable"
    outside = {"above 99.8 %": "above", "below 99.8 %": "below"}
    return outside.get(row.position, "not_distinguishable")


def league(words: Words, view: Units) -> Chart | None:
    """Units by rate with their intervals; None where none has a figure."""
    rows = [row for row in view.rows if row.rate is not None]
    if not rows:
        return None
    labelled = _units(words, rows)
    method = "; ".join([words("chart.method_rates"), words("chart.method_ranks")])
    return Chart(
        "league",
        words("chart.league_title"),
        words("chart.league_summary", count=len(rows)),
        lambda paper: specs.intervals(
            words, labelled, title=words("chart.rate"), target=view.target, row_height=18,
            paper=paper,
        ),
        Table(
            [words(f"chart.{key}") for key in
             ("unit", "rank_set", "rate", "interval", "respondents", "standing", "change")],
            [
                [
                    words.unit(row.unit),
                    ranks(row),
                    words.percent(row.rate),
                    words.limits(row),
                    words.people(row.respondents),
                    placed(words, row.position) or NOTHING,
                    told(words, row),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in view.rows],
        note(words, words.period_of(view), view.respondents, method),
    )  # fmt: skip


def ranks(row: RankRow) -> str:
    """The ranks that a unit may have, of all units at once: 3–17."""
    low, high = row.rank_low_simultaneous, row.rank_high_simultaneous
    if low is None:
        return NOTHING
    return str(low) if low == high else f"{low}–{high}"


def places(words: Words, view: Units) -> Chart | None:
    """Units on the map; None where none has a position."""
    rows = [row for row in view.rows if row.latitude is not None and row.rate is not None]
    if not rows:
        return None
    said = note_on_rates(words, words.period_of(view), sum(row.respondents or 0 for row in rows))
    if specs.has_frames(_units(words, rows, view), DESK, PHONE):
        said = " ".join((said, words("chart.map_frames")))
    return Chart(
        "map",
        words("chart.map_title"),
        words("chart.map_summary", count=len(rows)),
        lambda paper: specs.places(words, _units(words, rows, view), paper=paper),
        Table(
            [words(f"chart.{key}") for key in
             ("unit", "position_lat", "position_lon", "rate", "respondents", "standing")],
            [
                [
                    words.unit(row.unit),
                    words.number(row.latitude, 3),
                    words.number(row.longitude, 3),
                    words.percent(row.rate),
                    words.people(row.respondents),
                    placed(words, row.position) or NOTHING,
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        said,
        interactive=True,
        by_number=len(rows) > MOST_NAMED,
    )  # fmt: skip


def beside(words: Words, view: ComparisonView) -> Chart | None:
    """The units that were chosen, side by side; None where none was."""
    rows = view.side_by_side
    if not rows:
        return None
    return Chart(
        "beside",
        words("chart.beside_title"),
        words("chart.beside_summary", count=len(rows)),
        lambda paper: specs.intervals(
            words,
            _units(words, rows),
            title=words("chart.rate"),
            target=view.target,
            paper=paper,
        ),
        Table(
            [words("chart.unit"), words("chart.rate"), words("chart.interval"),
             *(figure.factor for figure in rows[0].factors)],
            [
                [
                    words.unit(row.unit),
                    words.percent(row.rate),
                    words.limits(row),
                    *(words.percent(figure.rate) for figure in row.factors),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note_on_rates(
            words, words.period_of(view), sum(row.respondents or 0 for row in rows)
        ),
    )  # fmt: skip


def _units(
    words: Words, rows: Sequence[FunnelRow | UnitRow | Beside], league: Units | None = None
) -> list[Datum]:
    """Rows about units, labelled, with where they lie against the target where that is told.

    Each has its number in ``league``, as the annex of a document lists it.
    """
    numbers = {row.unit.code: place for place, row in enumerate(league.rows if league else (), 1)}
    named = [short(words.unit(row.unit), _LONGEST_NAME) for row in rows]
    twice = {name for name in named if named.count(name) > 1}
    labelled = []
    for name, row in zip(named, rows, strict=True):
        label = f"{name} ({row.unit.code})" if name in twice else name
        place = placed(words, row.position) if isinstance(row, UnitRow) else ""
        number = str(numbers.get(row.unit.code, ""))
        labelled.append({**flat(row), "label": label, "place": place, "number": number})
    return labelled
