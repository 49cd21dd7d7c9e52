"""The fields of a citizen's form: what a browser sends for each kind of item, and what it means.

An item's field is called ``a.`` and its code. A rated item and a choice send a level's or an
option's number, or ``none`` for no opinion; a multiple choice sends several; the others send
what was typed. What was left empty is not answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData

from app.messages import Language
from surveys.model import (
    BaseItem,
    LongTextItem,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    Questionnaire,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    Text,
    ZeroToTenItem,
)

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

    def __init__(self, form: Questionnaire) -> None:
        self.form = form
        self.items = list(form.items)

    def sent(self, data: FormData) -> dict[str, list[str]]:
        """What the browser sent, by item code: to show the form again as it was."""
        found = {}
        for item in self.items:
            values = [v for v in data.getlist(f"a.{item.code}") if isinstance(v, str) and v.strip()]
            if values:
                found[item.code] = values
        return found

    def answers(self, sent: Mapping[str, Sequence[str]]) -> dict[str, object]:
        """The answers as the interface takes them.

        An answer to an item that its condition does not show is left out: without script every
        item is seen, and the citizen did nothing wrong by answering it.
        """
        answers: dict[str, object] = {}
        for item in self.items:
            condition = item.shown_if
            if condition is not None and answers.get(condition.item) not in condition.is_:
                continue
            if item.code in sent:
                answers[item.code] = _answer(item, sent[item.code])
        return answers


def _answer(item: BaseItem, values: Sequence[str]) -> object:
    if isinstance(item, ShortTextItem | LongTextItem):
        return values[0]
    if values[0] == NO_OPINION:
        return None
    if isinstance(item, MultipleChoiceItem):
        return [_number(value) for value in values]
    return _number(values[0])


def _number(value: str) -> object:
    """A number as it was typed; what is none is left to the form's checks, which say so."""
    text = value.strip().replace(",", ".")
    try:
        number = float(text) if len(text) < 20 else None
    except ValueError:
        number = None
    if number is None or number != number or number in (float("inf"), float("-inf")):
        return value
    return int(number) if number.is_integer() else number


def in_language(text: Text, language: Language) -> str:
    """A wording of the form in a language."""
    return text.vi if language == "vi" else text.en


def widget(item: BaseItem) -> str:
    """Which of the template's parts shows an item."""
    return _WIDGETS[type(item)]


def faces(levels: int) -> Sequence[int]:
    """The faces of a scale's levels; none where the scale has more than five."""
    return _FACES.get(levels, ())
