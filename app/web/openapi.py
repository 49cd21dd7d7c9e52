"""Puts into the OpenAPI document what each door asks for, and the shape of problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.access.doors import Door
from app.access.roles import OF_KEYS
from app.intake.schemas import BatchIn, ResponseIn
from app.messages import say

_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A refusal in the format of RFC 9457.",
    "required": ["type", "title", "status", "detail", "retry"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invalid-fields"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "retry": {"type": "boolean", "description": "Whether the same request may succeed later."},
        "field": {"type": "string"},
        "request_id": {
            "type": "string",
            "description": "Of failures of ours: what to quote; the log tells more under it.",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "examples": ["answers.A1"]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

_SECURITY_SCHEMES: dict[str, Any] = {
    "credential": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key, or a token that was got for one.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "A key as the password, for spreadsheets; the user's name is not looked at.",
    },
    "oauth": {
        "type": "oauth2",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "/oauth/token",
                "scopes": {
                    right.value: say(f"right.{right.value}", "en") for right in sorted(OF_KEYS)
                },
            }
        },
    },
}


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Every route that answers, also those of routers that FastAPI keeps whole."""
    pending: list[BaseRoute] = list(reversed(app.routes))
    while pending:
        route = pending.pop()
        if isinstance(route, APIRoute):
            yield route
        else:
            pending += reversed(getattr(getattr(route, "original_router", route), "routes", []))


def door_of(route: APIRoute) -> Door | None:
    """The door that a route declares."""
    return next((d.call for d in route.dependant.dependencies if isinstance(d.call, Door)), None)


def document_doors(app: FastAPI) -> None:
    """Replace the application's OpenAPI document by one that knows doors and problems."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = document.setdefault("components", {})
        components["securitySchemes"] = _SECURITY_SCHEMES
        schemas = components.setdefault("schemas", {})
        schemas["Problem"] = _PROBLEM_SCHEMA
        for model in (ResponseIn, BatchIn):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {})
            schemas[model.__name__] = schema
        for route in routes_of(app):
            if not route.include_in_schema:
                continue
            door = door_of(route)
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                if door and door.rights:
                    operation["security"] = [
                        {"credential": sorted(door.rights)},
                        {"basic": sorted(door.rights)},
                    ]
                    if door.rights <= OF_KEYS:
                        operation["security"].append({"oauth": sorted(door.rights)})
                    if door.strangers:
                        operation["security"].append({})
                operation["responses"].pop("422", None)
                # Some speak another language of refusals, too.
                refused = operation["responses"].setdefault("default", {"content": {}})
                refused["description"] = "Refused, with the reason."
                refused["content"]["application/problem+json"] = {
                    "schema": {"$ref": "#/components/schemas/Problem"}
                }
        app.openapi_schema = document
        return document

    app.openapi = openapi  # type: ignore[method-assign]
