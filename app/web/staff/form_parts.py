"""The parts of a questionnaire as forms show them: fields with names, and what is typed into them.

A form holds one part: the questionnaire itself, a scale, a factor, an item, or the scoring. A
wording is a field for each language (``text.vi``), a row of a list is numbered (``option.0.vi``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from pydantic import ValidationError

from app.problems import FieldError, InvalidFields, invalid_fields
from surveys.editing import ITEM, AnyItem, ItemPlace
from surveys.model import (
    MultipleChoiceItem,
    NoOpinion,
    NumberItem,
    PercentItem,
    RatedItem,
    Scale,
    SingleChoiceItem,
    Sketch,
    SketchedFactor,
    Text,
    ZeroToTenItem,
)
from surveys.numbers import Language, TwoNumbersError, UnreadableNumberError, read, typed

Part = Literal["form", "scale", "factor", "item", "scoring"]
Kind = Literal[
    "rated", "single_choice", "multiple_choice", "zero_to_ten", "percent", "number",
    "short_text", "long_text",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
#: Kinds whose options stand in rows, and those that may have a way out.
OPTIONS = ("single_choice", "multiple_choice")
WAY_OUT = (*OPTIONS, "zero_to_ten", "percent", "number")
#: Rows that are offered beyond those that are filled.
MORE_ROWS = 3
_MOST_ROWS = 300
Fields = Mapping[str, str]
Renamed = Callable[[str], str]


def fields_of_form(sketch: Sketch) -> dict[str, str]:
    """The fields of a questionnaire itself."""
    found = {
        "code": sketch.code,
        "minutes": str(sketch.estimated_minutes),
        "unverified": "\n".join(sketch.unverified),
        **_wording("title", sketch.title),
        **_wording("source", sketch.source),
    }
    if sketch.keep_partial:
        found["keep_partial"] = "yes"
    for row, (code, name) in enumerate(sketch.languages.items()):
        found |= {f"language.{row}.code": code, f"language.{row}.name": name}
    return found


def fields_of_scale(name: str, scale: Scale) -> dict[str, str]:
    """The fields of a scale."""
    found = {"name": name, **_way_out(scale.no_opinion)}
    for row, level in enumerate(scale.levels):
        found |= _wording(f"level.{row}", level.text)
        if level.value in scale.satisfied:
            found[f"satisfied.{row}"] = "yes"
    return found


def fields_of_factor(factor: SketchedFactor) -> dict[str, str]:
    """The fields of a factor."""
    return {"code": factor.code, **_wording("title", factor.title)}


def fields_of_item(item: AnyItem, place: ItemPlace, language: Language) -> dict[str, str]:
    """The fields of an item, its numbers as the language writes them."""
    found = {"code": item.code, "kind": item.kind, **_wording("text", item.text)}
    found["group"] = str(ItemPlace(place.factor))
    if item.required:
        found["required"] = "yes"
    if item.shown_if:
        found["if"] = item.shown_if.item
        found |= {f"is.{value}": "yes" for value in item.shown_if.is_}
    match item:
        case RatedItem():
            return found | {"scale": item.scale}
        case SingleChoiceItem() | MultipleChoiceItem():
            for row, option in enumerate(item.options):
                found |= _wording(f"option.{row}", option.text)
                found[f"option.{row}.value"] = str(option.value)
            return found | _way_out(item.no_opinion)
        case PercentItem():
            return found | {"maximum": str(item.maximum)} | _way_out(item.no_opinion)
        case NumberItem():
            for name, bound in (("minimum", item.minimum), ("maximum", item.maximum)):
                found[name] = typed(bound, item.decimals, language)
            found |= {"decimals": str(item.decimals), **_way_out(item.no_opinion)}
            return found | (_wording("unit", item.unit) if item.unit else {})
        case ZeroToTenItem():
            return found | _way_out(item.no_opinion)
    return found | {"max_length": str(item.max_length)}


def fields_of_scoring(sketch: Sketch) -> dict[str, str]:
    """The fields of the scoring."""
    index = {f"index.{code}": "yes" for code in sketch.scoring.index}
    return index | {f"leave_out.{code}": "yes" for code in sketch.scoring.leave_out}


def form_in(fields: Fields, spoken: Iterable[str]) -> dict[str, object]:
    """What the fields of a questionnaire itself say, to be checked."""
    languages = {
        fields[f"language.{row}.code"].strip(): fields.get(f"language.{row}.name", "")
        for row in _rows(fields, "language")
        if fields.get(f"language.{row}.code", "").strip()
    }
    # A language that is new has no wordings yet; one that goes takes its wordings along.
    kept = [each for each in spoken if each in ("vi", "en") or each in languages]
    return {
        "code": fields.get("code", "").strip(),
        "estimated_minutes": fields.get("minutes", "").strip(),
        "unverified": [
            line for each in fields.get("unverified", "").split("\n") if (line := each.strip())
        ],
        "keep_partial": "keep_partial" in fields,
        "languages": languages,
        "title": _text_in(fields, "title", kept),
        "source": _text_in(fields, "source", kept),
    }


def scale_in(fields: Fields, spoken: Iterable[str]) -> Scale:
    """The scale that the fields say; levels are the rows that have words, in their order.

    Raises
    ------
    InvalidFields
        With what is wrong, by field.
    """
    spoken = list(spoken)
    rows = _worded_rows(fields, "level", spoken)
    levels = [
        {"value": value, "text": _text_in(fields, f"level.{row}", spoken)}
        for value, row in enumerate(rows, start=1)
    ]
    satisfied = [value for value, row in enumerate(rows, start=1) if f"satisfied.{row}" in fields]
    document = {"levels": levels, "satisfied": satisfied}
    document["no_opinion"] = _way_out_in(fields, spoken)
    try:
        return Scale.model_validate(document)
    except ValidationError as error:
        raise _named(error, _renamed({"levels": ("level", rows)})) from error


def item_in(fields: Fields, spoken: Iterable[str], language: Language) -> AnyItem:
    """The item that the fields say, with numbers as people write them in the language.

    Raises
    ------
    InvalidFields
        With what is wrong, by field.
    """
    spoken = list(spoken)
    kind = fields.get("kind", "")
    document: dict[str, Any] = {
        "code": fields.get("code", "").strip(),
        "kind": kind,
        "text": _text_in(fields, "text", spoken),
        "required": "required" in fields,
    }
    if asked := fields.get("if", ""):
        document["shown_if"] = {"item": asked, "is": _ticked(fields, "is.")}
    rows: list[int] = []
    if kind == "rated":
        document["scale"] = fields.get("scale", "")
    if kind in OPTIONS:
        rows = _worded_rows(fields, "option", spoken)
        document["options"] = _options_in(fields, rows, spoken)
    if kind in WAY_OUT:
        document["no_opinion"] = _way_out_in(fields, spoken)
    numbers, wrong = _numbers_in(fields, _NUMBERS.get(kind, ()), language)
    document |= numbers
    if kind == "number" and any(fields.get(f"unit.{each}", "").strip() for each in spoken):
        document["unit"] = _text_in(fields, "unit", spoken)
    try:
        item = ITEM.validate_python(document)
    except ValidationError as error:
        named = _named(error, _renamed({"options": ("option", rows)}, kind))
        # Of a number that is not read it says that there is none.
        read_wrong = {each.field for each in wrong}
        errors = [*wrong, *(each for each in named.errors if each.field not in read_wrong)]
        raise InvalidFields(errors=errors, count=len(errors)) from error
    if wrong:
        raise InvalidFields(errors=wrong, count=len(wrong))
    return item


#: The fields of numbers; decimals first, as they say how the bounds are read.
_NUMBERS = {
    "percent": ("maximum",),
    "number": ("decimals", "minimum", "maximum"),
    "short_text": ("max_length",),
    "long_text": ("max_length",),
}


def _numbers_in(
    fields: Fields, names: Iterable[str], language: Language
) -> tuple[dict[str, float], list[FieldError]]:
    """What is typed into the fields of numbers, and what of it is none or may be two."""
    found: dict[str, float] = {}
    wrong: list[FieldError] = []
    for name in names:
        text = fields.get(name, "").strip()
        places = found.get("decimals", 0)
        try:
            if text:
                found[name] = read(text, int(places) if 0 <= places <= 4 else 0, language)
        except TwoNumbersError as two:
            wrong.append(FieldError(name, "answer.two_numbers", two.values))
        except UnreadableNumberError:
            wrong.append(FieldError(name, "import.not_a_number", {"value": text[:40]}))
    return found, wrong


def text_in(fields: Fields, name: str, spoken: Iterable[str]) -> Text:
    """A wording.

    Raises
    ------
    InvalidFields
        With what is wrong, by field.
    """
    try:
        return Text.model_validate(_text_in(fields, name, spoken))
    except ValidationError as error:
        raise _named(error, lambda path: f"{name}.{path}") from error


def problem_of(error: ValidationError) -> InvalidFields:
    """What is wrong with the questionnaire itself, by field of its form."""
    own = {"estimated_minutes": "minutes"}
    return _named(error, lambda path: own.get(path, path if path.count(".") < 2 else "form"))


def rows_of(fields: Fields, name: str, more: int = MORE_ROWS) -> range:
    """The rows of a list that a form shows: those that are there, and some more."""
    return range(min(max(_rows(fields, name), default=-1) + 1 + more, _MOST_ROWS))


def _rows(fields: Fields, name: str) -> Sequence[int]:
    numbers = {
        int(rest[0])
        for field in fields
        if field.startswith(f"{name}.")
        and len(rest := field.removeprefix(f"{name}.").split(".")) == 2
        and rest[0].isascii()
        and rest[0].isdigit()
        and len(rest[0]) <= 3
        and fields[field].strip()
    }
    return sorted(numbers)


def _worded_rows(fields: Fields, name: str, spoken: Sequence[str]) -> list[int]:
    return [
        row
        for row in _rows(fields, name)
        if any(fields.get(f"{name}.{row}.{language}", "").strip() for language in spoken)
    ]


def _options_in(
    fields: Fields, rows: Sequence[int], spoken: Sequence[str]
) -> list[dict[str, object]]:
    """Options in their rows; one without a number gets the least that is free, if any is."""
    given = {fields.get(f"option.{row}.value", "").strip() for row in rows}
    free = (str(value) for value in range(1, _MOST_ROWS) if str(value) not in given)
    return [
        {
            "value": fields.get(f"option.{row}.value", "").strip() or next(free, ""),
            "text": _text_in(fields, f"option.{row}", spoken),
        }
        for row in rows
    ]


def _ticked(fields: Fields, prefix: str) -> list[int]:
    return sorted(
        int(rest)
        for field in fields
        if field.startswith(prefix)
        and (rest := field.removeprefix(prefix)).isascii()
        and rest.isdigit()
        and len(rest) <= 3
    )


def _wording(name: str, text: Text) -> dict[str, str]:
    return {f"{name}.{language}": words for language, words in text.model_dump().items()}


def _text_in(fields: Fields, name: str, spoken: Iterable[str]) -> dict[str, str]:
    """A wording; a further language that it lacks is left out, and Vietnamese stands there."""
    typed = {each: " ".join(fields.get(f"{name}.{each}", "").split()) for each in spoken}
    return {each: words for each, words in typed.items() if words or each in ("vi", "en")}


def _way_out(way: NoOpinion | None) -> dict[str, str]:
    if way is None:
        return {}
    number = {} if way.value is None else {"no_opinion.value": str(way.value)}
    return _wording("no_opinion", way.text) | number


def _way_out_in(fields: Fields, spoken: Sequence[str]) -> dict[str, object] | None:
    text = _text_in(fields, "no_opinion", spoken)
    if not any(text.values()):
        return None
    return {"text": text, "value": fields.get("no_opinion.value", "").strip() or None}


def _renamed(rows: Mapping[str, tuple[str, Sequence[int]]], kind: str = "") -> Renamed:
    """Gives paths of a part the names of its form's fields; ``rows`` has those of its lists."""

    def name(path: str) -> str:
        parts = path.split(".")
        if kind and parts[0] == kind:
            parts = parts[1:]
        if parts[:1] == ["shown_if"]:
            return "if" if parts[1:] == ["item"] else "is"
        if parts and parts[0] in rows:
            field, numbers = rows[parts[0]]
            if len(parts) == 1 or not parts[1].isdigit():
                return field
            rest = [each for each in parts[2:] if each != "text"]
            return ".".join([field, str(numbers[int(parts[1])]), *rest])
        return ".".join(each for each in parts if each != "text" or parts[0] == "text") or "form"

    return name


def _named(error: ValidationError, name: Renamed) -> InvalidFields:
    problem = invalid_fields(error)
    errors: Sequence[FieldError] = [
        replace(each, field=name(each.field)) for each in problem.errors
    ]
    return InvalidFields(errors=errors, count=len(errors))
