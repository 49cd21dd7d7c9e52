"""The page /c, where a citizen reads the reply to her complaint by her code, and may write back.

What else she may do with her response: ``app.web.citizen.own_response``.

The code comes in the body of a form alone, or in the fragment of an address, which no browser
sends: it stands in no log, no history of visited pages and no header of where one came from. The
page is kept by no cache, sets no cookie, and is not compressed, for the code stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from limits import parse

from app.access.buckets import Rate, draw, network_of, take
from app.access.callers import Caller
from app.access.dependencies import RATE_LIMITS
from app.access.doors import ANYONE
from app.access.origins import check_origin
from app.cases import citizens
from app.cases.citizens import LONGEST, CitizensCase, CodeOpensNothing, MessageSent
from app.clock import local_today
from app.db.base import microseconds
from app.dependencies import CLOCK, DATABASE, SETTINGS
from app.messages import LANGUAGES, catalogue
from app.messages.words import Words
from app.problems import InvalidFields, Problem
from app.web.citizen.languages import chosen
from app.web.citizen.shown import POLICY, STYLES
from app.web.pages import EMPTY, PRIVATE, Form, fill, refused

router = APIRouter(prefix="/c", include_in_schema=False)

#: Fields of the page's forms, and signs of a code as it is typed.
_FIELDS, _CODE_SIGNS = 10, 80


class CodesTooOften(Problem):
    """Too many codes were tried from one network."""

    code, status, passing = "codes-too-often", 429, True


@dataclass(frozen=True)
class Said:
    """A message of the case, with whose it is and its day, in words."""

    heading: str
    body: str


@dataclass(frozen=True)
class Page:
    """A template, and what it is filled with."""

    template: str
    page: object


@dataclass(frozen=True)
class ReplyPage:
    """The form for a code, or what the code opens."""

    others: Sequence[tuple[str, str]]
    code: str = ""
    facts: Sequence[str] = ()
    messages: Sequence[Said] = ()
    opened: bool = False
    may_write: bool = False
    written: bool = False
    #: Whether there is a response of which she may see what she answered; and words of hers.
    kept: bool = False
    wrote: bool = False
    form: Form = EMPTY
    longest: int = LONGEST
    styles: str = STYLES


@router.get("")
def show_code_form(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Ask for the code. Who: anybody."""
    return _html(request, _reply(ReplyPage(others(request))))


@router.post("")
async def show_reply(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Show what a code opens. Who: whoever has the code, as often as HAILONG_CASE_CODE_RATE."""
    return await answered(request, _look)


@router.post("/message")
async def write_back(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Take what a citizen writes to the reply. Who: whoever has the code, once a case."""
    return await answered(request, _write)


async def answered(
    request: Request, do: Callable[[Request, str, dict[str, str]], Page]
) -> Response:
    """What a form with a code is answered; each is a try, whatever it is about.

    ``do`` is given the code and all fields of the form, and makes the page.
    """
    check_origin(request)
    data = await request.form(max_files=0, max_fields=_FIELDS)
    sent = {name: value for name, value in data.items() if isinstance(value, str)}
    code = sent.get("code", "")[:_CODE_SIGNS]
    try:
        await run_in_threadpool(_draw, request)
        page = await run_in_threadpool(do, request, code, sent)
    except (CodeOpensNothing, CodesTooOften) as problem:
        form = Form({"code": code}, {"code": problem.detail(words_of(request).language)})
        empty = _reply(ReplyPage(others(request), form=form))
        return _html(request, empty, problem.status, problem.headers)
    except (InvalidFields, MessageSent) as problem:
        form = refused(problem, words_of(request).language, {"text": sent.get("text", "")})
        page = await run_in_threadpool(_look, request, code, sent, form)
        return _html(request, page, problem.status)
    return _html(request, page)


def _draw(request: Request) -> None:
    """Count a try, whatever comes of it.

    Raises
    ------
    CodesTooOften
        Where the network has none left.
    """
    limits, now = RATE_LIMITS.of(request), CLOCK.of(request).now()
    if not limits.ready:
        limits.prepare()
    rate = Rate.of(parse(SETTINGS.of(request).case_code_rate))
    network = network_of(request.client.host if request.client else "")
    one = draw(rate, limits.key(rate, "reply code", network), microseconds(now))
    if limits.empty_until(one.key) > one.at:
        raise _too_often(limits.empty_until(one.key), now)
    with DATABASE.of(request).writing() as session:
        (empty,) = take(session, [(one,)])
    if empty is not None:
        limits.note_empty(empty)
        raise _too_often(empty.until, now)


def _too_often(until: int, now: datetime) -> CodesTooOften:
    seconds = max(1, -(-(until - microseconds(now)) // 1_000_000))
    return CodesTooOften(headers={"Retry-After": str(seconds)}, retry_after=seconds)


def _look(request: Request, code: str, sent: dict[str, str], form: Form = EMPTY) -> Page:
    with DATABASE.of(request).reading() as session:
        return _reply(_page(request, code, citizens.find(session, code), form=form))


def _write(request: Request, code: str, sent: dict[str, str]) -> Page:
    settings = SETTINGS.of(request)
    with DATABASE.of(request).writing("citizen") as session:
        citizens.write(session, settings, code, sent.get("text", ""), local_today(settings.zone))
        session.flush()
        return _reply(_page(request, code, citizens.find(session, code), written=True))


def _reply(page: ReplyPage) -> Page:
    return Page("citizen/reply.html", page)


def _page(
    request: Request, code: str, case: CitizensCase, *, written: bool = False, form: Form = EMPTY
) -> ReplyPage:
    words = words_of(request)
    return ReplyPage(
        others(request),
        citizens.as_typed(code) or "",
        _facts(words, case, SETTINGS.of(request).keep_aside_months),
        [
            Said(
                words("code.wrote" if each.from_citizen else "code.replied",
                      day=words.day(each.day)),
                each.body or words("case.taken_back"),
            )
            for each in case.messages
        ],
        opened=True,
        may_write=case.may_write,
        written=written,
        kept=case.refused is None,
        wrote=case.wrote,
        form=form,
    )  # fmt: skip


def _facts(words: Words, case: CitizensCase, keep_aside_months: int | None) -> Sequence[str]:
    """How far the case is; that a response does not count, in the words by which it was refused."""
    if case.unit is None:
        return [words("code.received")]
    about = words("code.about", unit=case.unit.name_vi if words.language == "vi" else
                  case.unit.name_en)  # fmt: skip
    if case.refused is not None:
        # A rule of earlier software may have no name any more.
        title = f"problem.{case.refused}.title"
        known = title in catalogue(words.language)
        after = (
            words("code.refused_kept")
            if keep_aside_months is None
            else words("code.refused_after", months=words.number(keep_aside_months))
        )
        rule = words(title) if known else case.refused
        return [about, words("code.refused", rule=rule), after, words("code.refused_anew")]
    facts = [about, words("code.status", state=words(f"case.state.{case.state}"))]
    facts += [words("code.closed", day=words.day(day), done=done) for day, done in case.closed]
    if not case.closed and not case.messages and case.due_day is not None:
        facts.append(words("code.due", day=words.day(case.due_day)))
    return facts


def words_of(request: Request) -> Words:
    """The catalogue in the language of the page."""
    return Words("en" if chosen(request) == "en" else "vi")


def others(request: Request) -> list[tuple[str, str]]:
    """The other languages of the page."""
    names = {"vi": "Tiếng Việt", "en": "English"}
    return [(each, names[each]) for each in LANGUAGES if each != chosen(request)]


def _html(
    request: Request, page: Page, status: int = 200, more: dict[str, str] | None = None
) -> Response:
    language = chosen(request)
    headers = {
        "Content-Language": language, "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer", **PRIVATE, **(more or {}),
    }  # fmt: skip
    html = fill(page.template, language, page.page, here="/c")
    return Response(html, status, headers, "text/html; charset=utf-8")
