"""The demonstration's people: one for each role, all with one password that is drawn once."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from app.access import accounts
from app.access.models import Account, Sector
from app.access.roles import Role
from app.db import Database
from app.demonstration.province import OF_TODAY, Province
from app.registry.queries import find_unit


@dataclass(frozen=True)
class PersonDrawn:
    """Somebody with one role."""

    email: str
    name: str
    role: Role
    unit: str | None = None
    sector: Sector | None = None
    #: Head of a unit until a plan ended it, and of nothing since.
    former: bool = False


PEOPLE = (
    PersonDrawn("quantri@demo.example", "Trần Quản Trị", Role.OPERATOR),
    PersonDrawn("cchc@demo.example", "Lê Thị Phân Tích", Role.PROVINCIAL_ANALYST),
    PersonDrawn("soyte@demo.example", "Phạm Y Tế", Role.DEPARTMENT_ANALYST, None, Sector.HEALTH),
    PersonDrawn("truongkhoa@demo.example", "Nguyễn Trưởng Khoa", Role.UNIT_HEAD, "BV01-N"),
    PersonDrawn("chutich@demo.example", "Võ Chủ Tịch Phường", Role.UNIT_HEAD, "26506"),
    PersonDrawn(
        "cuuchutich@demo.example", "Mai Cựu Chủ Tịch", Role.UNIT_HEAD, "26508", former=True
    ),
    PersonDrawn("quay@demo.example", "Đặng Thị Quầy", Role.DESK_STAFF, "26506"),
    PersonDrawn("thanhtra@demo.example", "Hoàng Thanh Tra", Role.AUDITOR),
)


def password_of(folder: Path) -> str:
    """The password of all of them, drawn at first and kept beside the database."""
    file = folder / "password"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
            stream.write(secrets.token_urlsafe(12))
    return file.read_text(encoding="utf-8")


def people_of(province: Province) -> list[PersonDrawn]:
    """Those of a province: nobody is a former head where nothing ended."""
    return [person for person in PEOPLE if province.plan is not None or not person.former]


def settle(database: Database, password: str, province: Province = OF_TODAY) -> None:
    """Make those who have no account yet, at the units that the province was founded with.

    So before it goes through its plan: what their rights become is the plan's matter.
    """
    with database.writing("demonstration") as session:
        there = set(session.scalars(select(Account.email)))
        for person in people_of(province):
            if person.email not in there:
                account = accounts.add(session, person.email, person.name)
                unit = find_unit(session, person.unit, province.founded) if person.unit else None
                accounts.grant(session, account, person.role, unit, person.sector)
                accounts.set_password(session, account, password, password)
