"""Examines the responses of a month by a rule: what is suspected together, and how strongly."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from analysis.habits import Habits
from analysis.integrity import kinds, mark
from analysis.kinds import EVERYDAY, KINDS, Kind
from analysis.stuffing import Suspicion, learn, tabulate, usual, weigh
from app.integrity import habits, reading
from app.integrity.reading import GROUPS, Batches, Source, names, read, slices
from app.integrity.reasons import Reason
from app.integrity.rules import Rule
from app.registry.questionnaires import Published

Floats = NDArray[np.float64]

#: A response of a batch that is likelier stuffed than this is one of those suspected.
SUSPECTED = 0.5
#: Months of sources from which on a group's habits are its own.
_ENOUGH = 8
#: Of so many responses of a month the marks are kept for judging; the rest is read and marked anew.
_KEPT = 4_000_000


@dataclass(frozen=True)
class Found:
    """A batch that a rule suspects, before anything is done about it."""

    version: Published
    month: date
    source: Source
    probability: float
    responses: int
    suspected: float
    reasons: tuple[Reason, ...]
    #: Ids of the responses that are likely stuffed, with the kind and the probability of each.
    ids: tuple[tuple[str, Kind, float], ...]

    @property
    def key(self) -> tuple[int, int, str, int | None, date]:
        """What makes it the same batch when it is found again."""
        source = self.source
        return (
            self.version.id, source.unit_id, source.channel, source.credential_id, self.month,
        )  # fmt: skip


@dataclass(frozen=True)
class Counted:
    """One part of a month: its sources, their groups, and how many of each kind they sent."""

    sources: tuple[Source, ...]
    group: NDArray[np.intp]
    counts: Floats


@dataclass(frozen=True)
class Marked:
    """A part of a month whose responses are marked: all that judging it wants to know.

    ``source`` numbers the sources of ``counted``; ``kind``, ``source`` and ``id`` are by response,
    (n,), and take 21 bytes together.
    """

    version: Published
    month: date
    counted: Counted
    source: NDArray[np.int32]
    kind: NDArray[np.int8]
    id: NDArray[np.void]


def marked(batches: Batches, rule: Rule) -> Marked:
    """The kind of each response of a part, and how many of each kind its sources sent."""
    responses = batches.responses
    kind = kinds(mark(responses, rule.parameters()))
    number = len(batches.sources)
    group = np.zeros(number, dtype=np.intp)
    group[responses.source] = responses.group
    counted = Counted(batches.sources, group, tabulate(responses.source, kind, number))
    source = responses.source.astype(np.int32)
    return Marked(batches.version, batches.month, counted, source, kind, batches.id)


def judge(part: Marked, known: Habits, own: Floats, rule: Rule) -> tuple[Suspicion, list[Found]]:
    """What a rule suspects in a part of a month.

    ``known`` are the habits of groups, ``own`` each source's earlier months, (sources, kinds).
    """
    counted = part.counted
    priors = known.of(counted.group, own)
    suspicion = weigh(counted.counts, priors, rule.model())
    expected = usual(priors)
    found = []
    for i in np.flatnonzero(suspicion.probability >= rule.flag).tolist():
        mine = np.flatnonzero(part.source == i)
        kind = part.kind[mine].tolist()
        by_kind = suspicion.by_kind[i]
        ids = tuple(
            (id, KINDS[k], float(by_kind[k]))
            for id, k in zip(names(part.id[mine]), kind, strict=True)
            if by_kind[k] >= SUSPECTED
        )
        found.append(
            Found(
                part.version,
                part.month,
                counted.sources[i],
                float(suspicion.probability[i]),
                len(mine),
                float(suspicion.expected[i]),
                _reasons(counted.counts[i], by_kind, expected[i]),
                ids,
            )
        )
    return suspicion, found


def _reasons(counts: Floats, by_kind: Floats, usual: Floats) -> tuple[Reason, ...]:
    """The kinds that make a batch suspected, the weightiest first."""
    total = int(counts.sum())
    strange = [
        Reason(kind.value, int(counts[k]), total, float(usual[k]), float(counts[k] * by_kind[k]))
        for k, kind in enumerate(KINDS)
        if kind not in EVERYDAY and counts[k] and by_kind[k] >= SUSPECTED
    ]
    return tuple(sorted(strange, key=lambda reason: -reason.suspected))


@dataclass(frozen=True)
class Examined:
    """A part of a month that was examined: what is suspected in it, and what it was like.

    ``honest`` is how many responses of each kind are likely honest, shape (sources, kinds).
    """

    version: Published
    month: date
    counted: Counted
    honest: Floats
    found: tuple[Found, ...]
    responses: int


def examine(
    session: Session,
    zone: ZoneInfo,
    versions: Sequence[Published],
    month: date,
    rule: Rule,
    *,
    units: Collection[int] | None = None,
    tell: Callable[[int], None] = lambda responses: None,
) -> Iterator[Examined]:
    """What a rule suspects in a month, one questionnaire's version after the other.

    Whole months: habits are learnt from what all its parts count, and from the months before. Of
    some ``units`` alone, they are learnt from the months before and from these. Memory is bounded
    by ``reading.AT_ONCE`` and ``_KEPT``, however many responded; ``tell`` hears how many responses
    were looked at. Nothing is written.
    """
    first, hours = _months_before(month, habits.MONTHS), rule.hours.hours()

    def look(part: int) -> Marked:
        return marked(
            read(session, zone, version, month, hours=hours, units=units, part=part, parts=parts),
            rule,
        )

    for version in versions:
        parts = 1 if units is not None else slices(session, version, month)
        # Forms of one questionnaire have the same habits, whichever version.
        same = [each for each in versions if each.form.code == version.form.code]
        past, groups = habits.of_months(session, same, first, month)
        counts, of = [past], [groups]
        kept: dict[int, Marked] = {}
        for number in range(parts):
            part = look(number)
            counts.append(part.counted.counts)
            of.append(part.counted.group)
            if (number + 1) * reading.AT_ONCE <= _KEPT:
                kept[number] = part
        if not sum(len(each) for each in counts[1:]):
            continue
        known = _known(np.concatenate(counts), np.concatenate(of), rule)
        for number in range(parts):
            part = kept.pop(number) if number in kept else look(number)
            counted = part.counted
            own = habits.earlier(session, same, counted.sources, first, month)
            suspicion, found = judge(part, known, own, rule)
            tell(len(part.id))
            honest = counted.counts * (1 - suspicion.by_kind)
            yield Examined(version, month, counted, honest, tuple(found), len(part.id))


def _known(counts: Floats, group: NDArray[np.intp], rule: Rule) -> Habits:
    """The habits of each group; those of all where a group is too few to have any of its own.

    The first kiosk of a province would be held against nothing but itself.
    """
    few = np.bincount(group, counts.sum(axis=1) > 0, minlength=GROUPS) < _ENOUGH
    return learn(counts, np.where(few[group], GROUPS, group), groups=GROUPS + 1, model=rule.model())


def _months_before(month: date, number: int) -> date:
    year, index = divmod(month.year * 12 + month.month - 1 - number, 12)
    return date(year, index + 1, 1)
