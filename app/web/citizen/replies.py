"""The page /c, where a citizen reads the reply to her complaint by her code, and may write back.

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

from app.access.buckets import draw, network_of, take
from app.access.callers import Caller
from app.access.dependencies import RATE_LIMITS
from app.access.doors import ANYONE
from app.access.origins import check_origin
from app.cases import citizens
from app.cases.citizens import LONGEST, CitizensCase, CodeOpensNothing, MessageSent
from app.clock import local_today
from app.db.base import microseconds
from app.dependencies import CLOCK, DATABASE, SETTINGS
from app.messages import LANGUAGES
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
class ReplyPage:
    """The form for a code, or what the code opens."""

    others: Sequence[tuple[str, str]]
    code: str = ""
    facts: Sequence[str] = ()
    messages: Sequence[Said] = ()
    opened: bool = False
    may_write: bool = False
    written: bool = False
    form: Form = EMPTY
    longest: int = LONGEST
    styles: str = STYLES


@router.get("")
def show_code_form(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Ask for the code. Who: anybody."""
    return _html(request, ReplyPage(_others(request)))


@router.post("")
async def show_reply(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Show what a code opens. Who: whoever has the code, as often as HAILONG_CASE_CODE_RATE."""
    return await _answered(request, _look)


@router.post("/message")
async def write_back(request: Request, caller: Annotated[Caller, Depends(ANYONE)]) -> Response:
    """Take what a citizen writes to the reply. Who: whoever has the code, once a case."""
    return await _answered(request, _write)


async def _answered(request: Request, do: Callable[[Request, str, str], ReplyPage]) -> Response:
    check_origin(request)
    data = await request.form(max_files=0, max_fields=_FIELDS)
    code, text = (str(data.get(name, "")) for name in ("code", "text"))
    code = code[:_CODE_SIGNS]
    status = 200
    try:
        await run_in_threadpool(_draw, request)
        page = await run_in_threadpool(do, request, code, text)
    except (CodeOpensNothing, CodesTooOften) as problem:
        form = Form({"code": code}, {"code": problem.detail(_words(request).language)})
        page, status = ReplyPage(_others(request), form=form), problem.status
        return _html(request, page, status, problem.headers)
    except (InvalidFields, MessageSent) as problem:
        page = await run_in_threadpool(_look, request, code, "")
        form = refused(problem, _words(request).language, {"text": text})
        page, status = _with_form(page, form), problem.status
    return _html(request, page, status)


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
    rate = parse(SETTINGS.of(request).case_code_rate)
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


def _look(request: Request, code: str, text: str) -> ReplyPage:
    with DATABASE.of(request).reading() as session:
        return _page(request, code, citizens.find(session, code))


def _write(request: Request, code: str, text: str) -> ReplyPage:
    today = local_today(SETTINGS.of(request).zone)
    with DATABASE.of(request).writing("citizen") as session:
        citizens.write(session, code, text, today)
        session.flush()
        return _page(request, code, citizens.find(session, code), written=True)


def _page(request: Request, code: str, case: CitizensCase, *, written: bool = False) -> ReplyPage:
    words = _words(request)
    if case.unit is None:
        facts = [words("code.received")]
    else:
        name = case.unit.name_vi if words.language == "vi" else case.unit.name_en
        facts = [
            words("code.about", unit=name),
            words("code.status", state=words(f"case.state.{case.state}")),
        ]
        if case.closed_day is not None:
            facts.append(words("code.closed", day=words.day(case.closed_day), done=case.done))
        elif not case.messages and case.due_day is not None:
            facts.append(words("code.due", day=words.day(case.due_day)))
    return ReplyPage(
        _others(request),
        citizens.as_typed(code) or "",
        facts,
        [
            Said(
                words("code.wrote" if each.from_citizen else "code.replied",
                      day=words.day(each.day)),
                each.body,
            )
            for each in case.messages
        ],
        opened=True,
        may_write=case.may_write,
        written=written,
    )  # fmt: skip


def _with_form(page: ReplyPage, form: Form) -> ReplyPage:
    return ReplyPage(
        page.others, page.code, page.facts, page.messages, opened=True, may_write=page.may_write,
        form=form,
    )  # fmt: skip


def _words(request: Request) -> Words:
    return Words("en" if chosen(request) == "en" else "vi")


def _others(request: Request) -> list[tuple[str, str]]:
    """The other languages of the page."""
    names = {"vi": "Tiếng Việt", "en": "English"}
    return [(each, names[each]) for each in LANGUAGES if each != chosen(request)]


def _html(
    request: Request, page: ReplyPage, status: int = 200, more: dict[str, str] | None = None
) -> Response:
    language = chosen(request)
    headers = {
        "Content-Language": language, "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer", **PRIVATE, **(more or {}),
    }  # fmt: skip
    html = fill("citizen/reply.html", language, page, here="/c")
    return Response(html, status, headers, "text/html; charset=utf-8")
