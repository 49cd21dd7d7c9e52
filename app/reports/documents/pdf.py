"""A report as PDF, by Typst: an official letter, tagged for screen readers; charts are vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

from pydantic import JsonValue

from app.drawing import process
from app.messages import Language
from app.reports.charts import drawing
from app.reports.documents.contents import Report
from app.reports.documents.letter import Letter, Picture, Table, letter

#: What the template fills in.
Content: TypeAlias = dict[str, JsonValue]

_TEMPLATE = Path(__file__).parent / "report.typ"


def pdf(report: Report) -> bytes:
    """The report as a PDF that meets PDF/UA-1."""
    content = json.dumps(_content(letter(report)), ensure_ascii=False)
    return process.pdf(_TEMPLATE, content, ["ua-1"])


def _content(said: Letter) -> Content:
    w = said.words
    (rate, rate_label), (limits, interval_label), (n, n_label) = said.headline
    return {
        "language": w.language,
        "title": said.title,
        "above": said.above,
        "above_place": said.above_place,
        "issuer": said.issuer,
        "one_name": said.one_name,
        "addressee": said.addressee,
        "synthetic": said.synthetic,
        "number": w("report.number", number=said.number),
        "dated": said.dated,
        "recipients_text": "\n".join(said.recipients),
        "position": "\n".join(said.position),
        "signer": said.signer,
        "words": {
            name: said.heading(name)
            for name in (
                "kind", "nation", "motto", "summary", "factors", "trend", "compared", "improve",
                "official", "method", "annex", "recipients", "page",
            )
        },
        "rate": rate,
        "limits": limits,
        "n": n,
        "rate_label": rate_label,
        "numbered_label": w("chart.actions_list"),
        "interval_label": interval_label,
        "n_label": n_label,
        "summary": [*said.summary],
        "figures": {name: _picture(w.language, each) for name, each in said.pictures.items()},
        "levels": _table(said.levels),
        "levels_title": said.levels_title,
        "cases": [*said.cases],
        "cases_table": _table(said.cases_table),
        "cases_title": w("case.figures_title"),
        "besides": [*said.besides],
        "changes": _table(said.changes),
        "changes_title": w("structure.report_changes"),
        "method": [*said.method],
        "units": _table(said.units),
    }  # fmt: skip


def _picture(language: Language, picture: Picture) -> Content:
    chart = picture.chart
    return {
        "svg": drawing.svg(chart.printed, language),
        "title": chart.title,
        "summary": chart.summary,
        "note": picture.note,
        "numbered": [*chart.numbered],
        "table": _table(picture.table),
    }


def _table(table: Table | None) -> Content | None:
    if table is None:
        return None
    return {
        "headings": [*table.headings],
        "rows": [[*row] for row in table.rows],
        "strong": [*sorted(table.strong)],
    }
