"""The form behind a QR code (/q/) or an invitation (/i/), complete without script.

One browser at one point has one id for its response, in a cookie and in the form: sent twice, by
a double tap, the back button, a reload or a second tab, it is counted once.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.access.callers import STRANGER, Caller
from app.access.doors import ANYONE
from app.access.origins import check_origin
from app.access.tokens import hash_of
from app.dependencies import CLOCK, DATABASE, SETTINGS
from app.intake.allowances import Sender
from app.intake.dependencies import INTAKE, PAGE_TOKENS
from app.intake.ids import new_id
from app.intake.page_tokens import OpenedPage
from app.intake.schemas import ResponseIn
from app.intake.service import ConflictingResponse, InvitationUsed, PointClosed
from app.invitations.service import InvitationGone
from app.invitations.service import find as find_invitation
from app.messages import LANGUAGES
from app.problems import FieldError, InvalidFields, Problem
from app.registry.models import PointCode, PointState, SurveyPoint, Unit
from app.registry.places import called_on
from app.registry.points import as_point, current_code
from app.registry.queries import NamedUnit, is_synthetic
from app.registry.questionnaires import versions_of
from app.web.citizen.form_fields import FormFields
from app.web.citizen.form_versions import FormOutdated, read
from app.web.citizen.going_on import going_on
from app.web.citizen.kept_id import is_id, keep, kept
from app.web.citizen.languages import chosen, thanks_query
from app.web.citizen.shown import POLICY, ClosedPage, FormPage, NoForm, Survey, ThanksPage
from app.web.pages import PRIVATE, fill, go_to

router = APIRouter(include_in_schema=False)

_TOKEN = re.compile(r"[0-9A-Za-z]{1,16}")
_SECONDS = re.compile(r"[0-9]{1,11}")
_CODE_HASH = re.compile(r"[0-9a-f]{64}")


@router.get("/q/{token}")
def show_form(
    request: Request,
    caller: Annotated[Caller, Depends(ANYONE)],
    token: str,
    new: str = "",
) -> Response:
    """Show the form of a survey point. Who: anybody with its public code."""
    return _show(request, lambda: _survey(request, token), new=bool(new))


@router.post("/q/{token}")
async def answer(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str
) -> Response:
    """Take the form, or hand it back in the other language. Who: anybody with its public code."""
    return await _take(request, lambda: _survey(request, token))


@router.get("/q/{token}/thanks")
def thank(
    request: Request,
    caller: Annotated[Caller, Depends(ANYONE)],
    token: str,
    already: str = "",
) -> Response:
    """Thank, and tell how answers are used. Who: anybody."""
    try:
        return _thanks(request, _survey(request, token), already=bool(already))
    except NoForm as none:
        return _closed(request, none)


@router.get("/i/{token}")
def show_invited_form(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str
) -> Response:
    """Show the form of an invitation. Who: whoever has its link, until it is used."""
    return _show(request, lambda: _invited(request, token), new=False)


@router.post("/i/{token}")
async def answer_invitation(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str
) -> Response:
    """Take the form, and use the invitation up. Who: whoever has its link."""
    return await _take(request, lambda: _invited(request, token, spent=True))


@router.get("/i/{token}/thanks")
def thank_invited(
    request: Request, caller: Annotated[Caller, Depends(ANYONE)], token: str
) -> Response:
    """Thank whoever was invited. Who: anybody with the link."""
    try:
        return _thanks(request, _invited(request, token, spent=True), already=False)
    except NoForm as none:
        return _closed(request, none)


def _show(request: Request, find: Callable[[], Survey], *, new: bool) -> Response:
    try:
        survey = find()
    except NoForm as none:
        return _closed(request, none)
    if request.url.path != survey.path:
        # Typed in small letters: a cookie is of one path, and there is one for each form.
        return go_to(survey.path + (f"?{request.url.query}" if request.url.query else ""))
    known, done = kept(request)
    if done and not new:
        return _thanks(request, survey, already=True)
    id = new_id() if known is None or done else known
    opened = PAGE_TOKENS.of(request).new(survey.path, CLOCK.of(request).now())
    page = FormPage(
        survey, FormFields(survey.version.form), id, opened.opened, opened.token, {}, {},
        anew=known is None and not new,
    )  # fmt: skip
    shown = _html(request, "citizen/form.html", page, survey.spoken)
    return keep(shown, request, survey.path, id)


async def _take(request: Request, find: Callable[[], Survey]) -> Response:
    check_origin(request)
    data = await request.form(max_files=0, max_fields=400)
    try:
        survey = await run_in_threadpool(find)
    except NoForm as none:
        return _closed(request, none)
    opened = await run_in_threadpool(_opened, request, survey, data.get("page"))
    page, outdated = _filled_in(request, survey, data, opened.token)
    if "reword" in data and outdated is None:
        return _reworded(request, page)
    wish = data.get("reply_code_hash")
    code_hash = wish if isinstance(wish, str) and _CODE_HASH.fullmatch(wish) else None
    problem = outdated or await _submit(request, page, opened, code_hash)
    if isinstance(problem, PointClosed):
        return _closed(request, await run_in_threadpool(_why_closed, find))
    if isinstance(problem, InvitationUsed):
        return _closed(request, NoForm("used", 410))
    if problem is None or isinstance(problem, ConflictingResponse):
        # On a conflict this browser's first answers are counted; none is counted twice.
        query = thanks_query(request, page.survey.spoken, already=problem is not None)
        # Our script goes there by itself; following a redirect, it would load the thanks twice.
        status = 201 if request.headers.get("accept") == "application/json" else 303
        thanks = Response(status_code=status, headers={"Location": f"{survey.path}/thanks{query}"})
        return keep(thanks, request, survey.path, page.id, done=True)
    wrong = _with_mistakes(request, page, problem)
    shown = _html(request, "citizen/form.html", wrong, page.survey.spoken)
    shown.status_code = problem.status
    shown.headers.update(problem.headers)
    return keep(shown, request, survey.path, page.id)


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
        return _thanks(request, page.survey, already=True)
    form = _html(request, "citizen/form.html", page, page.survey.spoken)
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
    )
    return page, problem


async def _submit(
    request: Request, page: FormPage, opened: OpenedPage, code_hash: str | None
) -> Problem | None:
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
        reply_code_hash=code_hash,
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


def _survey(request: Request, token: str) -> Survey:
    """What stands behind a code.

    Raises
    ------
    NoForm
        Where it is unknown, was replaced, or takes no answers now.
    """
    database = DATABASE.of(request)
    code = token.upper()
    with database.reading() as session:
        row = session.get(PointCode, code) if _TOKEN.fullmatch(code) else None
        if row is None:
            raise NoForm("unknown")
        if row.replaced_at is not None or row.point.state == PointState.REVOKED:
            raise NoForm("replaced", 410)
        point, now = as_point(row.point), CLOCK.of(request).now()
        unit = _unit_now(request, session, row.point)
        if not point.takes_answers_of(now):
            ended = point.closes_at is not None and now >= point.closes_at
            early = point.opens_at is not None and now < point.opens_at
            raise NoForm("ended" if ended else "early" if early else "paused", 403)
        if point.invitations_only:
            raise NoForm("invited_only", 403)
        return _described(session, row.point, unit, code, f"/q/{code}")


def _invited(request: Request, token: str, *, spent: bool = False) -> Survey:
    """What an invitation leads to; with ``spent``, also one that was used: to thank again.

    Raises
    ------
    NoForm
        Where the link is unknown, used or too old, or its point takes no answers now.
    """
    database, now = DATABASE.of(request), CLOCK.of(request).now()
    shown = "".join(sign for sign in token.upper() if sign.isalnum())[:40]
    with database.reading() as session:
        try:
            _, row = find_invitation(session, shown, now)
        except InvitationGone as gone:
            reason = str(gone.values["reason"])
            known = gone.values.get("point_id")
            if not (spent and reason == "used") or not isinstance(known, int):
                status = 404 if reason == "unknown" else 410
                raise NoForm("no_invitation" if reason == "unknown" else reason, status) from None
            row = session.get_one(SurveyPoint, known)
            unit = called_on(session, row.unit, _today(request))
        else:
            unit = _unit_now(request, session, row)
            if not as_point(row).takes_answers_of(now):
                raise NoForm("paused", 403)
        code = current_code(row)
        survey = _described(session, row, unit, code, f"/i/{shown}")
        return replace(survey, invitation=hash_of(shown))


def _today(request: Request) -> date:
    """The local day by the server's clock."""
    return CLOCK.of(request).now().astimezone(SETTINGS.of(request).zone).date()


def _unit_now(request: Request, session: Session, point: SurveyPoint) -> NamedUnit:
    """The unit that a point is of today, by its name of today.

    Raises
    ------
    NoForm
        Where its unit is no more, or not yet.
    """
    known, day = as_point(point), _today(request)
    id = known.unit_on(day)
    if id is not None:
        return called_on(session, session.get_one(Unit, id), day)
    last = known.last_before(day)
    if last is None:
        raise NoForm("early", 403)
    now, settings = CLOCK.of(request).now(), SETTINGS.of(request)
    raise NoForm("unit", 410, going_on(session, point, last, now, settings))


def _described(
    session: Session, point: SurveyPoint, unit: NamedUnit, code: str, path: str
) -> Survey:
    versions = tuple(versions_of(session, point.questionnaire))
    synthetic = is_synthetic(session)
    return Survey(code, path, unit.name_vi, unit.name_en, versions[-1], versions, synthetic)


def _thanks(request: Request, survey: Survey, *, already: bool) -> Response:
    again = None if survey.invitation else survey.path
    language = chosen(request, survey.spoken)
    page = ThanksPage(survey.path, survey.name(language), already, again)
    return _html(request, "citizen/thanks.html", page, survey.spoken)


def _closed(request: Request, none: NoForm) -> Response:
    # A form with the same questions goes on with what was typed here.
    carried = urlencode({"from": request.url.path, "lang": chosen(request)})
    page = ClosedPage(none.reason, none.now_at, carried)
    answer = _html(request, "citizen/closed.html", page)
    answer.status_code = none.status
    return answer


def _html(
    request: Request, template: str, page: object, spoken: Collection[str] = LANGUAGES
) -> Response:
    language = chosen(request, spoken)
    html = fill(template, language, page, here=request.url.path)
    headers = {
        "Content-Language": language,
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Encoding",
        **PRIVATE,
    }
    body = html.encode()
    # No secret of anybody stands in these pages, so that compressing them tells nothing.
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 6), "gzip"
    return Response(body, media_type="text/html; charset=utf-8", headers=headers)
