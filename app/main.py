"""Wires the rooms together, nothing else."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

from anyio import CapacityLimiter
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from app import RELEASE, problems
from app.access.callers import Callers
from app.access.dependencies import (
    CALLERS,
    PASSWORD_QUEUE,
    PROVIDER,
    RATE_LIMITS,
    SIGNING_IN,
)
from app.access.doors import FORM_LIMITS
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
from app.api.batches import router as batch_routes
from app.api.cases import router as case_routes
from app.api.comments import router as comment_routes
from app.api.dependencies import CACHE
from app.api.events import STREAM_THREADS, THREADS_OF_STREAMS
from app.api.exports import router as export_routes
from app.api.feed import router as feed_routes
from app.api.limit_decisions import router as limit_decision_routes
from app.api.rates import router as rate_routes
from app.api.reports import router as document_routes
from app.api.statistics import router as statistics_routes
from app.api.stream import router as stream_routes
from app.api.unit_histories import router as unit_history_routes
from app.api.views import router as view_routes
from app.audit.leaving import keep_heads_leaving
from app.background import Supervisor
from app.backup.erasures import erase_before_serving
from app.backup.schedule import check_settings, keep_backing_up
from app.cases.schedule import keep_cases
from app.clock import ClockInDoubt, ServerClock, keep_watching, steady, tell_by
from app.damage_watch import keep_checking
from app.db import Database
from app.db.away import away
from app.db.connections import Patience
from app.dependencies import CLOCK, DATABASE, READINESS, SETTINGS, SUPERVISOR
from app.digest import schedule as digest_schedule
from app.digest.schedule import keep_mailing
from app.figures.cache import Cache
from app.importing.fhir_routes import router as fhir_routes
from app.intake.dependencies import INTAKE, PAGE_TOKENS
from app.intake.directory import Directory
from app.intake.page_tokens import PageTokens
from app.intake.routes import DirectRoute
from app.intake.routes import router as intake_routes
from app.intake.service import Intake
from app.intake.store import ResponseStore
from app.intake.tidying import keep_dropping_hashes
from app.integrity import schedule as integrity_schedule
from app.integrity.schedule import keep_examining
from app.invitations.routes import router as invitation_routes
from app.invitations.sending import keep_sending
from app.logs.lines import tell_rest
from app.memory import bound_allocator
from app.posters.routes import router as poster_routes
from app.private_files import keep_private
from app.readiness import Readiness, keep_proving
from app.reform.service import bring_up_to_date
from app.registry.today import keep_up_to_date
from app.reports.charts import drawing
from app.reports.documents.schedule import keep_reporting, lengths
from app.retention import schedule as retention_schedule
from app.retention.schedule import keep_deleting
from app.serving.bodies import Bodies
from app.serving.connections import Connections, Limits
from app.serving.ending import AnsweredAtEnd
from app.serving.protocol import CONNECTIONS
from app.settings import Settings
from app.text_keys import TextKeys
from app.web.citizen import own_response, replies
from app.web.citizen import routes as citizen
from app.web.citizen.opening import FormOpening
from app.web.citizen.ready_forms import READY_FORMS, ReadyForms
from app.web.citizen.routes import FORM_ROUTE
from app.web.citizen.surveys import SURVEYS, make_surveys
from app.web.dashboard import comments as dashboard_comments
from app.web.dashboard import report as dashboard_report
from app.web.dashboard import routes as dashboard
from app.web.direct import past_layers
from app.web.identifying import RequestIds
from app.web.kiosk import routes as kiosk
from app.web.openapi import document_doors
from app.web.packed_files import PackedFiles
from app.web.pages import problem_page
from app.web.public import routes as public
from app.web.public import wall
from app.web.routes import STATIC_FILES
from app.web.routes import router as web_routes
from app.web.security import HEADERS, BodyLimit, SecurityHeaders
from app.web.staff import (
    accounts,
    action_notes,
    audit_log,
    batches,
    case_lists,
    cases,
    dead_letters,
    devices,
    exports,
    form_drafts,
    form_editing,
    form_previews,
    keys,
    limits,
    posters,
    profile,
    questionnaires,
    reorganisations,
    response_imports,
    sign_in,
    theme_editing,
    themes,
)
from app.web.turns import Turns
from app.webhooks.sending import keep_telling

ROUTERS = (
    intake_routes,
    fhir_routes,
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
    citizen, replies, own_response, kiosk, sign_in, profile, accounts, keys, devices, posters,
    limits, action_notes, audit_log, cases, case_lists, batches, dead_letters, reorganisations,
    exports, response_imports, themes, theme_editing, form_drafts, form_editing, form_previews,
    questionnaires, registry, dashboard_comments, dashboard_report, dashboard, public, wall,
)  # fmt: skip
#: What devices send responses to.
(INTAKE_ROUTE,) = (each for each in intake_routes.routes if isinstance(each, DirectRoute))
#: How long after its last answer a server may need to end, in seconds.
_ENDS_AFTER_S = 10.0
#: Threads of the tasks beside the requests, made as they are needed: names that are looked up in
#: vain hold one each for as long as the resolver likes, and are to hold up no other task.
_THREADS = 40
#: Routers are built when a request first passes them; these are large, and come last.
LAST = (
    limit_decision_routes,
    action_note_routes,
    batch_routes,
    case_routes,
    export_routes,
    statistics_routes,
    adjusted_routes,
    unit_history_routes,
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
    keep_private(settings)
    database = Database(settings.database_url, _patience(settings))
    clock = ServerClock(
        database, settings.clock_tolerance_s, settings.clock_gap_days, wall=wall, steady=steady
    )
    database.before_writing = clock.check
    keys = TextKeys.of(settings)
    limits = RateLimits(database, clock.now, lambda: keys.derived(b"limits"))
    directory = Directory(database, settings.cache_s)
    store = ResponseStore(database, keys, settings.webhook_delay_s, clock.now)
    supervisor = Supervisor()
    readiness = Readiness(database, steady)
    readiness.also("clock", lambda: ClockInDoubt() if clock.look() else None)
    readiness.also("damage", database.damage.problem)
    readiness.also("tasks", supervisor.problem)
    intake = Intake(settings, directory, store, limits, clock.sure_now, readiness.note_written)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
        _tune_interpreter()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
        await asyncio.to_thread(clock.begin)
        await asyncio.to_thread(erase_before_serving, settings, clock.now())
        tell_by(clock.now)
        intake.writer.start()
        supervisor.keep("tidying", lambda: keep_tidy(database, clock.now), silent_after_s=300)
        supervisor.keep(
            "texts",
            lambda: keep_dropping_hashes(database, settings, clock.now),
            silent_after_s=3 * 3600,
        )
        supervisor.keep("clock", lambda: keep_watching(clock), silent_after_s=90)
        supervisor.keep("readiness", lambda: keep_proving(readiness), silent_after_s=90)
        supervisor.keep(
            "day",
            lambda: keep_up_to_date(
                database,
                lambda: clock.now().astimezone(settings.zone).date(),
                bring_up_to_date,
            ),
            silent_after_s=180,
        )
        supervisor.keep("sms", lambda: keep_sending(database, settings), silent_after_s=180)
        supervisor.keep("webhooks", lambda: keep_telling(database, settings), silent_after_s=180)
        # A setting that means nothing stops the start.
        if settings.report_folder is not None and lengths(settings):
            supervisor.keep(
                "reporting",
                lambda: keep_reporting(database, settings, clock),
                silent_after_s=3 * 3600,
            )
        if settings.audit_heads:
            supervisor.keep(
                "heads",
                lambda: keep_heads_leaving(database, settings, clock.now),
                silent_after_s=600,
            )
        if settings.backup_at:
            check_settings(settings)
            supervisor.keep(
                "backup",
                lambda: keep_backing_up(database, settings, clock.now),
                silent_after_s=600,
            )
        supervisor.keep(
            "damage", lambda: keep_checking(database, settings, clock.now), silent_after_s=6 * 3600
        )
        supervisor.keep(
            "integrity",
            lambda: keep_examining(database, settings, clock.now),
            silent_after_s=2 * integrity_schedule.EVERY_S,
        )
        if settings.retention_nightly:
            supervisor.keep(
                "retention",
                lambda: keep_deleting(database, settings, clock.sure_now),
                silent_after_s=6 * retention_schedule.EVERY_S,
            )
        supervisor.keep(
            "cases", lambda: keep_cases(database, settings, clock.now), silent_after_s=1800
        )
        supervisor.keep(
            "digest",
            lambda: keep_mailing(database, settings, clock.sure_now),
            silent_after_s=2 * digest_schedule.EVERY_S,
        )
        if settings.charts_ready_s:
            supervisor.keep(
                "charts", lambda: _make_charts_ready(settings.charts_ready_s), once=True
            )
        supervisor.watch()
        yield {CONNECTIONS: Connections(Limits.of(settings), HEADERS)}
        with _ending_for_sure():
            tell_by(None)
            await supervisor.stop()
            await intake.writer.stop()
            database.close()
        tell_rest()

    app = FastAPI(
        title="Hài Lòng",
        version=RELEASE,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        form_limits=FORM_LIMITS,
        # Addresses hold codes and tokens: what was asked for is told to nobody outside.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    SETTINGS.put(app, settings)
    DATABASE.put(app, database)
    CALLERS.put(app, Callers(database, settings, clock.now))
    CLOCK.put(app, clock)
    READINESS.put(app, readiness)
    SUPERVISOR.put(app, supervisor)
    RATE_LIMITS.put(app, limits)
    SIGNING_IN.put(app, SigningIn(database, limits, settings, KnownBrowsers(database)))
    PASSWORD_QUEUE.put(app, PasswordQueue(settings.password_waiting))
    CACHE.put(app, Cache())
    STREAM_THREADS.put(app, CapacityLimiter(THREADS_OF_STREAMS))
    INTAKE.put(app, intake)
    PAGE_TOKENS.put(app, PageTokens(database))
    SURVEYS.put(app, make_surveys(settings.cache_s))
    READY_FORMS.put(app, ReadyForms())
    PROVIDER.put(app, Provider(settings) if settings.oidc_issuer else None)
    bodies = Bodies(settings.bodies_limit)
    turns = Turns(settings)
    answer = problems.install(app, problem_page, {SQLAlchemyError: away})
    for router in (*ROUTERS, *(page.router for page in PAGES), *LAST):
        app.include_router(router)
    for path, folder in STATIC_FILES.items():
        app.mount(path, PackedFiles(directory=folder))
    # Around all middleware: what add_middleware adds stands inside the one that answers defects.
    build = app.build_middleware_stack
    app.build_middleware_stack = (  # type: ignore[method-assign]
        lambda: RequestIds(
            FormOpening(
                SecurityHeaders(
                    AnsweredAtEnd(
                        BodyLimit(
                            turns.around(past_layers(app, build(), INTAKE_ROUTE), answer),
                            settings.body_limit,
                            bodies,
                        ),
                        answer,
                    )
                ),
                app,
                FORM_ROUTE,
            ),
            settings.access_log,
        )
    )
    document_doors(app)
    return app


def _patience(settings: Settings) -> Patience:
    """How long a server waits for its database."""
    return Patience(
        connect_s=settings.database_connect_s,
        read_s=settings.database_read_s,
        write_s=settings.database_write_s,
    )


@contextmanager
def _ending_for_sure() -> Iterator[None]:
    """End this process, whatever hangs, where what is done meanwhile takes too long.

    What was acknowledged is durable, what was not will come again. Only where the process is the
    server's own: in tests it runs beside others.
    """
    last = threading.Timer(_ENDS_AFTER_S, os._exit, (1,))
    last.daemon = True
    if threading.current_thread() is threading.main_thread():
        last.start()
    try:
        yield
    finally:
        last.cancel()


async def _make_charts_ready(after_s: float) -> None:
    """Load what draws charts once the server has started, not when a reader first asks for one.

    By then those who waited for its start have been answered.
    """
    await asyncio.sleep(after_s)
    await asyncio.to_thread(drawing.make_ready)


def _tune_interpreter() -> None:
    """Fit the interpreter to the intake, as measured by ``make bench``.

    The collector need not look again at what was imported (how often it looks is set in
    ``app``). And the writer's thread, which mostly waits for the database, gets its turn within a
    millisecond instead of five. What was freed goes back to the machine (``make memory``).
    """
    bound_allocator()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.001)
