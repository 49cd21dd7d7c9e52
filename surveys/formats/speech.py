"""The wordings of an outline in our languages, and which of them are missing."""

from __future__ import annotations

import re

from surveys.formats.findings import Findings, Place
from surveys.formats.outline import Outline, Texts
from surveys.formats.wordings import cleaned_all
from surveys.model import LANGUAGES


class Speech:
    """Puts wordings into Vietnamese, English and the further languages of a form.

    Where a file speaks but one language, its wording stands for both until somebody translates
    it, and that is said; where one row lacks a language that the file speaks, that row is named.
    """

    def __init__(self, outline: Outline, findings: Findings) -> None:
        self._findings = findings
        self._default = outline.default_language
        marked = outline.mark.languages
        spoken = {code: name for code, name in outline.languages.items() if code}
        #: The languages beside Vietnamese and English, with their own names.
        self.further = {
            code: marked.get(code) or name
            for code, name in {**spoken, **marked}.items()
            if code not in LANGUAGES and re.fullmatch("[a-z]{2,3}", code)
        }
        self._spoken = tuple(code for code in spoken if code in (*LANGUAGES, *self.further))
        for language in LANGUAGES:
            if language not in spoken:
                findings.add(Place(), "formats.language_absent", name=language)

    def text(self, texts: Texts, place: Place, otherwise: str) -> dict[str, str]:
        """One wording in all languages; ``otherwise`` is a code, for what has no wording."""
        words = cleaned_all(texts, place, self._findings)
        if not words:
            self._findings.add(place, "formats.no_wording_at_all", code=otherwise)
            words = {"": otherwise}
        elif "" not in words:
            for language in self._spoken:
                if language not in words and language not in self.further:
                    self._findings.add(place, "formats.no_wording", name=language)
        first = words.get(self._default) or words.get("") or next(iter(words.values()))
        found = {language: words.get(language) or first for language in LANGUAGES}
        found |= {language: words[language] for language in self.further if language in words}
        return found

    def marked(self, texts: Texts) -> dict[str, str]:
        """A wording that stands in a mark of ours, in which both languages are."""
        first = next(iter(texts.values()), "?")
        return {**{language: texts.get(language, first) for language in LANGUAGES}, **texts}
