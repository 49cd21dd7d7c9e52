"""What is measured: the index, its factors or its items."""

from __future__ import annotations

from collections.abc import Sequence

from app.figures.query import Key, Query
from app.problems import Problem
from app.registry.questionnaires import Published
from app.rollups.measure_counts import Measure


class UnknownFactor(Problem):
    """The questionnaire's index has no such factor."""

    code, status = "unknown-factor", 404


class UnknownItem(Problem):
    """The questionnaire has no such rated item in its index."""

    code, status = "unknown-item", 404


class ConventionNeedsItems(Problem):
    """This convention is told from counts by level, which are kept by item."""

    code, status = "convention-needs-items", 422


def measures_of(query: Query, versions: Sequence[Published]) -> list[Measure]:
    """What rows measure, over all versions of one questionnaire.

    Raises
    ------
    UnknownFactor, UnknownItem, ConventionNeedsItems
        Where the index has no such thing.
    """
    factors = list(
        dict.fromkeys(f.code for version in versions for f in version.form.index_factors)
    )
    items = {
        item.code: factor.code
        for version in versions
        for factor in version.form.index_factors
        for item in version.form.index_items(factor)
    }
    if query.factor is not None and query.factor not in factors:
        raise UnknownFactor(field="factor", factor=query.factor, questionnaire=query.questionnaire)
    if query.item is not None and query.item not in items:
        raise UnknownItem(field="item", item=query.item, questionnaire=query.questionnaire)
    if query.convention and query.item is None and Key.ITEM not in query.by:
        raise ConventionNeedsItems(field="convention", convention=query.convention)
    if query.item is not None:
        return [Measure(items[query.item], query.item)]
    if Key.ITEM in query.by:
        return [
            Measure(factor, item)
            for item, factor in items.items()
            if query.factor in (None, factor)
        ]
    if query.factor is not None:
        return [Measure(query.factor)]
    return [Measure(factor) for factor in factors] if Key.FACTOR in query.by else [Measure()]
