"""The form in which a person decides what the columns of a file mean, to and from a mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from starlette.datastructures import FormData

from app.importing import mapping as mappings
from app.importing.folding import folded
from app.importing.headers import Column, Headed
from app.importing.mapping import NO_ANSWER, NO_OPINION, ColumnMeaning, Role
from app.importing.proposing import Proposal, unknown_words
from app.masking.masker import mask
from app.problems import invalid_fields
from app.web.pages import whole_number
from surveys import AnswerSheet
from surveys.model import MultipleChoiceItem, RatedItem, SingleChoiceItem

#: What a column means that nobody reads, by choice.
OUT = "out"
#: Words of a column that are asked about on the page; a mapping in a file may have more.
MOST_WORDS = 25
#: Examples of what a column holds, and signs of each.
_EXAMPLES, _LONGEST = 3, 40
#: Signs of a word that is to be decided about.
_LONGEST_WORD = 80
_OF_CASE = ("dates", "numbers", "unfinished", "language", "zone", "source", "point")
Say = Callable[..., str]
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class WordField:
    """A word of a column, as it is and as it is shown, and what it is taken for.

    What is shown masked and was not decided about is nothing to decide about: it is no word for a
    level, but what somebody wrote.
    """

    word: str
    shown: str
    meaning: str
    to_decide: bool = True


@dataclass(frozen=True)
class ColumnField:
    """A column as the page shows it."""

    place: int
    name: str
    text: str
    examples: str
    meaning: str
    reversed: bool
    can_turn: bool
    words: Sequence[WordField]
    #: What its words may mean; none where a code is typed.
    choices: Options


def target_of(meaning: ColumnMeaning) -> str:
    """A meaning as the value of a list to choose from."""
    if meaning.role is not None:
        return f"role:{meaning.role.value}"
    if meaning.option is not None:
        return f"option:{meaning.item}:{meaning.option}"
    return f"item:{meaning.item}"


def targets(sheet: AnswerSheet, language: str, say: Say) -> Sequence[tuple[str, Options]]:
    """All that a column may mean, in groups."""
    items = [
        (f"item:{item.code}", f"{item.code}. {item.text.in_language(language)}")
        for item in sheet.form.items
    ]
    options = [
        (
            f"option:{item.code}:{option.value}",
            f"{item.code}: {option.value}. {option.text.in_language(language)}",
        )
        for item in sheet.form.items
        if isinstance(item, MultipleChoiceItem)
        for option in item.options
    ]
    roles = [(f"role:{role.value}", say(f"page.imports_role_{role.value}")) for role in Role]
    groups = [(say("page.imports_roles"), roles), (say("page.imports_items"), items)]
    return [*groups, (say("page.imports_options"), options)] if options else groups


def columns_of(
    headed: Headed,
    given: mappings.Mapping | None,
    found: Proposal,
    sheet: AnswerSheet,
    language: str,
    say: Say,
) -> Sequence[ColumnField]:
    """The columns with what they are taken for: by the mapping, or else as is proposed."""
    known = given.columns if given is not None else found.meanings
    out = given.leave_out if given is not None else found.leave_out
    unknown = unknown_words(given, found.words, sheet) if given is not None else found.unknown
    fields = []
    for column in headed.columns:
        meaning = known.get(column.name)
        fields.append(
            ColumnField(
                column.place,
                column.name,
                column.text if column.text != column.name else "",
                _examples(column, meaning, found, say),
                target_of(meaning) if meaning else OUT if column.name in out else "",
                bool(meaning and meaning.reversed),
                _can_turn(meaning, found.words[column.name], sheet),
                _words(column, meaning, unknown, found),
                _choices(meaning, sheet, language, say),
            )
        )
    return fields


def _examples(column: Column, meaning: ColumnMeaning | None, found: Proposal, say: Say) -> str:
    # What a person wrote stands on no screen as it came.
    words = found.words[column.name]
    if column.name in found.texts or any(len(word) > _LONGEST for word in words[:_EXAMPLES]):
        return say("page.imports_texts", count=len(words))
    return " · ".join(mask(word).text for word in words[:_EXAMPLES])


def _can_turn(meaning: ColumnMeaning | None, words: Sequence[str], sheet: AnswerSheet) -> bool:
    """Whether the column has levels by their numbers."""
    return (
        meaning is not None
        and any(word[:1].isdigit() for word in words)
        and any(isinstance(e, RatedItem) and e.code == meaning.item for e in sheet.form.items)
    )


def _words(
    column: Column,
    meaning: ColumnMeaning | None,
    unknown: Mapping[str, Sequence[str]],
    found: Proposal,
) -> Sequence[WordField]:
    if meaning is None:
        return ()
    asked = list(unknown.get(column.name, ()))
    if meaning.role is Role.POINT:
        known = {folded(word) for word in meaning.words}
        asked = [word for word in found.words[column.name] if folded(word) not in known]
    if column.name in found.texts:
        asked = []
    fields = [_word(word, str(meant)) for word, meant in meaning.words.items()]
    return [*fields, *map(_word, asked)][:MOST_WORDS]


def _word(word: str, meaning: str = "") -> WordField:
    masked = mask(word)
    shown = masked.text if len(masked.text) <= _LONGEST_WORD else masked.text[:_LONGEST_WORD] + "…"
    return WordField(word, shown, meaning, bool(meaning) or not masked.spans)


def _choices(meaning: ColumnMeaning | None, sheet: AnswerSheet, language: str, say: Say) -> Options:
    if meaning is None or meaning.item is None:
        return ()
    item = next((each for each in sheet.form.items if each.code == meaning.item), None)
    choices: list[tuple[str, str]] = []
    if isinstance(item, RatedItem):
        levels = sheet.form.scales[item.scale].levels
        choices = [(str(e.value), f"{e.value}. {e.text.in_language(language)}") for e in levels]
    elif isinstance(item, SingleChoiceItem | MultipleChoiceItem):
        choices = [(str(e.value), f"{e.value}. {e.text.in_language(language)}")
                   for e in item.options]  # fmt: skip
    if item is not None and item.code in sheet.with_no_opinion:
        choices.append((NO_OPINION, say("page.imports_no_opinion")))
    return [("", say("page.choose")), *choices, (NO_ANSWER, say("page.imports_no_answer"))]


def read_form(form: FormData, headed: Headed, sheet: AnswerSheet) -> mappings.Mapping:
    """The mapping that a person has decided on.

    Raises
    ------
    InvalidFields
        Where a field is no such thing, or nothing is decided.
    """
    columns: dict[str, object] = {}
    out = []
    for column in headed.columns:
        target = _text(form, f"m{column.place}")
        if target == OUT:
            out.append(column.name)
        elif target:
            columns[column.name] = _meaning(form, column, target)
    document: dict[str, object] = {name: value for name in _OF_CASE if (value := _text(form, name))}
    document |= {
        "questionnaire": sheet.form.code,
        "version": sheet.form.version,
        "missing": [m.strip() for m in _text(form, "missing").split(";") if m.strip()],
        "columns": columns,
        "leave_out": out,
    }
    if _text(form, "equal_rows") == "same":
        document["equal_rows"] = "same"
    try:
        return mappings.Mapping.model_validate(document)
    except ValidationError as error:
        raise invalid_fields(error) from error


def _meaning(form: FormData, column: Column, target: str) -> dict[str, object]:
    kind, _, rest = target.partition(":")
    item, _, option = rest.partition(":")
    found: dict[str, object] = {"role": rest} if kind == "role" else {"item": item}
    if option:
        found["option"] = option
    if _text(form, f"r{column.place}"):
        found["reversed"] = True
    words = {}
    for n in range(MOST_WORDS):
        word, meant = _text(form, f"w{column.place}_{n}"), _text(form, f"v{column.place}_{n}")
        if word and meant:
            number = whole_number(meant)
            words[word] = meant if number is None else number
    if words:
        found["words"] = words
    return found


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
