"""The small province with everybody in it who may call a route, and fresh things to act upon."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any

import httpx
from sqlalchemy import delete, select

from app.access import accounts, credentials, devices
from app.access.callers import owner
from app.access.models import Account, Credential, Right, Sector
from app.access.roles import Role
from app.access.tokens import hash_of
from app.figures import action_notes
from app.figures import limit_decisions as baselines
from app.figures.action_notes import NewNote
from app.figures.limit_decisions import Wish
from app.figures.periods import Step
from app.importing.mapping import Mapping
from app.importing.remembering import in_force, remember
from app.invitations.models import SmsMessage
from app.reform import service as reform
from app.registry.form_drafts import add_draft
from app.registry.models import Channel, QuestionnaireDraft, SurveyPoint, Unit, UnitKind
from app.registry.points import current_code, open_point
from app.registry.reorganisation.plan import Action, Plan, PlanLine, kept_plan
from surveys import load_directory
from surveys.model import Sketch
from tests.cases.sent import case_about
from tests.integrity.suspected import batch_of
from tests.small_province import UNITS, body

CODES = [code for code, _, _ in UNITS]
MONTH = "2026-01"
NUMBERS = iter(range(10**6))
#: Months, each of which a decision about control limits begins with once.
STARTS = cycle(f"{2017 + m // 12}-{m % 12 + 1:02}" for m in range(230))
WHO = (
    "operator", "provincial", "health", "head H1", "desk C1", "care D1", "auditor", "operator D1",
    "key D1", "device", "stranger",
)  # fmt: skip


@dataclass
class World:
    """The small province with everybody in it, and fresh things to act upon."""

    province: Any
    client: httpx.Client
    callers: dict[str, Any] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        person = self.province.person
        self.callers = {
            "operator": person((Role.OPERATOR, None)),
            "provincial": person((Role.PROVINCIAL_ANALYST, None)),
            "health": person((Role.DEPARTMENT_ANALYST, None, Sector.HEALTH)),
            "head H1": person((Role.UNIT_HEAD, "H1")),
            "desk C1": person((Role.DESK_STAFF, "C1")),
            "care D1": person((Role.CARE_DESK, "D1")),
            "auditor": person((Role.AUDITOR, None)),
            "operator D1": person((Role.OPERATOR, "D1")),
            "key D1": self.province.credential(
                Right.READ_FIGURES, Right.READ_REGISTRY, Right.INVITE, unit="D1"
            ),
            "device": self.province.device("C1"),
            "stranger": None,
        }
        with self.province.database.writing() as session:
            for code in CODES:
                unit = session.get_one(Unit, self.province.units[code])
                point = open_point(session, unit, "sipas-desk", Channel.QR, f"at {code}")
                session.flush()
                self.points[code] = point.id

    def call(self, who: str, method: str, path: str, **request: Any) -> httpx.Response:
        """One request as somebody."""
        caller = self.callers[who]
        if hasattr(caller, "cookies"):
            request["headers"] = request.get("headers", {}) | caller.headers
            if "json" not in request and method == "POST":
                request["data"] = request.get("data", {}) | caller.csrf
        elif caller:
            request["headers"] = request.get("headers", {}) | caller
        return self.client.request(method, path, **request)

    def first_event(self, who: str, path: str) -> httpx.Response:
        """The beginning of a stream, as an answer."""
        caller = self.callers[who]
        headers = getattr(caller, "headers", caller) or {}
        with self.client.stream("GET", path, headers=headers) as answer:
            lines = answer.iter_lines() if answer.status_code == 200 else iter(())
            told = next((line for line in lines if line.startswith("data: ")), "")
            return httpx.Response(answer.status_code, headers=answer.headers, text=told)

    def respond(self, unit: str, comment: str) -> None:
        """Ten people answer about a unit; each comments."""
        with self.province.database.writing() as session:
            place = session.get_one(Unit, self.province.units[unit])
            point = open_point(session, place, "sipas-desk", Channel.QR, "comments")
            session.flush()
            code = point.codes[0].code
        for _ in range(10):
            sent = body(code, answers={"A1": 4, "B1": 5, "C1": 4, "comment": comment})
            sent["answered_at"] = f"{MONTH}-15T10:00:00+07:00"
            answer = self.client.post(
                "/api/v1/responses", json=sent, headers=self.province.importer()
            )
            assert answer.status_code == 201, answer.text

    def account(self, unit: str) -> tuple[int, int]:
        """Somebody with two roles on a unit: the account, and the number of the first role."""
        somebody = self.province.person((Role.DESK_STAFF, unit), (Role.AUDITOR, unit))
        with self.province.database.reading() as session:
            account = session.get_one(Account, somebody.account_id)
            return account.id, account.grants[0].id

    def device_at(self, unit: str) -> int:
        """A device at a unit."""
        return self._credential(point=self.points[unit])

    def key_for(self, unit: str) -> int:
        """A system's key for a unit."""
        return self._credential(unit=unit)

    def key_of(self, who: str) -> int:
        """A key of the caller's own."""
        caller = self.callers[who]
        return self._credential(account=getattr(caller, "account_id", None))

    def _credential(self, point=None, unit=None, account=None) -> int:
        with self.province.database.writing() as session:
            credentials.issue(
                session,
                "probe",
                [Right.SUBMIT if point else Right.READ_FIGURES],
                session.get_one(SurveyPoint, point) if point else None,
                unit=session.get_one(Unit, self.province.units[unit]) if unit else None,
                account=session.get_one(Account, account) if account else None,
            )
            return session.scalars(select(Credential.id).order_by(Credential.id.desc())).first()

    def invitation(self) -> str:
        """The token of an invitation to C1's desk."""
        sent = {
            "case": f"c{next(NUMBERS)}", "unit": "C1", "point": self.code(),
            "finished_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        answer = self.client.post(
            "/api/v1/invitations", json=sent, headers=self.province.credential(Right.INVITE)
        )
        return answer.json()["link"].rpartition("/")[2]

    def code_of(self, unit: str) -> str:
        """The public code of a point at a unit."""
        with self.province.database.reading() as session:
            return current_code(session.get_one(SurveyPoint, self.points[unit]))

    def code(self) -> str:
        """The public code of C1's desk."""
        return self.province.points[("C1", "sipas-desk")]

    def token(self) -> httpx.Response:
        """A token, asked for with a good key."""
        key = self.callers["key D1"]["Authorization"].split()[1]
        with self.province.database.reading() as session:
            number = session.scalar(
                select(Credential.id).where(Credential.secret_hash == hash_of(key))
            )
        form = {"grant_type": "client_credentials"}
        return self.client.post("/oauth/token", data=form, auth=(str(number), key))

    def decision(self, unit: str) -> int:
        """A decision about a unit's control limits."""
        with self.province.database.writing() as session:
            wish = Wish(unit, "sipas-desk", Step.MONTH, next(STARTS), "probe")
            return baselines.decide(session, owner("test"), wish).id

    def noted(self, unit: str) -> int:
        """A note of what a unit did."""
        with self.province.database.writing() as session:
            new = NewNote(unit, date(2026, 1, 15), "probe")
            return action_notes.add(session, owner("test"), new, date(2026, 2, 1)).id

    def batch(self, unit: str) -> int:
        """A batch that is suspected of a unit."""
        return batch_of(self.province.database, self.province.units[unit], [])

    def case(self, unit: str) -> int:
        """A case about a unit, handed to itself, whose citizen waits for a reply."""
        return case_about(self.province.database, self.province.units[unit])

    def draft(self) -> str:
        """The address of a draft of a questionnaire of its own that could be published."""
        form = load_directory()["sipas-desk", 2].model_dump(mode="json", by_alias=True)
        sketch = Sketch.model_validate(form | {"code": f"probe-{next(NUMBERS)}"})
        with self.province.database.writing() as session:
            # As many are kept at a time as may be, and each caller wants one.
            session.execute(delete(QuestionnaireDraft))
            return f"/questionnaires/drafts/{add_draft(session, sketch, 'probe')}"

    def link(self) -> str:
        """The token of a link to set a password."""
        with self.province.database.writing() as session:
            account = accounts.find(session, self.province.person().email)
            return accounts.link_for_password(session, account)

    def dead_letter(self) -> int:
        """An SMS that its gateway refused."""
        with self.province.database.writing() as session:
            message = SmsMessage(
                phone="+84912345678", body="x", failed_at=datetime.now(UTC), fate="refused"
            )
            session.add(message)
            session.flush()
            return message.id

    def plan(self) -> str:
        """A plan that founds a unit far ahead."""
        return f"day,action,code,name_vi,kind\n2090-01-01,found,N{next(NUMBERS)},Mới,agency\n"

    def file_to_import(self) -> dict[str, str]:
        """A file of one response with what its columns mean, as a form has it."""
        packed = zlib.compress(b"Timestamp,A1\n2026-10-24,4\n")
        point = self.province.points[("D1", "sipas-desk")]
        return {
            "content": base64.b64encode(packed).decode(), "m0": "role:answered_at",
            "m1": "item:A1", "source": "probe", "point": point,
        }  # fmt: skip

    def mapping(self) -> int:
        """The number of a mapping that is remembered."""
        meaning = Mapping.model_validate(
            {"source": "s", "questionnaire": "sipas-desk", "columns": {"A1": {"item": "A1"}}}
        )
        with self.province.database.writing() as session:
            remember(session, f"{next(NUMBERS)}", meaning, "test")
            return in_force(session)[0].id

    def reorganised(self) -> int:
        """The number of such a plan that was carried out."""
        plan = kept_plan(Plan((PlanLine(
            2, date(2090, 1, 1), Action.FOUND, f"N{next(NUMBERS)}", name_vi="Mới", name_en="New",
            kind=UnitKind.AGENCY,
        ),)).as_csv(), "plan")  # fmt: skip
        with self.province.database.writing() as session:
            today = datetime.now(UTC).date()
            return reform.carry_out(session, plan, name="n", decision="d", today=today).id

    def pairing_code(self) -> str:
        """A pairing code."""
        with self.province.database.writing() as session:
            return devices.new_code(
                session, session.get_one(SurveyPoint, self.points["C1"]), "probe"
            ).code
