"""The id that a browser keeps for its response at one point or invitation, in a cookie.

The cookie signs nobody in and shows nobody's answers: with it a form that is sent again is known
to be the same. It is therefore ``SameSite=Lax``: whoever follows a link from another site, a
message or a search comes back to the same response, with its draft. What another site posts comes
without it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from fastapi import Request, Response

from app.dependencies import SETTINGS
from app.intake.page_tokens import KEPT_S

_COOKIE = "response"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class KeptId(NamedTuple):
    """What a browser has kept: the id, if any, and whether its response was sent."""

    id: str | None
    done: bool


def is_id(value: object) -> bool:
    """Whether a browser sent an id as we make them."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def kept(request: Request) -> KeptId:
    """The id that this browser has for its response here."""
    id, _, done = request.cookies.get(_COOKIE, "").partition(".")
    return KeptId(id, done == "done") if is_id(id) else KeptId(None, False)


def keep(answer: Response, request: Request, path: str, id: str, *, done: bool = False) -> Response:
    """Have the browser keep the id for the form at this path; ``done`` once it was sent."""
    over_https = SETTINGS.of(request).over_https
    answer.headers.append("Set-Cookie", cookie_of(path, id, over_https=over_https, done=done))
    return answer


def cookie_of(path: str, id: str, *, over_https: bool, done: bool = False) -> str:
    """The cookie by which a browser keeps the id."""
    # A day's visit, and no longer. Neither an id of ours nor a path has a sign to be quoted.
    return (
        f"{_COOKIE}={id}{'.done' if done else ''}; HttpOnly; Max-Age={KEPT_S}; Path={path}; "
        f"SameSite=lax{'; Secure' if over_https else ''}"
    )
