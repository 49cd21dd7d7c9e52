"""Reads texts with where and when they were written, and withholds those of few respondents.

Withheld is the same whatever is looked for, so that no filter tells of it: all texts of a unit,
questionnaire and month in which fewer than the least number of respondents answered, and those
whose answers are not released (``app.figures.release``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.access import scope
from app.access.callers import Caller
from app.access.models import Right
from app.cases.lists import finder
from app.figures import visible
from app.figures.comment_classes import Classes, Kind, classes, contentments
from app.figures.comment_results import Contentment
from app.figures.periods import Span
from app.figures.release import ReleaseRule, Unreleased, find_unreleased
from app.intake.models import Disposition, Response, ResponseText
from app.intake.texts import read_text
from app.registry.carrying_back import carried_back, readable_nodes
from app.registry.queries import UnitNode, UnitTree
from app.registry.questionnaires import Published, published
from app.rollups import queries
from app.rollups.cells import SUMS
from app.rollups.models import RollupCell
from app.text_keys import TextKeys

#: A unit, a questionnaire and a month: what is withheld or shown together.
Together = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """A text, with what is told of it to nobody: whose response it belongs to, day and channel."""

    node: UnitNode
    unit_id: int
    questionnaire: str
    month: str
    item: str
    body: str
    version_id: int
    channel: str
    response_id: str
    #: Whether the caller may see small cells of its unit.
    open_: bool

    @property
    def together(self) -> Together:
        """With which others it is withheld or shown."""
        return self.unit_id, self.questionnaire, self.month


@dataclass(frozen=True)
class Place:
    """Units of which comments are wanted: where each is placed in a tree, and who may read them."""

    #: The caller's tree of the day, and those of its nodes that are wanted.
    tree: UnitTree
    wanted: frozenset[int]
    #: Of units of all times that the caller may read, the node at which each stands.
    node_of: Mapping[int, UnitNode]
    #: Units whose small cells the caller may see; None for all.
    small: frozenset[int] | None
    #: Whether all that the service has is wanted, so that no list of units need be handed over.
    everything: bool

    @property
    def unit_ids(self) -> frozenset[int]:
        """The units whose texts are wanted."""
        return frozenset(id for id, node in self.node_of.items() if node.id in self.wanted)

    def opens(self, unit_id: int) -> bool:
        """Whether the caller may see what few say about a unit."""
        return self.small is None or unit_id in self.small

    def among(self, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """The condition that a row's unit is wanted."""
        return true() if self.everything else column.in_(sorted(self.unit_ids))


def find_place(
    session: Session,
    caller: Caller,
    units: Sequence[str],
    day: date,
    today: date,
    *,
    descendants: bool = True,
) -> Place:
    """Where comments are read: at units that are named and those below, or all the caller's.

    A text is not divided: what shares of a plan deal out stands at the lowest node that holds all
    of it.

    Raises
    ------
    UnknownUnit
        Where a unit is not there, or not the caller's.
    """
    whole = visible.structure(session, day)
    granted = scope.unit_ids(session, caller, Right.READ_COMMENTS)
    tree = whole.tree
    if granted is not None:
        theirs = frozenset(carried_back(visible.units_of_all_times(session), granted, today))
        tree = whole.among(readable_nodes(whole, theirs))
    wanted = {id for code in units for id in _at(session, tree, code, day, descendants)}
    node_of: dict[int, UnitNode] = {}
    for id, placement in whole.placements.items():
        if granted is not None and id not in theirs:
            continue
        lines = [[node, *(n.id for n in whole.tree.above(node))] for node, _ in placement.parts]
        at = next((n for n in lines[0] if all(n in line for line in lines)), None)
        if at in tree.nodes:
            node_of[id] = tree.nodes[at]
    return Place(
        tree,
        frozenset(wanted if units else tree.nodes),
        node_of,
        scope.unit_ids(session, caller, Right.READ_SMALL_CELLS),
        everything=granted is None and not units,
    )


def _at(
    session: Session, tree: UnitTree, code: str, day: date, descendants: bool
) -> Collection[int]:
    node = visible.find(session, tree, code, day)
    return tree.below(node.id) if descendants else [node.id]


@dataclass(frozen=True)
class Texts:
    """The texts that may be shown, and what is said of the others."""

    shown: list[Written]
    #: Units, questionnaires and months with some, but too few respondents.
    few: int
    #: Whether some have answered whose answers are not released.
    waiting: bool
    #: Versions of the questionnaires that were read, by id.
    versions: Mapping[int, Published]
    #: Responses that devices brought late and that are not told yet.
    late: frozenset[str]


def read_texts(
    session: Session,
    place: Place,
    days: Span,
    questionnaire: str | None,
    release_rule: ReleaseRule,
    keys: TextKeys,
) -> Texts:
    """What was written about the units of a place, in days that are whole months.

    The one function that reads what citizens wrote to hand it on: masked but for the names of
    staff, which ``keys`` decrypt, since whoever reads comments is entitled to them. What is quoted
    to others is ``ResponseText.body``.
    """
    versions = {
        version.id: version
        for version in published(session)
        if questionnaire in (None, version.form.code)
    }
    guard = _Guard(session, place, days, versions, release_rule)
    query = (
        select(
            ResponseText.unit_id,
            Response.version_id,
            Response.day,
            Response.channel,
            ResponseText.item,
            ResponseText.body,
            ResponseText.encrypted_body,
            Response.id,
        )
        .join(Response, Response.id == ResponseText.response_id)
        .where(
            place.among(ResponseText.unit_id),
            ResponseText.day.between(days.first, days.last),
            Response.disposition == Disposition.COUNTED,
            Response.version_id.in_(sorted(versions)),
        )
    )
    shown, misconduct = [], finder(session)
    for unit_id, version_id, day, channel, item, body, encrypted, id in session.execute(query):
        node = place.node_of.get(unit_id)
        if node is None or node.id not in place.wanted:
            continue
        written = Written(
            node, unit_id, versions[version_id].form.code, f"{day:%Y-%m}", item,
            read_text(keys, id, item, body, encrypted), version_id, channel, id,
            place.opens(unit_id),
        )  # fmt: skip
        # It goes to the unit above (app.cases), and that there is one is told to nobody here.
        if not written.open_ and misconduct.find(body) is not None:
            continue
        if written.open_ or not guard.withholds(written, day):
            shown.append(written)
    return Texts(shown, guard.few, guard.waiting, versions, guard.late)


def months_with_answers(session: Session, place: Place) -> list[str]:
    """The months in which anybody answered about the units of a place, the latest first.

    Not those with comments alone: that somebody wrote is nothing to tell of few.
    """
    query = select(RollupCell.day).where(place.among(RollupCell.unit_id)).distinct()
    return sorted({f"{day:%Y-%m}" for day in session.scalars(query)}, reverse=True)


class _Guard:
    """Which texts are withheld from a caller: nothing of it depends on what the texts say."""

    def __init__(
        self,
        session: Session,
        place: Place,
        days: Span,
        versions: Mapping[int, Published],
        release_rule: ReleaseRule,
    ) -> None:
        self._least = release_rule.least
        self._respondents: Counter[Together] = Counter()
        self._unreleased: dict[str, Unreleased] = {}
        self.waiting = False
        if place.small is None:
            return
        units = {id for id in place.unit_ids if not place.opens(id)}
        for code in sorted({version.form.code for version in versions.values()}):
            found = find_unreleased(
                session, visible.versions_of(session, code), release_rule, place.small
            )
            if found is not None:
                self._unreleased[code] = found
        for version in versions.values():
            rows = queries.read(
                session, version, first=days.first, last=days.last, units=units
            )  # fmt: skip
            n = rows.cells["sums"][:, 0, SUMS.index("n")]
            months = rows.day.astype("datetime64[M]").astype(str)
            code = version.form.code
            for unit_id, month, number in zip(
                rows.unit_id.tolist(), months.tolist(), n.tolist(), strict=True
            ):
                self._respondents[unit_id, code, month] += int(number)
            if (unreleased := self._unreleased.get(code)) is not None:
                waits = unreleased.among(rows.unit_id, rows.day, rows.channel) & (n > 0)
                self.waiting |= bool(waits.any()) or self._late(unreleased, version, units, days)

    @staticmethod
    def _late(unreleased: Unreleased, version: Published, units: set[int], days: Span) -> bool:
        """Whether devices brought answers of these units and days late that wait."""
        if version.id not in unreleased.withheld:
            return False
        rows = unreleased.withheld[version.id].rows
        within = (rows.day >= np.datetime64(days.first)) & (rows.day <= np.datetime64(days.last))
        return bool((within & np.isin(rows.unit_id, sorted(units))).any())

    @property
    def late(self) -> frozenset[str]:
        """Responses that devices brought late and that are not told yet."""
        return frozenset().union(*(each.late for each in self._unreleased.values()))

    @property
    def few(self) -> int:
        """How many units, questionnaires and months have some, but too few respondents."""
        return sum(0 < n < self._least for n in self._respondents.values())

    def withholds(self, written: Written, day: date) -> bool:
        """Whether a text is withheld."""
        if self._respondents[written.together] < self._least:
            return True
        unreleased = self._unreleased[written.questionnaire]
        return (
            unreleased.holds(written.unit_id, day, written.channel)
            or written.response_id in unreleased.late
        )


@dataclass(frozen=True)
class Kinds:
    """By which channel each text came and how content its writer was, as far as it is told."""

    kind_of: Mapping[str, Kind]
    classes: Mapping[Together, Classes]

    def among(self, written: Written, channel: str | None, contentment: Contentment | None) -> bool:
        """Whether a text passes filters.

        Raises
        ------
        LookupError
            Where these would tell more of its writer than the caller may know.
        """
        kind = self.kind_of[written.response_id]
        if written.open_:
            return channel in (None, kind[0]) and contentment in (None, kind[1])
        found = self.classes.get(written.together, Classes(channels=frozenset()))
        return found.among(kind, channel, contentment)


def read_kinds(
    session: Session, place: Place, days: Span, texts: Texts, release_rule: ReleaseRule
) -> Kinds:
    """Channel and contentment of those who wrote texts, and the classes of all who answered.

    Of a month that is not over nothing is told by these: its classes still change from day to day.
    """
    closed = any(not each.open_ for each in texts.shown)
    query = select(
        Response.id, Response.unit_id, Response.version_id, Response.day, Response.channel,
        Response.packed,
    ).where(
        place.among(Response.unit_id),
        Response.day.between(days.first, days.last),
        Response.disposition == Disposition.COUNTED,
        Response.version_id.in_(sorted(texts.versions)),
    )  # fmt: skip
    if not closed:  # the writers alone: nobody's class is wanted
        writers = select(ResponseText.response_id).where(
            place.among(ResponseText.unit_id),
            ResponseText.day.between(days.first, days.last),
        )
        query = query.where(Response.id.in_(writers))
    rows = session.execute(query).all()
    wanted = {each.response_id for each in texts.shown}
    people: dict[Together, Counter[Kind]] = {}
    kind_of: dict[str, Kind] = {}
    running = f"{release_rule.today:%Y-%m}"
    for version_id, version in texts.versions.items():
        mine = [row for row in rows if row.version_id == version_id]
        found = contentments(version, [row.packed for row in mine]) if mine else []
        for row, contentment in zip(mine, found, strict=True):
            kind = (row.channel, contentment)
            if row.id in wanted:
                kind_of[row.id] = kind
            month = f"{row.day:%Y-%m}"
            if (
                closed
                and not place.opens(row.unit_id)
                and month < running
                and row.id not in texts.late
            ):
                key = row.unit_id, version.form.code, month
                people.setdefault(key, Counter())[kind] += 1
    return Kinds(
        kind_of, {key: classes(counts, release_rule.least) for key, counts in people.items()}
    )
