"""Where a unit that ended is found: among those it became, and itself in its last month."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import Request

from app.figures import periods
from app.figures.periods import Length
from app.messages import Language
from app.messages.words import Words
from app.problems import Problem
from app.registry.queries import UnknownUnit


def instead(problem: Problem, request: Request, language: Language) -> Sequence[tuple[str, str]]:
    """The same page of other units or of its time, in words and with its address.

    Nothing where the page was not asked for a unit, or its code never named one.
    """
    if not isinstance(problem, UnknownUnit) or "unit" not in request.query_params:
        return ()
    words, path = Words(language), request.url.path
    kept = {name: value for name, value in request.query_params.items() if name != "structure"}
    found = [
        (each.named(language), f"{path}?{urlencode(kept | {'unit': each.code})}")
        for other in problem.others
        for each in other.became
    ]
    for other in problem.others:
        if other.last_day is None:
            continue
        month = periods.name_of(other.last_day, Length.MONTH)
        # In the tree of its last day: it may have ended within the month.
        then = kept | {"period": month, "structure": other.last_day.isoformat()}
        name = other.name_vi if language == "vi" else other.name_en
        said = words("page.unit_then", unit=name, period=words.period(month))
        found.append((said, f"{path}?{urlencode(then)}"))
    return found
