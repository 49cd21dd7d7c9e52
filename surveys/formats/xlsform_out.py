"""Writes XLSForm that Kobo, ODK and Enketo take; pyxform is asked in the tests.

Labels of every language stand in columns of their own and in every row: pyxform puts "-" where a
cell of a language is empty, without a word. What only we know stands in a column ``hailong``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

import xlsxwriter

from surveys.formats.findings import Findings, Place
from surveys.formats.outline import Choice, Clause, Outline, Question, Texts, written_mark

_COMMENT_LINES = "multiline"


def write_xlsform(outline: Outline, findings: Findings) -> bytes:
    """The workbook of an outline.

    ``findings`` gets wordings that a language lacks, and what had to be written otherwise.
    """
    return _Writing(outline, findings).workbook()


class _Writing:
    def __init__(self, outline: Outline, findings: Findings) -> None:
        self._outline, self._findings = outline, findings
        self._languages = {f"{name} ({code})": code for code, name in outline.languages.items()}
        self._lists: dict[str, tuple[Choice, ...]] = {}
        self._kinds = {q.code: q.kind for g in outline.groups for q in g.questions}

    def workbook(self) -> bytes:
        labels = [f"label::{name}" for name in self._languages]
        survey: list[list[str]] = [
            ["type", "name", *labels, "required", "relevant", "constraint", "parameters",
             "appearance", "hailong"]
        ]  # fmt: skip
        for group in self._outline.groups:
            if group.code:
                code = f"group_{group.code}"
                survey.append(["begin_group", code, *self._labels(group.texts, group.place)])
            survey += [self._row(question) for question in group.questions]
            if group.code:
                survey.append(["end_group"])
        choices = [["list_name", "name", *labels]]
        for name, listed in self._lists.items():
            for choice in listed:
                choices.append([name, choice.code, *self._labels(choice.texts, Place(name))])
        # A title in several languages, which XLSForm describes, has pyxform stumble.
        first = next(iter(self._languages))
        settings = [
            ["form_title", "form_id", "version", "default_language", "hailong"],
            [
                self._outline.title.get("vi", ""), self._outline.code, self._outline.version, first,
                written_mark(self._outline.mark),
            ],
        ]  # fmt: skip
        return _stored({"survey": survey, "choices": choices, "settings": settings})

    def _labels(self, texts: Texts, place: Place) -> list[str]:
        found = []
        for code in self._languages.values():
            text = texts.get(code, "")
            if not text:
                self._findings.add(place, "formats.no_wording", name=code)
            if "${" in text:
                self._findings.add(place, "formats.reference", text=text)
                text = text.replace("${", "$ {")
            found.append(text)
        return found

    def _row(self, question: Question) -> list[str]:
        sort, constraint, parameters, look = self._typed(question)
        return [
            sort, question.code, *self._labels(question.texts, question.place),
            "yes" if question.required else "", self._relevant(question.conditions),
            constraint, parameters, look, written_mark(question.mark),
        ]  # fmt: skip

    def _typed(self, question: Question) -> tuple[str, str, str, str]:
        match question.kind:
            case "one" | "many":
                name = self._list_name(question)
                sort = "select_one" if question.kind == "one" else "select_multiple"
                return f"{sort} {name}", "", "", "likert" if question.is_scale else ""
            case "number":
                low, high = _plain(question.minimum), _plain(question.maximum)
                if question.mark.kind == "zero_to_ten":
                    return "range", "", f"start={low} end={high} step=1", ""
                sort = "decimal" if question.decimals else "integer"
                return sort, f". >= {low} and . <= {high}", "", ""
            case "text":
                constraint = f"string-length(.) <= {question.max_length}"
                look = _COMMENT_LINES if question.long else ""
                return "text", constraint if question.max_length else "", "", look

    def _list_name(self, question: Question) -> str:
        """The list of a question, under a name that no other list has."""
        base = re.sub(r"[^\w.-]", "_", question.list_name, flags=re.ASCII) or "list"
        name, number = base, 1
        while self._lists.setdefault(name, question.choices) != question.choices:
            number += 1
            name = f"{base}_{number}"
        return name

    def _relevant(self, conditions: Sequence[Clause]) -> str:
        return " and ".join(self._clause(clause) for clause in conditions)

    def _clause(self, clause: Clause) -> str:
        number = self._kinds.get(clause.question) == "number"
        return " or ".join(
            f"${{{clause.question}}} = {code}" if number
            else f"selected(${{{clause.question}}}, '{code}')"
            for code in clause.codes
        )  # fmt: skip


def _plain(number: float | None) -> str:
    if number is None:
        return ""
    return str(int(number)) if float(number).is_integer() else format(number, "f").rstrip("0")


def _stored(sheets: Mapping[str, list[list[str]]]) -> bytes:
    stream = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False,
    }  # fmt: skip
    with xlsxwriter.Workbook(stream, options) as book:
        bold = book.add_format({"bold": True})
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 0)
            for n, row in enumerate(rows):
                for column, text in enumerate(row):
                    if text:
                        sheet.write_string(n, column, text, bold if n == 0 else None)
    return stream.getvalue()
