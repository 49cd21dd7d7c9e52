"""The model of a questionnaire: what a YAML form may say, and what must hold within it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

#: An item's code as the official form prints it: a letter, then letters, digits, ``_`` or ``.``
ItemCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,31}$")]
FormCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$")]

#: Levels and options are packed into one byte with 0 for "not answered" and 255 for "no opinion".
LARGEST_LEVEL = 254
#: Options of a multiple choice are bits of a 32-bit field whose top bit says "no opinion".
MOST_CHOICES = 31


class Part(BaseModel):
    """Base of everything in a form: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


#: A word of a form, of however many languages.
Wording = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
#: ISO 639: two letters, or three where a language has no two.
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
#: The languages of the whole service, with their own names; a form may have more.
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}


class Text(Part):
    """A wording in both languages, and in further ones of its form.

    Vietnamese is what citizens see first, and where a further language lacks a wording.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Wording]

    vi: Wording
    en: Wording

    def in_language(self, language: str) -> str:
        """The wording in a language, or in Vietnamese."""
        return self.en if language == "en" else self.__pydantic_extra__.get(language, self.vi)


class Level(Part):
    """One step of a scale; ``value`` is what the API receives and the score that is averaged."""

    value: Annotated[int, Field(ge=1, le=LARGEST_LEVEL)]
    text: Text


class NoOpinion(Part):
    """The way out of a question: counted in neither numerator nor denominator.

    ``value`` is the number that the printed form uses for it (0 on the Ministry of Health's
    forms); the API takes that number or null.
    """

    value: int | None = None
    text: Text


class Scale(Part):
    """Ordered levels, and which of them count as satisfied."""

    levels: Annotated[tuple[Level, ...], Field(min_length=2)]
    satisfied: Annotated[tuple[int, ...], Field(min_length=1)]
    no_opinion: NoOpinion | None = None

    @model_validator(mode="after")
    def _levels_are_ordered_and_satisfied_ones_exist(self) -> Scale:
        values = [level.value for level in self.levels]
        if values != list(range(1, len(values) + 1)):
            raise PydanticCustomError("levels", "levels must be numbered 1, 2, 3 … in order")
        if strangers := sorted(set(self.satisfied) - set(values)):
            raise PydanticCustomError(
                "satisfied", "satisfied names {strangers}, not a level", {"strangers": strangers}
            )
        if self.no_opinion and self.no_opinion.value in values:
            raise PydanticCustomError("no_opinion", "no_opinion has the value of a level")
        return self


class Option(Part):
    """One answer of a choice; ``value`` is what the API receives."""

    value: Annotated[int, Field(ge=1, le=LARGEST_LEVEL)]
    text: Text


class Condition(Part):
    """Shows an item only where an earlier item was answered with one of the given values."""

    item: ItemCode
    is_: Annotated[tuple[int, ...], Field(alias="is", min_length=1)]


class BaseItem(Part):
    """What every item has, whatever its kind."""

    code: ItemCode
    text: Text
    required: bool = False
    shown_if: Condition | None = None


class RatedItem(BaseItem):
    """A statement rated on one of the form's scales."""

    kind: Literal["rated"] = "rated"
    scale: str


class SingleChoiceItem(BaseItem):
    """Exactly one of some options."""

    kind: Literal["single_choice"]
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=LARGEST_LEVEL)]
    no_opinion: NoOpinion | None = None


class MultipleChoiceItem(BaseItem):
    """Any of some options; a list of their values."""

    kind: Literal["multiple_choice"]
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=MOST_CHOICES)]
    no_opinion: NoOpinion | None = None


class ZeroToTenItem(BaseItem):
    """A whole number from 0 to 10 (likelihood to recommend)."""

    kind: Literal["zero_to_ten"]
    no_opinion: NoOpinion | None = None


class PercentItem(BaseItem):
    """A whole per cent; may exceed 100 where ``maximum`` says so (expectation exceeded)."""

    kind: Literal["percent"]
    maximum: Annotated[int, Field(ge=1, le=1000)] = 100
    no_opinion: NoOpinion | None = None


class NumberItem(BaseItem):
    """A number between two bounds, kept with a fixed count of decimals."""

    kind: Literal["number"]
    minimum: float
    maximum: float
    decimals: Annotated[int, Field(ge=0, le=4)] = 0
    unit: Text | None = None
    no_opinion: NoOpinion | None = None

    @model_validator(mode="after")
    def _bounds_fit(self) -> NumberItem:
        if not self.minimum < self.maximum:
            raise PydanticCustomError("bounds", "minimum must lie below maximum")
        if (self.maximum - self.minimum) * 10**self.decimals >= 2**32 - 2:
            raise PydanticCustomError("bounds", "bounds are too far apart for these decimals")
        return self


class ShortTextItem(BaseItem):
    """One line in the respondent's own words."""

    kind: Literal["short_text"]
    max_length: Annotated[int, Field(ge=1, le=200)] = 200


class LongTextItem(BaseItem):
    """A comment."""

    kind: Literal["long_text"]
    max_length: Annotated[int, Field(ge=1, le=4000)] = 2000


CodedItem = (
    RatedItem | SingleChoiceItem | MultipleChoiceItem | ZeroToTenItem | PercentItem | NumberItem
)
TextItem = ShortTextItem | LongTextItem


def _kind(item: Any) -> Any:
    """An item that names no kind is a rated one: nearly all of them are."""
    return item.get("kind", "rated") if isinstance(item, dict) else getattr(item, "kind", None)


Item = Annotated[
    Annotated[RatedItem, Tag("rated")]
    | Annotated[SingleChoiceItem, Tag("single_choice")]
    | Annotated[MultipleChoiceItem, Tag("multiple_choice")]
    | Annotated[ZeroToTenItem, Tag("zero_to_ten")]
    | Annotated[PercentItem, Tag("percent")]
    | Annotated[NumberItem, Tag("number")]
    | Annotated[ShortTextItem, Tag("short_text")]
    | Annotated[LongTextItem, Tag("long_text")],
    Discriminator(_kind),
]


class SketchedFactor(Part):
    """A section of the form whose items measure one thing (SIPAS factor, hospital section A–E)."""

    code: ItemCode
    title: Text
    items: tuple[Item, ...] = ()


class Factor(SketchedFactor):
    """A factor that asks something."""

    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class SketchedScoring(Part):
    """Which answers make the index.

    The index is the share of answers at a satisfied level among the answers given to the rated
    items of ``index`` factors, less the items in ``leave_out``. A respondent is wholly satisfied
    who chose a satisfied level on every one of these items that they answered.
    """

    index: tuple[ItemCode, ...] = ()
    leave_out: tuple[ItemCode, ...] = ()


class Scoring(SketchedScoring):
    """Scoring of an index that there is."""

    index: Annotated[tuple[ItemCode, ...], Field(min_length=1)]


class Sketch(Part):
    """A form that is being written: its parts are sound, and some may lack or not fit together."""

    code: FormCode
    version: Annotated[int, Field(ge=1, le=32767)]
    title: Text
    source: Text
    unverified: tuple[str, ...] = ()
    #: Further languages that it may be answered in, by code, each with its own name.
    languages: dict[LanguageCode, Wording] = {}
    estimated_minutes: Annotated[int, Field(ge=1, le=60)] = 3
    #: Whether a kiosk sends what a respondent had answered before walking away.
    keep_partial: bool = False
    scales: dict[str, Scale] = {}
    factors: tuple[SketchedFactor, ...] = ()
    more: tuple[Item, ...] = ()
    scoring: SketchedScoring = SketchedScoring()

    @property
    def items(self) -> Iterator[CodedItem | TextItem]:
        """Every item in the order in which it is asked."""
        for factor in self.factors:
            yield from factor.items
        yield from self.more

    @cached_property
    def spoken(self) -> dict[str, str]:
        """Every language that it may be answered in, by code, with its own name."""
        return LANGUAGES | self.languages

    def index_items(self, factor: SketchedFactor) -> tuple[RatedItem, ...]:
        """The rated items of one factor that enter the index."""
        if factor.code not in self.scoring.index:
            return ()
        return tuple(
            item
            for item in factor.items
            if isinstance(item, RatedItem) and item.code not in self.scoring.leave_out
        )


class Questionnaire(Sketch):
    """One version of one form."""

    scales: Annotated[dict[str, Scale], Field(min_length=1)]
    factors: Annotated[tuple[Factor, ...], Field(min_length=1)]
    scoring: Scoring

    @cached_property
    def index_factors(self) -> tuple[Factor, ...]:
        """The factors whose items enter the index, in the form's order."""
        return tuple(factor for factor in self.factors if factor.code in self.scoring.index)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the form's whole meaning, wordings too; layout of the YAML does not count."""
        meaning = self.model_dump(mode="json", by_alias=True)
        # Came after versions had been published: where it is not set, they are what they were.
        for late in ("keep_partial", "languages"):
            if not meaning[late]:
                del meaning[late]
        canonical = json.dumps(
            meaning,
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )
        return hashlib.sha256(canonical.encode()).hexdigest()

    # What must hold between parts is checked in surveys.consistency, which can name the place.
