"""Wires the rooms together, nothing else."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from app import RELEASE, problems
from app.access.callers import Callers
from app.access.dependencies import (
    CALLERS,
    PASSWORD_QUEUE,
    PROVIDER,
    RATE_LIMITS,
    SIGNING_IN,
)
from app.access.known_browsers import KnownBrowsers
from app.access.openid import Provider
from app.access.password_queue import PasswordQueue
from app.access.rate_limits import RateLimits
from app.access.routes import router as access_routes
from app.access.signing_in import SigningIn
from app.access.tidying import keep_tidy
from app.api import registry
from app.api.action_notes import router as action_note_routes
from app.api.adjusted import router as adjusted_routes
from app.api.aside import router as aside_routes
from app.api.comments import router as comment_routes
from app.api.dependencies import CACHE
from app.api.feed import router as feed_routes
from app.api.limit_decisions import router as limit_decision_routes
from app.api.rates import router as rate_routes
from app.api.reports import router as document_routes
from app.api.statistics import router as statistics_routes
from app.api.stream import router as stream_routes
from app.api.views import router as view_routes
from app.clock import ServerClock, keep_watching, steady, tell_by
from app.db import Database
from app.dependencies import CLOCK, DATABASE, SETTINGS
from app.figures.cache import Cache
from app.intake.dependencies import INTAKE, PAGE_TOKENS
from app.intake.directory import Directory
from app.intake.page_tokens import PageTokens
from app.intake.routes import router as intake_routes
from app.intake.service import Intake
from app.intake.store import ResponseStore
from app.invitations.routes import router as invitation_routes
from app.invitations.sending import keep_sending
from app.posters.routes import router as poster_routes
from app.reports.charts import drawing
from app.reports.documents.schedule import keep_reporting
from app.settings import Settings
from app.web.citizen import routes as citizen
from app.web.dashboard import comments as dashboard_comments
from app.web.dashboard import report as dashboard_report
from app.web.dashboard import routes as dashboard
from app.web.kiosk import routes as kiosk
from app.web.openapi import document_doors
from app.web.pages import problem_page
from app.web.public import routes as public
from app.web.public import wall
from app.web.routes import STATIC_FILES
from app.web.routes import router as web_routes
from app.web.security import BodyLimit, SecurityHeaders
from app.web.staff import (
    accounts,
    action_notes,
    audit_log,
    devices,
    keys,
    limits,
    posters,
    profile,
    sign_in,
)

ROUTERS = (
    intake_routes,
    invitation_routes,
    access_routes,
    rate_routes,
    comment_routes,
    aside_routes,
    poster_routes,
    document_routes,
    feed_routes,
    stream_routes,
    web_routes,
)
PAGES = (
    citizen, kiosk, sign_in, profile, accounts, keys, devices, posters, limits, action_notes,
    audit_log, registry,    dashboard_comments, dashboard_report, dashboard, public, wall,
)  # fmt: skip
#: When those who waited for the server to start have been answered.
_STARTED_AFTER_S = 5.0
#: Routers are built when a request first passes them; these are large, and come last.
LAST = (
    limit_decision_routes,
    action_note_routes,
    statistics_routes,
    adjusted_routes,
    view_routes,
)


def create_app(
    settings: Settings | None = None,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    steady: Callable[[], float] = steady,
) -> FastAPI:
    """The application of one server process, with the calendar of its machine and a clock that
    nobody sets.
    """
    settings = settings or Settings()
    database = Database(settings.database_url)
    clock = ServerClock(
        database, settings.clock_tolerance_s, settings.clock_gap_days, wall=wall, steady=steady
    )
    database.before_writing = clock.check
    limits = RateLimits(database, clock.now)
    directory = Directory(database, settings.cache_s)
    store = ResponseStore(database, settings.webhook_delay_s)
    intake = Intake(settings, directory, store, limits, clock.sure_now)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        _tune_interpreter()
        await asyncio.to_thread(clock.begin)
        tell_by(clock.now)
        intake.writer.start()
        background = [
            asyncio.create_task(keep_tidy(database, clock.now), name="tidying"),
            asyncio.create_task(keep_watching(clock), name="clock"),
            asyncio.create_task(keep_sending(database, settings), name="sending"),
            asyncio.create_task(keep_reporting(database, settings, clock), name="reporting"),
            asyncio.create_task(_make_charts_ready(), name="charts"),
        ]
        yield
        tell_by(None)
        for task in background:
            task.cancel()
        await intake.writer.stop()
        database.close()

    app = FastAPI(
        title="Hài Lòng", version=RELEASE, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    SETTINGS.put(app, settings)
    DATABASE.put(app, database)
    CALLERS.put(app, Callers(database, settings, clock.now))
    CLOCK.put(app, clock)
    RATE_LIMITS.put(app, limits)
    SIGNING_IN.put(app, SigningIn(database, limits, settings, KnownBrowsers(database)))
    PASSWORD_QUEUE.put(app, PasswordQueue(settings.password_waiting))
    CACHE.put(app, Cache())
    INTAKE.put(app, intake)
    PAGE_TOKENS.put(app, PageTokens(database))
    PROVIDER.put(app, Provider(settings) if settings.oidc_issuer else None)
    problems.install(app, problem_page)
    for router in (*ROUTERS, *(page.router for page in PAGES), *LAST):
        app.include_router(router)
    for path, folder in STATIC_FILES.items():
        app.mount(path, StaticFiles(directory=folder))
    # Around all middleware: what add_middleware adds stands inside the one that answers defects.
    build = app.build_middleware_stack
    app.build_middleware_stack = (  # type: ignore[method-assign]
        lambda: SecurityHeaders(BodyLimit(build(), settings.body_limit))
    )
    document_doors(app)
    return app


async def _make_charts_ready() -> None:
    """Load what draws charts once the server has started, not when a reader first asks for one."""
    await asyncio.sleep(_STARTED_AFTER_S)
    await asyncio.to_thread(drawing.make_ready)


def _tune_interpreter() -> None:
    """Fit the interpreter to the intake, as measured by ``make bench``.

    The collector need not look again at what was imported (how often it looks is set in
    ``app``). And the writer's thread, which mostly waits for the database, gets its turn within a
    millisecond instead of five.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.001)
