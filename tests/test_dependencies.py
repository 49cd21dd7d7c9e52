"""What a process has once is read in one place, with its type."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from app.dependencies import Shared

APP = Path(__file__).parents[1] / "app"
NUMBER = Shared[int]("number")


def test_a_route_is_given_what_the_application_has() -> None:
    app = FastAPI()

    @app.get("/")
    def number(found: Annotated[int, Depends(NUMBER)]) -> int:
        return found

    NUMBER.put(app, 7)
    assert TestClient(app).get("/").json() == 7
    # It is no parameter of the interface's.
    assert "parameters" not in app.openapi()["paths"]["/"]["get"]


def test_two_applications_share_nothing() -> None:
    one, other = FastAPI(), FastAPI()
    NUMBER.put(one, 1)
    NUMBER.put(other, 2)
    for app, expected in ((one, 1), (other, 2)):
        app.add_api_route("/", NUMBER.__call__)
        assert TestClient(app).get("/").json() == expected


def test_nothing_else_reads_the_state() -> None:
    readers = {
        module
        for path in APP.rglob("*.py")
        if "app.state" in path.read_text(encoding="utf-8")
        and (module := path.relative_to(APP).as_posix()) != "dependencies.py"
    }
    assert readers == set()
