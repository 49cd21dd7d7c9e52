"""A report as PDF, by Typst: letterhead as Decree 30/2020/NĐ-CP lays it out, tagged for readers.

Every figure stands in a table, too, so that it can be searched and read aloud; charts are vectors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from pydantic import JsonValue

from app.drawing import process
from app.messages.words import NOTHING, Words
from app.reports import sentences
from app.reports.change_sentences import told
from app.reports.charts import drawing
from app.reports.charts.chart import Chart
from app.reports.charts.comparison_charts import ranks
from app.reports.documents.contents import Report
from app.reports.views.form_results import Levels
from app.reports.views.results import UnitRow
from app.reports.weighting_sentences import headline_label

#: What the template fills in.
Content: TypeAlias = dict[str, JsonValue]

_GAP = "\N{NO-BREAK SPACE}"
_TEMPLATE = Path(__file__).parent / "report.typ"


def pdf(report: Report) -> bytes:
    """The report as a PDF that meets PDF/UA-1."""
    content = json.dumps(_content(report), ensure_ascii=False, default=str)
    return process.pdf(_TEMPLATE, content, ["ua-1"])


def _content(report: Report) -> Content:
    w = report.words
    head, day = report.head, report.made_on
    period = w.period_of(report.about)
    to = "to_above" if head.addressee else "to_others"
    return {
        "language": w.language,
        "title": report.title.replace(period, period.replace(" ", _GAP)),
        "above": head.above.upper(),
        "above_place": head.above_place.upper(),
        "issuer": head.issuer.upper(),
        "one_name": head.one_name,
        "addressee": w("report.addressee", unit=head.addressee) if head.addressee else "",
        "synthetic": w("synthetic.notice") if report.about.synthetic else "",
        "dated": w("report.dated", place=head.place, day=w.letter_day(day)),
        "recipients_text": w(f"report.recipients_{to}"),
        "words": {
            name: w(f"report.{name}")
            for name in (
                "kind", "number", "nation", "motto", "summary", "factors", "trend", "compared",
                "improve", "official", "method", "annex", "recipients", "signer", "page",
            )
        },
        "rate": w.percent(report.about.index.headline.estimate),
        "limits": w.limits(report.about.index.headline),
        "n": w.people(report.about.index.respondents),
        "rate_label": headline_label(w, report.about.index),
        "numbered_label": w("chart.actions_list"),
        "interval_label": w("chart.interval"),
        "n_label": w("chart.respondents"),
        "summary": [*report.summary()],
        "figures": {
            name: {
                "svg": drawing.svg(chart.printed, w.language),
                "title": chart.title,
                "summary": chart.summary,
                "note": _note(w, chart),
                "numbered": [*chart.numbered],
                "table": _table(chart.table.headings, chart.table.rows),
            }
            for name, chart in report.charts().items()
        },
        "levels": levels_table(w, report.levels),
        "levels_title": w.name(report.levels.title),
        "levels_source": w.name(report.levels.source),
        "besides": [*besides(w, report.levels)],
        "changes": changes_table(w, report.changes()),
        "changes_title": w("structure.report_changes"),
        "method": [*report.structure(), *(w(f"report.method_{n}") for n in (1, 2, 3, 4, 5))],
        "units": units_table(w, report.compared.league.rows) if report.compared else None,
    }  # fmt: skip


def _note(words: Words, chart: Chart) -> str:
    """A chart's small words, and where the numbers beside its points are explained."""
    if not chart.by_number:
        return chart.note
    return "; ".join([chart.note, words("report.by_number")])


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Content:
    return {"headings": list(headings), "rows": [list(row) for row in rows]}


def levels_table(words: Words, view: Levels) -> Content:
    """Item by item the counts by level, mean and rate; sections and the whole between them."""
    headings = [
        words("report.item"),
        *(words("report.level", value=value) for value in view.values),
        words("report.no_opinion"),
        words("chart.mean"),
        words("report.satisfied"),
        words("chart.interval"),
    ]
    rows: list[list[str]] = []
    wide = len(view.values) + 1
    for section in view.sections:
        rows.append(
            [f"{section.factor}. {words.name(section.name)}", *[""] * wide,
             words.number(section.mean_score, 2), words.percent(section.rate),
             words.limits(section)]
        )  # fmt: skip
        for item in section.items:
            counts = [words.number(n) for n in item.levels] or [NOTHING] * (wide - 1)
            rows.append(
                [f"{item.item}. {words.name(item.name)}", *counts,
                 words.number(item.no_opinion), words.number(item.mean_score, 2),
                 words.percent(item.rate), words.limits(item)]
            )  # fmt: skip
    whole = view.whole
    rows.append(
        [words("report.whole"), *[""] * wide, words.number(whole.mean_score, 2),
         words.percent(whole.rate), words.limits(whole)]
    )  # fmt: skip
    strong = [i for i, row in enumerate(rows) if row[1] == ""]
    return _table(headings, rows) | {"strong": list(strong)}


def besides(words: Words, view: Levels) -> list[str]:
    """What the form asks besides its index, and who is satisfied with everything, in sentences."""
    whole = view.whole
    said = []
    if whole.wholly_satisfied is not None:
        said.append(words("report.wholly", rate=words.percent(whole.wholly_satisfied)))
    for row in view.besides:
        if not row.n:
            continue
        if row.mean is not None:
            text = words("report.percent_mean", mean=words.number(row.mean, 1), n=row.n)
        else:
            text = "; ".join(
                f"{words.name(option.name)}: {words.number(option.n)} "
                f"({words.percent(option.share)})"
                for option in row.options
            )
        question = words.name(row.name)
        said.append(
            f"{question} {text}" if question.endswith(("?", ":", ".")) else f"{question}: {text}"
        )
    return said


def changes_table(words: Words, changes: Sequence[tuple[str, str]]) -> Content | None:
    """The units that changed in the period, and how; None where none did."""
    headings = words("chart.unit"), words("structure.report_change")
    return _table(headings, changes) if changes else None


def units_table(words: Words, rows: Sequence[UnitRow]) -> Content:
    """The annex: every unit by number, with its rate and ranks, or why it has none."""
    headings = [words("report.line")] + [
        words(f"chart.{key}")
        for key in ("unit", "rank_set", "rate", "interval", "respondents", "standing", "change")
    ]
    shown = []
    for place, row in enumerate(rows, 1):
        name = f"{row.unit.code} {words.unit(row.unit)}"
        if row.rate is None:
            shown.append([str(place), name, sentences.figureless(words, row)])  # over all columns
            continue
        shown.append(
            [
                str(place),
                name,
                ranks(row),
                words.percent(row.rate),
                words.limits(row),
                words.people(row.respondents),
                words(f"standing.{row.position}") if row.position else NOTHING,
                told(words, row),
            ]
        )
    return _table(headings, shown)
