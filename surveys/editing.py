"""Changes of a form that is being written, part by part; nothing is stored here.

Every change gives a new sketch. Who is named elsewhere under an old code is named there under the
new one; what is removed is not taken out of conditions and scoring, but named by the checks, for a
person to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from surveys.consistency import Breach, broken, lacking
from surveys.model import (
    CodedItem,
    Condition,
    Item,
    Questionnaire,
    RatedItem,
    Scale,
    SingleChoiceItem,
    Sketch,
    SketchedFactor,
    SketchedScoring,
    Text,
    TextItem,
    ZeroToTenItem,
)

AnyItem = CodedItem | TextItem
#: Of one item alone: what is wrong is named by its own fields.
ITEM: TypeAdapter[AnyItem] = TypeAdapter(Item)


class NoSuchPart(LookupError):  # noqa: N818 - what somebody asks for, no defect
    """A sketch has no such item, factor or scale."""


@dataclass(frozen=True)
class ItemPlace:
    """Where an item stands: in which factor, or in none among the further items; at which place.

    Without a number it is the place after the last.
    """

    factor: int | None
    number: int | None = None

    @classmethod
    def read(cls, written: str) -> ItemPlace:
        """From ``0.2``, ``0`` (after the last of factor 0), ``more.1`` or ``more``.

        Raises
        ------
        NoSuchPart
            Where it is none of these.
        """
        group, _, number = written.partition(".")
        if not (group == "more" or _is_number(group)) or not (not number or _is_number(number)):
            raise NoSuchPart(written)
        return cls(None if group == "more" else int(group), int(number) if number else None)

    def __str__(self) -> str:
        """As it is read."""
        group = "more" if self.factor is None else str(self.factor)
        return group if self.number is None else f"{group}.{self.number}"


def form_of(sketch: Sketch) -> Questionnaire | None:
    """The form that a sketch has become; None while anything is wrong with it."""
    if next(faults(sketch), None) is not None:
        return None
    return Questionnaire.model_validate(sketch.model_dump(mode="json", by_alias=True))


def faults(sketch: Sketch) -> Iterator[Breach]:
    """Everything for which a sketch is no form yet."""
    yield from lacking(sketch)
    yield from broken(sketch)


def group(sketch: Sketch, place: ItemPlace) -> tuple[AnyItem, ...]:
    """The items of a factor, or the further ones.

    Raises
    ------
    NoSuchPart
        Where there is no such factor.
    """
    if place.factor is None:
        return sketch.more
    return factor_at(sketch, place.factor).items


def item_at(sketch: Sketch, place: ItemPlace) -> AnyItem:
    """The item of a place.

    Raises
    ------
    NoSuchPart
        Where there is none.
    """
    items = group(sketch, place)
    if place.number is None or place.number >= len(items):
        raise NoSuchPart(str(place))
    return items[place.number]


def factor_at(sketch: Sketch, number: int) -> SketchedFactor:
    """A factor by its place.

    Raises
    ------
    NoSuchPart
        Where there is none.
    """
    if number >= len(sketch.factors):
        raise NoSuchPart(str(number))
    return sketch.factors[number]


def placed(sketch: Sketch) -> Iterator[tuple[ItemPlace, AnyItem]]:
    """Every item with its place, in the order in which it is asked."""
    for f, factor in enumerate(sketch.factors):
        for number, item in enumerate(factor.items):
            yield ItemPlace(f, number), item
    for number, item in enumerate(sketch.more):
        yield ItemPlace(None, number), item


def choices(sketch: Sketch, item: AnyItem) -> Sequence[tuple[int, Text | None]]:
    """What a condition may ask of an item: values with their wordings; nothing of most kinds."""
    match item:
        case RatedItem():
            scale = sketch.scales.get(item.scale)
            return [(level.value, level.text) for level in scale.levels] if scale else []
        case SingleChoiceItem():
            return [(option.value, option.text) for option in item.options]
        case ZeroToTenItem():
            return [(value, None) for value in range(11)]
    return []


def with_item(sketch: Sketch, place: ItemPlace, item: AnyItem, to: ItemPlace) -> Sketch:
    """With an item at a place, or after the last; moved to the end of another group, if told.

    Raises
    ------
    NoSuchPart
        Where there is no such place.
    """
    if place.number is None:
        return _with_group(sketch, to, (*group(sketch, to), item))
    was = item_at(sketch, place)
    if to.factor == place.factor:
        items = group(sketch, place)
        made = (*items[: place.number], item, *items[place.number + 1 :])
        sketch = _with_group(sketch, place, made)
    else:
        sketch = without_item(sketch, place)
        sketch = _with_group(sketch, to, (*group(sketch, to), item))
    return _item_renamed(sketch, was.code, item.code)


def without_item(sketch: Sketch, place: ItemPlace) -> Sketch:
    """Without the item of a place.

    Raises
    ------
    NoSuchPart
        Where there is none.
    """
    item_at(sketch, place)
    assert place.number is not None
    items = group(sketch, place)
    return _with_group(sketch, place, (*items[: place.number], *items[place.number + 1 :]))


def with_item_moved(sketch: Sketch, place: ItemPlace, by: int) -> tuple[Sketch, ItemPlace]:
    """With an item before its neighbour (-1) or behind it (+1), and where it stands then.

    Raises
    ------
    NoSuchPart
        Where there is none.
    """
    item_at(sketch, place)
    assert place.number is not None
    items, to = _moved(group(sketch, place), place.number, by)
    return _with_group(sketch, place, items), ItemPlace(place.factor, to)


def with_factor(sketch: Sketch, number: int | None, code: str, title: Text) -> Sketch:
    """With another code and title of a factor; without a number, with a new one at the end.

    Raises
    ------
    NoSuchPart
        Where there is none.
    pydantic.ValidationError
        Where the code is none.
    """
    if number is None:
        made = SketchedFactor(code=code, title=title)
        return sketch.model_copy(update={"factors": (*sketch.factors, made)})
    was = factor_at(sketch, number)
    made = SketchedFactor(code=code, title=title, items=was.items)
    factors = (*sketch.factors[:number], made, *sketch.factors[number + 1 :])
    index = tuple(code if each == was.code else each for each in sketch.scoring.index)
    scoring = sketch.scoring.model_copy(update={"index": index})
    return sketch.model_copy(update={"factors": factors, "scoring": scoring})


def without_factor(sketch: Sketch, number: int) -> Sketch:
    """Without a factor and all its items.

    Raises
    ------
    NoSuchPart
        Where there is none.
    """
    factor_at(sketch, number)
    factors = (*sketch.factors[:number], *sketch.factors[number + 1 :])
    return sketch.model_copy(update={"factors": factors})


def with_factor_moved(sketch: Sketch, number: int, by: int) -> tuple[Sketch, int]:
    """With a factor before its neighbour (-1) or behind it (+1), and its number then.

    Raises
    ------
    NoSuchPart
        Where there is none.
    """
    factor_at(sketch, number)
    factors, to = _moved(sketch.factors, number, by)
    return sketch.model_copy(update={"factors": factors}), to


def with_scale(sketch: Sketch, name: str, old_name: str, scale: Scale) -> Sketch:
    """With a scale in the place of another; without an old name, with a new one.

    Raises
    ------
    NoSuchPart
        Where there is none of the old name.
    """
    if not old_name:
        return sketch.model_copy(update={"scales": {**sketch.scales, name: scale}})
    if old_name not in sketch.scales:
        raise NoSuchPart(old_name)
    scales = {
        (name if each == old_name else each): (scale if each == old_name else was)
        for each, was in sketch.scales.items()
    }
    sketch = sketch.model_copy(update={"scales": scales})
    return _each_item(sketch, lambda item: _on_scale(item, old_name, name))


def without_scale(sketch: Sketch, name: str) -> Sketch:
    """Without a scale.

    Raises
    ------
    NoSuchPart
        Where there is none.
    """
    if name not in sketch.scales:
        raise NoSuchPart(name)
    scales = {each: scale for each, scale in sketch.scales.items() if each != name}
    return sketch.model_copy(update={"scales": scales})


def with_scoring(sketch: Sketch, index: Sequence[str], leave_out: Sequence[str]) -> Sketch:
    """With other factors in the index, and other items left out of it."""
    scoring = SketchedScoring(index=tuple(index), leave_out=tuple(leave_out))
    return sketch.model_copy(update={"scoring": scoring})


def with_general(sketch: Sketch, fields: Mapping[str, object]) -> Sketch:
    """With other fields of the form itself; wordings in a language that it speaks no more go.

    Raises
    ------
    pydantic.ValidationError
        With what is wrong, by field.
    """
    document = sketch.model_dump(mode="json", by_alias=True) | dict(fields)
    spoken = document["languages"]
    gone = set(sketch.languages) - set(spoken) if isinstance(spoken, dict) else set()
    return Sketch.model_validate(_unspoken(document, gone))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _moved(parts: tuple[Any, ...], number: int, by: int) -> tuple[tuple[Any, ...], int]:
    to = min(max(number + by, 0), len(parts) - 1)
    made = list(parts)
    made.insert(to, made.pop(number))
    return tuple(made), to


def _with_group(sketch: Sketch, place: ItemPlace, items: tuple[AnyItem, ...]) -> Sketch:
    if place.factor is None:
        return sketch.model_copy(update={"more": items})
    factor = factor_at(sketch, place.factor).model_copy(update={"items": items})
    before, after = sketch.factors[: place.factor], sketch.factors[place.factor + 1 :]
    return sketch.model_copy(update={"factors": (*before, factor, *after)})


def _each_item(sketch: Sketch, change: Callable[[AnyItem], AnyItem]) -> Sketch:
    factors = tuple(
        factor.model_copy(update={"items": tuple(map(change, factor.items))})
        for factor in sketch.factors
    )
    return sketch.model_copy(update={"factors": factors, "more": tuple(map(change, sketch.more))})


def _item_renamed(sketch: Sketch, was: str, code: str) -> Sketch:
    if was == code:
        return sketch

    def renamed(item: AnyItem) -> AnyItem:
        if item.shown_if is None or item.shown_if.item != was:
            return item
        condition = Condition.model_validate({"item": code, "is": item.shown_if.is_})
        return item.model_copy(update={"shown_if": condition})

    leave_out = tuple(code if each == was else each for each in sketch.scoring.leave_out)
    scoring = sketch.scoring.model_copy(update={"leave_out": leave_out})
    return _each_item(sketch.model_copy(update={"scoring": scoring}), renamed)


def _on_scale(item: AnyItem, was: str, name: str) -> AnyItem:
    if isinstance(item, RatedItem) and item.scale == was:
        return item.model_copy(update={"scale": name})
    return item


def _unspoken(part: Any, gone: set[str]) -> Any:
    """A document without wordings in languages that are gone."""
    if isinstance(part, list):
        return [_unspoken(each, gone) for each in part]
    if isinstance(part, dict):
        is_text = {"vi", "en"} <= part.keys()
        return {
            key: _unspoken(each, gone)
            for key, each in part.items()
            if not (is_text and key in gone)
        }
    return part
