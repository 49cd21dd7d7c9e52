"""What a server process has once, and how routes and doors get it.

A room that owns such a thing declares a ``Shared`` for it beside its routes, and the annotated
dependency with which a route asks for it. Nothing else reads the application's state.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar, cast

from fastapi import Depends, FastAPI, Request

from app.background import Supervisor
from app.clock import ServerClock
from app.db import Database
from app.readiness import Readiness
from app.settings import Settings

T = TypeVar("T")


class Shared(Generic[T]):
    """One thing in the application's state, known by its name and read with its type.

    As a dependency it is called with the request; doors, and what stands behind a route and has
    but the request, ask by ``of``.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def put(self, app: FastAPI, value: T) -> None:
        """Give it to the application, once, before it serves."""
        setattr(app.state, self._name, value)

    def of(self, request: Request) -> T:
        """The thing of the application that serves this request."""
        return self.in_(request.app)

    def in_(self, app: FastAPI) -> T:
        """The thing of an application, for what is made once with it."""
        return cast(T, getattr(app.state, self._name))

    async def __call__(self, request: Request) -> T:
        """The thing, for a route: as a coroutine, for FastAPI takes a thread for a function."""
        return self.of(request)


SETTINGS = Shared[Settings]("settings")
DATABASE = Shared[Database]("database")
CLOCK = Shared[ServerClock]("clock")
READINESS = Shared[Readiness]("readiness")
SUPERVISOR = Shared[Supervisor]("supervisor")

SettingsDependency = Annotated[Settings, Depends(SETTINGS)]
DatabaseDependency = Annotated[Database, Depends(DATABASE)]
ReadinessDependency = Annotated[Readiness, Depends(READINESS)]
ClockDependency = Annotated[ServerClock, Depends(CLOCK)]
SupervisorDependency = Annotated[Supervisor, Depends(SUPERVISOR)]
