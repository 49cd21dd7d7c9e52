"""Below /c, what a citizen may do with her own response by her code: see it, and withdraw it.

She sees it after a press alone, so that whoever looks at her screen while she reads a reply sees no
answers; and nothing is withdrawn before a page has said what will go and what cannot. The code
comes in bodies of forms, as everywhere below /c; each try is drawn from the same bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.access.callers import Caller
from app.access.doors import ANYONE
from app.cases import citizens
from app.cases.own_response import own_response
from app.dependencies import DATABASE, SETTINGS
from app.messages.words import Words
from app.retention.withdrawing import withdraw, withdraw_refused, withdraw_texts
from app.web.citizen.replies import Page, answered, others, words_of
from app.web.citizen.shown import STYLES

_TEMPLATE = "citizen/withdraw.html"

router = APIRouter(prefix="/c", include_in_schema=False)


class What(StrEnum):
    """What of a response is withdrawn."""

    WORDS = "words"
    ALL = "all"


@dataclass(frozen=True)
class AnswersPage:
    """What a citizen answered: questions with what she chose and wrote."""

    others: Sequence[tuple[str, str]]
    code: str
    facts: Sequence[str]
    given: Sequence[tuple[str, str]]
    written: Sequence[tuple[str, str]]
    #: Where the page is had in another language.
    again_in: str = "/c/answers"
    what: str = ""
    styles: str = STYLES


@dataclass(frozen=True)
class WithdrawPage:
    """What will go and what cannot, with the button; or that it is gone."""

    others: Sequence[tuple[str, str]]
    code: str
    what: What
    done: bool
    title: str
    #: What the button says, or that it is done.
    says: str
    goes: Sequence[str] = ()
    stays: Sequence[str] = ()
    styles: str = STYLES

    @property
    def again_in(self) -> str:
        """Where the page is had in another language; nothing is withdrawn by that."""
        return "" if self.done else "/c/withdraw"


@router.post("/answers")
async def show_answers(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Show what a citizen answered. Who: whoever has the code, as often as of /c."""
    return await answered(request, _answers)


@router.post("/withdraw")
async def withdraw_response(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)]
) -> Response:
    """Say what a withdrawal does, and do it. Who: whoever has the code, as often as of /c."""
    return await answered(request, _withdraw)


def _answers(request: Request, code: str, sent: dict[str, str]) -> Page:
    words = words_of(request)
    with DATABASE.of(request).reading() as session:
        found = own_response(session, code)
    name = found.unit.name_vi if words.language == "vi" else found.unit.name_en
    page = AnswersPage(
        others(request),
        citizens.as_typed(code) or "",
        [words("code.about", unit=name), words("code.own_day", day=words.day(found.day))],
        [
            (words.name(each.question), "; ".join(words.name(one) for one in each.chosen))
            for each in found.given
        ],
        [(words.name(question), text) for question, text in found.written],
    )
    return Page("citizen/own_answers.html", page)


def _withdraw(request: Request, code: str, sent: dict[str, str]) -> Page:
    words, settings = words_of(request), SETTINGS.of(request)
    what = What.WORDS if sent.get("what") == What.WORDS else What.ALL
    plain = citizens.as_typed(code) or ""
    if sent.get("confirmed") != "yes":
        with DATABASE.of(request).reading() as session:
            is_refused = citizens.refused_of(session, code) is not None
            if not is_refused:
                citizens.response_of(session, code)
        what = What.ALL if is_refused else what
        goes, stays = _consequences(words, what, is_refused, settings.least_respondents)
        title, button, _ = _words(words, what)
        page = WithdrawPage(others(request), plain, what, False, title, button, goes, stays)
        return Page(_TEMPLATE, page)
    with DATABASE.of(request).writing("citizen") as session:
        refused = citizens.refused_of(session, code)
        if refused is not None:
            withdraw_refused(session, refused)
            what = What.ALL
        elif what is What.WORDS:
            withdraw_texts(session, citizens.response_of(session, code))
        else:
            withdraw(session, settings, citizens.response_of(session, code))
    title, _, gone = _words(words, what)
    # Of what is gone the code opens nothing any more.
    again = plain if what is What.WORDS else ""
    return Page(_TEMPLATE, WithdrawPage(others(request), again, what, True, title, gone))


def _words(words: Words, what: What) -> tuple[str, str, str]:
    """The heading, what the button says, and that it is done."""
    if what is What.WORDS:
        return (
            words("code.withdraw_words"), words("code.confirm_words"), words("code.gone_words"),
        )  # fmt: skip
    return words("code.withdraw_all"), words("code.confirm_all"), words("code.gone_all")


def _consequences(
    words: Words, what: What, refused: bool, least: int
) -> tuple[Sequence[str], Sequence[str]]:
    """What goes with a withdrawal, and what cannot."""
    if refused:
        return [words("code.goes_refused"), words("code.goes_code")], [words("code.stays_backups")]
    if what is What.WORDS:
        goes = [words("code.goes_words"), words("code.goes_quoted")]
        stays = [words("code.stays_case"), words("code.stays_marks_told")]
    else:
        goes = [
            words("code.goes_words"), words("code.goes_trace"), words("code.goes_quoted"),
            words("code.goes_case"), words("code.goes_code"),
        ]  # fmt: skip
        stays = [words("code.stays_sums", least=least)]
    return goes, [*stays, words("code.stays_read"), words("code.stays_backups")]
