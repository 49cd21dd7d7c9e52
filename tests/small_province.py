"""A province that a test can hold in mind, and bodies of responses about it.

77 province ─┬─ A1 agency
             ├─ D1 district ─┬─ C1 commune
             │               └─ C2 commune
             └─ H1 hospital ─── W1 ward
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import numpy as np

from app.access import accounts, credentials, sessions
from app.access.callers import Caller, csrf_token_of, grants_of
from app.access.doors import CSRF_FIELD
from app.access.models import Account, Right, Sector
from app.access.roles import Role
from app.db import Database
from app.intake.ids import made_uuid7
from app.registry.models import Channel, Unit
from app.registry.points import current_code, find_by_code, open_point
from app.settings import Settings

#: Responses that are sent at once.
BATCH = 400
UNITS = (
    ("77", "province", None),
    ("A1", "agency", "77"),
    ("D1", "district", "77"),
    ("C1", "commune", "D1"),
    ("C2", "commune", "D1"),
    ("H1", "hospital", "77"),
    ("W1", "ward", "H1"),
)
POINTS = (
    ("A1", "sipas-desk", Channel.QR),
    ("D1", "sipas-desk", Channel.QR),
    ("C1", "sipas-desk", Channel.QR),
    ("C1", "kiosk-face", Channel.KIOSK),
    ("C2", "sipas-desk", Channel.PAPER),
    ("W1", "moh-inpatient", Channel.KIOSK),
)


@dataclass
class SmallProvince:
    """Ids of units and public codes of points, by what they are."""

    database: Database
    units: dict[str, int] = field(default_factory=dict)
    points: dict[tuple[str, str], str] = field(default_factory=dict)
    _people: int = 0

    @classmethod
    def found(cls, database: Database) -> SmallProvince:
        """Make units and points in a prepared database."""
        province = cls(database)
        with database.writing() as session:
            units: dict[str, Unit] = {}
            for code, kind, parent in UNITS:
                unit = Unit(
                    code=code,
                    kind=kind,
                    name_vi=f"Đơn vị {code}",
                    name_en=f"Unit {code}",
                    parent=units.get(parent or ""),
                    valid_from=date(2020, 1, 1),
                )
                session.add(unit)
                units[code] = unit
            for code, form, channel in POINTS:
                point = open_point(session, units[code], form, channel, f"{code} {form}")
                province.points[(code, form)] = current_code(point)
            province.units = {code: unit.id for code, unit in units.items()}
        return province

    def credential(
        self,
        *rights: Right,
        point: str | None = None,
        expires_at: datetime | None = None,
        unit: str | None = None,
    ) -> dict[str, str]:
        """The header of a new credential."""
        with self.database.writing() as session:
            place = find_by_code(session, point) if point else None
            of_unit = session.get_one(Unit, self.units[unit]) if unit else None
            secret = credentials.issue(session, "test", rights, place, expires_at, unit=of_unit)
        return {"Authorization": f"Bearer {secret}"}

    def caller(self, *roles: tuple[Role, str | None]) -> Caller:
        """Somebody new with roles on units, as the service knows them."""
        account_id = self.person(*roles).account_id
        with self.database.reading() as session:
            account = session.get_one(Account, account_id)
            return Caller(account.email, grants_of(account), account_id=account.id)

    def person(
        self,
        *roles: tuple[Role, str | None] | tuple[Role, str | None, Sector],
        email: str | None = None,
        password: str | None = None,
    ) -> SignedIn:
        """Somebody new with roles on units, who has just signed in."""
        self._people += 1
        email = email or f"person{self._people}@example.vn"
        with self.database.writing() as session:
            account = accounts.add(session, email, f"Người thứ {self._people}")
            for role, unit, *sector in roles:
                place = session.get_one(Unit, self.units[unit]) if unit else None
                accounts.grant(session, account, role, place, sector[0] if sector else None)
            if password:
                accounts.set_password(session, account, password, password)
            token = sessions.begin(session, account, "a test", Settings(), by="test")
            session.flush()
            account_id = account.id
        return SignedIn(
            account_id,
            email,
            {Settings().session_cookie: token},
            {CSRF_FIELD: csrf_token_of(token)},
        )

    def device(self, unit: str = "C1", form: str = "sipas-desk") -> dict[str, str]:
        """The header of a device at a survey point."""
        return self.credential(Right.SUBMIT, point=self.points[(unit, form)])

    def importer(self) -> dict[str, str]:
        """The header of whoever may send history."""
        return self.credential(Right.IMPORT_HISTORY)

    def send(self, client: httpx.Client, bodies: Sequence[dict[str, Any]]) -> None:
        """Have all responses taken, batch after batch."""
        headers = self.importer()
        for start in range(0, len(bodies), BATCH):
            batch = {"responses": bodies[start : start + BATCH]}
            answer = client.post("/api/v1/responses", json=batch, headers=headers)
            assert answer.status_code == 200, answer.text
            assert {each["status"] for each in answer.json()["responses"]} == {"accepted"}

    def reader(self) -> dict[str, str]:
        """The header of whoever may read figures, those of few respondents too."""
        return self.credential(Right.READ_FIGURES, Right.READ_SMALL_CELLS)

    def public_reader(self) -> dict[str, str]:
        """The header of whoever may read what may be published."""
        return self.credential(Right.READ_FIGURES)


@dataclass(frozen=True)
class SignedIn:
    """Somebody with an account and a session: what their browser sends."""

    account_id: int
    email: str
    cookies: dict[str, str]
    csrf: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """The cookies as a header."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}


_random = np.random.default_rng()


def new_id(moment: datetime | None = None) -> str:
    """An id as a device makes it."""
    return str(made_uuid7(moment or datetime.now(UTC), _random.bytes(10)))


def body(
    point: str | None = None, answers: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """A response of the one-stop desk's form, complete enough to be accepted."""
    made: dict[str, Any] = {
        "id": new_id(),
        "questionnaire": "sipas-desk",
        "version": 2,
        "answered_at": datetime.now(UTC).isoformat(),
        "answers": {"A1": 4, "B1": 5, "C1": 2} if answers is None else answers,
    }
    if point is not None:
        made["point"] = point
    return made | changes
