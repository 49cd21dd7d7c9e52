"""A probe of every route: what is called about which unit, and what tells that it worked.

Those of the interface stand in interface_probes.py, those of pages here.
"""

from __future__ import annotations

import httpx

from app.reports.charts.drawing import script_name
from app.themes.reading import FIRST_LIST
from tests.access.interface_probes import INTERFACE
from tests.access.rights_world import MONTH, NUMBERS, STARTS, World
from tests.access.route_probe import (
    Probe,
    about,
    account_mark,
    get,
    key_mark,
    listed,
    of_unit,
    point_mark,
    post_about,
    went_well,
)

PAGES: dict[str, Probe] = {
    "GET /": get("/"),
    "GET /docs": get("/docs"),
    "GET /healthz": get("/healthz"),
    "GET /connection": get("/connection"),
    "GET /readyz": get("/readyz"),
    "GET /problems/{code}": get("/problems/not-found"),
    "GET /dashboard": get("/dashboard"),
    "GET /dashboard/{name}": of_unit(
        "/dashboard/overview", lambda answer, unit: went_well(answer), period=MONTH
    ),
    "GET /dashboard/comments": of_unit(
        "/dashboard/comments", lambda answer, unit: went_well(answer), month=MONTH
    ),
    "GET /themes": get("/themes"),
    "POST /themes": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/themes", data={"list": FIRST_LIST.read_text("utf-8"), "before": "0"}
        )
    ),
    "GET /themes/list.yaml": get("/themes/list.yaml"),
    "GET /themes/edit": get("/themes/edit"),
    "POST /themes/edit": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/themes/edit", data={"name.vi": "Mới", "name.en": "New", "words": "mới"}
        )
    ),
    "POST /themes/preview": Probe(
        lambda world, who, unit: world.call(who, "POST", "/themes/preview", data={"version": "0"})
    ),
    "POST /themes/try": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/themes/try", data={"sentence": "chờ lâu", "item": "comment"}
        )
    ),
    "GET /questionnaires": get("/questionnaires"),
    "POST /questionnaires/drafts": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/questionnaires/drafts",
            data={"code": "probe", "title_vi": "Thử", "title_en": "Probe"},
        )
    ),
    "POST /questionnaires/read": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/questionnaires/read",
            files={"file": ("x.csv", b"survey,type,name,label\n,text,why,Why?\n")},
        )
    ),
    "GET /questionnaires/{code}/versions/{version}": get("/questionnaires/sipas-desk/versions/2"),
    "GET /questionnaires/{code}/versions/{version}/file": get(
        "/questionnaires/sipas-desk/versions/2/file"
    ),
    "GET /questionnaires/{code}/versions/{version}/preview": get(
        "/questionnaires/sipas-desk/versions/2/preview"
    ),
    "POST /questionnaires/{code}/versions/{version}/{act}": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/questionnaires/moh-outpatient/versions/2/withdraw"
        )
    ),
    "GET /questionnaires/drafts/{id}": Probe(
        lambda world, who, unit: world.call(who, "GET", world.draft())
    ),
    "GET /questionnaires/drafts/{id}/form.yaml": Probe(
        lambda world, who, unit: world.call(who, "GET", f"{world.draft()}/form.yaml")
    ),
    "GET /questionnaires/drafts/{id}/preview": Probe(
        lambda world, who, unit: world.call(who, "GET", f"{world.draft()}/preview")
    ),
    "POST /questionnaires/drafts/{id}/preview": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"{world.draft()}/preview", params={"part": "scoring"}
        )
    ),
    "GET /questionnaires/drafts/{id}/edit": Probe(
        lambda world, who, unit: world.call(who, "GET", f"{world.draft()}/edit")
    ),
    "POST /questionnaires/drafts/{id}/edit": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"{world.draft()}/edit", params={"part": "item", "at": "0.0"},
            data={"act": "down", "revision": "1"},
        )
    ),
    "POST /questionnaires/drafts/{id}/publish": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"{world.draft()}/publish",
            data={"revision": "1", "before": "0"},
        )
    ),
    "POST /questionnaires/drafts/{id}/discard": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"{world.draft()}/discard", data={"revision": "1"}
        )
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
    "GET /sign-in": Probe(
        lambda world, who, unit: world.call(who, "GET", "/sign-in"),
        worked=lambda answer, unit: answer.status_code in (200, 303),
    ),
    "POST /sign-in": Probe(
        lambda world, who, unit: world.call(who, "POST", "/sign-in", data={"email": "x"}),
        # The form is taken and the password is wrong: nobody is kept from trying, but for how often
        # one address may.
        worked=lambda answer, unit: answer.status_code in (401, 429),
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
    "GET /exports": of_unit(
        "/exports", lambda answer, unit: went_well(answer), questionnaire="sipas-desk"
    ),
    "GET /cases": Probe(
        lambda world, who, unit: (
            world.case(unit), world.call(who, "GET", "/cases", params={"unit": unit}),
        )[1],
        True,
        lambda answer, unit: went_well(answer) and f"({unit})</a>" in answer.text,
    ),
    "GET /cases/{id}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/cases/{world.case(unit)}"), True
    ),
    "POST /cases/{id}/{act}": post_about(
        lambda world, unit: (f"/cases/{world.case(unit)}/take", {})
    ),
    "GET /case-lists": get("/case-lists"),
    "POST /case-lists/{name}": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/case-lists/words", data={"entries": "- hối lộ"}
        )
    ),
    "GET /c": get("/c"),
    "POST /c": Probe(
        lambda world, who, unit: world.call(who, "POST", "/c", data={"code": "x"}),
        # The form is taken; the code opens nothing.
        worked=lambda answer, unit: "text/html" in answer.headers["content-type"],
    ),
    "POST /c/message": Probe(
        lambda world, who, unit: world.call(who, "POST", "/c/message", data={"code": "x"}),
        worked=lambda answer, unit: "text/html" in answer.headers["content-type"],
    ),
    "POST /c/answers": Probe(
        lambda world, who, unit: world.call(who, "POST", "/c/answers", data={"code": "x"}),
        worked=lambda answer, unit: "text/html" in answer.headers["content-type"],
    ),
    "POST /c/withdraw": Probe(
        lambda world, who, unit: world.call(who, "POST", "/c/withdraw", data={"code": "x"}),
        worked=lambda answer, unit: "text/html" in answer.headers["content-type"],
    ),
    "GET /integrity": listed("/integrity", lambda world, unit: f'/integrity/{world.batch(unit)}"'),
    "GET /integrity/{id}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/integrity/{world.batch(unit)}"), True
    ),
    "POST /integrity/{id}/release": post_about(
        lambda world, unit: (f"/integrity/{world.batch(unit)}/release", {"reason": "r"})
    ),
    "POST /integrity/{id}/reject": post_about(
        lambda world, unit: (f"/integrity/{world.batch(unit)}/reject", {"reason": "r"})
    ),
    "GET /audit": get("/audit"),
    "GET /dead-letters": get("/dead-letters"),
    "POST /dead-letters/{sort}/{id}/retry": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/dead-letters/sms/{world.dead_letter()}/retry"
        )
    ),
    "POST /dead-letters/{sort}/{id}/drop": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/dead-letters/sms/{world.dead_letter()}/drop"
        )
    ),
    "GET /reorganisations": get("/reorganisations"),
    "POST /reorganisations/check": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/reorganisations/check", files={"file": ("plan.csv", world.plan())}
        )
    ),
    "POST /reorganisations": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/reorganisations",
            data={"plan": world.plan(), "name": "n", "decision": "d"},
        )
    ),
    "POST /reorganisations/{id}/undo": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/reorganisations/{world.reorganised()}/undo"
        )
    ),
    "GET /response-imports": get("/response-imports"),
    "POST /response-imports/check": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/response-imports/check", data={"questionnaire": "sipas-desk:2"},
            files={"file": ("a.csv", b"Timestamp,A1\n2026-10-24,4\n")},
        )
    ),
    "POST /response-imports": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/response-imports",
            data={"questionnaire": "sipas-desk:2", "name": "a.csv", **world.file_to_import()},
        )
    ),
    "POST /response-imports/{id}/forget": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/response-imports/{world.mapping()}/forget"
        )
    ),
}  # fmt: skip
PROBES = {**INTERFACE, **PAGES}


def signed_out(world: World, who: str) -> httpx.Response:
    """Sign out in a session that nothing else needs."""
    caller = world.callers[who]
    if not hasattr(caller, "cookies"):
        return world.call(who, "POST", "/sign-out")
    other = world.province.person()
    world.callers["other"] = other
    return world.call("other", "POST", "/sign-out")
