"""Pages: templates, languages, where to go next; what every page of every room shares.

A template receives ``page``, a frozen dataclass of the module that shows it, and the few names
that ``render`` adds: nothing else, so a page's needs can be read in one place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from fastapi import Form as FormField
from fastapi import Path as PathPart
from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import AfterValidator
from sqlalchemy.exc import SQLAlchemyError

from app.access.callers import STRANGER, Caller, Person
from app.access.doors import CSRF_FIELD, ConfirmationNeeded, FormLimits, SignInNeeded, person_of
from app.access.models import Right
from app.dependencies import SETTINGS
from app.logs.requests import REQUEST_ID
from app.messages import LANGUAGES, Language, preferred, say
from app.problems import BodyTooLarge, InternalError, InvalidFields, Problem
from app.web.citizen.form_fields import faces, in_language, widget
from app.web.ended_units import instead

LANGUAGE_COOKIE = "language"
#: What belongs to one person, or has a secret in its address, is kept by no cache.
PRIVATE = {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _named(codes: Sequence[str], kind: str, t: Callable[[str], str]) -> list[tuple[str, str]]:
    """Codes with their names in the catalogue, for a list to choose from."""
    return [(str(code), t(f"{kind}.{code}")) for code in codes]


def _days_named(days: Sequence[int], t: Callable[..., str]) -> list[tuple[str, str]]:
    return [(str(each), t("page.days", days=each)) for each in days]


def _action_named(action: str, t: Callable[[str], str]) -> str:
    """What an entry of the audit log did; entries of former versions keep their code."""
    try:
        return t(f"action.{action}")
    except KeyError:
        return action


def _tasks_named(tasks: Sequence[str], t: Callable[[str], str]) -> str:
    """Work in the background by what it does; in brackets as the log names it."""
    return ", ".join(f"{t(f'task.{task}')} ({task})" for task in tasks)


_templates.filters |= {
    "wording": in_language,
    "widget": widget,
    "faces": faces,
    "named": _named,
    "days_named": _days_named,
    "action_named": _action_named,
    "tasks_named": _tasks_named,
    "combined": lambda one, other: {**other, **one},
}


@dataclass(frozen=True)
class MenuEntry:
    """An entry of the menu: its address, its name in the catalogue, who sees it."""

    path: str
    name: str
    rights: frozenset[Right]
    #: Whether only who has one of the rights everywhere sees it.
    everywhere: bool = False

    def for_(self, caller: Caller) -> bool:
        """Whether somebody sees it."""
        if not isinstance(caller, Person):
            return False
        if self.everywhere:
            return any(caller.has_everywhere(right) for right in self.rights)
        return not self.rights or bool(self.rights & caller.rights)


MENU = (
    MenuEntry("/dashboard", "page.dashboard", frozenset({Right.READ_FIGURES})),
    MenuEntry("/cases", "page.cases", frozenset({Right.READ_CASES})),
    MenuEntry("/exports", "page.exports", frozenset({Right.READ_RESPONSES, Right.READ_ANONYMOUS})),
    MenuEntry("/themes", "page.themes", frozenset({Right.READ_COMMENTS})),
    MenuEntry(
        "/questionnaires",
        "page.questionnaires",
        frozenset({Right.EDIT_QUESTIONNAIRES}),
        everywhere=True,
    ),
    MenuEntry("/integrity", "page.batches", frozenset({Right.READ_BATCHES})),
    MenuEntry("/devices", "page.devices", frozenset({Right.MANAGE_POINTS})),
    MenuEntry("/posters", "page.posters", frozenset({Right.READ_REGISTRY})),
    MenuEntry("/accounts", "page.accounts", frozenset({Right.READ_ACCESS})),
    MenuEntry("/keys", "page.keys", frozenset()),
    MenuEntry("/reorganisations", "page.plans", frozenset({Right.MANAGE_ACCESS}), everywhere=True),
    MenuEntry(
        "/response-imports", "page.imports", frozenset({Right.IMPORT_HISTORY}), everywhere=True
    ),
    MenuEntry("/audit", "page.audit", frozenset({Right.READ_AUDIT})),
)


@dataclass(frozen=True)
class Form:
    """What stood in a form that was refused, and why, so that it can be shown again."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    #: That something is wrong, for above a form whose fields say what.
    look: str = ""

    def value(self, field: str, default: str = "") -> str:
        """What was typed into a field."""
        return self.values.get(field, default)


EMPTY = Form({}, {})
#: How many are shown of a list at most; the interface and commands hand out all.
MOST_SHOWN = 200


def refused(problem: Problem, language: Language, values: Mapping[str, str] | None = None) -> Form:
    """The form again, with the sentences of a problem beside its fields."""
    if isinstance(problem, InvalidFields):
        errors = {error.field: error.detail(language) for error in problem.errors}
    else:
        errors = {problem.field or "form": problem.detail(language)}
    return Form(values or {}, errors, say("page.look_below", language))


def language_of(request: Request, caller: Caller) -> Language:
    """The language of a page: the one chosen, a person's own, or what the browser prefers."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    if isinstance(caller, Person) and caller.language in LANGUAGES:
        return caller.language
    return preferred(request.headers.get("accept-language"))


def render(
    request: Request, caller: Caller, template: str, page: object = None, status: int = 200
) -> HTMLResponse:
    """A page as HTML, kept by no cache."""
    settings = SETTINGS.of(request)
    language = language_of(request, caller)
    html = fill(
        template,
        language,
        page,
        here=request.url.path,
        # A refusal is not what was done, whatever the address says.
        done=_done(request, language) if status < HTTPStatus.BAD_REQUEST else None,
        person=caller if isinstance(caller, Person) else None,
        menu=[entry for entry in MENU if entry.for_(caller)],
        csrf_field=CSRF_FIELD,
        moment=lambda value: _moment(value, settings.zone),
        day=_day,
    )
    return HTMLResponse(html, status, {"Content-Language": language, **PRIVATE})


def fill(template: str, language: str, page: object, **more: object) -> str:
    """A template with its page, in a language."""

    def t(key: str, **values: object) -> str:
        return say(key, language, **values)

    return _templates.get_template(template).render(
        page=page, t=t, language=language, languages=LANGUAGES, **more
    )


def go_to(path: str, done: str | None = None, part: str = "") -> RedirectResponse:
    """Lead the browser to a page of ours after a form; ``done`` names what happened.

    ``part`` is the id of what it shows of the page.
    """
    if done:
        assert say(f"done.{done}", "vi")  # a name without a sentence is a defect
        path += ("&" if "?" in path else "?") + f"done={done}"
    if part:
        path += f"#{quote(part)}"
    return RedirectResponse(path, 303, PRIVATE)


def _plain(text: str) -> str:
    """What was typed, without control characters, which no store or printer agrees on."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cs") else " " for c in text)


def lined(text: str) -> str:
    """The same of what may have several lines: what a person typed, without control characters."""
    return "\n".join(map(_plain, text.replace("\r\n", "\n").split("\n")))


def typed_fields(limits: FormLimits) -> Callable[[Request], Awaitable[Mapping[str, str]]]:
    """A dependency: the fields of a form whose names depend on what it is of, as typed."""

    async def read(request: Request) -> Mapping[str, str]:
        form = await request.form(**limits)
        return {name: lined(value) for name, value in form.items() if isinstance(value, str)}

    return read


#: Bytes that a request may need beside the file in a form.
FORM_BYTES = 16 * 1024
#: A field of a form, a part of the address, and the number of something in the path.
Text = Annotated[str, FormField(max_length=1000), AfterValidator(_plain)]
#: Of several lines: what a person writes, and a list that is edited.
LongText = Annotated[str, FormField(max_length=6000), AfterValidator(lined)]
ListText = Annotated[str, FormField(max_length=40_000), AfterValidator(lined)]
QueryText = Annotated[str, Query(max_length=200), AfterValidator(_plain)]
Number = Annotated[int, PathPart(ge=1, lt=2**31)]


def whole_number(text: str) -> int | None:
    """A whole number of at most nine digits that a browser sent; None for all else."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def local_path(target: str, default: str = "/") -> str:
    """The target if it is a path on this server, or the default: no page leads elsewhere."""
    parts = urlsplit(target)
    plain = target.isprintable() and "\\" not in target
    if parts.scheme or parts.netloc or not plain or not target.startswith("/"):
        return default
    # Browsers take //host, and what follows a stripped character, for another server.
    return default if target.startswith("//") else target


async def problem_page(request: Request, problem: Problem) -> Response | None:
    """The page that tells of a problem; None where the caller wants no page."""
    if request.url.path.startswith(("/api/", "/oauth/")) or not _wants_page(request):
        return None
    if isinstance(problem, SignInNeeded | ConfirmationNeeded):
        return go_to(f"{problem.page}?next={quote(_way_back(request), safe='')}")
    caller: Caller = STRANGER
    if problem.status < InternalError.status:  # a server that is not well is asked nothing more
        with suppress(SQLAlchemyError):
            caller = await person_of(request) or STRANGER
    answer = render(
        request, caller, "problem.html", problem_shown(problem, request, caller), problem.status
    )
    answer.headers.update(problem.headers)
    return answer


@dataclass(frozen=True)
class ProblemShown:
    """A problem as its page shows it."""

    title: str
    detail: str
    status: int
    #: The page without what it was asked for in vain.
    again: str | None = None
    #: The same page, where asking once more may help.
    same: str | None = None
    #: Whether something was sent, which the browser still has.
    sent: bool = False
    #: Whether it may be a citizen who has mistyped the address of a form.
    mistyped: bool = False
    #: What a person quotes who tells of a defect.
    request_id: str | None = None
    #: Where what was asked for is found instead: in words, and the address.
    instead: Sequence[tuple[str, str]] = ()


def problem_shown(problem: Problem, request: Request, caller: Caller) -> ProblemShown:
    """The problem in the language of the page."""
    language = language_of(request, caller)
    chose = request.method == "GET" and problem.status == 422 and request.url.query
    again = request.url.path if chose else None
    asked = request.method in ("GET", "HEAD")
    same = local_path(_way_back(request)) if asked and problem.passing else None
    mistyped = problem.status == 404 and caller is STRANGER
    quoted = REQUEST_ID.get() if problem.status >= 500 else None
    return ProblemShown(
        problem.title(language), problem.detail(language), problem.status, again, same,
        not asked and (problem.passing or problem.status == BodyTooLarge.status), mistyped, quoted,
        instead(problem, request, language) if asked else (),
    )  # fmt: skip


def _way_back(request: Request) -> str:
    """The page that was asked for, or the one whose form was sent."""
    if request.method in ("GET", "HEAD"):
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    parts = urlsplit(request.headers.get("referer", ""))
    return parts.path if parts.netloc == request.headers.get("host") else "/"


def _wants_page(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and "application/problem+json" not in accepted


def _done(request: Request, language: Language) -> str | None:
    """The sentence about what a form did, from its name in the address."""
    name = request.query_params.get("done", "")
    try:
        return say(f"done.{name}", language)
    except KeyError:
        return None


def _moment(value: datetime | None, zone: ZoneInfo) -> str:
    return f"{value.astimezone(zone):%d/%m/%Y %H:%M}" if value else ""


def _day(value: date | datetime | None) -> str:
    return f"{value:%d/%m/%Y}" if value else ""
