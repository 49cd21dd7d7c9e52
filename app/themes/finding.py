"""Finds the themes of a comment by a list, and whether it praises or blames them.

A text is gone through from left to right in time linear in its words: at each word the longest
phrase of the list that begins there is taken. Then:

- a word that only names a theme has the tone of the nearest good or bad word of its clause, or of
  the question if there is none; where it is denied (“không có ghế”), blame;
- praise and blame are turned round by a negation at most ``REACH`` words before (“không phải chờ”);
- praise is a wish, so blame, where its clause wishes (“cần sạch hơn”).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.themes.model import OTHER, Question, Theme, ThemeList, Tone
from app.themes.spelling import Word, words_of

#: So many words before a word a negation reaches it.
REACH = 3


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


@dataclass(frozen=True)
class _Entry:
    """What a phrase means: a theme's word or a general one."""

    kind: str
    theme: Theme | None = None
    tone: Tone | None = None


@dataclass
class _Node:
    """A place in the tree of phrases, by their words without marks."""

    next: dict[str, _Node] = field(default_factory=dict)
    ends: list[tuple[tuple[Word, ...], list[_Entry]]] = field(default_factory=list)


@dataclass(frozen=True)
class _Hit:
    start: int
    end: int
    clause: int
    entries: tuple[_Entry, ...]

    def is_(self, kind: str) -> bool:
        return any(each.kind == kind for each in self.entries)

    @property
    def whole(self) -> Theme | None:
        """The theme that this phrase means if nothing else is said."""
        found = (each.theme for each in self.entries if each.theme and each.theme.whole)
        return next(found, None)


class Finder:
    """Finds the themes of comments by one list."""

    def __init__(self, themes: ThemeList) -> None:
        self.themes = themes
        #: A tree of phrases a question: some words mean something there alone.
        self._trees = {each.code: self._tree(each) for each in themes.questions}

    def find(self, questionnaire: str, item: str, text: str) -> Finding:
        """The themes and the tone of an answer to an item; ``other`` where it has no theme."""
        question = self.themes.question(questionnaire, item)
        words = words_of(text)
        hits = _hits(self._trees[question.code], words)
        whole = self._whole(words, hits)
        if whole is not None:
            tone = whole.tones.get(question.code, question.tone)
            return Finding((ThemeFound(whole.code, tone),), tone)
        sentence = _Sentence(hits)
        tones: dict[str, list[Tone]] = {}
        heard: list[tuple[int, Tone]] = []
        for hit in hits:
            for entry in hit.entries:
                own = sentence.tone(entry, hit)
                if own is not None:
                    heard.append((hit.start, own))
                if entry.theme is not None and not entry.theme.whole:
                    default = entry.theme.tones.get(question.code, question.tone)
                    said = own or sentence.tone_beside(hit) or default
                    tones.setdefault(entry.theme.code, []).append(said)
        order = [each.code for each in self.themes.themes]
        found = tuple(ThemeFound(code, _together(tones[code])) for code in order if code in tones)
        tone = sentence.overall(heard) or question.tone
        return Finding(found or (ThemeFound(OTHER, tone),), tone)

    def _whole(self, words: Sequence[Word], hits: Sequence[_Hit]) -> Theme | None:
        """The theme whose words, with polite ones, are all that a text says.

        A text without any word says nothing: of such themes it is the list's first.
        """
        if not words:
            return next((each for each in self.themes.themes if each.whole), None)
        covered = sum(hit.end - hit.start for hit in hits if hit.whole or hit.is_("filler"))
        if covered < len(words):
            return None
        return next((theme for hit in hits if (theme := hit.whole) is not None), None)

    def _tree(self, question: Question) -> _Node:
        root = _Node()
        general: Iterable[tuple[str, Tone | None, Sequence[str]]] = (
            ("negation", None, self.themes.negations),
            ("wish", None, self.themes.wishes),
            ("adversative", None, self.themes.adversatives),
            ("filler", None, self.themes.fillers),
            ("judgement", Tone.PRAISE, self.themes.good),
            ("judgement", Tone.BLAME, self.themes.bad),
        )
        for kind, tone, phrases in general:
            for phrase in phrases:
                _add(root, phrase, _Entry(kind, None, tone))
        for theme in self.themes.themes:
            here = theme.at.get(question.code)
            for part in (theme, here) if here else (theme,):
                for tone, phrases in part.by_tone():
                    for phrase in phrases:
                        _add(root, phrase, _Entry("theme", theme, tone))
        return root


def _add(root: _Node, phrase: str, entry: _Entry) -> None:
    words = tuple(words_of(phrase))
    node = root
    for word in words:
        node = node.next.setdefault(word.plain, _Node())
    typed = [word.typed for word in words]
    for others, entries in node.ends:
        if [word.typed for word in others] == typed:
            entries.append(entry)
            return
    node.ends.append((words, [entry]))


def _hits(root: _Node, words: Sequence[Word]) -> list[_Hit]:
    """The phrases of a text from left to right, none within another."""
    hits: list[_Hit] = []
    at = 0
    while at < len(words):
        longest: _Hit | None = None
        node, end = root, at
        while end < len(words) and (below := node.next.get(words[end].plain)) is not None:
            node, end = below, end + 1
            for phrase, entries in node.ends:
                if _fits(phrase, words[at:end]):
                    longest = _Hit(at, end, words[at].clause, tuple(entries))
                    break
        if longest is not None:
            hits.append(longest)
        at = longest.end if longest else at + 1
    return hits


def _fits(phrase: Sequence[Word], words: Sequence[Word]) -> bool:
    """Whether words are a phrase: a single word without marks may be too many others."""
    if words[0].clause != words[-1].clause:
        return False
    if len(phrase) == 1:
        return phrase[0].typed == words[0].typed
    return all(word.is_(wanted) for word, wanted in zip(words, phrase, strict=True))


class _Sentence:
    """The phrases of a text with what stands beside each."""

    def __init__(self, hits: Sequence[_Hit]) -> None:
        self._wishes = {hit.clause for hit in hits if hit.is_("wish")}
        self._buts = [hit.start for hit in hits if hit.is_("adversative")]
        #: Whether each phrase is denied, by where it begins.
        self._denied: dict[int, bool] = {}
        last: _Hit | None = None
        for hit in hits:
            self._denied[hit.start] = (
                last is not None and last.clause == hit.clause and hit.start - last.end < REACH
            )
            last = hit if hit.is_("negation") else last
        #: By clause, where good and bad words stand, and which they are there.
        self._judgements: dict[int, list[tuple[int, Tone]]] = {}
        for hit in hits:
            for entry in hit.entries:
                if entry.kind == "judgement" and (tone := self.tone(entry, hit)) is not None:
                    self._judgements.setdefault(hit.clause, []).append((hit.start, tone))

    def tone(self, entry: _Entry, hit: _Hit) -> Tone | None:
        """The tone that a phrase has where it stands; None where it only names a theme."""
        if entry.kind not in ("theme", "judgement"):
            return None
        if entry.theme is not None and entry.theme.whole:
            return None
        if entry.tone is None:
            return Tone.BLAME if self._denied[hit.start] else None
        if self._denied[hit.start]:
            return entry.tone.opposite
        wished = hit.clause in self._wishes and entry.tone is Tone.PRAISE
        return Tone.BLAME if wished else entry.tone

    def tone_beside(self, hit: _Hit) -> Tone | None:
        """The tone of the nearest good or bad word of the clause; of a wish without one, blame."""
        here = self._judgements.get(hit.clause, [])
        at = bisect_left(here, (hit.start,))
        near = here[max(at - 1, 0) : at + 1]
        if near:
            return min(near, key=lambda one: abs(one[0] - hit.start))[1]
        return Tone.BLAME if hit.clause in self._wishes else None

    def overall(self, heard: Sequence[tuple[int, Tone]]) -> Tone | None:
        """The tone of all: what is said more often, after a “but” if there is one; else blame."""
        if not heard:
            return Tone.BLAME if self._wishes else None
        after = [tone for at, tone in heard if self._buts and at > self._buts[-1]]
        tones = after or [tone for _, tone in heard]
        return Tone.PRAISE if 2 * tones.count(Tone.PRAISE) > len(tones) else Tone.BLAME


def _together(tones: Sequence[Tone]) -> Tone:
    """The tone of a theme that is spoken of several times: blame is not to be missed."""
    for tone in (Tone.BLAME, Tone.PRAISE):
        if tone in tones:
            return tone
    return Tone.NEUTRAL
