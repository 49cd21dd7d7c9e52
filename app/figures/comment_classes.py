"""By what else than its unit, questionnaire and month a comment may be told from others.

Its channel, and how content its writer was, are no part of a comment: a filter by them tells them.
Whoever may not see small cells sees comments anyhow, and by looking at what each filter leaves
could tell these of every one. So of all respondents of a unit, questionnaire and month it is
decided, once for all filters and their combinations, into which classes they fall: a class has
none or at least ten people, and what all filters together tell of a comment is its class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.figures.comment_results import Contentment
from app.registry.questionnaires import Published
from surveys.answers import NO_OPINION, NOT_ANSWERED

V = TypeVar("V")
#: What is known of a respondent here: by which channel, and how content; None where nothing
#: was rated.
Kind = tuple[str, Contentment | None]


@dataclass(frozen=True)
class Classes:
    """What filters tell of the comments of one unit, questionnaire and month.

    ``kinds`` are the pairs that may be told, where both may be; else one of the two others has
    the values that may be told of it alone.
    """

    kinds: frozenset[Kind] = frozenset()
    contentments: frozenset[Contentment | None] = frozenset()
    channels: frozenset[str] = frozenset()

    def among(self, kind: Kind, channel: str | None, contentment: Contentment | None) -> bool:
        """Whether a comment passes filters; None of either is no filter.

        Raises
        ------
        LookupError
            Where these filters would tell more than its class.
        """
        theirs, content = kind
        if channel is None and contentment is None:
            return True
        if not self._tell(channel, contentment):
            raise LookupError
        return (channel in (None, theirs)) and (contentment in (None, content))

    def _tell(self, channel: str | None, contentment: Contentment | None) -> bool:
        if self.kinds:
            return True
        if channel is None:
            return contentment in self.contentments
        return contentment is None and channel in self.channels


def classes(people: Mapping[Kind, int], least: int) -> Classes:
    """The finest classes of at least ``least`` people, from how many there are of each kind.

    Both are told where every pair that anybody has is had by so many; else how content they were,
    as far as that alone may be told; else the channel.
    """
    some = {kind: n for kind, n in people.items() if n}
    if all(n >= least for n in some.values()):
        return Classes(kinds=frozenset(some))
    contentments = _tellable(_summed((kind[1], n) for kind, n in some.items()), least)
    if contentments:
        return Classes(contentments=contentments)
    return Classes(channels=_tellable(_summed((kind[0], n) for kind, n in some.items()), least))


def _summed(pairs: Iterable[tuple[V, int]]) -> Counter[V]:
    found: Counter[V] = Counter()
    for value, n in pairs:
        found[value] += n
    return found


def _tellable(people: Counter[V], least: int) -> frozenset[V]:
    """The values that may be told: those of the others together have nobody, or enough."""
    told = {value: n for value, n in people.items() if n >= least}
    rest = people.total() - sum(told.values())
    # What is told of nobody is the others' class: the smallest joins it until that is enough.
    for value, n in sorted(told.items(), key=lambda one: (one[1], str(one[0]))):
        if rest == 0 or rest >= least:
            break
        del told[value]
        rest += n
    return frozenset(told)


def contentments(version: Published, records: Iterable[bytes]) -> list[Contentment | None]:
    """How content respondents were, from their packed answers.

    Every answer to a rated item of the index is low, neutral or high: high if it counts as
    satisfied, neutral if it is the middle of its scale, else low. A respondent is high or low where
    these have a mean of a half at least to that side, neutral between, and None without any.
    """
    form = version.form
    table = version.sheet.table(records)
    total = np.zeros(len(table), dtype=np.int64)
    given = np.zeros(len(table), dtype=np.int64)
    columns = {column.item.code: column for column in version.sheet.columns}
    for factor in form.index_factors:
        for item in form.index_items(factor):
            column = columns[item.code]
            scale = form.scales[item.scale]
            values = len(scale.levels)
            sign = np.zeros(NO_OPINION[1] + 1, dtype=np.int64)
            for value in range(1, values + 1):
                middle = 2 * value == values + 1
                satisfied = value in scale.satisfied
                sign[column.codes[value]] = 1 if satisfied else 0 if middle else -1
            packed: NDArray[np.uint8] = table[item.code]
            total += sign[packed]
            given += (packed != NOT_ANSWERED) & (packed != NO_OPINION[1])
    return [
        None if n == 0
        else Contentment.HIGH if 2 * s >= n
        else Contentment.LOW if 2 * s <= -n
        else Contentment.NEUTRAL
        for s, n in zip(total.tolist(), given.tolist(), strict=True)
    ]  # fmt: skip
