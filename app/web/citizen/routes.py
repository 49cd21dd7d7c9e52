"""The form behind a QR code (/q/) or an invitation (/i/), complete without script.

One browser at one point has one id for its response, in a cookie and in the form: sent twice, by
a double tap, the back button, a reload or a second tab, it is counted once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.datastructures import FormData

from app.access.callers import STRANGER, Caller
from app.access.doors import ANYONE
from app.access.origins import check_origin
from app.dependencies import CLOCK, DATABASE, SETTINGS
from app.intake.allowances import Sender
from app.intake.dependencies import INTAKE, PAGE_TOKENS
from app.intake.ids import new_id
from app.intake.page_tokens import OpenedPage
from app.intake.refusals import ConflictingResponse, InvitationUsed, PointClosed, ReplyCodeTaken
from app.intake.schemas import ResponseIn
from app.problems import FieldError, InvalidFields, Problem
from app.web.citizen.filling import closed, html_of, opened_form, thanks
from app.web.citizen.form_fields import FormFields
from app.web.citizen.form_versions import FormOutdated, read
from app.web.citizen.kept_id import is_id, keep, kept
from app.web.citizen.languages import chosen, thanks_query
from app.web.citizen.shown import FormPage, NoForm, Survey
from app.web.citizen.surveys import behind_code, behind_invitation
from app.web.citizen.wishes import Wish, by_script, is_kept
from app.web.citizen.wishes import read as read_wish
from app.web.pages import go_to

router = APIRouter(include_in_schema=False)

_SECONDS = re.compile(r"[0-9]{1,11}")


@router.get("/q/{token}")
def show_form(
    request: Request,
    caller: Annotated[Caller, Depends(ANYONE)],
    token: str,
    new: str = "",
) -> Response:
    """Show the form of a survey point. Who: anybody with its public code."""
    return _show(request, lambda: behind_code(request, token), new=bool(new))


#: What a telephone opens, mostly by ``app.web.citizen.opening``.
FORM_ROUTE = next(each for each in router.routes if isinstance(each, APIRoute))


@router.post("/q/{token}")
async def answer(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str
) -> Response:
    """Take the form, or hand it back in the other language. Who: anybody with its public code."""
    return await _take(request, lambda: behind_code(request, token))


@router.get("/q/{token}/thanks")
def thank(
    request: Request,
    caller: Annotated[Caller, Depends(ANYONE)],
    token: str,
    already: str = "",
    reply: str = "",
) -> Response:
    """Thank, and tell how answers are used. Who: anybody."""
    try:
        return thanks(request, behind_code(request, token), already=bool(already), reply=reply)
    except NoForm as none:
        return closed(request, none)


@router.get("/i/{token}")
def show_invited_form(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str
) -> Response:
    """Show the form of an invitation. Who: whoever has its link, until it is used."""
    return _show(request, lambda: behind_invitation(request, token), new=False)


@router.post("/i/{token}")
async def answer_invitation(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str
) -> Response:
    """Take the form, and use the invitation up. Who: whoever has its link."""
    return await _take(request, lambda: behind_invitation(request, token, spent=True))


@router.get("/i/{token}/thanks")
def thank_invited(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str, reply: str = ""
) -> Response:
    """Thank whoever was invited. Who: anybody with the link."""
    try:
        return thanks(
            request, behind_invitation(request, token, spent=True), already=False, reply=reply
        )
    except NoForm as none:
        return closed(request, none)


def _show(request: Request, find: Callable[[], Survey], *, new: bool) -> Response:
    try:
        survey = find()
    except NoForm as none:
        return closed(request, none)
    if request.url.path != survey.path:
        # Typed in small letters: a cookie is of one path, and there is one for each form.
        return go_to(survey.path + (f"?{request.url.query}" if request.url.query else ""))
    known, done = kept(request)
    if done and not new:
        return thanks(request, survey, already=True)
    id = new_id(CLOCK.of(request).now()) if known is None or done else known
    return opened_form(request, survey, id, anew=known is None and not new)


async def _take(request: Request, find: Callable[[], Survey]) -> Response:
    check_origin(request)
    data = await request.form(max_files=0, max_fields=400)
    try:
        survey = await run_in_threadpool(find)
    except NoForm as none:
        return closed(request, none)
    opened = await run_in_threadpool(_opened, request, survey, data.get("page"))
    page, outdated = _filled_in(request, survey, data, opened.token)
    if "reword" in data and outdated is None:
        return _reworded(request, page)
    problem = outdated or await _submit(request, page, opened)
    if isinstance(problem, ReplyCodeTaken) and by_script(request):
        raise problem  # it draws another one
    if isinstance(problem, ReplyCodeTaken) and page.wish.drawn_here:
        page = replace(page, wish=Wish(ticked=True))
        problem = await _submit(request, page, opened)
    if isinstance(problem, PointClosed):
        return closed(request, await run_in_threadpool(_why_closed, find))
    if isinstance(problem, InvitationUsed):
        return closed(request, NoForm("used", 410))
    if problem is None or isinstance(problem, ConflictingResponse):
        already = problem is not None
        fate = await run_in_threadpool(_fate, request, page) if already else "kept"
        return _thank(request, page, fate if page.wish.hash else "", already=already)
    wrong = _with_mistakes(request, page, problem)
    shown = html_of(request, "citizen/form.html", wrong, page.survey.spoken)
    shown.status_code = problem.status
    shown.headers.update(problem.headers)
    return keep(shown, request, survey.path, page.id)


def _fate(request: Request, page: FormPage) -> str:
    """Whether the response that is counted has the code that was sent now, "kept" or "void"."""
    with DATABASE.of(request).reading() as session:
        return "kept" if is_kept(session, page.id, page.wish) else "void"


def _thank(request: Request, page: FormPage, reply: str, *, already: bool) -> Response:
    """Lead to the thanks, or show them with the code that the server drew, if it opens something.

    On a conflict this browser's first answers are counted; none is counted twice.
    """
    survey, scripted = page.survey, by_script(request)
    if reply == "kept" and page.wish.drawn_here and not scripted:
        # In the answer itself: a redirect would carry the code in an address.
        shown = thanks(request, survey, already=already, reply=reply, code=page.wish.code)
    else:
        query = thanks_query(request, survey.spoken, already=already, reply=reply)
        # Our script goes there by itself; following a redirect, it would load the thanks twice.
        headers = {"Location": f"{survey.path}/thanks{query}"}
        shown = Response(status_code=201 if scripted else 303, headers=headers)
    return keep(shown, request, survey.path, page.id, done=True)


def _why_closed(find: Callable[[], Survey]) -> NoForm:
    """Why the intake takes no answers where a form was found a moment ago: its unit may be over."""
    try:
        find()
    except NoForm as none:
        return none
    return NoForm("paused", 403)


def _reworded(request: Request, page: FormPage) -> Response:
    """The form in the language asked for, as it was filled in; thanks if it was sent already."""
    if kept(request) == (page.id, True):
        return thanks(request, page.survey, already=True)
    form = html_of(request, "citizen/form.html", page, page.survey.spoken)
    return keep(form, request, page.survey.path, page.id)


def _opened(request: Request, survey: Survey, token: object) -> OpenedPage:
    """The page that was sent; what is not as we made it is made anew, and has just been opened."""
    tokens, now = PAGE_TOKENS.of(request), CLOCK.of(request).now()
    return tokens.read(token, survey.path, now) or tokens.new(survey.path, now)


def _filled_in(
    request: Request, survey: Survey, data: FormData, token: str
) -> tuple[FormPage, FormOutdated | None]:
    """The page as the browser sent it; what is not as we made it is made anew.

    In the version that it showed, or if that is taken no longer, in the newest.
    """
    within = timedelta(seconds=SETTINGS.of(request).older_form_s)
    now = CLOCK.of(request).now()
    version, sent, problem = read(data, survey.versions, within, now)
    id, opened = data.get("id"), data.get("opened")
    page = FormPage(
        replace(survey, version=version),
        FormFields(version.form),
        str(id) if is_id(id) else new_id(),
        int(opened) if isinstance(opened, str) and _SECONDS.fullmatch(opened) else 0,
        token,
        sent,
        {},
        wish=read_wish(data),
    )
    return page, problem


async def _submit(request: Request, page: FormPage, opened: OpenedPage) -> Problem | None:
    """Send the answers through the intake like every other response; the problem if refused."""
    answers = page.fields.answers(page.sent, chosen(request, page.survey.spoken))
    if not answers:
        nothing = FieldError("form", "form.nothing_answered")
        return InvalidFields(errors=[nothing], count=1)
    intake = INTAKE.of(request)
    took = int((now := CLOCK.of(request).now()).timestamp()) - page.opened
    response = ResponseIn(
        id=page.id,
        questionnaire=page.survey.version.form.code,
        version=page.survey.version.form.version,
        point=page.survey.code,
        answered_at=now,
        duration_s=took if page.opened and 0 <= took <= 86_400 else None,
        language=chosen(request, page.survey.spoken),
        answers=answers,
        reply_code_hash=page.wish.hash,
    )
    address = request.client.host if request.client else ""
    try:
        (result,) = await intake.submit(
            [response],
            sender=Sender(STRANGER, address, opened),
            invitation=page.survey.invitation,
        )
    except Problem as busy:
        return busy
    return result if isinstance(result, Problem) else None


def _with_mistakes(request: Request, page: FormPage, problem: Problem) -> FormPage:
    """The page again, with a sentence beside each wrong answer, or one for the whole form."""
    language = chosen(request, page.survey.spoken)
    if not isinstance(problem, InvalidFields):
        return replace(page, trouble=problem.detail(language))
    errors = page.fields.sentences(problem.errors, page.sent, language)
    return replace(page, errors=errors, trouble=errors.pop("form", None))
