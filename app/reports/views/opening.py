"""What a view opens with where its link leaves something out."""

from __future__ import annotations

from collections import Counter
from datetime import date

from app.figures.context import Context, number
from app.figures.periods import Length, Span, name_of, span, usual
from app.registry.queries import UnitNode
from app.registry.structures import UNDIVIDED


def period_to_open_with(figures: Context, known: tuple[date, date], today: date) -> Span:
    """The last whole period of which the caller is told a rate, or a running one where none is."""
    spans = [span(name) for name in usual(*known, today)] or [span(name_of(today, Length.QUARTER))]
    for each in spans:
        found, _ = figures.rates(first=each.first, last=each.last)
        if number(found.ratio.estimate[0]) is not None:
            return each
    return spans[0]


def only_top(figures: Context) -> UnitNode | None:
    """The caller's one unit that has none of theirs above it; None where there are several."""
    nodes = figures.units.nodes
    tops = [
        node for node in nodes.values()
        if node.parent_id not in nodes and node.kind != UNDIVIDED
    ]  # fmt: skip
    return tops[0] if len(tops) == 1 else None


def kinds_below(figures: Context, unit: UnitNode | None, reached: frozenset[int]) -> dict[str, int]:
    """How many units of each kind below a unit are asked about, themselves or in a part."""
    nodes = figures.units.nodes
    below = set(figures.units.below(unit.id)) - {unit.id} if unit else set(nodes)
    found = Counter(nodes[id].kind for id in reached & below)
    del found[UNDIVIDED]  # which is no level of units
    return dict(found.most_common())
