"""A view's answer, computed once for all who may see the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request

from app.access.callers import Caller
from app.db import Database
from app.figures.cache import Cache, edition, rights_of
from app.reports.views.context import Chosen, ViewContext
from app.settings import Settings


def answer_of(
    request: Request,
    caller: Caller,
    chosen: Chosen,
    view: Callable[..., dict[str, Any]],
    **options: Any,
) -> dict[str, Any]:
    """A view's answer, from memory where nothing changed since it was computed."""
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    answers: Cache = request.app.state.answers
    with database.reading() as session:
        now = edition(session, settings.zone)
        key = repr((now, rights_of(caller), view.__name__, chosen, sorted(options.items())))

        def compute() -> dict[str, Any]:
            return view(ViewContext.of(session, caller, settings, chosen), **options)

        answer: dict[str, Any] = answers.get(key, compute)
        return answer
