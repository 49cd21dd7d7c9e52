"""Whose page a browser's request comes from: what another website sends votes for its visitors.

A response needs no credential, so that any website could have its visitors' browsers send one
unasked, each from an address of its own. Browsers tell where a request began, and pages cannot
change what they tell. Devices and scripts tell nothing of it, and are limited otherwise.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request

from app.dependencies import SETTINGS
from app.problems import Problem


class ForeignPage(Problem):
    """A page of another website had the browser send the response: it is not taken."""

    code, status = "foreign-page", 403


def check_origin(request: Request) -> None:
    """Refuse what a page of another website sends; following its links is no sending.

    Raises
    ------
    ForeignPage
        By what the browser tells of the request, or, where it is too old for that, of its origin.
    """
    fetched = request.headers.get("sec-fetch-site")
    # "none" is what the person did with the browser itself, as when it reopens its tabs.
    if fetched in ("same-origin", "none"):
        return
    if fetched is not None:  # "same-site" too: a neighbouring name is another website
        raise ForeignPage
    origin = request.headers.get("origin")
    if origin is None:
        return
    own = (request.headers.get("host"), urlsplit(SETTINGS.of(request).public_url or "").netloc)
    # A page that hides its origin ("null") is none of ours.
    if not (netloc := urlsplit(origin).netloc) or netloc not in own:
        raise ForeignPage
