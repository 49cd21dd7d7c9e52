"""The sheets of an XLSForm as rows under headings that have one name each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from surveys.formats.cells import MOST_BYTES, Sheet, letter, sheets_of, text_content
from surveys.formats.findings import Findings, FormUnreadable, Place

#: A heading's other names: of SurveyCTO, of Kobo, and of older editions of pyxform.
_ALIASES = {
    "relevance": "relevant", "bind::relevant": "relevant", "bind:relevant": "relevant",
    "constraint message": "constraint_message", "bind::constraint": "constraint",
    "bind:jr:constraintmsg": "constraint_message", "bind::jr:constraintmsg": "constraint_message",
    "bind::required": "required", "bind:required": "required",
    "required message": "required_message",
    "requiredmsg": "required_message", "read only": "readonly", "read_only": "readonly",
    "bind::readonly": "readonly", "list name": "list_name", "caption": "label",
    "bind::calculate": "calculation", "calculate": "calculation", "body::appearance": "appearance",
    "control::appearance": "appearance", "control:appearance": "appearance",
    "repeat count": "repeat_count", "choice filter": "choice_filter", "id_string": "form_id",
    "form id": "form_id", "title": "form_title", "set form title": "form_title",
    "set form id": "form_id", "image": "media::image", "audio": "media::audio",
    "video": "media::video", "guidance hint": "guidance_hint",
}  # fmt: skip
_WORDED = ("label", "hint", "constraint_message", "constraint message", "required_message",
           "required message", "guidance_hint", "guidance hint", "caption")  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A row: its cells by the name of the heading, and wordings by the language that it names."""

    place: Place
    cells: Mapping[str, str]
    #: By the name of the column, and the language as the heading has it ("" for none).
    worded: Mapping[tuple[str, str], str]
    #: The letter of each column, by the heading.
    columns: Mapping[str, str]

    def get(self, name: str) -> str:
        """A cell; empty where there is none."""
        return self.cells.get(name, "")

    def texts(self, name: str) -> dict[str, str]:
        """The wordings of a column by the name of the language."""
        return {language: text for (base, language), text in self.worded.items() if base == name}

    def at(self, name: str) -> Place:
        """The place of one of its cells."""
        return self.place.at(self.columns.get(name, ""))


@dataclass(frozen=True)
class Tables:
    """What an XLSForm holds, however it was stored; ``headings`` by sheet, as they are read."""

    survey: tuple[Line, ...]
    choices: tuple[Line, ...]
    settings: Line | None
    headings: Mapping[str, tuple[str, ...]]
    others: tuple[str, ...]
    #: The sheets with headings as they stand, as pyxform takes them.
    plain: Mapping[str, list[dict[str, str]]]


def tables_of(content: bytes, findings: Findings) -> Tables:
    """The tables of a workbook, a CSV file, or Kobo's JSON.

    Raises
    ------
    FormUnreadable
        Where the file cannot be read, or holds no sheet ``survey`` with types.
    """
    start = content[:400].lstrip(b"\xef\xbb\xbf \r\n\t")
    sheets = _of_json(content) if start.startswith(b"{") else sheets_of(content)
    if "survey" not in sheets or not sheets["survey"].rows:
        raise FormUnreadable("formats.no_survey")
    lines: dict[str, tuple[Line, ...]] = {}
    headings: dict[str, tuple[str, ...]] = {}
    plain: dict[str, list[dict[str, str]]] = {}
    for title, sheet in sheets.items():
        names, found, rows = _lines(title, sheet, findings)
        headings[title], lines[title], plain[title] = names, tuple(found), rows
    if "type" not in headings["survey"]:
        raise FormUnreadable("formats.no_type_column", Place("survey", 1))
    settings = lines.get("settings", ())
    return Tables(
        lines["survey"], lines.get("choices", ()), settings[0] if settings else None, headings,
        tuple(t for t in sheets if t not in ("survey", "choices", "settings")), plain,
    )  # fmt: skip


def _name(title: str, heading: str) -> tuple[str, str]:
    """A heading as (name, language)."""
    bare = " ".join(heading.split())
    low = bare.lower()
    if low in _ALIASES:
        return _ALIASES[low], ""
    if title == "choices" and low == "value":
        return "name", ""
    match = re.match(r"(media\s*::?\s*\w+|[^:]+?)\s*::?\s*(.*)$", bare)
    if match and match[2]:
        base = re.sub(r"\s*::?\s*", "::", match[1].lower())
        base = base if base in _WORDED else ""
        if base:
            return _ALIASES.get(base, base), match[2].strip()
    return re.sub(r"\s*::?\s*", "::", low) if ":" in low else low.replace(" ", "_"), ""


def _lines(
    title: str, sheet: Sheet, findings: Findings
) -> tuple[tuple[str, ...], list[Line], list[dict[str, str]]]:
    if not sheet.rows:
        return (), [], []
    head, *rest = sheet.rows
    names = {column: _name(title, text) for column, text in head.cells.items()}
    columns: dict[str, str] = {}
    for column, (name, language) in names.items():
        key = f"{name}::{language}" if language else name
        if key in columns:
            findings.add(
                Place(title, head.number, letter(column)), "formats.column_twice", name=key
            )
        columns.setdefault(key, letter(column))
        columns.setdefault(name, letter(column))
    found, rows = [], []
    for row in rest:
        cells: dict[str, str] = {}
        worded: dict[tuple[str, str], str] = {}
        for column, text in row.cells.items():
            if column not in names:
                place = Place(title, row.number, letter(column))
                findings.add(place, "formats.no_heading", value=text[:60])
                continue
            name, language = names[column]
            if name in _WORDED:
                worded.setdefault((name, language), text)
            cells.setdefault(name, text)
        if cells:
            found.append(Line(Place(title, row.number), cells, worded, columns))
            rows.append({head.cells[c]: t for c, t in row.cells.items() if c in head.cells})
    return tuple(dict.fromkeys(name for name, _ in names.values())), found, rows


def _of_json(content: bytes) -> dict[str, Sheet]:
    """Kobo's form: the sheets as lists of objects, their texts as lists by language."""
    from surveys.formats.cells import Row

    if len(content) > MOST_BYTES:
        raise FormUnreadable("formats.too_large", size=len(content) >> 10, most=MOST_BYTES >> 10)
    try:
        document = json.loads(text_content(content))
    except (ValueError, RecursionError) as error:
        raise FormUnreadable("formats.not_json", said=str(error)[:200]) from error
    form = document.get("content", document) if isinstance(document, dict) else {}
    languages = form.get("translations") if isinstance(form.get("translations"), list) else [None]
    found = {}
    for title in ("survey", "choices", "settings"):
        part = form.get(title)
        objects = part if isinstance(part, list) else [part] if isinstance(part, dict) else []
        rows = [
            dict(_cells_of(each, languages or [None])) for each in objects if isinstance(each, dict)
        ]
        if title == "settings" and not rows and "id_string" in document:
            rows = [{"id_string": str(document["id_string"])}]
        heads = {name: n for n, name in enumerate(dict.fromkeys(k for r in rows for k in r))}
        if rows:
            lines = [Row(1, {n: name for name, n in heads.items()})]
            lines += [
                Row(n, {heads[k]: v for k, v in row.items() if v})
                for n, row in enumerate(rows, start=2)
            ]
            found[title] = Sheet(title, tuple(lines))
    return found


def _cells_of(row: Mapping[str, object], languages: list[object]) -> Iterator[tuple[str, str]]:
    for name, value in row.items():
        if isinstance(value, list):
            for language, text in zip(languages, value, strict=False):
                if text is not None:
                    yield f"{name}::{language}" if language else name, str(text)
        elif isinstance(value, str | int | float):
            yield name, str(value).lower() if isinstance(value, bool) else str(value)
