"""The empty table into which paper forms are typed: a workbook that the import reads back."""

from __future__ import annotations

import io

import xlsxwriter
from xlsxwriter.workbook import Workbook

from app.intake.paper import NO_OPINION
from app.messages import Language, say
from surveys import AnswerSheet
from surveys.model import (
    Item,
    LongTextItem,
    MultipleChoiceItem,
    NoOpinion,
    NumberItem,
    PercentItem,
    Questionnaire,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    Text,
    ZeroToTenItem,
)
from surveys.numbers import bounds

#: The columns besides those of items, each with its width and how its cells are written.
COLUMNS = {
    "form_no": (12, "@"),
    "round": (18, "@"),
    "date": (13, "dd/mm/yyyy"),
    "point": (13, "@"),
}
#: How many rows have formats and lists; more may be typed.
_ROWS = 2000
#: Excel takes no longer list within a rule.
_LONGEST_LIST = 255


def template(sheet: AnswerSheet, language: Language, point: str = "") -> bytes:
    """The workbook for a version of a questionnaire: a table, and what is typed for which answer.

    ``point`` is the public code of all its forms; without it the table has a column for codes.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    form = sheet.form
    book.set_properties({"title": form.title.in_language(language), "company": "Hài Lòng"})
    _table(book, sheet, language, with_points=not point)
    _key(book, sheet, language, point)
    book.close()
    return out.getvalue()


def _table(book: Workbook, sheet: AnswerSheet, language: Language, *, with_points: bool) -> None:
    paper = book.add_worksheet(say("import.sheet_forms", language))
    heading = book.add_format({"bold": True, "bg_color": "#E8F4F0", "border": 1})
    paper.freeze_panes(1, 1)
    place = 0
    for name, (width, written) in COLUMNS.items():
        if name == "point" and not with_points:
            continue
        # What a program makes of 07 or of a code like 2E5 is no longer what was typed.
        paper.set_column(place, place, width, book.add_format({"num_format": written}))
        paper.write(0, place, say(f"import.title_{name}", language), heading)
        paper.write_comment(0, place, say(f"import.about_{name}", language))
        place += 1
    for item in sheet.form.items:
        paper.set_column(place, place, 10 if _values(item, sheet.form) else 24)
        paper.write(0, place, item.code, heading)
        paper.write_comment(
            0, place, "\n".join([item.text.in_language(language), *_told(item, sheet, language)])
        )
        if choices := _choices(item, sheet):
            paper.data_validation(
                1, place, _ROWS, place,
                {
                    "validate": "list", "source": choices, "error_title": item.code,
                    "error_message": say("import.choose_listed", language),
                },
            )  # fmt: skip
        place += 1


def _key(book: Workbook, sheet: AnswerSheet, language: Language, point: str) -> None:
    key = book.add_worksheet(say("import.sheet_key", language))
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    for column, width in enumerate((16, 60, 60)):
        key.set_column(column, column, width, wrapped)
    key.write(0, 0, sheet.form.title.in_language(language), book.add_format({"bold": True}))
    said = say(
        "import.about_file", language, questionnaire=sheet.form.code, version=sheet.form.version
    )
    key.merge_range(1, 0, 1, 2, said, wrapped)
    for column, name in enumerate(("column", "asked", "typed")):
        key.write(3, column, say(f"import.key_{name}", language), bold)
    rows = [
        (say(f"import.title_{name}", language), say(f"import.about_{name}", language), "")
        for name in COLUMNS
        if name != "point" or not point
    ]
    rows += [
        (item.code, item.text.in_language(language), "\n".join(_told(item, sheet, language)))
        for item in sheet.form.items
    ]
    for number, row in enumerate(rows, start=4):
        key.write_row(number, 0, row)


def _values(item: Item, form: Questionnaire) -> list[tuple[int, Text | None]]:
    """What may be chosen for an item, with its wording; nothing where it is typed freely."""
    match item:
        case RatedItem():
            return [(level.value, level.text) for level in form.scales[item.scale].levels]
        case SingleChoiceItem() | MultipleChoiceItem():
            return [(option.value, option.text) for option in item.options]
        case ZeroToTenItem():
            return [(value, None) for value in range(11)]
    return []


def _choices(item: Item, sheet: AnswerSheet) -> list[str | int]:
    """The list from which a cell is filled; none where several are typed or it is too long."""
    if isinstance(item, MultipleChoiceItem):
        return []
    choices: list[str | int] = [value for value, _ in _values(item, sheet.form)]
    if choices and _no_opinion(item, sheet.form):
        choices.append(NO_OPINION)
    return choices if len(",".join(map(str, choices))) <= _LONGEST_LIST else []


def _no_opinion(item: Item, form: Questionnaire) -> NoOpinion | None:
    if isinstance(item, RatedItem):
        return form.scales[item.scale].no_opinion
    return None if isinstance(item, ShortTextItem | LongTextItem) else item.no_opinion


def _told(item: Item, sheet: AnswerSheet, language: Language) -> list[str]:
    """What is typed for which answer, a line each."""
    lines = [
        f"{value} = {wording.in_language(language)}" if wording else str(value)
        for value, wording in _values(item, sheet.form)
    ]
    if isinstance(item, ZeroToTenItem):
        lines = [say("import.from_to", language, minimum=0, maximum=10)]
    if isinstance(item, NumberItem | PercentItem):
        lines = [say("import.from_to", language, **bounds(item))]
    if isinstance(item, MultipleChoiceItem):
        lines.append(say("import.several", language))
    if unknown := _no_opinion(item, sheet.form):
        lines.append(f"{NO_OPINION} = {unknown.text.in_language(language)}")
    if item.shown_if is not None:
        values = ", ".join(map(str, item.shown_if.is_))
        lines.append(say("import.shown_if", language, item=item.shown_if.item, values=values))
    return lines
