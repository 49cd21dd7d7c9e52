"""What a list of themes is: questions with the tone that they ask for, themes with their words."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

#: The theme of a comment that has words of none.
OTHER = "other"

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]
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
    """Words of a theme: those that name it, and those that praise or blame besides.

    Of a theme that is ``whole`` those that praise or blame mean it whatever else is said.
    """

    words: Phrases = ()
    #: What names it where the clause has nothing of another theme: the room in “the room is dirty”.
    mentions: Phrases = ()
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

    #: Words as they are meant, with other spellings of each: “không: [ko, hông]”.
    spellings: dict[Phrase, Phrases] = {}
    #: What turns praise and blame round, shortly before the word; a thing denied is blame.
    negations: Phrases = ()
    #: The same, but a thing denied is praise: whoever need not bring papers is glad.
    spared: Phrases = ()
    #: Right after a word, what makes “if there is none” of its negation.
    conditions: Phrases = ()
    #: What makes praise a wish: “cần sạch hơn”.
    wishes: Phrases = ()
    #: What shows, under a question that asks for blame, that praise is meant and no wish.
    already: Phrases = ()
    #: What asks, and so neither praises nor blames unless a word does.
    asking: Phrases = ()
    #: What begins another clause, as a comma does.
    adversatives: Phrases = ()
    #: Polite words that add nothing.
    fillers: Phrases = ()
    #: Words that praise or blame whatever theme stands beside them.
    good: Phrases = ()
    bad: Phrases = ()
    middling: Phrases = ()
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=50)]
    themes: Annotated[tuple[Theme, ...], Field(min_length=1, max_length=60)]

    @property
    def phrases(self) -> list[str]:
        """Every phrase of the list."""
        found = [phrase for _, _, group in self.general() for phrase in group]
        for theme in self.themes:
            for part in (theme, *theme.at.values()):
                found += [phrase for _, group in part.by_tone() for phrase in group]
                found += part.mentions
        return found

    def general(self) -> tuple[tuple[str, Tone | None, tuple[str, ...]], ...]:
        """The phrases of no theme, with what kind they are and the tone of those that judge."""
        return (
            ("negation", None, self.negations),
            ("spared", None, self.spared),
            ("condition", None, self.conditions),
            ("wish", None, self.wishes),
            ("already", None, self.already),
            ("asking", None, self.asking),
            ("adversative", None, self.adversatives),
            ("filler", None, self.fillers),
            ("judgement", Tone.PRAISE, self.good),
            ("judgement", Tone.BLAME, self.bad),
            ("judgement", Tone.NEUTRAL, self.middling),
        )

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
