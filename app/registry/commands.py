"""Commands on units, survey points and questionnaires."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import local_today
from app.commands import (
    Refused,
    add_row,
    check_there,
    open_database,
    operator,
    out,
    progress,
    refused_table,
)
from app.problems import Problem
from app.registry.models import (
    Channel,
    PointState,
    QuestionnaireVersion,
    SurveyPoint,
    Unit,
)
from app.registry.named_on import ON, day_of, unit_named
from app.registry.places import UnitClosed, check_open
from app.registry.points import (
    RevokedPointError,
    as_point,
    change_state,
    current_code,
    find_by_code,
    open_point,
    reprint,
)
from app.registry.printed_names import find_outdated
from app.registry.questionnaires import (
    PublishedVersionChangedError,
    available,
    offered,
    publish,
    take_turns,
    versions_of,
)
from app.registry.unit_import import add_units, read_units
from app.registry.volumes import keep_volumes, read_volumes
from app.settings import Settings
from app.tables import WrongTable
from surveys import FormError, check_file

questionnaires = typer.Typer(help="Check, list and publish questionnaires.", no_args_is_help=True)
points = typer.Typer(help="Survey points and their public codes.", no_args_is_help=True)


@questionnaires.command("check")
def check(files: list[Path] = typer.Argument(help="Forms in YAML.")) -> None:
    """Name file, line, column and field of every mistake; exit code 1 if there is one."""
    found = 0
    for file in files:
        check_there(file)
        mistakes = check_file(file)
        for mistake in mistakes:
            typer.echo(str(mistake))
        if not mistakes:
            typer.echo(f"{file}: sound")
        found += len(mistakes)
    if found:
        raise typer.Exit(1)


@questionnaires.command("list")
def list_questionnaires() -> None:
    """List the published questionnaires."""
    table = Table("code", "version", "title", "items", "published", "withdrawn")
    with open_database() as database, database.reading() as session:
        rows = session.scalars(
            select(QuestionnaireVersion).order_by(
                QuestionnaireVersion.code, QuestionnaireVersion.version
            )
        ).all()
        by_key = {(r.code, r.version): r.published_at for r in rows}
        for code in dict.fromkeys(row.code for row in rows):
            for version in versions_of(session, code):
                form = version.form
                add_row(
                    table,
                    form.code,
                    str(form.version),
                    form.title.vi,
                    str(len(list(form.items))),
                    f"{by_key[(form.code, form.version)]:%Y-%m-%d}",
                    f"{version.withdrawn_at:%Y-%m-%d}" if version.withdrawn_at else "",
                )
    out.print(table)


@questionnaires.command("publish")
def publish_questionnaires() -> None:
    """Publish the forms that come with us and those of HAILONG_QUESTIONNAIRES."""
    try:
        with open_database() as database, database.writing(operator()) as session:
            new = publish(session, available(Settings().questionnaires))
    except (FormError, PublishedVersionChangedError) as error:
        raise Refused(str(error)) from error
    for form in new:
        typer.echo(f"published {form.code} version {form.version}")
    typer.echo(f"{len(new)} published")


def import_units(
    file: Path = typer.Argument(help="CSV or XLSX; docs/imports.md tells the columns."),
    valid_from: str = typer.Option(
        "2020-01-01", help="First day of units whose row has no valid_from."
    ),
) -> None:
    """Read units from a CSV or XLSX file: all of them, or none if a line is wrong."""
    day = day_of(valid_from, "--valid-from")
    check_there(file)
    try:
        with (
            open_database() as database,
            database.writing(operator()) as session,
            progress() as bar,
        ):
            units = read_units(file, day)
            task = bar.add_task("units", total=len(units))
            added, changed = add_units(
                session, units, file, lambda n: bar.update(task, completed=n)
            )
    except WrongTable as error:
        raise refused_table(error, file, "nothing was imported") from error
    typer.echo(f"{added} units added, {changed} changed, {len(units) - added - changed} unchanged")


def import_volumes(
    file: Path = typer.Argument(help="CSV or XLSX: unit, month (2026-11), cases."),
) -> None:
    """Read how many each unit served by month: all lines, or none if one is wrong."""
    check_there(file)
    try:
        with open_database() as database, database.writing(operator()) as session:
            codes = set(session.scalars(select(Unit.code)))
            kept = keep_volumes(session, read_volumes(file, codes), file.name)
    except WrongTable as error:
        raise refused_table(error, file, "nothing was imported") from error
    typer.echo(f"{kept} volumes kept")


@points.command("list")
def list_points(
    unit: str = typer.Option(None, help="Code of a unit."),
    on: str = typer.Option(
        None, "--on", help="Day on which the code is the unit's, as 2025-06-30; else any."
    ),
    outdated: bool = typer.Option(
        False, "--outdated", help="Only points whose poster shows another unit's name than today's."
    ),
) -> None:
    """List survey points with their public codes, those of units that are no more as well.

    With a day, the points that are of the unit on that day.
    """
    table = Table("code", "unit", "name", "questionnaire", "channel", "state")
    today = local_today(Settings().zone)
    day = day_of(on) if on is not None else None
    with open_database() as database, database.reading() as session:
        query = select(SurveyPoint).join(Unit).order_by(Unit.code, Unit.valid_from, SurveyPoint.id)
        of_unit = None
        if unit is not None:
            named = unit_named(session, unit, on)
            of_unit = named if day else None
            query = query if day else query.where(Unit.code == unit)
        renamed = find_outdated(session, today, Settings().zone) if outdated else None
        for point in session.scalars(query):
            if of_unit is not None and as_point(point).unit_on(day or today) != of_unit.id:
                continue
            if renamed is not None and point.id not in renamed:
                continue
            closed = point.unit.valid_to is not None and point.unit.valid_to < today
            add_row(
                table,
                current_code(point),
                point.unit.code,
                point.name,
                point.questionnaire,
                point.channel,
                f"closed with its unit, {point.unit.valid_to}" if closed else point.state,
            )
    out.print(table)


@points.command("add")
def add_point(
    unit: str = typer.Argument(help="Code of the unit."),
    questionnaire: str = typer.Argument(help="Code of the questionnaire."),
    channel: Channel = typer.Option(Channel.QR, help="By which way answers enter."),
    name: str = typer.Option("", help="What the point is called; the unit's name if left out."),
    invitations_only: bool = typer.Option(
        False, "--invitations-only", help="Take answers of those who were invited, and no others."
    ),
    on: str = ON,
) -> None:
    """Open a survey point and print its public code."""
    if channel is Channel.INVITATION:
        raise Refused("invited answers have their own channel: choose the point's")
    today = local_today(Settings().zone)
    with open_database() as database, database.writing(operator()) as session:
        place = unit_named(session, unit, on)
        try:
            check_open(session, place, today)
        except UnitClosed as closed:
            raise Refused(closed.detail("en")) from closed
        take_turns(session)  # or its last version could be withdrawn meanwhile
        try:
            newest = offered(versions_of(session, questionnaire))
        except Problem as error:
            raise Refused(f"no questionnaire {questionnaire} is published") from error
        if newest.withdrawn_at is not None:
            raise Refused(f"all versions of {questionnaire} are withdrawn; publish or offer one")
        point = open_point(
            session,
            place,
            questionnaire,
            channel,
            name or place.name_vi,
            invitations_only=invitations_only,
        )
        typer.echo(current_code(point))


@points.command("pause")
def pause(code: str = typer.Argument(help="Public code.")) -> None:
    """Take no answers until the point is resumed."""
    _change(code, PointState.PAUSED)


@points.command("resume")
def resume(code: str = typer.Argument(help="Public code.")) -> None:
    """Take answers again."""
    _change(code, PointState.ACTIVE)


@points.command("revoke")
def revoke(code: str = typer.Argument(help="Public code.")) -> None:
    """Take no answers ever again."""
    _change(code, PointState.REVOKED)


@points.command("reprint")
def reprint_code(code: str = typer.Argument(help="Public code.")) -> None:
    """Replace the public code by a new one and print it; the old poster no longer works."""
    with open_database() as database, database.writing(operator()) as session:
        typer.echo(reprint(session, _point(session, code)))


def _change(code: str, state: PointState) -> None:
    with open_database() as database, database.writing(operator()) as session:
        try:
            change_state(session, _point(session, code), state)
        except RevokedPointError as error:
            raise Refused(str(error)) from error
    typer.echo(f"{code}: {state.value}")


def _point(session: Session, code: str) -> SurveyPoint:
    point = find_by_code(session, code)
    if point is None:
        raise Refused(f"no survey point has the current code {code}")
    return point
