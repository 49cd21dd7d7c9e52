"""A form that stands ready, opened past all layers that other requests need.

Who opens it sends no body that could be too large and waits for no turn, and nothing is read for
it: what those layers hold does not concern it, and as none of it waits, the server's end overtakes
none. It has its id and its line in the log as every request. What the layers add to an answer, the
headers that tell a browser what it may do, is in the head of the page. Whatever is not at hand, is
asked for otherwise or fails goes the long way, to ``app.web.citizen.routes.show_form``, which
answers alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.callers import STRANGER
from app.cases.citizens import new_code
from app.dependencies import CLOCK, SETTINGS
from app.intake.dependencies import PAGE_TOKENS
from app.intake.ids import new_id
from app.messages import LANGUAGES, preferred
from app.web.citizen.filling import MEDIA_TYPE, headers_of
from app.web.citizen.kept_id import cookie_of, kept
from app.web.citizen.ready_forms import READY_FORMS, parts_of_page, parts_of_point
from app.web.citizen.shown import Survey
from app.web.citizen.surveys import SURVEYS, holds
from app.web.pages import language_of
from app.web.security import HEADERS

log = logging.getLogger("hailong")

Lines = Sequence[tuple[bytes, bytes]]
_Filler = Callable[[Mapping[str, bytes]], bytes]
#: Points whose pages' beginnings are remembered: of some 4 KB each.
_MOST_FILLERS = 2000


class FormOpening:
    """Answers who opens a form where all that it takes is at hand; others go on to the layers."""

    def __init__(self, layers: ASGIApp, app: FastAPI, route: APIRoute) -> None:
        self._layers, self._route = layers, route
        self._begins = route.path.partition("{")[0]
        settings = SETTINGS.in_(app)
        self._zone, self._over_https = settings.zone, settings.over_https
        self._clock, self._surveys = CLOCK.in_(app), SURVEYS.in_(app)
        self._forms, self._tokens = READY_FORMS.in_(app), PAGE_TOKENS.in_(app)
        #: Who fills a point's pages, and for what was found of it, by what they differ in.
        self._fillers: dict[tuple[str, str, bool, bool], tuple[Survey, _Filler]] = {}
        #: The lines of a head that all pages have alike, by their language and whether packed.
        self._heads = {
            (language, packed): _lines(language, packed=packed)
            for language in LANGUAGES
            for packed in (False, True)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        opened = None
        if (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and scope["path"].startswith(self._begins)
            and not scope["query_string"]
        ):
            try:
                opened = self._open(scope)
            except Exception as error:  # the long way has its answer to whatever it is
                log.error("defect while opening a form at once", exc_info=error)
        if opened is None:
            await self._layers(scope, receive, send)
            return
        scope["route"] = self._route
        head, body = opened
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    def _open(self, scope: Scope) -> tuple[Lines, bytes] | None:
        path = scope["path"]
        _, known = self._surveys.find(path.removeprefix(self._begins))
        if known is None or known.survey.path != path or not self._tokens.at_hand:
            return None
        now = self._clock.now()
        if not holds(known, now, self._zone):
            return None
        asked = dict(reversed(scope["headers"]))  # of a header that came twice the first counts
        if b"authorization" in asked:  # whoever has a key, or says so, is looked at by the door
            return None
        if b"cookie" in asked:
            request = Request(scope)
            (id, done), language = kept(request), language_of(request, STRANGER)
            if done:
                return None
        else:
            id, language = None, preferred(asked.get(b"accept-language", b"").decode("latin-1"))
        anew, packed = id is None, b"gzip" in asked.get(b"accept-encoding", b"")
        fill = self._filler(known.survey, language, anew=anew, packed=packed)
        if fill is None:
            return None
        if id is None:
            id = new_id(now)
        body = fill(parts_of_page(id, self._tokens.new(path, now), new_code()))
        cookie = cookie_of(path, id, over_https=self._over_https)
        head = [
            *self._heads[language, packed],
            (b"content-length", b"%d" % len(body)),
            (b"set-cookie", cookie.encode()),
        ]
        return head, body

    def _filler(self, survey: Survey, language: str, *, anew: bool, packed: bool) -> _Filler | None:
        """What makes a page of a point from what is drawn for it; None where no form is ready."""
        key = survey.path, language, anew, packed
        of, fill = self._fillers.get(key, (None, None))
        if of is survey:
            return fill
        form = self._forms.find(survey, language, anew=anew)
        if form is None:
            return None
        parts = parts_of_point(survey, language)
        fill = form.begun(parts).packed if packed else lambda own: form.filled({**parts, **own})
        if len(self._fillers) >= _MOST_FILLERS:
            self._fillers.clear()
        self._fillers[key] = survey, fill
        return fill


def _lines(language: str, *, packed: bool) -> Lines:
    """What the head of a form says, whosever it is; of two policies the page's own counts."""
    said = {
        name.lower(): value
        for all in (HEADERS, headers_of(language, packed=packed), {"Content-Type": MEDIA_TYPE})
        for name, value in all.items()
    }
    return tuple((name.encode(), value.encode()) for name, value in said.items())
