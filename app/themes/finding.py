"""Finds the themes of a comment by a list, and whether it praises or blames them.

A text is gone through from left to right in time linear in its words: at each word the longest
phrase of the list that begins there is taken. Then:

- a word that only names a theme has the tone of the nearest good or bad word of its clause, or of
  the question if there is none; where it is denied (“không có ghế”), blame;
- praise and blame are turned round by a negation at most ``REACH`` words before (“không phải chờ”),
  but not if that is a condition (“không bồi dưỡng thì …”);
- praise is a wish, so blame, where its clause wishes (“cần sạch hơn”); under a question that asks
  what to improve, wherever nothing shows that it is so already (“đã sạch”).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from app.themes.model import OTHER, Question, Theme, ThemeList, ThemeWords, Tone
from app.themes.phrases import Entry, Hit, Phrases, Spellings, hits
from app.themes.spelling import Word

#: So many words before a word a negation reaches it.
REACH = 3
#: The frame of a question in Vietnamese: “có … không”.
_FRAME = ("có", "không")


@dataclass(frozen=True)
class ThemeFound:
    """A theme of a comment, and whether it is praised or blamed for it."""

    theme: str
    tone: Tone


@dataclass(frozen=True)
class Finding:
    """What a comment is about, and its tone as a whole."""

    themes: tuple[ThemeFound, ...]
    tone: Tone

    def has(self, theme: str, tone: Tone | None = None) -> bool:
        """Whether it is about a theme, in some tone or in one."""
        return any(each.theme == theme and tone in (None, each.tone) for each in self.themes)


class Finder:
    """Finds the themes of comments by one list."""

    def __init__(self, themes: ThemeList) -> None:
        self.themes = themes
        self._spellings = Spellings(themes.spellings)
        self._frame = tuple(self._spellings.read(each).words[0].typed for each in _FRAME)
        #: The phrases of all questions, and by question those that mean something there alone.
        self._tree = Phrases(self._spellings)
        self._trees = {each.code: Phrases(self._spellings) for each in themes.questions}
        #: What shows that praise is meant; looked for within other phrases too (“rất vui vẻ”).
        self._already = Phrases(self._spellings)
        for kind, tone, phrases in themes.general():
            entry = Entry(kind, None, tone)
            for phrase in phrases:
                if kind != "already":
                    self._tree.add(phrase, entry)
                if kind in ("already", "adversative"):  # the same clauses in both
                    self._already.add(phrase, entry)
        for theme in themes.themes:
            _add(self._tree, theme, theme)
            for code, words in theme.at.items():
                _add(self._trees[code], theme, words)

    def find(self, questionnaire: str, item: str, text: str) -> Finding:
        """The themes and the tone of an answer to an item; ``other`` where it has no theme."""
        question = self.themes.question(questionnaire, item)
        read = self._spellings.read(text)
        words = read.words
        if not words and (nothing := next(filter(_whole, self.themes.themes), None)):
            # A text without any word says nothing, and no question gives it a tone.
            return Finding((ThemeFound(nothing.code, Tone.NEUTRAL),), Tone.NEUTRAL)
        found = hits((self._tree, self._trees[question.code]), read)
        already = {hit.clause for hit in hits([self._already], read) if hit.is_("already")}
        sentence = _Sentence(found, question, self._asks(words, found), already)
        tones, overall = sentence.themes(), sentence.overall()
        whole, rest = _said_of_nothing(words, found)
        if whole is not None:
            tone = whole.tones.get(question.code, question.tone)
            if not rest:
                return Finding((ThemeFound(whole.code, tone),), tone)
            others = Tone.PRAISE if tone is Tone.NEUTRAL else tone
            if all(each in (others, Tone.NEUTRAL) for each in sentence.units):
                tones.setdefault(whole.code, tone)
        for theme in filter(_whole, self.themes.themes):
            if tones.get(theme.code, Tone.NEUTRAL) is not Tone.NEUTRAL:
                overall = tones[theme.code]
        order = [each.code for each in self.themes.themes]
        themes = tuple(ThemeFound(code, tones[code]) for code in order if code in tones)
        return Finding(themes or (ThemeFound(OTHER, overall),), overall)

    def _asks(self, words: Sequence[Word], found: Sequence[Hit]) -> bool:
        """Whether a text asks something, by a word or by the frame of a question."""
        if any(hit.is_("asking") for hit in found):
            return True
        first, last = self._frame
        polite = {at for hit in found if hit.is_("filler") for at in range(hit.start, hit.end)}
        spoken = [word for at, word in enumerate(words) if at not in polite]
        framed: set[int] = set()
        for at, word in enumerate(spoken, start=1):
            ends = at == len(spoken) or spoken[at].clause != word.clause
            if word.typed == last and ends and word.clause in framed:
                return True
            if word.typed == first:
                framed.add(word.clause)
        return False


def _whole(theme: Theme) -> bool:
    return theme.whole


def _add(tree: Phrases, theme: Theme, words: ThemeWords) -> None:
    for tone, phrases in words.by_tone():
        kind = "whole" if theme.whole and tone is None else "theme"
        for phrase in phrases:
            tree.add(phrase, Entry(kind, theme, tone))
    for phrase in words.mentions:
        tree.add(phrase, Entry("mention", theme))


def _said_of_nothing(words: Sequence[Word], found: Sequence[Hit]) -> tuple[Theme | None, bool]:
    """The theme whose words, with polite ones, are all of a clause; whether more is said."""
    left: dict[int, int] = {}
    for word in words:
        left[word.clause] = left.get(word.clause, 0) + 1
    theme: dict[int, Theme] = {}
    for hit in found:
        if hit.whole or hit.is_("filler"):
            left[words[hit.start].clause] -= hit.end - hit.start
        if hit.whole:
            theme.setdefault(words[hit.start].clause, hit.whole)
    saying = [one for clause, one in theme.items() if left[clause] == 0]
    return next(iter(saying), None), any(left.values())


class _Sentence:
    """The phrases of a text with what stands beside each."""

    def __init__(
        self, found: Sequence[Hit], question: Question, asks: bool, already: set[int]
    ) -> None:
        self._hits, self._question, self._asks = found, question, asks
        #: By where each phrase begins, the negation that reaches it.
        self._denied: dict[int, Hit] = {}
        #: Clauses that end by a negation that denies nothing after it: “nước uống không có”.
        self._lacking: dict[int, int] = {}
        conditions = {hit.start for hit in found if hit.is_("condition")}
        last: Hit | None = None
        for hit in found:
            near = last is not None and last.clause == hit.clause and hit.start - last.end < REACH
            if last is not None and near and hit.end not in conditions:
                self._denied[hit.start] = last
            if hit.is_("negation") or hit.is_("spared"):
                last = hit
                if not hit.is_("spared"):
                    self._lacking[hit.clause] = hit.start
            elif any(each.kind in ("theme", "mention", "judgement") for each in hit.entries):
                self._lacking.pop(hit.clause, None)
        self._wishes = {
            hit.clause for hit in found if hit.is_("wish") and hit.start not in self._denied
        }
        #: Clauses that say how something is, not how it should be.
        self._already = already
        #: By clause, where good and bad words stand, and which they are there.
        self._judgements: dict[int, list[tuple[int, Tone]]] = {}
        for hit in found:
            for entry in hit.entries:
                if entry.kind == "judgement" and (tone := self._tone(entry, hit)) is not None:
                    self._judgements.setdefault(hit.clause, []).append((hit.start, tone))
        self._weigh()

    def themes(self) -> dict[str, Tone]:
        """The themes with their tones; one that is spoken of several times, with blame if any."""
        return {code: _together(tones) for code, tones in self._said.items()}

    def overall(self) -> Tone:
        """The tone of all: what is said of more themes; neutral in balance, or as was asked."""
        praise, blame = self.units.count(Tone.PRAISE), self.units.count(Tone.BLAME)
        if praise > blame + self.units.count(Tone.NEUTRAL):
            return Tone.PRAISE
        if blame > praise:
            return Tone.BLAME
        if self.units:
            return Tone.NEUTRAL
        return Tone.BLAME if self._wishes and not self._asks else self._default(None)

    def _weigh(self) -> None:
        """Gather what is said of each theme, and what weighs for the whole, one theme one unit."""
        self._said: dict[str, list[Tone]] = {}
        shown: dict[str, list[Tone]] = {}
        polite: list[Tone] = []
        themed: dict[int, set[str]] = {}
        for hit in self._hits:
            for entry in hit.entries:
                if entry.kind == "theme" and entry.theme is not None:
                    themed.setdefault(hit.clause, set()).add(entry.theme.code)
        for hit in self._hits:
            for entry in hit.entries:
                theme = entry.theme
                if theme is None or entry.kind == "whole":
                    continue
                tone = self._tone(entry, hit) or self._beside(hit)
                if entry.kind == "mention" and not self._counts(hit, theme, tone, themed):
                    continue
                if hit.is_("filler"):
                    polite.append(tone or self._default(theme))
                elif tone is not None:
                    shown.setdefault(theme.code, []).append(tone)
                    continue
                self._said.setdefault(theme.code, [tone or self._default(theme)])
        self._said |= shown  # A theme's name alone says nothing beside what is said of it.
        units = [_balance(tones) for tones in shown.values()]
        spoken = {hit.clause for hit in self._hits for each in hit.entries if each.kind == "theme"}
        for clause, here in self._judgements.items():
            if clause not in spoken:
                units += [tone for _, tone in here]
        #: What weighs for the whole; thanks only where nothing else does.
        self.units: list[Tone] = units or polite

    def _counts(
        self, hit: Hit, theme: Theme, tone: Tone | None, themed: dict[int, set[str]]
    ) -> bool:
        """Whether what may be a mere place or paper is what a clause speaks of."""
        if themed.get(hit.clause, set()) - {theme.code}:
            return False
        spoken = self._question.tone is not Tone.NEUTRAL or self._asks
        return tone is not None or (spoken and not any(themed.values()))

    def _default(self, theme: Theme | None) -> Tone:
        """The tone of what shows none: what the question asks for, but of a question none."""
        if self._asks:
            return Tone.NEUTRAL
        asked = self._question.tone
        return asked if theme is None else theme.tones.get(self._question.code, asked)

    def _tone(self, entry: Entry, hit: Hit) -> Tone | None:
        """The tone that a phrase has where it stands; None where it only names a theme."""
        if entry.kind not in ("theme", "mention", "judgement"):
            return None
        if entry.theme is not None and entry.theme.whole:
            return entry.tone
        negation = self._denied.get(hit.start)
        if entry.tone is None:
            return None if negation is None else self._tone_denied(negation)
        if negation is not None:
            return entry.tone.opposite
        wished = entry.tone is Tone.PRAISE and self._wished(entry, hit)
        return Tone.BLAME if wished else entry.tone

    def _tone_denied(self, negation: Hit) -> Tone | None:
        """The tone of a thing that is not there: it is missed, or one is spared of it."""
        if negation.is_("spared"):
            return Tone.PRAISE
        return None if self._question.tone is Tone.PRAISE else Tone.BLAME

    def _wished(self, entry: Entry, hit: Hit) -> bool:
        """Whether praise is what somebody wishes for; a theme of nothing but praise is none."""
        if self._question.tone is Tone.PRAISE:
            return False
        if hit.clause in self._wishes:
            return True
        only_praise = entry.theme and not (entry.theme.words or entry.theme.blame)
        asked = self._question.tone is Tone.BLAME and not only_praise
        return asked and hit.clause not in self._already

    def _beside(self, hit: Hit) -> Tone | None:
        """The tone of the nearest good or bad word of the clause; of a wish without one, blame."""
        here = self._judgements.get(hit.clause, [])
        at = bisect_left(here, (hit.start,))
        near = here[max(at - 1, 0) : at + 1]
        if near:
            return min(near, key=lambda one: abs(one[0] - hit.start))[1]
        if self._question.tone is Tone.PRAISE or self._asks:
            return None
        lacking = self._lacking.get(hit.clause, -1) > hit.start
        return Tone.BLAME if lacking or hit.clause in self._wishes else None


def _together(tones: Sequence[Tone]) -> Tone:
    """The tone of a theme that is spoken of several times: blame is not to be missed."""
    for tone in (Tone.BLAME, Tone.PRAISE):
        if tone in tones:
            return tone
    return Tone.NEUTRAL


def _balance(tones: Sequence[Tone]) -> Tone:
    """What a theme weighs for the whole: “lúc nhanh lúc chậm” is neither."""
    praise, blame = tones.count(Tone.PRAISE), tones.count(Tone.BLAME)
    if praise == blame:
        return Tone.NEUTRAL
    return Tone.PRAISE if praise > blame else Tone.BLAME
