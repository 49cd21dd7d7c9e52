"""Rules: what is flagged and what is set aside, as data that an operator sets and versions."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analysis.responses import Detectors
from analysis.stuffing import Stuffing
from app.audit.log import record
from app.commands import Refused
from app.integrity.models import IntegrityRule
from app.integrity.reading import Hours, Range

FIRST_RULES = Path(__file__).with_name("first_rules.toml")


Days = tuple[Annotated[int, Field(ge=1, le=7)], ...]


class OpeningRange(BaseModel):
    """One range of opening hours, as a morning, on some days of the week from Monday, 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: float = Field(6.5, ge=0, le=24)
    closes: float = Field(18.0, ge=0, le=24)
    days: Days = (1, 2, 3, 4, 5, 6)

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("closes must lie after opens")
        return self

    def range(self) -> Range:
        """The same for the arrays."""
        return Range(self.opens, self.closes, self.days)


class OpeningHours(OpeningRange):
    """When offices are open; outside of it most receive nothing.

    One range, or in its place several ``ranges``: a morning, an afternoon, a Saturday's morning.
    """

    ranges: tuple[OpeningRange, ...] = Field((), max_length=30)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.ranges and self.range() != Range():
            raise ValueError("give either ranges, or opens, closes and days")
        return self

    def hours(self) -> Hours:
        """The same for the arrays."""
        return Hours(tuple(each.range() for each in self.ranges) or (self.range(),))


class Rule(BaseModel):
    """What a rule flags and sets aside; its documentation is docs/integrity.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flag: float = Field(0.5, gt=0, lt=1)
    #: None: it flags only; "never" in a file, as TOML has no null.
    quarantine: float | None = Field(0.95, gt=0, lt=1)
    prior: float = Field(0.0025, gt=0, lt=0.5)
    hours: OpeningHours = OpeningHours()
    detectors: dict[str, float] = Field(default_factory=dict)

    @field_validator("quarantine", mode="before")
    @classmethod
    def _never(cls, value: object) -> object:
        return None if value == "never" else value

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        if self.quarantine is not None and self.quarantine < self.flag:
            raise ValueError("quarantine must not lie below flag")
        self.parameters()
        return self

    def parameters(self) -> Detectors:
        """The detectors' parameters under this rule.

        Raises
        ------
        ValueError
            Where one has no such parameter, or a value that it cannot have.
        """
        numbers = {
            each.name: type(each.default)
            for each in fields(Detectors)
            if isinstance(each.default, int | float)
        }
        for name, value in self.detectors.items():
            if name not in numbers:
                raise ValueError(f"detectors have no number {name}")
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{name} must be a finite number from 0 on")
            if numbers[name] is int and value < 1:
                raise ValueError(f"{name} is a count, and must be 1 or more")
            if numbers[name] is int and value != int(value):
                raise ValueError(f"{name} is a count, and must be a whole number")
        given: dict[str, Any] = {
            name: numbers[name](value) for name, value in self.detectors.items()
        }
        return Detectors(**given)

    def model(self) -> Stuffing:
        """The mixture's parameters under this rule."""
        return Stuffing(prior=self.prior)


@dataclass(frozen=True)
class RuleVersion:
    """A version of a rule: number 0 is the one that came with the program, never in force."""

    name: str
    version: int
    rule: Rule
    active: bool
    set_by: str
    set_at: datetime | None


def first_rules() -> dict[str, Rule]:
    """The rules that came with the program."""
    return read_rules(FIRST_RULES)


def read_rules(file: Path) -> dict[str, Rule]:
    """Rules of a TOML file: a table each.

    Raises
    ------
    Refused
        Naming what is wrong, and where.
    """
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{file} is no TOML file: {error}") from error
    rules = {}
    for name, table in tables.items():
        if name not in _KNOWN:
            raise Refused(f"{file}: there is no rule {name}; known: {', '.join(_KNOWN)}")
        try:
            rules[name] = Rule.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in (name, *first["loc"]))
            raise Refused(f"{file}: {where}: {first['msg']}") from error
    return rules


_KNOWN = ("stuffing",)


def rules(session: Session) -> list[RuleVersion]:
    """The newest version of every rule."""
    newest = select(func.max(IntegrityRule.id)).group_by(IntegrityRule.name)
    found = {
        row.name: _version(row)
        for row in session.scalars(select(IntegrityRule).where(IntegrityRule.id.in_(newest)))
    }
    for name, rule in first_rules().items():
        found.setdefault(name, RuleVersion(name, 0, rule, False, "", None))
    return sorted(found.values(), key=lambda each: each.name)


def history(session: Session, name: str) -> list[RuleVersion]:
    """All versions of a rule, the newest first."""
    query = select(IntegrityRule).where(IntegrityRule.name == name)
    return [_version(row) for row in session.scalars(query.order_by(IntegrityRule.id.desc()))]


def in_force(session: Session) -> list[RuleVersion]:
    """The rules by which is examined."""
    return [each for each in rules(session) if each.active]


def named(session: Session, name: str) -> RuleVersion:
    """The newest version of a rule.

    Raises
    ------
    Refused
        Where there is none of that name.
    """
    found = {each.name: each for each in rules(session)}
    if name not in found:
        raise Refused(f"there is no rule {name}; known: {', '.join(found)}")
    return found[name]


def set_rule(session: Session, name: str, rule: Rule, *, active: bool, by: str) -> RuleVersion:
    """Append a version of a rule; the one there is where it is the same already."""
    before = named(session, name)
    if before.version and (before.rule, before.active) == (rule, active):
        return before
    row = IntegrityRule(
        name=name,
        version=before.version + 1,
        definition=rule.model_dump_json(),
        active=active,
        set_by=by,
        set_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    record(session, "integrity.rule", name, version=row.version, active=active, rule=row.definition)
    return _version(row)


def _version(row: IntegrityRule) -> RuleVersion:
    return RuleVersion(
        row.name,
        row.version,
        Rule.model_validate_json(row.definition),
        row.active,
        row.set_by,
        row.set_at,
    )


def names(found: Sequence[RuleVersion]) -> str:
    """Names of rules with their versions, for a line of a command."""
    return ", ".join(f"{each.name} ({each.version})" for each in found)
