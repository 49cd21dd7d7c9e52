"""Commands on plans that change the tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import typer
from rich.table import Table
from sqlalchemy.orm import Session

from app.clock import local_today
from app.commands import (
    Refused,
    check_there,
    open_database,
    operator,
    out,
    progress,
    refused_table,
)
from app.db import Database
from app.problems import Problem
from app.reform import service
from app.reform.country_command import reform_the_country
from app.reform.preview import FigureShown, Part, Preview, UnitShown, preview
from app.registry.reorganisation import country
from app.registry.reorganisation.reading import read_plan
from app.registry.reorganisation.undoing import reorganisations
from app.settings import Settings
from app.tables import WrongTable

reform = typer.Typer(help="Plans that change the tree of units.", no_args_is_help=True)
reform.command(str(country.DAY))(reform_the_country)


@reform.command("check")
def check(file: Path = typer.Argument(help="A plan: CSV or XLSX.")) -> None:
    """Show what a plan would change, and change nothing; exit code 1 if a line is wrong."""
    with _refusing(file), open_database() as database, database.reading() as session:
        _show(preview(session, read_plan(file), _today()))


@reform.command("apply")
def apply(
    file: Path = typer.Argument(help="A plan: CSV or XLSX."),
    name: str = typer.Option(help="What people call it."),
    decision: str = typer.Option(help="The decision that ordered it, as people cite it."),
) -> None:
    """Carry a plan out: all lines, or none if one is wrong. Its days may lie ahead."""
    _fit(name, decision)
    with _refusing(file), open_database() as database, _writing(database) as session:
        plan = read_plan(file)
        with progress() as bar:
            task = bar.add_task("changes", total=None)
            done = service.carry_out(
                session, plan, name=name, decision=decision, today=_today(),
                tell=lambda n, total: bar.update(task, completed=n, total=total),
            )  # fmt: skip
    found = done.changes
    typer.echo(
        f"no. {done.id}: {len(found.foundings)} units begin, {len(found.endings)} end, "
        f"{len(found.changes)} change, {len(found.moves)} survey points move, "
        f"{len(found.closings)} close"
    )


@reform.command("list")
def list_reorganisations() -> None:
    """List the plans that were carried out, and those that undid them."""
    table = Table("no.", "from", "name", "decision", "by", "at", "undoes")
    with open_database() as database, database.reading() as session:
        for row in reversed(reorganisations(session)):
            table.add_row(
                str(row.id), str(row.first_day), row.name, row.decision, row.applied_by,
                f"{row.applied_at:%Y-%m-%d %H:%M}", str(row.undoes_id or ""),
            )  # fmt: skip
    out.print(table)


@reform.command("undo")
def undo(
    number: int = typer.Argument(help="The plan's number, as `reform list` shows it."),
    decision: str = typer.Option("", help="What ordered that, as people cite it."),
) -> None:
    """Make the tree what it was before a plan; the plan stays in the history."""
    with open_database() as database, _writing(database) as session:
        try:
            done = service.undo(session, number, decision=decision[:500], today=_today())
        except Problem as problem:
            raise Refused(problem.detail("en")) from problem
    typer.echo(f"no. {done.id} undoes no. {number}: {done.name}")


def _today() -> date:
    return local_today(Settings().zone)


def _fit(name: str, decision: str) -> None:
    if not name.strip() or len(name) > 200:
        raise Refused("--name takes 1 to 200 characters")
    if not decision.strip() or len(decision) > 500:
        raise Refused("--decision takes 1 to 500 characters")


@contextmanager
def _refusing(file: Path) -> Iterator[None]:
    check_there(file)
    try:
        yield
    except WrongTable as wrong:
        raise refused_table(wrong, file, "nothing was changed") from wrong


@contextmanager
def _writing(database: Database) -> Iterator[Session]:
    with database.writing(operator()) as session:
        yield session


def _show(found: Preview) -> None:
    out.print(f"{found.lines} lines, from {found.first_day} on; nothing was changed")
    table = Table("begins", "kind", "below", "made of")
    for begins in found.begins:
        table.add_row(
            _named(begins.unit), begins.kind, _named(begins.above), _parts(begins.made_of)
        )
    _print(table)
    table = Table("ends", "becomes")
    for ends in found.ends:
        told = _parts(ends.becomes) or "closed"
        table.add_row(_named(ends.unit), told + (" (undivided)" if ends.undivided else ""))
    _print(table)
    table = Table("changes", "is then", "stood below", "stands below then")
    for change in found.changes:
        table.add_row(
            _named(change.before), change.after.name_vi, _named(change.above_before),
            _named(change.above_after),
        )  # fmt: skip
    _print(table)
    table = Table("point", "name", "of", "then of", "devices", "print anew")
    for point in found.points:
        table.add_row(
            point.code, point.name, _named(point.before),
            _named(point.after) if point.after else "closes", str(point.devices),
            "yes" if point.print_anew else "",
        )  # fmt: skip
    _print(table)
    table = Table("rights", "of", "on", "also on")
    for each in (*found.follow, *found.unclear):
        follows = _named(each.to) if each.to else "unclear"
        table.add_row(each.role or each.sort.value, each.who, _named(each.unit), follows)
    _print(table)
    table = Table("open invitations of", "count")
    for invitations in found.invitations:
        table.add_row(_named(invitations.unit), str(invitations.count))
    _print(table)
    _show_figures(found)


def _show_figures(found: Preview) -> None:
    first, last = found.looked_at
    for title, figures in (("before", found.figures_before), ("after", found.figures_after)):
        table = Table(f"{title}: {first} to {last}", "questionnaire", "people", "rate")
        for each in figures:
            table.add_row(_of_figure(each), each.questionnaire, *_numbers(each))
        _print(table)


def _of_figure(figure: FigureShown) -> str:
    return f"{_named(figure.unit)}" if not figure.undivided else f"undivided {figure.unit.code}"


def _numbers(figure: FigureShown) -> tuple[str, str]:
    rate = "" if figure.rate is None else f"{figure.rate:.1%}"
    return f"{figure.respondents:g}", rate


def _named(unit: UnitShown | None) -> str:
    return "" if unit is None else f"{unit.name_vi} ({unit.code})"


def _parts(parts: tuple[Part, ...]) -> str:
    return ", ".join(
        _named(part.unit) + (f" {part.share:.1%}" if part.share is not None else "")
        for part in parts
    )


def _print(table: Table) -> None:
    if table.row_count:
        out.print(table)
