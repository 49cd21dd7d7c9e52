"""The one character that PostgreSQL keeps in no text, and what stands in its place.

Anybody may send one, as a code or an address: it is looked up, or kept, as the sign for what
cannot be read, so that nothing is found by it and nobody else's responses wait for it.
"""

from __future__ import annotations

from typing import Any

NUL, UNREADABLE = "\0", "\N{REPLACEMENT CHARACTER}"


def readable(value: Any) -> Any:
    """A statement's parameters as PostgreSQL takes them; it would refuse the statement else."""
    if isinstance(value, str):
        return value.replace(NUL, UNREADABLE) if NUL in value else value
    if isinstance(value, dict):
        return {name: readable(each) for name, each in value.items()}
    if isinstance(value, list):
        return list(map(readable, value))
    if isinstance(value, tuple):
        return tuple(map(readable, value))
    return value


def without_nul(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """The same for each statement of an engine, as its event has it."""
    return statement, readable(parameters)
