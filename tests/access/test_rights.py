"""Route × role × unit: what the running service does is what docs/rights.md says.

Every route of the application is called as everybody, about every unit; what comes out is written
as a table and compared with the documented one, so that a difference is read as a difference of
two tables. On PostgreSQL alone: that both stores bound alike is for test_scope.py. A new route
fails until it is probed here and stands there; so the file grows with the routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.access import accounts, credentials, devices
from app.access.callers import owner
from app.access.models import Account, Credential, Right, Sector
from app.access.roles import RIGHTS, Role
from app.access.tokens import hash_of
from app.figures import action_notes
from app.figures import limit_decisions as baselines
from app.figures.action_notes import NewNote
from app.figures.limit_decisions import Wish
from app.figures.periods import Step
from app.main import create_app
from app.registry.models import Channel, SurveyPoint, Unit
from app.registry.points import current_code, open_point
from app.reports.charts.drawing import script_name
from app.settings import Settings
from app.web.openapi import routes_of
from tests.small_province import UNITS, body

PAGE = Path(__file__).parents[2] / "docs/rights.md"
CODES = [code for code, _, _ in UNITS]
MONTH = "2026-01"


# --- the documented tables ----------------------------------------------------------------


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading, without its header."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_rights_of_roles_are_as_documented():
    documented = {row[0].split("`")[1]: row[1:] for row in table("Rights of roles")}
    assert set(documented) == set(Right)
    for right in Right:
        actual = ["yes" if right in RIGHTS[role] else "–" for role in Role]
        assert documented[right] == actual, right


# --- the callers --------------------------------------------------------------------------

WHO = (
    "operator", "provincial", "health", "head H1", "desk C1", "auditor", "operator D1", "key D1",
    "device", "stranger",
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

    def link(self) -> str:
        """The token of a link to set a password."""
        with self.province.database.writing() as session:
            account = accounts.find(session, self.province.person().email)
            return accounts.link_for_password(session, account)

    def pairing_code(self) -> str:
        """A pairing code."""
        with self.province.database.writing() as session:
            return devices.new_code(
                session, session.get_one(SurveyPoint, self.points["C1"]), "probe"
            ).code


# --- the probes ---------------------------------------------------------------------------


def went_well(answer: httpx.Response) -> bool:
    """Whether the call did what was asked, and did not lead to signing in."""
    led_away = answer.headers.get("location", "").startswith(("/sign-in", "/screen"))
    return answer.status_code < 400 and not led_away


@dataclass(frozen=True)
class Probe:
    """How a route is called, by whom, about which unit; and whether that worked."""

    call: Callable[[World, str, str], httpx.Response]
    by_unit: bool = False
    worked: Callable[[httpx.Response, str], bool] = lambda answer, unit: went_well(answer)


def get(path: str, **options: Any) -> Probe:
    return Probe(lambda world, who, unit: world.call(who, "GET", path), **options)


def of_unit(path: str, worked: Callable[[httpx.Response, str], bool], **query: str) -> Probe:
    def call(world: World, who: str, unit: str) -> httpx.Response:
        return world.call(who, "GET", path, params={"unit": unit} | query)

    return Probe(call, True, worked)


def about(path: str) -> Probe:
    """A page whose address names the unit."""
    return Probe(lambda world, who, unit: world.call(who, "GET", path.format(unit=unit)), True)


def post_about(make: Callable[[World, str], tuple[str, dict[str, str]]]) -> Probe:
    def call(world: World, who: str, unit: str) -> httpx.Response:
        path, data = make(world, unit)
        return world.call(who, "POST", path, data=data)

    return Probe(call, True)


def has(*names: str) -> Callable[[httpx.Response, str], bool]:
    """Whether the answer is a list under a name that is not empty."""

    def check(answer: httpx.Response, unit: str) -> bool:
        return went_well(answer) and all(answer.json()[name] for name in names)

    return check


def listed(path: str, mark: Callable[[World, str], str]) -> Probe:
    """A page that shows something of a unit where the caller may see it."""

    def call(world: World, who: str, unit: str) -> httpx.Response:
        wanted = mark(world, unit)
        answer = world.call(who, "GET", path)
        answer.extensions["found"] = wanted in answer.text
        return answer

    return Probe(call, True, lambda answer, unit: went_well(answer) and answer.extensions["found"])


def let_in(answer: httpx.Response, unit: str) -> bool:
    """The statistics were computed, or there was too little to compute them from."""
    if answer.status_code == 422:
        problem = str(answer.json()["type"]).removeprefix("/problems/")
        return problem.startswith("too-few-") or problem == "margin-unregistered"
    return answer.status_code == 200


def account_mark(world: World, unit: str) -> str:
    return f'/accounts/{world.account(unit)[0]}"'


def point_mark(world: World, unit: str) -> str:
    return f'<option value="{world.points[unit]}"'


def key_mark(world: World, unit: str) -> str:
    return f"Số {world.key_for(unit)} "


STATISTICS = {
    f"GET /api/v1/satisfaction/{name}": of_unit(
        f"/api/v1/satisfaction/{name}", let_in, questionnaire="sipas-desk", **options
    )
    for name, options in {
        "ranking": {},
        "funnel": {},
        "compare": {},
        "trend": {},
        "alerts": {},
        "drivers": {"outcome": "trips"},
        "reliability": {},
        "casemix": {"adjust": "trips"},
        "weighted": {"margin": "trips:1=5,2=5"},
        "stratified": {},
        "non-response": {},
        "planning": {"month": MONTH},
    }.items()
}

VIEWS = {
    f"GET /api/v1/views/{name}": of_unit(
        f"/api/v1/views/{name}",
        lambda answer, unit: went_well(answer) and answer.json()["unit"]["code"] == unit,
        questionnaire="sipas-desk",
        period=MONTH,
    )
    for name in (
        "overview",
        "units",
        "unit",
        "comparison",
        "sections",
        "items",
        "quality",
        "levels",
    )
}

PROBES: dict[str, Probe] = {
    "GET /": get("/"),
    "GET /docs": get("/docs"),
    "GET /healthz": get("/healthz"),
    "GET /readyz": get("/readyz"),
    "GET /problems/{code}": get("/problems/not-found"),
    "POST /oauth/token": Probe(lambda world, who, unit: world.token()),
    "POST /api/v1/pairings": Probe(
        lambda world, who, unit: world.client.post(
            "/api/v1/pairings", json={"code": world.pairing_code()}
        )
    ),
    "POST /api/v1/responses": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/responses", json=body(world.province.points[("C1", "sipas-desk")])
        )
    ),
    "GET /api/v1/satisfaction": of_unit(
        "/api/v1/satisfaction", has("rows"), questionnaire="sipas-desk"
    ),
    **STATISTICS,
    "GET /api/v1/satisfaction/baselines": Probe(
        lambda world, who, unit: (
            world.decision(unit),
            world.call(who, "GET", "/api/v1/satisfaction/baselines", params={"unit": unit}),
        )[1],
        True,
        has("baselines"),
    ),
    "POST /api/v1/satisfaction/baselines": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/satisfaction/baselines",
            json={"unit": unit, "questionnaire": "sipas-desk", "start": next(STARTS),
                  "reason": "probe"},
        ),
        True,
    ),
    "DELETE /api/v1/satisfaction/baselines/{id}": Probe(
        lambda world, who, unit: world.call(
            who, "DELETE", f"/api/v1/satisfaction/baselines/{world.decision(unit)}"
        ),
        True,
    ),
    "GET /api/v1/satisfaction/action-notes": Probe(
        lambda world, who, unit: (
            world.noted(unit),
            world.call(who, "GET", "/api/v1/satisfaction/action-notes", params={"unit": unit}),
        )[1],
        True,
        has("notes"),
    ),
    "POST /api/v1/satisfaction/action-notes": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/satisfaction/action-notes",
            json={"unit": unit, "day": "2026-01-15", "text": "probe"},
        ),
        True,
    ),
    "DELETE /api/v1/satisfaction/action-notes/{id}": Probe(
        lambda world, who, unit: world.call(
            who, "DELETE", f"/api/v1/satisfaction/action-notes/{world.noted(unit)}"
        ),
        True,
    ),
    "GET /api/v1/comments": of_unit("/api/v1/comments", has("comments"), month=MONTH),
    "GET /api/v1/aside": of_unit("/api/v1/aside", lambda answer, unit: went_well(answer)),
    "GET /api/v1/units": of_unit("/api/v1/units", has("units")),
    "GET /api/v1/points": of_unit("/api/v1/points", has("points")),
    "GET /api/v1/questionnaires": get("/api/v1/questionnaires"),
    "POST /api/v1/invitations": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/invitations",
            json={"case": f"c{next(NUMBERS)}", "unit": unit, "point": world.code_of(unit),
                  "finished_at": datetime.now(UTC).isoformat()},
        ),
        True,
    ),
    "GET /api/v1/response-rates": of_unit(
        "/api/v1/response-rates", lambda answer, unit: went_well(answer),
        **{"from": "2026-01-01", "to": "2026-12-31"},
    ),
    **VIEWS,
    "GET /api/v1/feed.csv": Probe(
        lambda world, who, unit: world.call(who, "GET", "/api/v1/feed.csv"),
        True,
        lambda answer, unit: went_well(answer) and f"\r\n{unit}," in answer.text,
    ),
    "GET /api/v1/stream": Probe(
        lambda world, who, unit: world.first_event(who, f"/api/v1/stream?unit={unit}"), True
    ),
    "GET /api/v1/reports": of_unit(
        "/api/v1/reports", lambda answer, unit: went_well(answer), format="xlsx",
        questionnaire="sipas-desk", period=MONTH,
    ),
    "GET /dashboard": get("/dashboard"),
    "GET /dashboard/{name}": of_unit(
        "/dashboard/overview", lambda answer, unit: went_well(answer), period=MONTH
    ),
    "GET /dashboard/comments": of_unit(
        "/dashboard/comments", lambda answer, unit: went_well(answer), month=MONTH
    ),
    "GET /dashboard/report": of_unit("/dashboard/report", lambda answer, unit: went_well(answer)),
    "GET /dashboard/charts/{name}/{figure}.{file_format}": of_unit(
        "/dashboard/charts/unit/factors.csv", lambda answer, unit: went_well(answer),
        questionnaire="sipas-desk", period=MONTH,
    ),
    "GET /charts/{name}.js": get(f"/charts/{script_name()}.js"),
    "GET /public": get("/public"),
    "GET /public/data.csv": get("/public/data.csv"),
    "GET /public/dictionary.csv": get("/public/dictionary.csv"),
    "GET /public/{unit}/badge.svg": about("/public/{unit}/badge.svg"),
    "GET /public/{unit}/card": about("/public/{unit}/card"),
    "GET /wall/{unit}": about("/wall/{unit}"),
    "GET /wall/{unit}/stream": Probe(
        lambda world, who, unit: world.first_event(who, f"/wall/{unit}/stream"), True
    ),
    "GET /screen": get("/screen"),
    "POST /screen": Probe(
        lambda world, who, unit: world.call(who, "POST", "/screen", data={"key": "x"}),
        worked=lambda answer, unit: answer.status_code == 422,
    ),
    "GET /i/{token}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/i/{world.invitation()}")
    ),
    "POST /i/{token}": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/i/{world.invitation()}", data={"a.A1": "5"}
        ),
        worked=lambda answer, unit: "/thanks" in answer.headers.get("location", ""),
    ),
    "GET /i/{token}/thanks": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/i/{world.invitation()}/thanks")
    ),
    "GET /api/v1/posters": of_unit(
        "/api/v1/posters", lambda answer, unit: answer.content[:5] == b"%PDF-"
    ),
    "GET /api/v1/posters/{code}.png": Probe(
        lambda world, who, unit: world.call(
            who, "GET", f"/api/v1/posters/{world.code_of(unit)}.png"
        ),
        True,
    ),
    "GET /api/v1/posters/{code}.svg": Probe(
        lambda world, who, unit: world.call(
            who, "GET", f"/api/v1/posters/{world.code_of(unit)}.svg"
        ),
        True,
    ),
    "GET /posters": listed("/posters", lambda world, unit: f"/q/{world.code_of(unit)}"),
    "GET /q/{token}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/q/{world.code()}")
    ),
    "POST /q/{token}": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/q/{world.code()}", data={"a.A1": "5"}
        ),
        worked=lambda answer, unit: "/thanks" in answer.headers.get("location", ""),
    ),
    "GET /q/{token}/thanks": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/q/{world.code()}/thanks")
    ),
    "GET /kiosk": get("/kiosk"),
    "GET /kiosk/worker.js": get("/kiosk/worker.js"),
    "GET /kiosk/manifest": get("/kiosk/manifest"),
    "GET /api/v1/kiosk": get("/api/v1/kiosk"),
    "POST /api/v1/kiosk/status": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/kiosk/status",
            json={"queue": 0, "aside": 0, "release": "0", "storage_percent": 1,
                  "sent_at": "2026-11-24T00:00:00Z"},
        )
    ),
    "GET /sign-in": Probe(
        lambda world, who, unit: world.call(who, "GET", "/sign-in"),
        worked=lambda answer, unit: answer.status_code in (200, 303),
    ),
    "POST /sign-in": Probe(
        lambda world, who, unit: world.call(who, "POST", "/sign-in", data={"email": "x"}),
        # The form is taken and the password is wrong: nobody is kept from trying.
        worked=lambda answer, unit: answer.status_code == 401,
    ),
    "GET /sign-in/confirm": get("/sign-in/confirm"),
    "POST /sign-in/confirm": Probe(
        lambda world, who, unit: world.call(who, "POST", "/sign-in/confirm"),
        # The page comes back, with the sentence that the password is wrong.
        worked=lambda answer, unit: answer.headers["content-type"].startswith("text/html"),
    ),
    "POST /sign-out": Probe(lambda world, who, unit: signed_out(world, who),
        worked=lambda answer, unit: "done=signed_out" in answer.headers.get("location", "")),
    "GET /sign-in/openid": Probe(
        lambda world, who, unit: world.call(who, "GET", "/sign-in/openid"),
        # None is set up here, which everybody is told.
        worked=lambda answer, unit: answer.status_code == 404,
    ),
    "GET /sign-in/openid/callback": Probe(
        lambda world, who, unit: world.call(who, "GET", "/sign-in/openid/callback"),
        worked=lambda answer, unit: answer.status_code == 404,
    ),
    "GET /password/{token}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/password/{world.link()}")
    ),
    "POST /password/{token}": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/password/{world.link()}",
            data={"password": "bốn từ ngẫu nhiên đây", "again": "bốn từ ngẫu nhiên đây"},
        ),
        worked=lambda answer, unit: "done=password_set" in answer.headers.get("location", ""),
    ),
    "GET /language/{language}": get("/language/en"),
    "GET /profile": get("/profile"),
    "POST /profile": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/profile", data={"name": "Tên mới", "language": "vi"}
        )
    ),
    "POST /profile/password": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/profile/password",
            data={"password": "bốn từ ngẫu nhiên đây", "again": "bốn từ ngẫu nhiên đây"},
        )
    ),
    "POST /profile/sessions/end": Probe(
        lambda world, who, unit: world.call(who, "POST", "/profile/sessions/end")
    ),
    "GET /accounts": listed("/accounts?q=person", account_mark),
    "GET /accounts/new": get("/accounts/new"),
    "POST /accounts/new": post_about(
        lambda world, unit: (
            "/accounts/new",
            {"email": f"new{next(NUMBERS)}@example.vn", "name": "N", "role": "desk-staff",
             "unit": unit},
        )
    ),
    "GET /accounts/{id}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/accounts/{world.account(unit)[0]}"), True
    ),
    "POST /accounts/{id}/grants": post_about(
        lambda world, unit: (
            f"/accounts/{world.account(unit)[0]}/grants", {"role": "unit-head", "unit": unit}
        )
    ),
    "POST /accounts/{id}/grants/{grant_id}/revoke": post_about(
        lambda world, unit: ("/accounts/{}/grants/{}/revoke".format(*world.account(unit)), {})
    ),
    "POST /accounts/{id}/disable": post_about(
        lambda world, unit: (f"/accounts/{world.account(unit)[0]}/disable", {})
    ),
    "POST /accounts/{id}/enable": post_about(
        lambda world, unit: (f"/accounts/{world.account(unit)[0]}/enable", {})
    ),
    "POST /accounts/{id}/reset": post_about(
        lambda world, unit: (f"/accounts/{world.account(unit)[0]}/reset", {})
    ),
    "GET /keys": listed("/keys", key_mark),
    "GET /keys/new": get("/keys/new"),
    "POST /keys/new": post_about(
        lambda world, unit: (
            "/keys/new",
            {"name": "k", "days": "30", "right": "figures:read", "system": "yes", "unit": unit},
        )
    ),
    "POST /keys/{id}/revoke": post_about(
        lambda world, unit: (f"/keys/{world.key_for(unit)}/revoke", {})
    ),
    "GET /devices": listed("/devices", point_mark),
    "POST /devices/codes": post_about(
        lambda world, unit: ("/devices/codes", {"point": str(world.points[unit])})
    ),
    "POST /devices/{id}/revoke": post_about(
        lambda world, unit: (f"/devices/{world.device_at(unit)}/revoke", {})
    ),
    "GET /limits": about("/limits?unit={unit}"),
    "POST /limits": post_about(
        lambda world, unit: (
            "/limits",
            {"unit": unit, "questionnaire": "sipas-desk", "start": next(STARTS), "reason": "r"},
        )
    ),
    "POST /limits/{id}/revoke": post_about(
        lambda world, unit: (f"/limits/{world.decision(unit)}/revoke", {})
    ),
    "GET /action-notes": about("/action-notes?unit={unit}"),
    "POST /action-notes": post_about(
        lambda world, unit: ("/action-notes", {"unit": unit, "day": "2026-01-15", "text": "r"})
    ),
    "POST /action-notes/{id}/withdraw": post_about(
        lambda world, unit: (f"/action-notes/{world.noted(unit)}/withdraw", {})
    ),
    "GET /audit": get("/audit"),
}  # fmt: skip

NUMBERS = iter(range(10**6))
#: Months, each of which a decision about control limits begins with once.
STARTS = cycle(f"{2017 + m // 12}-{m % 12 + 1:02}" for m in range(230))


def signed_out(world: World, who: str) -> httpx.Response:
    """Sign out in a session that nothing else needs."""
    caller = world.callers[who]
    if not hasattr(caller, "cookies"):
        return world.call(who, "POST", "/sign-out")
    other = world.province.person()
    world.callers["other"] = other
    return world.call("other", "POST", "/sign-out")


def observed(world: World, probe: Probe, who: str) -> str:
    """A cell of the table."""
    if not probe.by_unit:
        return "yes" if probe.worked(probe.call(world, who, "C1"), "C1") else "–"
    units = [unit for unit in CODES if probe.worked(probe.call(world, who, unit), unit)]
    return "all" if units == CODES else " ".join(units) or "–"


def routes(app) -> list[str]:
    return [
        f"{method} {route.path_format}"
        for route in routes_of(app)
        for method in sorted(route.methods - {"HEAD"})
    ]


def test_every_route_is_probed_and_documented(tmp_path):
    names = routes(create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}")))
    assert sorted(names) == sorted(PROBES)
    assert sorted(row[0].strip("`") for row in table("Routes")) == sorted(PROBES)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_table_is_what_the_service_does(client, province):
    world = World(province, client)
    for unit in CODES:
        world.respond(unit, f"về {unit}")
    lines = []
    for name, probe in PROBES.items():
        cells = [observed(world, probe, who) for who in WHO]
        lines.append(f"| {' | '.join([f'`{name}`', *cells])} |")
    documented = [f"| {' | '.join(row)} |" for row in table("Routes")]
    assert lines == documented, "the service does:\n" + "\n".join(lines)
