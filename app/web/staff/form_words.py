"""What is wrong with a questionnaire that is being written, and what changed, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.messages.words import Words
from app.registry import form_reasons
from surveys.consistency import Breach
from surveys.differences import Difference
from surveys.editing import ItemPlace, item_at
from surveys.formats import FormUnreadable, NotCarried, Place
from surveys.model import LANGUAGES, Sketch


@dataclass(frozen=True)
class Check:
    """What is wrong, in a sentence, and where it is put right."""

    sentence: str
    part: str
    #: Which of its kind: a place of an item, a number of a factor, a name of a scale.
    at: str

    @property
    def query(self) -> Mapping[str, str]:
        """What the address of its form carries."""
        return {"part": self.part, "at": self.at}


@dataclass(frozen=True)
class FormWords:
    """Says of a form what its checks and differences mean, in one language."""

    words: Words
    spoken: Mapping[str, str]

    @classmethod
    def of(cls, language: str, *forms: Sketch) -> FormWords:
        """The words of some forms, which may speak further languages."""
        spoken = dict(LANGUAGES)
        for form in forms:
            spoken |= form.languages
        return cls(Words("en" if language == "en" else "vi"), spoken)

    def breach(self, breach: Breach) -> str:
        """A rule that is broken."""
        return form_reasons.breach(breach).written(self.words.language)

    def check(self, sketch: Sketch, breach: Breach) -> Check:
        """A rule that is broken, with where it is put right."""
        part, at = _form_of(breach.place)
        sentence = self.breach(breach)
        if part == "item" and (place := ItemPlace.read(at)).number is not None:
            sentence = f"{item_at(sketch, place).code}: {sentence}"
        return Check(sentence, part, at)

    def where(self, each: Difference) -> str:
        """Which field of which part differs."""
        part = self.words(f"form_part.{each.part}")
        parts = [f"{part} {each.code}" if each.code else part]
        parts.append(self.words(f"form_field.{each.field}"))
        if each.language:
            parts.append(self.spoken.get(each.language, each.language))
        return " · ".join(parts)

    def value(self, each: Difference, said: str) -> str:
        """What stood or stands there."""
        if each.field == "kind" and said:
            return self.words(f"item_kind.{said}")
        return said or "–"

    def not_carried(self, each: NotCarried) -> tuple[str, str]:
        """Where something is not carried, and why."""
        return self.place(each.place), self.words(each.reason, **form_reasons.worded(each.values))

    def unreadable(self, error: FormUnreadable) -> str:
        """Why a file cannot be read, with the place."""
        said = self.words(error.reason, **form_reasons.worded(error.values))
        parts = [self.place(error.place), said]
        return ": ".join(filter(None, parts))

    def place(self, place: Place) -> str:
        """A place in a file of another program."""
        parts: Sequence[str | None] = (
            place.part,
            None if place.row is None else self.words("formats.place_row", row=place.row),
            self.words("formats.place_column", column=place.column) if place.column else None,
        )
        return ", ".join(filter(None, parts))


def _form_of(place: Sequence[str | int]) -> tuple[str, str]:
    """By which form a place of a document is put right: its part, and which of its kind."""
    found = ("form", "")
    match place:
        case ("scales", *rest):
            found = ("scale", str(rest[0]) if rest else "")
        case ("factors", int(f), "items", int(i), *_):
            found = ("item", str(ItemPlace(f, i)))
        case ("factors", int(f), "items"):
            found = ("item", str(ItemPlace(f)))
        case ("factors", *rest):
            found = ("factor", str(rest[0]) if rest else "")
        case ("more", int(i), *_):
            found = ("item", str(ItemPlace(None, i)))
        case ("scoring", *_):
            found = ("scoring", "")
    return found
