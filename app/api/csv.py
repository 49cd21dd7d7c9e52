"""Answers as a tidy table, for Excel's and Power BI's “From web” and for anybody's script.

One line a row, one column a figure, nested names joined by dots (``unit.code``); a list of points
becomes a line a point. What a figure needs to be told apart elsewhere goes with every line: the
questionnaire, the days, whether it is synthetic, and the version that computed it.
``csv=semicolon`` divides every table as an Excel that is set to Vietnamese opens it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Query, Request, Response
from pydantic import JsonValue

from app.figures.results import Result

CSV = "text/csv"
#: Said of a route whose answer is JSON, or this where it is asked for.
RESPONSES: dict[int | str, dict[str, JsonValue]] = {
    200: {
        "content": {CSV: {"schema": {"type": "string"}}},
        "description": "JSON, or the rows as CSV where Accept names text/csv. With an ETag, by "
        "which an answer that has not changed is not sent again.",
    },
    304: {"description": "What If-None-Match names is still what the answer would be."},
}
T = TypeVar("T", bound=Result)
Cell = JsonValue | date
Figures = Mapping[str, Cell]
_NO_FIGURES = ("notice", "method")
_WITH_EVERY_LINE = ("questionnaire", "first", "last", "synthetic", "version")
#: A byte order mark: without it Excel takes Vietnamese letters for others.
_MARK = "\ufeff"


class Dialect(StrEnum):
    """What divides columns, and what stands before decimals."""

    COMMA = "comma"
    SEMICOLON = "semicolon"


DialectText = Annotated[
    Dialect,
    Query(
        alias="csv",
        description="Of CSV: semicolon for semicolons between columns and a comma before decimals, "
        "as an Excel that is set to Vietnamese opens it.",
    ),
]


def divided(request: Request, dialect: DialectText = Dialect.COMMA) -> None:
    """A dependency of routes whose answer may be CSV: in which dialect."""
    request.state.dialect = dialect


def answered(request: Request, found: T) -> T | Response:
    """A result as it is asked for: as a document, or its rows as CSV."""
    if not _wants_csv(request):
        return found
    return Response(
        as_csv(found, request.state.dialect),
        media_type=f"{CSV}; charset=utf-8",
        headers=request.state.caching,
    )


def _wants_csv(request: Request) -> bool:
    """Whether CSV is named before JSON, or alone; a browser's ``*/*`` gets JSON."""
    accepted = [
        part.partition(";")[0].strip().lower()
        for part in request.headers.get("accept", "").split(",")
    ]
    if CSV not in accepted:
        return False
    json = "application/json"
    return json not in accepted or accepted.index(CSV) < accepted.index(json)


def as_csv(result: Result, dialect: Dialect = Dialect.COMMA) -> str:
    """The rows of a result as CSV with a header; of a result that is one figure, this."""
    answer: dict[str, JsonValue] = result.model_dump(mode="json", by_alias=True, exclude_unset=True)
    rows = answer.get("rows")
    if not isinstance(rows, list):
        rows = [{name: value for name, value in answer.items() if name not in _NO_FIGURES}]
    common = {name: answer[name] for name in _WITH_EVERY_LINE if name in answer}
    return table((row for row in rows if isinstance(row, dict)), common=common, dialect=dialect)


def table(
    rows: Iterable[Figures],
    names: Collection[str] = (),
    common: Figures | None = None,
    dialect: Dialect = Dialect.COMMA,
) -> str:
    """Rows as CSV; columns are ``names``, then others in the order in which they come up.

    ``common`` goes with every line, at its end; what a line says of itself it keeps.

    Undefined and suppressed figures are empty; texts that a spreadsheet would take for a formula
    begin with an apostrophe.
    """
    shared = dict(common or {})
    lines = [line | (shared | line) for row in rows for line in _lines(row)]
    columns = list(dict.fromkeys([*names, *(name for line in lines for name in line)]))
    # Null in one line and a group of figures in another: the group's columns say both.
    groups = {name.rpartition(".")[0] for name in columns}
    columns = [name for name in columns if name not in groups]
    out = io.StringIO()
    delimiter = ";" if dialect is Dialect.SEMICOLON else ","
    writer = csv.DictWriter(
        out, columns, lineterminator="\r\n", extrasaction="ignore", delimiter=delimiter
    )
    writer.writeheader()
    writer.writerows(
        {name: _cell(value, dialect) for name, value in line.items()} for line in lines
    )
    return _MARK + out.getvalue()


def _lines(row: Figures) -> Iterator[dict[str, Cell]]:
    """A row as lines: one, or one for each entry of its list of points or items."""
    listed = next((name for name, value in row.items() if _is_table(value)), None)
    base = dict(_flat({name: value for name, value in row.items() if name != listed}))
    entries = row[listed] if listed is not None else None
    if not isinstance(entries, list):
        yield base
        return
    for entry in entries:
        if isinstance(entry, dict):
            yield base | {f"{listed}.{name}": value for name, value in _flat(entry)}


def _is_table(value: Cell) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _flat(row: Figures, prefix: str = "") -> Iterator[tuple[str, Cell]]:
    for name, value in row.items():
        if name == "within" and value is None:  # its columns are there whatever the units are
            yield from _flat({"code": None, "name": {"vi": None, "en": None}}, f"{prefix}within.")
        elif isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
            continue  # a table within the table: it stands in the document
        elif isinstance(value, list):
            yield f"{prefix}{name}", "; ".join(map(str, value))
        else:
            yield f"{prefix}{name}", value


def _cell(value: Cell, dialect: Dialect) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and dialect is Dialect.SEMICOLON:
        return str(value).replace(".", ",")
    if isinstance(value, str) and value[:1] in "=+-@\t\r" and value:
        return f"'{value}"
    return value
