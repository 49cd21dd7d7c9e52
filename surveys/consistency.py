"""What must hold between the parts of a form: each breach with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from surveys.model import (
    LANGUAGES,
    CodedItem,
    MultipleChoiceItem,
    Questionnaire,
    RatedItem,
    SingleChoiceItem,
    TextItem,
    ZeroToTenItem,
)

Place = tuple[str | int, ...]


def breaches(form: Questionnaire) -> Iterator[tuple[Place, str]]:
    """Yield ``(place, reason)`` for every rule between parts that the form breaks.

    ``place`` is the path of keys and positions from the top of the YAML document.
    """
    yield from _repeated_factor_codes(form)
    yield from _items(form)
    yield from _scoring(form)
    yield from _languages(form)
    yield from _names((), form.model_dump(by_alias=True, exclude={"unverified"}))


def _placed_items(form: Questionnaire) -> Iterator[tuple[Place, CodedItem | TextItem]]:
    for f, factor in enumerate(form.factors):
        for i, item in enumerate(factor.items):
            yield ("factors", f, "items", i), item
    for i, item in enumerate(form.more):
        yield ("more", i), item


def _repeated_factor_codes(form: Questionnaire) -> Iterator[tuple[Place, str]]:
    seen: set[str] = set()
    for f, factor in enumerate(form.factors):
        if factor.code in seen:
            yield ("factors", f, "code"), f"factor {factor.code} stands twice"
        seen.add(factor.code)


def _items(form: Questionnaire) -> Iterator[tuple[Place, str]]:
    earlier: dict[str, CodedItem | TextItem] = {}
    for place, item in _placed_items(form):
        if item.code in earlier:
            yield (*place, "code"), f"item {item.code} stands twice"
        if isinstance(item, RatedItem) and item.scale not in form.scales:
            yield (*place, "scale"), f"scale {item.scale!r} is not among scales"
        if isinstance(item, SingleChoiceItem | MultipleChoiceItem):
            values = [option.value for option in item.options]
            if len(set(values)) < len(values):
                yield (*place, "options"), "an option's value stands twice"
            if isinstance(item, MultipleChoiceItem) and max(values) > len(values):
                yield (*place, "options"), "options of a multiple choice are numbered 1, 2, 3 …"
            if item.no_opinion and item.no_opinion.value in values:
                yield (*place, "no_opinion"), "no_opinion has the value of an option"
        if item.shown_if is not None:
            yield from _condition((*place, "shown_if"), form, item, earlier)
        earlier[item.code] = item


def _condition(
    place: Place,
    form: Questionnaire,
    item: CodedItem | TextItem,
    earlier: dict[str, CodedItem | TextItem],
) -> Iterator[tuple[Place, str]]:
    assert item.shown_if is not None
    asked = earlier.get(item.shown_if.item)
    if asked is None:
        yield (*place, "item"), f"{item.shown_if.item} is not an item before {item.code}"
        return
    match asked:
        case RatedItem():
            if asked.scale not in form.scales:
                return  # which is named as a mistake of its own
            values = {level.value for level in form.scales[asked.scale].levels}
        case SingleChoiceItem():
            values = {option.value for option in asked.options}
        case ZeroToTenItem():
            values = set(range(11))
        case _:
            yield (
                (*place, "item"),
                f"{asked.code} has no levels or single options to depend on",
            )
            return
    if strangers := sorted(set(item.shown_if.is_) - values):
        yield (*place, "is"), f"{asked.code} never takes {strangers}"


def _scoring(form: Questionnaire) -> Iterator[tuple[Place, str]]:
    factors = {factor.code: factor for factor in form.factors}
    for i, code in enumerate(form.scoring.index):
        if code not in factors:
            yield ("scoring", "index", i), f"{code} is not a factor"
        elif not form.index_items(factors[code]):
            yield ("scoring", "index", i), f"factor {code} has no rated item for the index"
    codes = {item.code for item in form.items}
    for i, code in enumerate(form.scoring.leave_out):
        if code not in codes:
            yield ("scoring", "leave_out", i), f"{code} is not an item"


def _languages(form: Questionnaire) -> Iterator[tuple[Place, str]]:
    for code in sorted(form.languages.keys() & LANGUAGES.keys()):
        yield ("languages", code), f"every form speaks {code}"
    yield from _strange_wordings((), form.model_dump(by_alias=True), form.spoken)


def _strange_wordings(
    place: Place, part: Any, spoken: dict[str, str]
) -> Iterator[tuple[Place, str]]:
    """Wordings in a language that the form does not name: mostly a misspelt field."""
    if isinstance(part, list | tuple):
        for n, each in enumerate(part):
            yield from _strange_wordings((*place, n), each, spoken)
    elif isinstance(part, dict) and part.keys() >= LANGUAGES.keys():
        for code in part.keys() - spoken.keys():
            yield (*place, code), "no such field, and no language that languages names"
    elif isinstance(part, dict):
        for key, each in part.items():
            yield from _strange_wordings((*place, key), each, spoken)


def _names(place: Place, part: Any) -> Iterator[tuple[Place, str]]:
    """What stands in names and wordings and would be taken for more than words.

    They become headings, cells of workbooks, names of files and lines of logs. Checked here, not
    in the model: versions that are published already are still read.
    """
    if isinstance(part, list | tuple):
        for n, each in enumerate(part):
            yield from _names((*place, n), each)
    elif isinstance(part, dict):
        for key, each in part.items():
            if reason := _deceives(key):
                yield (*place, key), f"the name {key!r} {reason}"
            yield from _names((*place, key), each)
    elif isinstance(part, str) and (reason := _deceives(part)):
        yield place, f"{part!r:.60} {reason}"


def _deceives(words: str) -> str | None:
    if words.startswith("="):
        return "begins with =, which spreadsheets take for a formula"
    if "../" in words or "..\\" in words:
        return "holds ../, which is a path"
    if "\n" in words or "\r" in words:
        return "holds a line break; a name is one line"
    return None
