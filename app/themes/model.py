"""What a list of themes is: questions with the tone that they ask for, themes with their words."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

#: The theme of a comment that has words of none.
OTHER = "other"

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
#: An item of any questionnaire, of one (``kiosk-face/comment``), or all of them (``*``).
ItemPattern = Annotated[
    str, StringConstraints(pattern=r"^(\*|([a-z][a-z0-9-]{1,47}/)?[A-Za-z][A-Za-z0-9_.]{0,31})$")
]
Phrases = Annotated[tuple[Phrase, ...], Field(max_length=500)]


class Tone(StrEnum):
    """Whether somebody praises, blames, or neither."""

    PRAISE = "praise"
    BLAME = "blame"
    NEUTRAL = "neutral"

    @property
    def opposite(self) -> Tone:
        """What it becomes where it is denied."""
        match self:
            case Tone.PRAISE:
                return Tone.BLAME
            case Tone.BLAME:
                return Tone.PRAISE
            case Tone.NEUTRAL:
                return Tone.NEUTRAL


class Part(BaseModel):
    """Base of everything in a list: immutable, and a misspelt field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(Part):
    """A name in both languages."""

    vi: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
    en: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class Question(Part):
    """A sort of question: which items ask it, and the tone of an answer that shows none itself."""

    code: Code
    items: Annotated[tuple[ItemPattern, ...], Field(min_length=1)]
    tone: Tone = Tone.NEUTRAL

    def asks(self, questionnaire: str, item: str) -> bool:
        """Whether an item of a questionnaire is of this sort."""
        return any(each in ("*", item, f"{questionnaire}/{item}") for each in self.items)


class ThemeWords(Part):
    """Words of a theme: those that name it, and those that praise or blame besides."""

    words: Phrases = ()
    praise: Phrases = ()
    blame: Phrases = ()

    def by_tone(self) -> tuple[tuple[Tone | None, tuple[str, ...]], ...]:
        """The phrases with the tone that each has of itself; None of what only names the theme."""
        return ((None, self.words), (Tone.PRAISE, self.praise), (Tone.BLAME, self.blame))


class Theme(ThemeWords):
    """What comments may be about."""

    code: Code
    name: Name
    #: Whether the words must be all that is said: “không” is “nothing” alone.
    whole: bool = False
    #: By question, the tone of an answer that shows none: instead of the question's.
    tones: dict[Code, Tone] = {}
    #: By question, words that mean this theme there alone.
    at: dict[Code, ThemeWords] = {}


class ThemeList(Part):
    """All themes with their words; one list for the service."""

    #: What turns praise and blame round, shortly before the word.
    negations: Phrases = ()
    #: What makes praise a wish: “cần sạch hơn”.
    wishes: Phrases = ()
    #: After which the rest of a sentence weighs more.
    adversatives: Phrases = ()
    #: Polite words that add nothing.
    fillers: Phrases = ()
    #: Words that praise or blame whatever theme stands beside them.
    good: Phrases = ()
    bad: Phrases = ()
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=50)]
    themes: Annotated[tuple[Theme, ...], Field(min_length=1, max_length=60)]

    @property
    def phrases(self) -> list[str]:
        """Every phrase of the list."""
        general = (
            self.negations, self.wishes, self.adversatives, self.fillers, self.good, self.bad
        )  # fmt: skip
        found = [phrase for group in general for phrase in group]
        for theme in self.themes:
            for part in (theme, *theme.at.values()):
                found += [phrase for _, group in part.by_tone() for phrase in group]
        return found

    @property
    def content_hash(self) -> str:
        """SHA-256 of what the list means; the layout of its YAML does not count."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def question(self, questionnaire: str, item: str) -> Question:
        """The sort of question that an item asks: the first that names it."""
        return next(each for each in self.questions if each.asks(questionnaire, item))

    def names(self) -> dict[str, Name]:
        """Names by code, in the list's order."""
        return {each.code: each.name for each in self.themes}
