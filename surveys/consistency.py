"""What must hold between the parts of a form: each breach with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from surveys.model import (
    LANGUAGES,
    CodedItem,
    MultipleChoiceItem,
    RatedItem,
    SingleChoiceItem,
    Sketch,
    TextItem,
    ZeroToTenItem,
)

Place = tuple[str | int, ...]

#: Every rule with the sentence that its breach is told by to whoever writes YAML.
RULES = {
    "no_scale": "the form has no scale",
    "no_factor": "the form has no factor",
    "empty_factor": "factor {code} has no item",
    "no_index": "no factor counts for the index",
    "factor_twice": "factor {code} stands twice",
    "item_twice": "item {code} stands twice",
    "scale_missing": "scale {scale!r} is not among scales",
    "value_twice": "an option's value stands twice",
    "not_in_order": "options of a multiple choice are numbered 1, 2, 3 …",
    "no_opinion": "no_opinion has the value of an option",
    "not_before": "{asked} is not an item before {code}",
    "not_chosen": "{asked} has no levels or single options to depend on",
    "never_takes": "{asked} never takes {values}",
    "not_a_factor": "{code} is not a factor",
    "nothing_rated": "factor {code} has no rated item for the index",
    "not_an_item": "{code} is not an item",
    "spoken_anyway": "every form speaks {code}",
    "not_spoken": "no such field, and no language that languages names",
    "formula": "{what} begins with =, which spreadsheets take for a formula",
    "path": "{what} holds ../, which is a path",
    "line_break": "{what} holds a line break; a name is one line",
}


@dataclass(frozen=True)
class Breach:
    """A rule that a form breaks, and where: the path of keys and positions from the top."""

    place: Place
    #: One of ``RULES``.
    rule: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence for whoever writes YAML."""
        return self.reason

    @property
    def reason(self) -> str:
        """The sentence for whoever writes YAML."""
        return RULES[self.rule].format(**self.values)


def breaches(form: Sketch) -> Iterator[tuple[Place, str]]:
    """Yield ``(place, reason)`` for every rule between parts that the form breaks.

    ``place`` is the path of keys and positions from the top of the YAML document.
    """
    for each in broken(form):
        yield each.place, each.reason


def lacking(form: Sketch) -> Iterator[Breach]:
    """What a form that is being written lacks before it can be one."""
    if not form.scales:
        yield Breach(("scales",), "no_scale")
    if not form.factors:
        yield Breach(("factors",), "no_factor")
    for f, factor in enumerate(form.factors):
        if not factor.items:
            yield Breach(("factors", f, "items"), "empty_factor", {"code": factor.code})
    if form.factors and not form.scoring.index:
        yield Breach(("scoring", "index"), "no_index")


def broken(form: Sketch) -> Iterator[Breach]:
    """Every rule between parts that the form breaks."""
    yield from _repeated_factor_codes(form)
    yield from _items(form)
    yield from _scoring(form)
    yield from _languages(form)
    yield from _names((), form.model_dump(by_alias=True, exclude={"unverified"}))


def _placed_items(form: Sketch) -> Iterator[tuple[Place, CodedItem | TextItem]]:
    for f, factor in enumerate(form.factors):
        for i, item in enumerate(factor.items):
            yield ("factors", f, "items", i), item
    for i, item in enumerate(form.more):
        yield ("more", i), item


def _repeated_factor_codes(form: Sketch) -> Iterator[Breach]:
    seen: set[str] = set()
    for f, factor in enumerate(form.factors):
        if factor.code in seen:
            yield Breach(("factors", f, "code"), "factor_twice", {"code": factor.code})
        seen.add(factor.code)


def _items(form: Sketch) -> Iterator[Breach]:
    earlier: dict[str, CodedItem | TextItem] = {}
    for place, item in _placed_items(form):
        if item.code in earlier:
            yield Breach((*place, "code"), "item_twice", {"code": item.code})
        if isinstance(item, RatedItem) and item.scale not in form.scales:
            yield Breach((*place, "scale"), "scale_missing", {"scale": item.scale})
        if isinstance(item, SingleChoiceItem | MultipleChoiceItem):
            values = [option.value for option in item.options]
            if len(set(values)) < len(values):
                yield Breach((*place, "options"), "value_twice")
            if isinstance(item, MultipleChoiceItem) and max(values) > len(values):
                yield Breach((*place, "options"), "not_in_order")
            if item.no_opinion and item.no_opinion.value in values:
                yield Breach((*place, "no_opinion"), "no_opinion")
        if item.shown_if is not None:
            yield from _condition((*place, "shown_if"), form, item, earlier)
        earlier[item.code] = item


def _condition(
    place: Place,
    form: Sketch,
    item: CodedItem | TextItem,
    earlier: dict[str, CodedItem | TextItem],
) -> Iterator[Breach]:
    assert item.shown_if is not None
    asked = earlier.get(item.shown_if.item)
    if asked is None:
        yield Breach(
            (*place, "item"), "not_before", {"asked": item.shown_if.item, "code": item.code}
        )
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
            yield Breach((*place, "item"), "not_chosen", {"asked": asked.code})
            return
    if strangers := sorted(set(item.shown_if.is_) - values):
        yield Breach((*place, "is"), "never_takes", {"asked": asked.code, "values": strangers})


def _scoring(form: Sketch) -> Iterator[Breach]:
    factors = {factor.code: factor for factor in form.factors}
    for i, code in enumerate(form.scoring.index):
        if code not in factors:
            yield Breach(("scoring", "index", i), "not_a_factor", {"code": code})
        elif not form.index_items(factors[code]):
            yield Breach(("scoring", "index", i), "nothing_rated", {"code": code})
    codes = {item.code for item in form.items}
    for i, code in enumerate(form.scoring.leave_out):
        if code not in codes:
            yield Breach(("scoring", "leave_out", i), "not_an_item", {"code": code})


def _languages(form: Sketch) -> Iterator[Breach]:
    for code in sorted(form.languages.keys() & LANGUAGES.keys()):
        yield Breach(("languages", code), "spoken_anyway", {"code": code})
    yield from _strange_wordings((), form.model_dump(by_alias=True), form.spoken)


def _strange_wordings(place: Place, part: Any, spoken: dict[str, str]) -> Iterator[Breach]:
    """Wordings in a language that the form does not name: mostly a misspelt field."""
    if isinstance(part, list | tuple):
        for n, each in enumerate(part):
            yield from _strange_wordings((*place, n), each, spoken)
    elif isinstance(part, dict) and part.keys() >= LANGUAGES.keys():
        for code in part.keys() - spoken.keys():
            yield Breach((*place, code), "not_spoken", {"code": code})
    elif isinstance(part, dict):
        for key, each in part.items():
            yield from _strange_wordings((*place, key), each, spoken)


def _names(place: Place, part: Any) -> Iterator[Breach]:
    """What stands in names and wordings and would be taken for more than words.

    They become headings, cells of workbooks, names of files and lines of logs. Checked here, not
    in the model: versions that are published already are still read.
    """
    if isinstance(part, list | tuple):
        for n, each in enumerate(part):
            yield from _names((*place, n), each)
    elif isinstance(part, dict):
        for key, each in part.items():
            if rule := _deceives(key):
                yield Breach((*place, key), rule, {"what": f"the name {key!r}"})
            yield from _names((*place, key), each)
    elif isinstance(part, str) and (rule := _deceives(part)):
        yield Breach(place, rule, {"what": f"{part!r:.60}"})


def _deceives(words: str) -> str | None:
    """The rule that a name breaks."""
    if words.startswith("="):
        return "formula"
    if "../" in words or "..\\" in words:
        return "path"
    if "\n" in words or "\r" in words:
        return "line_break"
    return None
