"""Which responses an export is of: what is wanted, checked against what the caller may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from app.access import scope
from app.access.callers import Caller
from app.access.doors import RightMissing
from app.access.models import Right
from app.export.columns import Columns, columns_of
from app.figures import periods
from app.intake.models import Disposition, Response, ResponseText
from app.intake.retained import retained
from app.problems import Problem
from app.registry.models import SurveyPoint
from app.registry.questionnaires import Published, titles, versions_of

#: More units than this are filtered after reading.
_LISTED_UNITS = 200


class UnknownFormVersion(Problem):
    """The questionnaire has no version of this number."""

    code, status = "unknown-form-version", 404


class MissingRightForTexts(Problem):
    """Texts are wanted by somebody who may not read what citizens wrote."""

    code, status = "texts-not-allowed", 403


@dataclass(frozen=True)
class Wish:
    """What is wanted: of one questionnaire, of some units and days, with or without texts."""

    questionnaire: str
    version: int | None = None
    #: Codes of units, each with all below; all that are the caller's where none is named.
    units: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    channels: tuple[str, ...] = ()
    #: With what is set aside, which does not count.
    aside: bool = False
    texts: bool = False

    @property
    def mark(self) -> str:
        """What tells this wish from others, in sixteen digits."""
        said = (
            self.questionnaire, self.version, sorted(self.units), self.first, self.last,
            sorted(self.channels), self.aside, self.texts,
        )  # fmt: skip
        return blake2b(repr(said).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class UnitShown:
    """What is said of a response's unit."""

    code: str
    kind: str
    parent: str | None


@dataclass(frozen=True)
class Selection:
    """A wish that was looked at: its versions and units, and the conditions on rows."""

    wish: Wish
    caller: Caller
    versions: Sequence[Published]
    units: dict[int, UnitShown]
    #: Units that are wanted; None for all that are the caller's.
    wanted: frozenset[int] | None
    columns: Columns
    kept_from: date
    texts_from: date
    #: Units on which the caller may read responses, and words; None for all, no words: none.
    may_read: frozenset[int] | None
    may_read_words: frozenset[int] | None
    version_ids: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        """Derive what is compared with each row."""
        object.__setattr__(self, "version_ids", frozenset(each.id for each in self.versions))

    def among(self) -> ColumnElement[bool]:
        """The condition on responses, whatever their disposition."""
        wish = self.wish
        found = [
            scope.within(Response.unit_id, self.caller, Right.READ_RESPONSES),
            Response.version_id.in_(sorted(self.version_ids)),
        ]
        if (first := max(self.kept_from, wish.first or date.min)) > date.min:
            found.append(Response.day >= first)
        if wish.last is not None:
            found.append(Response.day <= wish.last)
        if wish.channels:
            found.append(Response.channel.in_(sorted(wish.channels)))
        if self.wanted is not None and len(self.wanted) <= _LISTED_UNITS:
            found.append(Response.unit_id.in_(sorted(self.wanted)))
        return and_(*found)

    def shown(self) -> ColumnElement[bool]:
        """The condition on responses that are rows of the export."""
        if self.wish.aside:
            return self.among()
        return and_(self.among(), Response.disposition == Disposition.COUNTED.value)

    def texts(self) -> ColumnElement[bool]:
        """The condition on texts: where the caller may read words, and what few said."""
        return and_(
            scope.within(ResponseText.unit_id, self.caller, Right.READ_COMMENTS),
            scope.within(ResponseText.unit_id, self.caller, Right.READ_SMALL_CELLS),
            ResponseText.day >= self.texts_from,
        )

    def reach(self, until: int) -> str:
        """What tells the units that are wanted and the caller's, of those with ids up to one.

        A later unit had no responses then: that it came changes nothing of what was read.
        """
        said = [
            None if each is None else sorted(id for id in each if id <= until)
            for each in (self.may_read, self.may_read_words, self.wanted)
        ]
        return blake2b(repr(said).encode(), digest_size=8).hexdigest()

    def wants(self, unit_id: int) -> bool:
        """Whether a response's unit is wanted; beside the condition, for many units."""
        return unit_id in self.units and (self.wanted is None or unit_id in self.wanted)


def questionnaires_of(
    session: Session, caller: Caller, right: Right = Right.READ_RESPONSES
) -> Sequence[str]:
    """Codes of questionnaires, those first that most survey points of the caller's units ask."""
    points = func.count(SurveyPoint.id)
    asked_most = session.scalars(
        select(SurveyPoint.questionnaire)
        .where(scope.within(SurveyPoint.unit_id, caller, right))
        .group_by(SurveyPoint.questionnaire)
        .order_by(points.desc(), SurveyPoint.questionnaire)
    )
    known = titles(session)
    return list(dict.fromkeys([*(code for code in asked_most if code in known), *known]))


def select_responses(
    session: Session, caller: Caller, wish: Wish, *, with_changes: bool = False
) -> Selection:
    """What a wish means for a caller.

    Raises
    ------
    Problem
        Naming the field: an unknown questionnaire, version or unit, days in the wrong order, texts
        without the right to them.
    """
    if Right.READ_RESPONSES not in caller.rights:
        raise RightMissing(right=Right.READ_RESPONSES)
    periods.check(wish.first, wish.last)
    if wish.texts and not {Right.READ_COMMENTS, Right.READ_SMALL_CELLS} <= caller.rights:
        raise MissingRightForTexts(field="texts")
    versions = versions_of(session, wish.questionnaire)
    if wish.version is not None:
        versions = [each for each in versions if each.form.version == wish.version]
        if not versions:
            raise UnknownFormVersion(
                field="version", questionnaire=wish.questionnaire, version=wish.version
            )
    tree = scope.units(session, caller, Right.READ_RESPONSES)
    units = {
        id: UnitShown(
            node.code, node.kind,
            tree.nodes[node.parent_id].code if node.parent_id in tree.nodes else None,
        )
        for id, node in tree.nodes.items()
    }  # fmt: skip
    wanted = None
    if wish.units:
        wanted = frozenset(id for code in wish.units for id in tree.below(tree.find(code).id))
    kept = retained(session)
    of_words: frozenset[int] | None = frozenset()
    if wish.texts:
        of_words = _both(
            scope.unit_ids(session, caller, Right.READ_COMMENTS),
            scope.unit_ids(session, caller, Right.READ_SMALL_CELLS),
        )
    return Selection(
        wish, caller, versions, units, wanted,
        columns_of(versions, with_texts=wish.texts, with_changes=with_changes),
        kept.responses_from, kept.texts_from,
        scope.unit_ids(session, caller, Right.READ_RESPONSES), of_words,
    )  # fmt: skip


def _both(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    """The units of both; None stands for all units."""
    if one is None or other is None:
        return other if one is None else one
    return one & other
