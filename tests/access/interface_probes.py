"""Probes of the interface's routes: what is called about which unit, and whether that worked."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.access.rights_world import MONTH, NUMBERS, STARTS
from tests.access.route_probe import Probe, get, has, let_in, of_unit, went_well
from tests.small_province import body


def resource() -> dict[str, object]:
    """A response in the words of FHIR."""
    answer = {"valueCoding": {"code": "4"}}
    return {
        "resourceType": "QuestionnaireResponse", "status": "completed",
        "identifier": [{"system": "probe", "value": f"r{next(NUMBERS)}"}],
        "questionnaire": "urn:hailong:questionnaire:sipas-desk|2",
        "authored": datetime.now(UTC).isoformat(timespec="seconds"),
        "item": [{"linkId": "A1", "answer": [answer]}],
    }  # fmt: skip


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
INTERFACE: dict[str, Probe] = {
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
    "POST /api/v1/fhir/QuestionnaireResponse": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/fhir/QuestionnaireResponse", json=resource()
        )
    ),
    "POST /api/v1/fhir": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/fhir",
            json={"resourceType": "Bundle", "type": "batch", "entry": [{"resource": resource()}]},
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
    "GET /api/v1/comments/themes": of_unit(
        "/api/v1/comments/themes", lambda answer, unit: went_well(answer), month=MONTH
    ),
    "GET /api/v1/aside": of_unit("/api/v1/aside", lambda answer, unit: went_well(answer)),
    "GET /api/v1/batches": Probe(
        lambda world, who, unit: (
            world.batch(unit),
            world.call(who, "GET", "/api/v1/batches", params={"unit": unit}),
        )[1],
        True,
        has("batches"),
    ),
    "GET /api/v1/batches/{id}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/api/v1/batches/{world.batch(unit)}"),
        True,
    ),
    **{
        f"POST /api/v1/batches/{{id}}/{decision}": Probe(
            lambda world, who, unit, decision=decision: world.call(
                who, "POST", f"/api/v1/batches/{world.batch(unit)}/{decision}",
                json={"reason": "probe"},
            ),
            True,
        )
        for decision in ("release", "reject")
    },
    "GET /api/v1/exports": of_unit(
        "/api/v1/exports",
        lambda answer, unit: went_well(answer) and answer.content.startswith(b"PK"),
        questionnaire="sipas-desk", format="csv",
    ),
    "GET /api/v1/exports/anonymous": of_unit(
        "/api/v1/exports/anonymous",
        lambda answer, unit: went_well(answer) and answer.content.startswith(b"PK"),
        questionnaire="sipas-desk", format="csv",
    ),
    "GET /api/v1/exports/page": of_unit(
        "/api/v1/exports/page", lambda answer, unit: went_well(answer), questionnaire="sipas-desk"
    ),
    "GET /api/v1/cases": Probe(
        lambda world, who, unit: (
            world.case(unit), world.call(who, "GET", "/api/v1/cases", params={"unit": unit}),
        )[1],
        True,
        has("cases"),
    ),
    "GET /api/v1/cases/figures": of_unit(
        "/api/v1/cases/figures", lambda answer, unit: went_well(answer), period="2026"
    ),
    "GET /api/v1/cases/{id}": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/api/v1/cases/{world.case(unit)}"), True
    ),
    "POST /api/v1/cases/{id}": Probe(
        lambda world, who, unit: world.call(
            who, "POST", f"/api/v1/cases/{world.case(unit)}", json={"act": "take"}
        ),
        True,
    ),
    "GET /api/v1/units": of_unit("/api/v1/units", has("units")),
    "GET /api/v1/units/{code}/history": Probe(
        lambda world, who, unit: world.call(who, "GET", f"/api/v1/units/{unit}/history"), True
    ),
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
    "GET /api/v1/kiosk": get("/api/v1/kiosk"),
    "POST /api/v1/kiosk/status": Probe(
        lambda world, who, unit: world.call(
            who, "POST", "/api/v1/kiosk/status",
            json={"queue": 0, "aside": 0, "release": "0", "storage_percent": 1,
                  "sent_at": "2026-11-24T00:00:00Z"},
        )
    ),
}  # fmt: skip
