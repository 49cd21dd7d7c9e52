"""What two versions of a form differ in, part by part and field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from surveys.editing import AnyItem
from surveys.model import (
    LongTextItem,
    MultipleChoiceItem,
    NoOpinion,
    NumberItem,
    PercentItem,
    RatedItem,
    Scale,
    ShortTextItem,
    SingleChoiceItem,
    Sketch,
    Text,
)
from surveys.numbers import plain

PartKind = Literal["form", "scale", "factor", "item", "scoring"]
#: Fields that a part may differ in; ``whole`` for one that came or went.
FIELDS = (
    "whole", "title", "source", "unverified", "languages", "minutes", "keep_partial", "levels",
    "satisfied", "no_opinion", "wording", "kind", "scale", "required", "shown_if", "options",
    "bounds", "decimals", "unit", "length", "factor", "order", "index", "leave_out",
)  # fmt: skip
#: Fields by which an item of the same code asks something else, or is counted otherwise: figures
#: before and after are no longer of the same thing.
TURNING = frozenset({"wording", "kind", "scale", "levels", "satisfied", "options", "shown_if"})


@dataclass(frozen=True)
class Difference:
    """One field of one part, as it was and as it is; empty where it was not there, or is not."""

    part: PartKind
    #: Code of the item or factor, name of the scale; empty for the form and its scoring.
    code: str
    field: str
    #: Of a wording; empty for what is the same in all languages.
    language: str
    before: str
    after: str

    @property
    def turning(self) -> bool:
        """Whether what is under the same code before and after is another thing."""
        known = self.part in ("item", "scale") and self.field in TURNING
        return known and bool(self.before and self.after)


_Key = tuple[PartKind, str, str, str]


def differences(before: Sketch, after: Sketch) -> list[Difference]:
    """Everything that two forms differ in, in the order of the later one."""
    old, new = dict(_fields(before)), dict(_fields(after))
    parts_before, parts_after = {key[:2] for key in old}, {key[:2] for key in new}
    found: list[Difference] = []
    for key in dict.fromkeys([*new, *old]):
        part, code, field, language = key
        if (part, code) not in parts_before or (part, code) not in parts_after:
            # Of a part that came or went its wording says enough.
            if field != _MAIN[part] or language not in ("vi", ""):
                continue
            field = "whole"
        was, now = old.get(key, ""), new.get(key, "")
        if was != now:
            found.append(Difference(part, code, field, language, was, now))
    order_before = [item.code for item in before.items if ("item", item.code) in parts_after]
    order_after = [item.code for item in after.items if ("item", item.code) in parts_before]
    if order_before != order_after:
        said = (", ".join(order_before), ", ".join(order_after))
        found.append(Difference("form", "", "order", "", *said))
    return found


_MAIN: dict[PartKind, str] = {
    "form": "title", "scale": "levels", "factor": "title", "item": "wording", "scoring": "index",
}  # fmt: skip


def _fields(form: Sketch) -> Iterator[tuple[_Key, str]]:
    spoken = form.spoken
    yield from _text("form", "", "title", form.title)
    yield from _text("form", "", "source", form.source)
    yield ("form", "", "unverified", ""), "; ".join(form.unverified)
    named = ", ".join(f"{name} ({code})" for code, name in spoken.items())
    yield ("form", "", "languages", ""), named
    yield ("form", "", "minutes", ""), str(form.estimated_minutes)
    yield ("form", "", "keep_partial", ""), _mark(form.keep_partial)
    for name, scale in form.scales.items():
        yield from _scale(name, scale, spoken)
    for factor in form.factors:
        yield from _text("factor", factor.code, "title", factor.title)
        for item in factor.items:
            yield from _item(item, factor.code, spoken)
    for item in form.more:
        yield from _item(item, "", spoken)
    yield ("scoring", "", "index", ""), ", ".join(form.scoring.index)
    yield ("scoring", "", "leave_out", ""), ", ".join(form.scoring.leave_out)


def _scale(name: str, scale: Scale, spoken: dict[str, str]) -> Iterator[tuple[_Key, str]]:
    for language in spoken:
        levels = (f"{each.value} {each.text.in_language(language)}" for each in scale.levels)
        yield ("scale", name, "levels", language), "; ".join(levels)
    yield ("scale", name, "satisfied", ""), ", ".join(map(str, scale.satisfied))
    yield from _no_opinion("scale", name, scale.no_opinion)


def _item(item: AnyItem, factor: str, spoken: dict[str, str]) -> Iterator[tuple[_Key, str]]:
    code = item.code

    def said(field: str, value: str) -> tuple[_Key, str]:
        return ("item", code, field, ""), value

    yield from _text("item", code, "wording", item.text)
    yield said("kind", item.kind)
    yield said("factor", factor)
    yield said("required", _mark(item.required))
    condition = item.shown_if
    yield said("shown_if", f"{condition.item}: {_listed(condition.is_)}" if condition else "")
    match item:
        case RatedItem():
            yield said("scale", item.scale)
        case SingleChoiceItem() | MultipleChoiceItem():
            for language in spoken:
                options = (f"{e.value} {e.text.in_language(language)}" for e in item.options)
                yield ("item", code, "options", language), "; ".join(options)
        case PercentItem():
            yield said("bounds", f"0 – {item.maximum}")
        case NumberItem():
            yield said("bounds", f"{plain(item.minimum)} – {plain(item.maximum)}")
            yield said("decimals", str(item.decimals))
            if item.unit:
                yield from _text("item", code, "unit", item.unit)
        case ShortTextItem() | LongTextItem():
            yield said("length", str(item.max_length))
    if not isinstance(item, RatedItem | ShortTextItem | LongTextItem):
        yield from _no_opinion("item", code, item.no_opinion)


def _no_opinion(part: PartKind, code: str, way: NoOpinion | None) -> Iterator[tuple[_Key, str]]:
    if way is not None:
        number = "" if way.value is None else f"{way.value} "
        for language, words in way.text.model_dump().items():
            yield (part, code, "no_opinion", language), f"{number}{words}"


def _text(part: PartKind, code: str, field: str, text: Text) -> Iterator[tuple[_Key, str]]:
    for language, words in text.model_dump().items():
        yield (part, code, field, language), words


def _mark(holds: bool) -> str:
    return "✓" if holds else ""


def _listed(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))
