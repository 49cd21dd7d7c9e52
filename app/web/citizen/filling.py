"""Fills the pages that citizens are shown, in the language that was chosen."""

from __future__ import annotations

import gzip
from collections.abc import Collection
from urllib.parse import urlencode

from fastapi import Request, Response

from app.cases.citizens import grouped, new_code
from app.dependencies import CLOCK, SETTINGS
from app.intake.dependencies import PAGE_TOKENS
from app.messages import LANGUAGES
from app.web.citizen.kept_id import keep
from app.web.citizen.languages import chosen
from app.web.citizen.ready_forms import READY_FORMS, own_parts
from app.web.citizen.shown import POLICY, ClosedPage, NoForm, Survey, ThanksPage
from app.web.pages import PRIVATE, fill

MEDIA_TYPE = "text/html; charset=utf-8"


def thanks(
    request: Request, survey: Survey, *, already: bool, reply: str = "", code: str = ""
) -> Response:
    """Thank; ``reply`` says what became of a wish for one, ``code`` is one that the server drew."""
    again = None if survey.invitation else survey.path
    language = chosen(request, survey.spoken)
    base = SETTINGS.of(request).public_url or str(request.base_url).rstrip("/")
    page = ThanksPage(
        survey.path, survey.name(language), already, again, f"{base}/c", reply, grouped(code)
    )
    return html_of(request, "citizen/thanks.html", page, survey.spoken, packed=not code)


def closed(request: Request, none: NoForm) -> Response:
    """Say why there is no form here."""
    # A form with the same questions goes on with what was typed here.
    carried = urlencode({"from": request.url.path, "lang": chosen(request)})
    page = ClosedPage(none.reason, none.now_at, carried)
    answer = html_of(request, "citizen/closed.html", page)
    answer.status_code = none.status
    return answer


def html_of(
    request: Request,
    template: str,
    page: object,
    spoken: Collection[str] = LANGUAGES,
    *,
    packed: bool = True,
) -> Response:
    """A page in the language chosen for it; packed if the browser takes that."""
    language = chosen(request, spoken)
    body = fill(template, language, page).encode()
    # A page that shows a citizen her code is not compressed.
    packed = packed and _takes_packed(request)
    return _answer(gzip.compress(body, 6) if packed else body, language, packed=packed)


def opened_form(request: Request, survey: Survey, id: str, *, anew: bool) -> Response:
    """A form that is opened now, in the language chosen for it; packed if the browser takes that.

    The code in it is drawn for each page and not compressed, so that what stands around it tells
    nothing of it.
    """
    language, forms, tokens = (
        chosen(request, survey.spoken), READY_FORMS.of(request), PAGE_TOKENS.of(request),
    )  # fmt: skip
    form = forms.find(survey, language, anew=anew) or forms.make(survey, language, anew=anew)
    page = tokens.new(survey.path, CLOCK.of(request).now())
    own = own_parts(survey, language, id, page, new_code())
    packed = _takes_packed(request)
    answer = _answer(form.packed(own) if packed else form.filled(own), language, packed=packed)
    return keep(answer, request, survey.path, id)


def _takes_packed(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _answer(body: bytes, language: str, *, packed: bool) -> Response:
    return Response(body, media_type=MEDIA_TYPE, headers=headers_of(language, packed=packed))


def headers_of(language: str, *, packed: bool) -> dict[str, str]:
    """The headers of a citizen's page; what every answer has comes besides."""
    headers = {
        "Content-Language": language,
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Encoding",
        **PRIVATE,
    }
    if packed:
        headers["Content-Encoding"] = "gzip"
    return headers
