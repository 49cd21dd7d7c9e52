"""Long lists a part at a time, since a statement may not grow with a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

_AT_ONCE = 500
T = TypeVar("T")


def portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in their order, some at a time."""
    for begin in range(0, len(rows), _AT_ONCE):
        yield rows[begin : begin + _AT_ONCE]
