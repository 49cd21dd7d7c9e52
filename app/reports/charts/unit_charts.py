"""The charts of one unit: each from a view, in one language."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from app.figures.results import Result
from app.figures.statistic_results import Position
from app.messages.words import NOTHING, Words
from app.reports.charts import specs
from app.reports.charts.chart import Chart, Datum, Table, note, note_on_rates
from app.reports.named_values import QUADRANTS
from app.reports.views.form_results import Quality
from app.reports.views.results import (
    Driving,
    FactorRow,
    Importance,
    ItemRow,
    Sections,
    UnitView,
)

#: What a row is of stands first in a CSV.
_FIRST = ("unit", "item", "factor", "channel", "period", "name")
#: Longer names are cut in charts; the table under them has them whole.
_LONGEST = 34


def short(text: str, longest: int = _LONGEST) -> str:
    """A name that fits beside a chart."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def placed(words: Words, position: Position) -> str:
    """Where an interval lies against the target, in words."""
    return words(f"position.{position}") if position else ""


def factors(words: Words, view: UnitView | Sections | Importance) -> Chart | None:
    """The rate of each factor; None where none has a figure."""
    return _rates(words, view, "factors", view.factors, words("chart.factor"))


def items(words: Words, view: UnitView | Importance) -> Chart | None:
    """The rate of each item; None where none has a figure."""
    return _rates(words, view, "items", view.items, words("chart.item"))


def _rates(
    words: Words,
    view: UnitView | Sections | Importance,
    name: str,
    rows: Sequence[FactorRow],
    heading: str,
) -> Chart | None:
    if all(row.rate is None for row in rows):
        return None
    labelled = [
        {
            **flat(row),
            "label": short(_label(words, row)),
            "place": placed(words, row.position),
        }
        for row in rows
    ]
    return Chart(
        name,
        words("chart.factors_title") if name == "factors" else words("chart.items_title"),
        words("chart.factors_summary", count=len(rows))
        if name == "factors"
        else words("chart.items_summary", count=len(rows)),
        lambda paper: specs.intervals(
            words, labelled, title=words("chart.rate"), target=view.target, paper=paper
        ),
        Table(
            [heading, *(words(f"chart.{key}") for key in
             ("rate", "interval", "mean", "respondents", "standing", "change", "change_interval"))],
            [
                [
                    _label(words, row),
                    words.percent(row.rate),
                    words.limits(row),
                    words.number(row.mean_score, 2),
                    words.people(row.respondents),
                    placed(words, row.position) or NOTHING,
                    words.points(row.change.estimate),
                    words.change(row.change),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note_on_rates(words, words.period_of(view), view.index.respondents),
    )  # fmt: skip


def channels(words: Words, view: UnitView) -> Chart | None:
    """The rate of each channel; None where there is but one."""
    rows = view.channels
    if len(rows) < 2:
        return None
    labelled = [
        {**flat(row), "label": words(f"channel.{row.channel}"), "place": ""} for row in rows
    ]
    return Chart(
        "channels",
        words("chart.channels_title"),
        words("chart.channels_summary", count=len(rows)),
        lambda paper: specs.intervals(
            words, labelled, title=words("chart.rate"), target=None, paper=paper
        ),
        Table(
            [words(f"chart.{key}") for key in ("channel", "rate", "interval", "respondents")],
            [
                [
                    words(f"channel.{row.channel}"),
                    words.percent(row.rate),
                    words.limits(row),
                    words.people(row.respondents),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note_on_rates(words, words.period_of(view), view.index.respondents),
    )  # fmt: skip


def drivers(words: Words, view: UnitView | Importance) -> Chart | None:
    """Importance and performance; None where too few answered everything."""
    driving = view.drivers
    if driving is None:
        return None
    rows = driving.rows
    labelled = [
        {**flat(row), "label": f"{row.factor}. {words.name(row.name)}", "short": row.factor}
        for row in rows
    ]
    fine = [(row.share, row.rate) for row in rows if row.share is not None and row.rate is not None]
    middle = (
        sum(share for share, _ in fine) / max(1, len(fine)),
        sum(rate for _, rate in fine) / max(1, len(fine)),
    )
    return Chart(
        "drivers",
        words("chart.drivers_title"),
        words("chart.drivers_summary", count=len(rows)),
        lambda paper: specs.quadrants(words, labelled, middle=middle, paper=paper),
        Table(
            [words(f"chart.{key}") for key in
             ("factor", "importance", "interval", "rate", "quadrant")],
            [
                [
                    f"{row.factor}. {words.name(row.name)}",
                    words.percent(row.share),
                    words.limits(row),
                    words.percent(row.rate),
                    quadrant(words, row.quadrant),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, _days(words, driving), driving.respondents,
            words("chart.method_drivers"),
        ),
        interactive=True,
    )  # fmt: skip


def _days(words: Words, driving: Driving) -> str:
    if driving.first is None or driving.last is None:
        return NOTHING
    return words.days(driving.first, driving.last)


def quadrant(words: Words, name: str) -> str:
    """The name of a quadrant."""
    return words(QUADRANTS[name]) if name else NOTHING


def no_opinion(words: Words, view: Quality) -> Chart | None:
    """How many had no opinion, by item; None where no item lets them say so."""
    rows = [row for row in view.no_opinion if row.share]
    if not rows:
        return None
    labelled = [
        {**flat(row), "label": short(f"{row.item}. {words.name(row.name)}")} for row in rows
    ]
    return Chart(
        "no_opinion",
        words("chart.no_opinion_title"),
        words("chart.no_opinion_summary", count=len(rows)),
        lambda paper: specs.bars(words, labelled, title=words("chart.share"), paper=paper),
        Table(
            [words(f"chart.{key}") for key in ("item", "no_opinion", "share")],
            [
                [
                    f"{row.item}. {words.name(row.name)}",
                    words.number(row.no_opinion),
                    words.percent(row.share),
                ]
                for row in rows
            ],
        ),
        [flat(row) for row in rows],
        note(
            words, words.period_of(view), view.responses.counted,
            words("chart.method_counts"),
        ),
    )  # fmt: skip


def _label(words: Words, row: FactorRow) -> str:
    code = row.item if isinstance(row, ItemRow) else row.factor
    return f"{code}. {words.name(row.name)}"


def flat(row: Result) -> Datum:
    """A row without what a chart and a CSV do not want: lists, and names within names."""
    dumped: dict[str, JsonValue] = row.model_dump(mode="json")
    ordered = {name: dumped[name] for name in _FIRST if name in dumped} | dumped
    flat: Datum = {}
    for key, value in ordered.items():
        if isinstance(value, dict):
            for inner, each in value.items():
                if inner != "within" and not isinstance(each, dict | list):
                    flat[f"{key}_{inner}"] = each
            names = value["name"] if key == "unit" else value
            if key in ("unit", "name") and isinstance(names, dict):
                flat |= {f"{key}_vi": names["vi"], f"{key}_en": names["en"]}
            if key == "unit":
                flat |= _above(value["within"])
        elif not isinstance(value, list):
            flat[key] = value
    return flat


def _above(within: JsonValue) -> Datum:
    """What a unit is part of; the columns are there whatever the units are."""
    if not isinstance(within, dict):
        return {"within_code": None, "within_vi": None, "within_en": None}
    name = within["name"]
    assert isinstance(name, dict)
    return {"within_code": within["code"], "within_vi": name["vi"], "within_en": name["en"]}
