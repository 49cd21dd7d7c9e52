"""The fields of a citizen's form: what a browser sends for each kind of item, and what it means.

An item's field is called ``a.`` and its code. A rated item and a choice send a level's or an
option's number, or ``none`` for no opinion; a multiple choice sends several; the others send
what was typed. What was left empty is not answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData

from app.messages import house_language, say
from app.problems import FieldError
from surveys.conditions import hidden
from surveys.model import (
    BaseItem,
    LongTextItem,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    Sketch,
    Text,
    ZeroToTenItem,
)
from surveys.numbers import TwoNumbersError, UnreadableNumberError, decimals_of, read

NO_OPINION = "none"
#: Which of the five faces stand for the levels of a scale, by how many levels it has.
_FACES = {2: (1, 5), 3: (1, 3, 5), 4: (1, 2, 4, 5), 5: (1, 2, 3, 4, 5)}
_WIDGETS: Mapping[type[BaseItem], str] = {
    RatedItem: "rated",
    SingleChoiceItem: "one",
    MultipleChoiceItem: "many",
    ZeroToTenItem: "ten",
    PercentItem: "number",
    NumberItem: "number",
    LongTextItem: "long",
    ShortTextItem: "short",
}


class FormFields:
    """The fields of one version of a questionnaire."""

    def __init__(self, form: Sketch) -> None:
        self.form = form
        self.items = list(form.items)

    @property
    def some_required(self) -> bool:
        """Whether not every question may be left out."""
        return any(item.required for item in self.items)

    def sent(self, data: FormData) -> dict[str, list[str]]:
        """What the browser sent, by item code: to show the form again as it was."""
        found = {}
        for item in self.items:
            values = [v for v in data.getlist(f"a.{item.code}") if isinstance(v, str) and v.strip()]
            if values:
                found[item.code] = values
        return found

    def answers(self, sent: Mapping[str, Sequence[str]], language: str) -> dict[str, object]:
        """The answers as the interface takes them; numbers were written in a language.

        An answer to an item that its condition does not show is left out: without script every
        item is seen, and the citizen did nothing wrong by answering it.
        """
        answers = {
            item.code: _answer(item, sent[item.code], language)
            for item in self.items
            if item.code in sent
        }
        not_asked = hidden(self.items, answers.get)
        return {code: answer for code, answer in answers.items() if code not in not_asked}

    def sentences(
        self, errors: Sequence[FieldError], sent: Mapping[str, Sequence[str]], language: str
    ) -> dict[str, str]:
        """What is wrong, by item code; of a text that may say two numbers, which two."""
        kinds = {item.code: item for item in self.items if _is_typed_number(item)}
        said = {}
        for error in errors:
            code = error.field.removeprefix("answers.")
            said[code] = error.detail(language)
            if code in kinds and code in sent:
                try:
                    read(sent[code][0], decimals_of(kinds[code]), house_language(language))
                except TwoNumbersError as two:
                    said[code] = say("answer.two_numbers", language, **two.values)
                except UnreadableNumberError:
                    continue
        return said


def _answer(item: BaseItem, values: Sequence[str], language: str) -> object:
    if isinstance(item, ShortTextItem | LongTextItem):
        return values[0]
    if values[0] == NO_OPINION:
        return None
    if isinstance(item, MultipleChoiceItem):
        return [_number(item, value, language) for value in values]
    return _number(item, values[0], language)


def _number(item: BaseItem, value: str, language: str) -> object:
    """A number as it was typed; what is none is left to the form's checks, which say so."""
    try:
        return read(value, decimals_of(item), house_language(language))
    except UnreadableNumberError:
        return value


def in_language(text: Text, language: str) -> str:
    """A wording of the form in a language."""
    return text.in_language(language)


def _is_typed_number(item: BaseItem) -> bool:
    return isinstance(item, PercentItem | NumberItem)


def widget(item: BaseItem) -> str:
    """Which of the template's parts shows an item."""
    return _WIDGETS[type(item)]


def faces(levels: int) -> Sequence[int]:
    """The faces of a scale's levels; none where the scale has more than five."""
    return _FACES.get(levels, ())
