"""Which language a citizen's page speaks: one of the service, or a further one of its form."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlencode

from fastapi import Request

from app.access.callers import STRANGER
from app.messages import LANGUAGES
from app.web.pages import language_of


def chosen(request: Request, spoken: Collection[str] = LANGUAGES) -> str:
    """The language asked for by the link, or as for every page."""
    asked = request.query_params.get("lang") if request.scope["query_string"] else None
    return asked if asked is not None and asked in spoken else language_of(request, STRANGER)


def thanks_query(
    request: Request, spoken: Collection[str], *, already: bool, reply: str = ""
) -> str:
    """What leads from a form to its thanks: they speak as the form did.

    ``reply`` says what became of a wish for one, "kept" or "void".
    """
    asked = request.query_params.get("lang")
    said = {"already": "1"} if already else {}
    if reply:
        said["reply"] = reply
    if asked is not None and asked in spoken:
        said["lang"] = asked
    return f"?{urlencode(said)}" if said else ""
