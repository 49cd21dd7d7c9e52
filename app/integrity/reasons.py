"""Why responses are suspected together, as data that words and pictures are made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Reason:
    """One kind of marked responses in a batch, beside what is usual.

    ``integrity.kind.<why>`` of the catalogue has the words.
    """

    #: A value of ``analysis.integrity.Kind``.
    why: str
    #: How many of the batch's responses are of the kind, of how many.
    n: int
    of: int
    #: What share of a source's responses is of the kind where nobody cheats, 0 to 1.
    usual: float
    #: How many of the n are likely stuffed.
    suspected: float


def write(reasons: Sequence[Reason]) -> str:
    """Reasons as the database keeps them."""
    return json.dumps([asdict(reason) for reason in reasons])


def read(written: str) -> tuple[Reason, ...]:
    """The same, read."""
    return tuple(Reason(**each) for each in json.loads(written))
