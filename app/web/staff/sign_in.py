"""Pages to sign in and out, to confirm who one is, to set a password, to choose a language."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from app.access import accounts, known_browsers, openid, sessions
from app.access.callers import Caller, Person
from app.access.dependencies import PROVIDER, PasswordQueueDependency, SigningInDependency
from app.access.doors import PageDoor
from app.access.openid import Provider
from app.access.password_queue import PasswordsBusy
from app.access.signing_in import SignInLocked, SignInRefused, Visitor
from app.audit.log import record
from app.db import Database
from app.dependencies import SETTINGS, DatabaseDependency, SettingsDependency
from app.messages import LANGUAGES
from app.problems import InvalidFields, NotFound, Problem
from app.settings import Settings
from app.web.pages import (
    EMPTY,
    LANGUAGE_COOKIE,
    PRIVATE,
    Form,
    Text,
    go_to,
    language_of,
    local_path,
    refused,
    render,
)

router = APIRouter(include_in_schema=False)

VISITORS = PageDoor(strangers=True)
MEMBERS = PageDoor(anyone_signed_in=True)
_ATTEMPT_COOKIE = "sign_in_attempt"
_YEAR_S = 365 * 24 * 3600


class PlainHttp(Problem):
    """A password would cross the network readable by others."""

    code, status = "plain-http", 403


@dataclass(frozen=True)
class SignInPage:
    """The form, where to go afterwards, and the name of the identity provider if there is one."""

    form: Form
    target: str
    provider: str | None
    confirming: bool = False


@dataclass(frozen=True)
class PasswordPage:
    """Setting a password by a link: the form, and for whom."""

    form: Form
    email: str


@router.get("/sign-in")
def sign_in_form(
    request: Request, caller: Annotated[Caller, Depends(VISITORS)], next: str = "/"
) -> Response:
    """Show the form to sign in. Who: anybody."""
    refuse_plain_http(request)
    if isinstance(caller, Person):
        return go_to(local_path(next))
    page = SignInPage(EMPTY, local_path(next), _provider_name(request))
    return render(request, caller, "staff/sign_in.html", page)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    settings: SettingsDependency,
    signing_in: SigningInDependency,
    queue: PasswordQueueDependency,
    email: Text = "",
    password: Text = "",
    next: Text = "/",
) -> Response:
    """Begin a session for the right password. Who: anybody; attempts are limited."""
    refuse_plain_http(request)
    visitor = Visitor(
        _address(request),
        request.headers.get("user-agent", ""),
        request.cookies.get(known_browsers.COOKIE, ""),
    )
    try:
        began = await queue.run(lambda: signing_in.sign_in(email, password, visitor))
    except (SignInRefused, SignInLocked, PasswordsBusy) as problem:
        form = refused(problem, language_of(request, caller), {"email": email})
        page = SignInPage(form, local_path(next), _provider_name(request))
        answer = render(request, caller, "staff/sign_in.html", page, problem.status)
        answer.headers.update(problem.headers)
        return answer
    begun = _signed_in(settings, began.token, local_path(next))
    _know_again(begun, settings, began.cookie)
    return begun


@router.get("/sign-in/confirm")
def confirm_form(
    request: Request, caller: Annotated[Person, Depends(MEMBERS)], next: str = "/"
) -> Response:
    """Ask for the password once more. Who: whoever has signed in."""
    page = SignInPage(EMPTY, local_path(next), _provider_name(request), confirming=True)
    return render(request, caller, "staff/sign_in.html", page)


@router.post("/sign-in/confirm")
async def confirm(
    request: Request,
    caller: Annotated[Person, Depends(MEMBERS)],
    signing_in: SigningInDependency,
    queue: PasswordQueueDependency,
    password: Text = "",
    next: Text = "/",
) -> Response:
    """Note that the password was given again. Who: whoever has signed in; attempts are limited."""
    try:
        await queue.run(lambda: signing_in.confirm(caller, password))
    except (SignInRefused, SignInLocked, PasswordsBusy) as problem:
        form = refused(problem, language_of(request, caller))
        page = SignInPage(form, local_path(next), _provider_name(request), confirming=True)
        answer = render(request, caller, "staff/sign_in.html", page, problem.status)
        answer.headers.update(problem.headers)
        return answer
    return go_to(local_path(next))


@router.post("/sign-out")
def sign_out(
    caller: Annotated[Person, Depends(MEMBERS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
) -> Response:
    """End this session. Who: whoever has signed in."""
    with database.writing(caller.name) as session:
        sessions.end(session, caller.session_id)
        record(session, "account.sign_out", caller.email)
    answer = go_to("/sign-in", "signed_out")
    answer.delete_cookie(settings.session_cookie, secure=settings.over_https, httponly=True)
    # What the browser kept of our pages goes with the session.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/password/{token}")
def password_form(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    database: DatabaseDependency,
    token: str,
) -> Response:
    """Show the form to set a password. Who: whoever has the link that an operator made."""
    refuse_plain_http(request)
    with database.reading() as session:
        page = PasswordPage(EMPTY, accounts.account_of_link(session, token).email)
    return render(request, caller, "staff/password.html", page)


@router.post("/password/{token}")
async def set_password(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    signing_in: SigningInDependency,
    queue: PasswordQueueDependency,
    token: str,
    password: Text = "",
    again: Text = "",
) -> Response:
    """Set a password; the link is then used up. Who: whoever has the link."""
    refuse_plain_http(request)
    email, name = await run_in_threadpool(_holder, database, token)

    def keep() -> int:
        hashed = accounts.hash_new_password(email, name, password, again)
        with database.writing(email) as session:
            account = accounts.account_of_link(session, token)
            accounts.keep_password(session, account, hashed)
            return account.id

    try:
        account_id = await queue.run(keep)
    except (InvalidFields, PasswordsBusy) as problem:
        page = PasswordPage(refused(problem, language_of(request, caller)), email)
        answer = render(request, caller, "staff/password.html", page, problem.status)
        answer.headers.update(problem.headers)
        return answer
    done = go_to("/sign-in", "password_set")
    # Whoever tries passwords for this account meanwhile must not keep its person out.
    known = request.cookies.get(known_browsers.COOKIE, "")
    _know_again(done, settings, await run_in_threadpool(signing_in.remember, known, account_id))
    return done


@router.get("/sign-in/openid")
def go_to_provider(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    next: str = "/",
) -> Response:
    """Lead to the identity provider. Who: anybody, where one is set up."""
    provider = _provider(request)
    with database.writing() as session:
        sent = provider.begin(session, local_path(next)[:500])
    answer = RedirectResponse(sent.url, 303, PRIVATE)
    answer.set_cookie(
        _ATTEMPT_COOKIE,
        sent.browser,
        max_age=600,
        path=openid.CALLBACK,
        secure=settings.over_https,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(openid.CALLBACK)
def come_back_from_provider(
    request: Request,
    caller: Annotated[Caller, Depends(VISITORS)],
    database: DatabaseDependency,
    settings: SettingsDependency,
    state: str = "",
    code: str = "",
) -> Response:
    """Begin a session for whom the identity provider vouches. Who: anybody it knows."""
    provider = _provider(request)
    with database.writing() as session:
        taken = openid.take_attempt(session, state)
    attempt = openid.check_attempt(taken, request.cookies.get(_ATTEMPT_COOKIE, ""))
    if not code:  # the person, or the provider, said no
        raise openid.ProviderRefused
    identity = provider.identify(attempt, code)
    with database.writing(identity.email or identity.subject) as session:
        account = openid.account_of(session, identity)
        browser = request.headers.get("user-agent", "")
        token = sessions.begin(session, account, browser, settings, by=identity.issuer)
    answer = _signed_in(settings, token, attempt.target)
    answer.delete_cookie(_ATTEMPT_COOKIE, path=openid.CALLBACK)
    return answer


@router.get("/language/{language}")
def choose_language(
    caller: Annotated[Caller, Depends(VISITORS)],
    settings: SettingsDependency,
    language: str,
    next: str = "/",
) -> Response:
    """Show pages in a language from now on, in this browser. Who: anybody."""
    if language not in LANGUAGES:
        raise NotFound
    answer = go_to(local_path(next))
    answer.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR_S, secure=settings.over_https, samesite="lax"
    )
    return answer


def _holder(database: Database, token: str) -> tuple[str, str]:
    """Address and name of whoever a link to set a password is for."""
    with database.reading() as session:
        account = accounts.account_of_link(session, token)
        return account.email, account.name


def _know_again(answer: Response, settings: Settings, cookie: str) -> None:
    answer.set_cookie(
        known_browsers.COOKIE,
        cookie,
        max_age=int(known_browsers.KEPT.total_seconds()),
        secure=settings.over_https,
        httponly=True,
        samesite="lax",
    )


def _signed_in(settings: Settings, token: str, target: str) -> RedirectResponse:
    answer = go_to(target)
    answer.set_cookie(
        settings.session_cookie,
        token,
        max_age=settings.session_s,
        secure=settings.over_https,
        httponly=True,
        samesite="lax",
    )
    return answer


def refuse_plain_http(request: Request) -> None:
    """Let passwords travel by HTTPS, or within this machine, unless the operator chose otherwise.

    Raises
    ------
    PlainHttp
        Where they would not.
    """
    settings = SETTINGS.of(request)
    if settings.public_url or request.url.scheme == "https":
        return
    try:
        local = ipaddress.ip_address(_address(request)).is_loopback
    except ValueError:
        local = False
    if not local:
        raise PlainHttp


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _provider_name(request: Request) -> str | None:
    settings = SETTINGS.of(request)
    return settings.oidc_name if settings.oidc_issuer else None


def _provider(request: Request) -> Provider:
    provider = PROVIDER.of(request)
    if provider is None:
        raise NotFound
    return provider
