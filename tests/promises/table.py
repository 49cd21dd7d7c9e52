"""The tables of the pages: written by ``make promises``, read by the test of their age."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.promises.promise import Promise, Row

_COLUMNS = ("Promise", "World", "Promised", "Found", "Before", "")


def written(page: str, promise: Promise, rows: Sequence[Row]) -> str:
    """The page with one promise's table in the place of its last one."""
    found = _place(promise.name).search(page)
    if found is None:
        raise LookupError(f"{promise.page.name} has no place <!-- promises: {promise.name} -->")
    return page[: found.start()] + _table(promise, rows) + page[found.end() :]


def fingerprint_in(page: str, promise: Promise) -> str | None:
    """The fingerprint of the code that a promise's table was made with; None without a table."""
    found = _place(promise.name).search(page)
    return found["fingerprint"] if found else None


def _place(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"<!-- promises: {name}(?: code (?P<fingerprint>[0-9a-f]+))? -->.*?<!-- end -->", re.DOTALL
    )


def _table(promise: Promise, rows: Sequence[Row]) -> str:
    lines = [
        f"<!-- promises: {promise.name} code {promise.fingerprint} -->",
        f"**{promise.title}**",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|---" * len(_COLUMNS) + "|",
    ]
    for row in rows:
        verdict = "held" if row.held else f"**not held**: {row.why}"
        if row.promised == "–":
            verdict = "–"  # measured, and nothing promised that could be held
        cells = (row.promise, row.world, row.promised, row.found, row.before, verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "<!-- end -->"])
