"""The dry run of a plan: what moves, who follows, what must be printed anew, what stays unclear."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.models import Credential
from app.figures.plan_figures import Counted, before_and_after
from app.invitations.models import Invitation
from app.reform.following import Sort, followers
from app.registry.models import PointCode, PointState, SurveyPoint
from app.registry.reorganisation.changes import ONE_DAY, Changes, read_points
from app.registry.reorganisation.checking import checked
from app.registry.reorganisation.plan import Plan
from app.registry.structures import UNDIVIDED, read_units

#: Figures are of so many days before the plan, or before today where it lies ahead.
_LOOKED_BACK = timedelta(days=365)


@dataclass(frozen=True)
class UnitShown:
    """A unit as the dry run names it."""

    code: str
    name_vi: str
    name_en: str


@dataclass(frozen=True)
class Part:
    """A unit that another one comes from or becomes, with the share where one is given."""

    unit: UnitShown
    share: float | None


@dataclass(frozen=True)
class Begins:
    """A unit that begins: under whom, and what it is made of."""

    day: date
    unit: UnitShown
    kind: str
    above: UnitShown | None
    made_of: tuple[Part, ...]


@dataclass(frozen=True)
class Ends:
    """A unit that ends, and what it becomes; nothing where it is closed."""

    last_day: date
    unit: UnitShown
    becomes: tuple[Part, ...]
    #: Whether its past cannot be dealt out to what it becomes.
    undivided: bool


@dataclass(frozen=True)
class ChangesShown:
    """A unit that goes on under another name or below another one."""

    day: date
    before: UnitShown
    after: UnitShown
    above_before: UnitShown | None
    above_after: UnitShown | None
    #: Whether no line says so.
    implied: bool


@dataclass(frozen=True)
class PointShown:
    """A survey point that moves, closes, or has another name on its poster from a day on."""

    day: date
    #: The public code that is printed now.
    code: str
    name: str
    before: UnitShown
    #: None where it closes.
    after: UnitShown | None
    devices: int
    #: Whether it is of another unit then.
    moves: bool
    #: Whether the name of the unit on posters and screens is another one.
    print_anew: bool


@dataclass(frozen=True)
class RightShown:
    """Somebody, or something, with a right on a unit that ends, and where that leads."""

    sort: Sort
    who: str
    #: Of a person.
    role: str | None
    unit: UnitShown
    to: UnitShown | None


@dataclass(frozen=True)
class OpenInvitations:
    """Links of a unit that ends that were not used yet; they go on."""

    unit: UnitShown
    count: int


@dataclass(frozen=True)
class FigureShown:
    """What a unit's people said to a questionnaire in the period looked at."""

    unit: UnitShown
    undivided: bool
    questionnaire: str
    respondents: float
    rate: float | None


@dataclass(frozen=True)
class Preview:
    """All that a plan would change; nothing of it is done."""

    lines: int
    first_day: date
    begins: tuple[Begins, ...]
    ends: tuple[Ends, ...]
    changes: tuple[ChangesShown, ...]
    points: tuple[PointShown, ...]
    follow: tuple[RightShown, ...]
    unclear: tuple[RightShown, ...]
    invitations: tuple[OpenInvitations, ...]
    #: The days that the figures are of, the first and the last.
    looked_at: tuple[date, date]
    figures_before: tuple[FigureShown, ...]
    figures_after: tuple[FigureShown, ...]

    @property
    def closing(self) -> tuple[PointShown, ...]:
        """The points that close."""
        return tuple(each for each in self.points if each.after is None)

    @property
    def moving(self) -> tuple[PointShown, ...]:
        """The points that are of another unit."""
        return tuple(each for each in self.points if each.moves)

    @property
    def printing(self) -> tuple[PointShown, ...]:
        """The points whose posters must be printed anew."""
        return tuple(each for each in self.points if each.print_anew)

    @property
    def undivided(self) -> tuple[Ends, ...]:
        """The units whose past stands undivided."""
        return tuple(each for each in self.ends if each.undivided)


def preview(session: Session, plan: Plan, today: date) -> Preview:
    """What a plan would change; the session may be one that only reads.

    Raises
    ------
    WrongTable
        With every line that cannot be.
    """
    found = checked(plan, read_units(session), read_points(session))
    return _Shown(session, found, today).preview(len(plan.lines))


class _Shown:
    """Says in names what changes."""

    def __init__(self, session: Session, changes: Changes, today: date) -> None:
        self._session, self._changes = session, changes
        self._histories = changes.units.histories
        first = changes.first_day()
        last = min(first - ONE_DAY, today)
        self._period = last - _LOOKED_BACK + ONE_DAY, last

    def preview(self, lines: int) -> Preview:
        changes = self._changes
        made_of, becomes = defaultdict(list), defaultdict(list)
        for each in changes.becomings:
            eve = each.day - ONE_DAY
            made_of[each.to_id].append(Part(self._unit(each.from_id, eve), each.share))
            becomes[each.from_id].append(Part(self._unit(each.to_id, each.day), each.share))
        people = self._people()
        before, after = self._figures()
        return Preview(
            lines=lines,
            first_day=changes.first_day(),
            begins=tuple(
                Begins(
                    each.state.first_day, self._unit(each.unit_id, each.state.first_day),
                    each.state.kind, self._above(each.state.parent_id, each.state.first_day),
                    tuple(made_of[each.unit_id]),
                )
                for each in changes.foundings
            ),
            ends=tuple(
                Ends(
                    each.last_day, self._unit(each.unit_id, each.last_day),
                    tuple(becomes[each.unit_id]), _undivided(becomes[each.unit_id]),
                )
                for each in changes.endings
            ),
            changes=tuple(
                ChangesShown(
                    each.after.first_day,
                    UnitShown(each.code, each.before.name_vi, each.before.name_en),
                    UnitShown(each.code, each.after.name_vi, each.after.name_en),
                    self._above(each.before.parent_id, each.after.first_day - ONE_DAY),
                    self._above(each.after.parent_id, each.after.first_day),
                    each.implied,
                )
                for each in changes.changes
            ),
            points=self._points(),
            follow=tuple(each for each in people if each.to is not None),
            unclear=tuple(each for each in people if each.to is None),
            invitations=self._invitations(),
            looked_at=self._period,
            figures_before=before,
            figures_after=after,
        )  # fmt: skip

    def _unit(self, id: int, day: date) -> UnitShown:
        unit = self._histories[id]
        state = unit.on(day)
        return UnitShown(unit.code, state.name_vi, state.name_en)

    def _above(self, id: int | None, day: date) -> UnitShown | None:
        return None if id is None else self._unit(id, day)

    def _people(self) -> list[RightShown]:
        ends = {each.unit_id: each.last_day for each in self._changes.endings}
        return [
            RightShown(
                each.sort, each.who, each.role, self._unit(each.unit_id, ends[each.unit_id]),
                None if each.to_id is None
                else self._unit(each.to_id, ends[each.unit_id] + ONE_DAY),
            )
            for each in followers(self._session, self._changes)
        ]  # fmt: skip

    def _points(self) -> tuple[PointShown, ...]:
        changes = self._changes
        goes: list[tuple[int, date, int, int | None]] = [
            (each.point_id, each.day, each.before_id, each.unit_id) for each in changes.moves
        ]
        goes += [(each.point_id, each.day, each.unit_id, None) for each in changes.closings]
        renamed = {
            each.unit_id: each.after.first_day
            for each in changes.changes
            if each.before.name_vi != each.after.name_vi
        }
        # Of what is called otherwise the points stay, and their posters are wrong.
        for id, point in read_points(self._session).by_id.items():
            for day in set(renamed.values()):
                unit = point.on(day - ONE_DAY)
                if renamed.get(unit) == day and point.on(day) == unit:
                    goes.append((id, day, unit, unit))
        if not goes:
            return ()
        rows = {
            id: (name, state)
            for id, name, state in self._session.execute(
                select(SurveyPoint.id, SurveyPoint.name, SurveyPoint.state)
            )
        }
        current = select(PointCode.point_id, PointCode.code).where(PointCode.replaced_at.is_(None))
        codes = {id: code for id, code in self._session.execute(current)}  # noqa: C416
        devices = Counter(
            self._session.scalars(
                select(Credential.point_id).where(
                    Credential.point_id.is_not(None), Credential.revoked_at.is_(None)
                )
            )
        )
        shown = []
        for id, day, before_id, after_id in goes:
            name, state = rows[id]
            if state == PointState.REVOKED:
                continue
            before = self._unit(before_id, day - ONE_DAY)
            after = None if after_id is None else self._unit(after_id, day)
            anew = after is not None and after.name_vi != before.name_vi
            shown.append(PointShown(
                    day, codes.get(id, ""), name, before, after, devices[id],
                    after_id not in (None, before_id), anew,
                )
            )  # fmt: skip
        return tuple(sorted(shown, key=lambda each: (each.day, each.before.code, each.code)))

    def _invitations(self) -> tuple[OpenInvitations, ...]:
        ended = {each.unit_id: each for each in self._changes.endings}
        query = (
            select(Invitation.unit_id, func.count())
            .where(Invitation.answered.is_(False), Invitation.expires_at > datetime.now(UTC))
            .group_by(Invitation.unit_id)
        )
        return tuple(
            OpenInvitations(self._unit(id, ended[id].last_day), count)
            for id, count in self._session.execute(query)
            if id in ended
        )

    def _figures(self) -> tuple[tuple[FigureShown, ...], tuple[FigureShown, ...]]:
        changes = self._changes
        eve = changes.first_day() - ONE_DAY
        days = [each.state.first_day for each in changes.foundings]
        days += [each.last_day + ONE_DAY for each in changes.endings]
        last = max([changes.first_day(), *days])
        renamed = {each.unit_id for each in changes.changes if not each.implied}
        found = before_and_after(
            self._session,
            changes.units,
            (eve, last),
            self._period,
            ({each.unit_id for each in changes.endings} | renamed, changes.founded | renamed),
        )
        names = {
            id: node for day in (eve, last) for id, node in changes.units.on(day).tree.nodes.items()
        }

        def shown(figure: Counted) -> FigureShown:
            node = names[figure.unit_id]
            return FigureShown(
                UnitShown(node.code, node.name_vi, node.name_en), node.kind == UNDIVIDED,
                figure.questionnaire, figure.respondents, figure.rate,
            )  # fmt: skip

        return tuple(map(shown, found.before)), tuple(map(shown, found.after))


def _undivided(parts: list[Part]) -> bool:
    return not parts or (len(parts) > 1 and any(part.share is None for part in parts))
