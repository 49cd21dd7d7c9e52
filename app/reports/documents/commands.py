"""The command ``hailong report``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import typer

from app.access.callers import owner
from app.commands import Refused, open_database, operator, progress, say_error
from app.db import Database
from app.figures.periods import span
from app.problems import Problem
from app.registry.models import UnitKind
from app.reports.documents import schedule
from app.reports.documents.files import Kind, Order, Outcome, make
from app.reports.views.context import Chosen, ViewContext
from app.settings import Settings


def report(
    unit: list[str] = typer.Option([], help="Code of a unit; all below count in its report."),
    all_: bool = typer.Option(False, "--all", help="A report about every unit with answers."),
    only: list[UnitKind] = typer.Option([], help="With --all: units of these kinds."),
    questionnaire: str = typer.Option(
        None, help="Code of one questionnaire; the one with the most points if left out."
    ),
    period: str = typer.Option(
        None, help="2026-11, 2026-Q4, 2026-H1, 2026-9M, 2026, or 2026-10-01..2026-11-30."
    ),
    kind: list[Kind] = typer.Option([Kind.PDF], "--format", help="As what."),
    language: str = typer.Option("vi", help="vi or en."),
    folder: Path = typer.Option(Path("reports"), help="Where they are written."),
    due: bool = typer.Option(False, "--due", help="Make what the schedule in the settings says."),
) -> None:
    """Write reports as PDF, DOCX and XLSX; what is there already is kept, so it can go on."""
    settings = Settings()
    with open_database(settings) as database:
        if due:
            _due(database, settings)
            return
        if not unit and not all_:
            raise Refused("about which units? name some with --unit, or say --all")
        if language not in ("vi", "en"):
            raise Refused(f"no such language: {language}")
        spoken: Literal["vi", "en"] = "vi" if language == "vi" else "en"
        try:
            orders = _orders(database, settings, unit, only, questionnaire, period, kind, spoken)
        except Problem as problem:
            sentence = problem.detail("en")
            raise Refused(sentence) from problem
        _write(database, settings, orders, folder)


def _orders(
    database: Database,
    settings: Settings,
    units: list[str],
    only: list[UnitKind],
    questionnaire: str | None,
    period: str | None,
    kinds: list[Kind],
    language: Literal["vi", "en"],
) -> list[Order]:
    who = owner(operator())
    with database.reading() as session:
        if units:
            scenes = [
                ViewContext.of(session, who, settings, Chosen(code, questionnaire, period))
                for code in units
            ]
            return [
                Order(code, context.questionnaire, context.span.name, kinds, language)
                for code, context in zip(units, scenes, strict=True)
            ]
        context = ViewContext.of(session, who, settings, Chosen(None, questionnaire, period))
        name = span(period).name if period else context.span.name
        found = schedule.orders(
            session, who, name, units="all", kinds=kinds, questionnaire=questionnaire
        )
        kind_of = {code: node.kind for code, node in context.figures.units.by_code.items()}
    return [
        Order(order.unit, order.questionnaire, order.period, kinds, language)
        for order in found
        if not only or kind_of[order.unit] in only
    ]


def _write(database: Database, settings: Settings, orders: list[Order], folder: Path) -> None:
    new = kept = 0
    failed: list[Outcome] = []
    with progress() as bar:
        task = bar.add_task("Reports", total=len(orders))
        for outcome in make(database, owner(operator()), settings, orders, folder):
            bar.advance(task)
            new += len(outcome.new)
            kept += len(outcome.files) - len(outcome.new)
            if outcome.problem is not None or outcome.error is not None:
                failed.append(outcome)
    for outcome in failed:
        problem = outcome.problem
        sentence = problem.detail("en") if problem is not None else str(outcome.error)
        say_error(f"{outcome.order.unit}, {outcome.order.questionnaire}: {sentence}")
    typer.echo(f"{new} files written to {folder}, {kept} were there already")
    if failed:
        raise Refused(f"{len(failed)} reports could not be made")


def _due(database: Database, settings: Settings) -> None:
    if settings.report_folder is None or not settings.report_schedule:
        raise Refused("HAILONG_REPORT_FOLDER and HAILONG_REPORT_SCHEDULE say where and what")
    failed: list[str] = []
    try:
        new = schedule.run(
            database, settings, lambda what, reason: failed.append(f"{what}: {reason}")
        )
    except ValueError as error:
        raise Refused(f"HAILONG_REPORT_SCHEDULE: {error}") from error
    except OSError as error:
        raise Refused(f"could not write: {error}") from error
    typer.echo(f"{len(new)} files written to {settings.report_folder}")
    for each in failed:
        say_error(each)
    if failed:
        raise Refused(f"{len(failed)} reports or mails failed; run it again later")
