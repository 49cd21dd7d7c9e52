"""A view, computed once for all who may see the same, until something changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.orm import Session

from app.access.callers import Caller
from app.figures.cache import Cache, edition, rights_of
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.results import View
from app.settings import Settings

V = TypeVar("V", bound=View)


@dataclass(frozen=True)
class Views:
    """Views as one caller asks for them in one session; kept in memory while they are current."""

    session: Session
    caller: Caller
    settings: Settings
    cache: Cache

    def of(
        self,
        chosen: Chosen,
        name: str,
        view: Callable[[ViewContext], V],
        context: ViewContext | None = None,
    ) -> V:
        """A view about what was chosen, from memory where nothing changed since it was computed.

        ``name`` tells this view, and what it was called with, from all others; ``context`` is that
        of what was chosen, where it is there already.
        """
        now = edition(self.session, self.settings.zone)
        key = repr((now, rights_of(self.caller), name, chosen))
        return self.cache.get(key, lambda: view(context or self.context(chosen)))

    def context(self, chosen: Chosen) -> ViewContext:
        """What a view is about, with everything chosen that the link left out."""
        return ViewContext.of(self.session, self.caller, self.settings, chosen)
