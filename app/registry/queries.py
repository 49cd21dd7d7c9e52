"""Reading units: by code, below others, as a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Case, ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.clock import local_today
from app.messages import say
from app.problems import Problem
from app.registry.models import Installation, Unit, UnitKind
from app.settings import Settings

#: Kinds that are part of a larger unit: what they are called says little without its name.
_PARTS = frozenset({UnitKind.WARD, UnitKind.DESK})


class UnknownUnit(Problem):
    """No unit has this code."""

    code, status = "unknown-unit", 404

    @property
    def others(self) -> tuple[NamedThen, ...]:
        """What the code named on other days."""
        found = self.values.get("others")
        return found if isinstance(found, tuple) else ()

    def detail(self, language: str) -> str:
        """That there is none; of a code that named others on other days, which and when."""
        if not self.others:
            return super().detail(language)
        said = "; ".join(each.said(language) for each in self.others)
        return say("structure.of_other_days", language, **{**self.values, "others": said})


@dataclass(frozen=True)
class NamedUnit:
    """A unit that another one is part of."""

    code: str
    name_vi: str
    name_en: str

    def named(self, language: str) -> str:
        """Its name and code."""
        return f"{self.name_vi if language == 'vi' else self.name_en} ({self.code})"


@dataclass(frozen=True)
class NamedThen:
    """What a code named at another time."""

    name_vi: str
    name_en: str
    first_day: date
    last_day: date | None
    #: What of it the caller may read goes on as today.
    became: tuple[NamedUnit, ...] = ()

    def said(self, language: str) -> str:
        """Its name, from when to when it was valid, and what it became."""
        name = self.name_vi if language == "vi" else self.name_en
        first, last = self.first_day, self.last_day
        if last is None:
            return say("structure.valid_from", language, name=name, first=first)
        said = say("structure.valid_between", language, name=name, first=first, last=last)
        if not self.became:
            return said
        units = ", ".join(each.named(language) for each in self.became)
        return say("structure.became", language, said=said, units=units)


@dataclass(frozen=True)
class UnitNode:
    """A unit as the figures need it."""

    id: int
    code: str
    kind: str
    name_vi: str
    name_en: str
    parent_id: int | None
    #: What it is part of, where its own name does not tell it from others.
    within: NamedUnit | None = None

    def as_named(self) -> NamedUnit:
        """How it is named where another one is part of it."""
        return NamedUnit(self.code, self.name_vi, self.name_en)


class UnitTree:
    """Units with who stands below whom; 10,000 are read in 30 ms.

    ``whole`` says that these are all units of the registry. In a part of it the tops have
    parents that are not in ``nodes``.
    """

    def __init__(self, nodes: Sequence[UnitNode], *, whole: bool = True) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.whole = whole
        #: The last one wins: units are read by first day of validity.
        self.by_code = {node.code: node for node in nodes}
        self._children: dict[int | None, list[int]] = {}
        for node in nodes:
            self._children.setdefault(node.parent_id, []).append(node.id)

    def find(self, code: str) -> UnitNode:
        """The unit with this code; of several in time, the latest.

        Raises
        ------
        UnknownUnit
            Where there is none.
        """
        try:
            return self.by_code[code]
        except KeyError:
            raise UnknownUnit(code=code, field="unit") from None

    def children(self, id: int) -> list[int]:
        """The ids of the units directly below."""
        return self._children.get(id, [])

    def below(self, id: int) -> list[int]:
        """The ids of the unit itself and of all below it."""
        found = [id]
        for each in found:
            found += self._children.get(each, [])
        return found

    def above(self, id: int) -> list[UnitNode]:
        """The units above one, the nearest first, as far as they are in the tree."""
        found: list[UnitNode] = []
        at = self.nodes.get(id)
        while at is not None and at.parent_id is not None:
            at = self.nodes.get(at.parent_id)
            if at is not None:
                found.append(at)
        return found

    def with_all_above(self, ids: Iterable[int]) -> set[int]:
        """Those of some units that are in the tree, and all above them, by id."""
        found: set[int] = set()
        for id in ids:
            at = self.nodes.get(id)
            # What stands above one that was reached before was reached as well.
            while at is not None and at.id not in found:
                found.add(at.id)
                at = self.nodes.get(at.parent_id) if at.parent_id is not None else None
        return found


def tree(session: Session, among: Select[tuple[int]] | None) -> UnitTree:
    """The units whose ids a statement gives, or all of the registry's, as a tree.

    What a caller may see is ``app.access.scope.units``.
    """
    query = select(
        Unit.id, Unit.code, Unit.kind, Unit.name_vi, Unit.name_en, Unit.parent_id
    ).order_by(_begun(), Unit.valid_from, Unit.id)
    query = query.where(ever_valid())
    if among is not None:
        query = query.where(Unit.id.in_(among))
    nodes = [UnitNode(*row) for row in session.execute(query)]
    return UnitTree(
        told_apart(nodes, lambda missing: _names(session, missing)), whole=among is None
    )


def _begun() -> Case[int]:
    """1 of a unit that has begun: a code is its own, also where a plan gives it to another one."""
    return case((Unit.valid_from <= local_today(Settings().zone), 1), else_=0)


def _names(session: Session, ids: Collection[int]) -> dict[int, NamedUnit]:
    query = select(Unit.id, Unit.code, Unit.name_vi, Unit.name_en).where(Unit.id.in_(ids))
    return {id: NamedUnit(*names) for id, *names in session.execute(query)}


def told_apart(
    nodes: Sequence[UnitNode],
    find: Callable[[Collection[int]], Mapping[int, NamedUnit]] = lambda missing: {},
) -> list[UnitNode]:
    """The units again, with what they are part of where their own names do not tell them apart.

    ``find`` gives the names of units that are not among them: whoever sees a ward alone still
    reads whose it is.
    """
    named = Counter(node.name_vi for node in nodes)
    parents = {
        node.id: node.parent_id
        for node in nodes
        if node.parent_id is not None and (named[node.name_vi] > 1 or node.kind in _PARTS)
    }
    wanted = set(parents.values())
    above = {node.id: node.as_named() for node in nodes if node.id in wanted}
    if missing := wanted - above.keys():
        above |= find(missing)
    return [
        replace(node, within=above.get(parents[node.id])) if node.id in parents else node
        for node in nodes
    ]


def ever_valid() -> ColumnElement[bool]:
    """The condition that a unit was not founded by a plan that was undone."""
    return or_(Unit.valid_to.is_(None), Unit.valid_to >= Unit.valid_from)


def ids_with_all_above(unit_id: int) -> Select[tuple[int]]:
    """A statement for the ids of a unit and of all above it."""
    found = select(Unit.id, Unit.parent_id).where(Unit.id == unit_id).cte(recursive=True)
    found = found.union(select(Unit.id, Unit.parent_id).join(found, Unit.id == found.c.parent_id))
    return select(found.c.id)


def line_of(session: Session, id: int) -> list[UnitNode]:
    """A unit and all above it, the nearest first, whoever may see them: names are no secret."""
    units = tree(session, ids_with_all_above(id))
    return [units.nodes[id], *units.above(id)]


def positions(session: Session, ids: Collection[int]) -> dict[int, tuple[float, float]]:
    """Latitude and longitude of those of some units that have them."""
    query = select(Unit.id, Unit.latitude, Unit.longitude).where(Unit.latitude.is_not(None))
    return {
        id: (latitude, longitude)
        for id, latitude, longitude in session.execute(query)
        if id in ids and latitude is not None and longitude is not None
    }


def find_unit(session: Session, code: str, on: date | None = None) -> Unit:
    """The unit with this code that is valid on a day.

    Without a day, the latest that has begun; where none has, the next one.

    Raises
    ------
    UnknownUnit
        Where there is none.
    """
    query = select(Unit).where(Unit.code == code, ever_valid())
    query = query.order_by(_begun().desc(), Unit.valid_from.desc(), Unit.id.desc())
    if on is not None:
        query = query.where(
            Unit.valid_from <= on, (Unit.valid_to.is_(None)) | (Unit.valid_to >= on)
        )
    unit = session.scalars(query).first()
    if unit is None:
        raise UnknownUnit(code=code, field="unit")
    return unit


def last_unit_id(session: Session) -> int:
    """The highest id of a unit, whoever asks; 0 where there is none. Later ones have higher ids."""
    return session.scalar(select(func.max(Unit.id))) or 0


def is_synthetic(session: Session) -> bool:
    """Whether this database holds a demonstration."""
    return bool(session.scalar(select(Installation.synthetic)))
