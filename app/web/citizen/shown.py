"""What a citizen is shown: a form, thanks, or why there is no form; and what stands behind it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.registry.queries import NamedUnit
from app.registry.questionnaires import Published
from app.web.citizen.form_fields import FormFields
from app.web.citizen.wishes import Wish
from app.web.security import CONTENT_SECURITY_POLICY

#: Inlined, so that the first page needs no second request; the policy names its hash.
STYLES = (Path(__file__).parents[1] / "static/citizen.css").read_text(encoding="utf-8").strip()
_HASH = base64.b64encode(hashlib.sha256(STYLES.encode()).digest()).decode()
POLICY = CONTENT_SECURITY_POLICY.replace("style-src 'self'", f"style-src 'self' 'sha256-{_HASH}'")


@dataclass(frozen=True)
class Survey:
    """What stands behind a code: the survey point, its unit's names, and the form it asks."""

    code: str
    #: Where the form is: /q/ and the code, or /i/ and an invitation's token.
    path: str
    name_vi: str
    name_en: str
    version: Published
    #: All versions of the questionnaire, oldest first: a form may have been opened in another.
    versions: tuple[Published, ...]
    synthetic: bool
    #: Hash of the invitation's token, where somebody was invited.
    invitation: str | None = None

    def name(self, language: str) -> str:
        """The unit's name."""
        return self.name_en if language == "en" else self.name_vi

    @property
    def spoken(self) -> Mapping[str, str]:
        """The languages in which the form may be answered, each with its own name."""
        return self.version.form.spoken


@dataclass(frozen=True)
class GoingOn:
    """Who does the work of a closed unit now, and where a citizen may go on."""

    unit: NamedUnit
    #: Its form with the same questions; None where it has none that anybody may answer.
    form: str | None = None
    #: Its published figures; None where nothing is published of it yet.
    public: str | None = None

    def name(self, language: str) -> str:
        """What it is called."""
        return self.unit.name_en if language == "en" else self.unit.name_vi


class NoForm(Exception):  # noqa: N818 - no defect: a page says why, in the citizen's language
    """There is no form behind this code now."""

    def __init__(self, reason: str, status: int = 404, now_at: Sequence[GoingOn] = ()) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status
        #: Where the work of a closed unit is done now.
        self.now_at = now_at


@dataclass(frozen=True)
class FormPage:
    """The form as it is shown: what was sent before, and what is wrong with it, by item."""

    survey: Survey
    fields: FormFields
    id: str
    opened: int
    #: Tells that we made the page, and when.
    token: str
    sent: dict[str, list[str]]
    errors: dict[str, str]
    #: Why the whole form was not taken, though nothing in it may be wrong.
    trouble: str | None = None
    #: Whether the browser brought no id: one without cookies keeps it with its draft.
    anew: bool = False
    #: Of a page that is opened anew nobody has ticked anything yet.
    wish: Wish = field(default_factory=Wish)
    styles: str = STYLES
    #: Whether nothing that is done here is kept or sent.
    preview: bool = False


@dataclass(frozen=True)
class ClosedPage:
    """Why there is no form here, in the catalogue's words."""

    reason: str
    #: Where the work of a closed unit is done now.
    now_at: Sequence[GoingOn] = ()
    #: What the address of a form there carries: the draft that goes along, and the language.
    carried: str = ""
    styles: str = STYLES

    def names(self, language: str) -> str:
        """What those units are called."""
        return ", ".join(each.name(language) for each in self.now_at)


@dataclass(frozen=True)
class ThanksPage:
    """Thanks, and a way to answer about another case."""

    path: str
    unit: str
    already: bool
    #: Where to answer about another visit; an invitation is for one.
    again: str | None
    #: Where replies are read, as one would write it down.
    replies: str
    #: What became of a wish for a reply that was sent now; empty where there was none.
    reply: str = ""
    #: Her code in groups of four, for a browser without script; else the script has it.
    code: str = ""
    styles: str = STYLES
