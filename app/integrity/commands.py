"""Commands on rules and on what they find: ``hailong integrity``."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from rich.progress import Progress
from sqlalchemy.orm import Session

from app.clock import local_today
from app.commands import Refused, open_database, operator, operator_or_schedule
from app.integrity import batches as found_batches
from app.integrity.examination import Found, examine
from app.integrity.mailing import mail_daily
from app.integrity.models import State
from app.integrity.passes import latest_months, run
from app.integrity.rules import (
    OpeningHours,
    OpeningRange,
    RuleVersion,
    history,
    in_force,
    named,
    names,
    read_rules,
    rules,
    set_rule,
)
from app.registry.models import Unit
from app.registry.questionnaires import published
from app.rollups.queries import units_of_days
from app.settings import Settings

integrity = typer.Typer(
    help="Find what no citizen gave: rules, trying them, examining, batches.", no_args_is_help=True
)
_NAME = typer.Argument(help="Name of the rule; 'hailong integrity rules' lists them.")
_MONTHS = typer.Option(3, min=1, max=60, help="How many months, the running one included.")


@integrity.command("rules")
def list_rules() -> None:
    """List the rules, which version is in force, and since when."""
    with open_database() as database, database.reading() as session:
        for each in rules(session):
            state = "in force" if each.active else "off"
            since = (
                f" since {each.set_at:%Y-%m-%d %H:%M} UTC by {each.set_by}" if each.set_at else ""
            )
            at = each.rule.quarantine
            aside = f"sets aside from {at:g}" if at is not None else "sets nothing aside"
            typer.echo(
                f"{each.name} version {each.version}: {state}{since}; "
                f"flags from {each.rule.flag:g}, {aside}"
            )


@integrity.command("show")
def show(name: str = _NAME) -> None:
    """Show a rule as a file that 'hailong integrity set' takes, and its earlier versions."""
    with open_database() as database, database.reading() as session:
        typer.echo(_toml(named(session, name)))
        for each in history(session, name)[1:]:
            typer.echo(f"# version {each.version}, {each.set_at:%Y-%m-%d} by {each.set_by}")


@integrity.command("set")
def set_rules(file: Path = typer.Argument(help="TOML: a table for each rule to change.")) -> None:
    """Set rules as a file has them: each a new version. Whether they are in force stays."""
    with open_database() as database, database.writing(operator()) as session:
        for name, rule in read_rules(file).items():
            active = named(session, name).active
            done = set_rule(session, name, rule, active=active, by=operator())
            typer.echo(f"{name}: version {done.version}, {'in force' if active else 'off'}")


@integrity.command("on")
def switch_on(name: str = _NAME) -> None:
    """Put a rule in force; try it on the past first."""
    _switch(name, on=True)


@integrity.command("off")
def switch_off(name: str = _NAME) -> None:
    """Take a rule out of force; what it set aside stays so until somebody decides."""
    _switch(name, on=False)


def _switch(name: str, *, on: bool) -> None:
    with open_database() as database, database.writing(operator()) as session:
        before = named(session, name)
        done = set_rule(session, name, before.rule, active=on, by=operator())
    typer.echo(f"{name}: version {done.version}, {'in force' if on else 'off'}")


@integrity.command("try")
def try_rule(
    name: str = _NAME,
    months: int = _MONTHS,
    file: Path = typer.Option(None, help="The rule as a file has it, before it is set."),
) -> None:
    """Say what a rule would have found in the past; nothing is changed."""
    settings = Settings()
    with open_database(settings) as database, database.reading() as session:
        rule = read_rules(file).get(name) if file else named(session, name).rule
        if rule is None:
            raise Refused(f"{file} has no rule {name}")
        versions = published(session)
        found: list[Found] = []
        with Progress(transient=True) as progress:
            for month in latest_months(local_today(settings.zone), months):
                task = progress.add_task(f"{month:%Y-%m}", total=None)
                for part in examine(session, settings.zone, versions, month, rule):
                    found += part.found
                    progress.update(task, advance=part.responses)
        codes = _codes(session, {each.source.unit_id for each in found})
        for each in sorted(found, key=lambda one: -one.probability):
            aside = rule.quarantine is not None and each.probability >= rule.quarantine
            typer.echo(
                f"{codes[each.source.unit_id]} {each.month:%Y-%m} {each.source.channel}: "
                f"{_probability(each.probability)}, about {each.suspected:.0f} of "
                f"{each.responses} responses, {'set aside' if aside else 'flagged'} "
                f"({', '.join(f'{reason.why} {reason.n}' for reason in each.reasons)})"
            )
    typer.echo(f"{len(found)} batches would be flagged; nothing was changed")


@integrity.command("examine")
def examine_now(
    months: int = _MONTHS,
    fresh: bool = typer.Option(False, "--fresh", help="Units that somebody answered lately alone."),
    mail: bool = typer.Option(False, "--mail", help="Mail reviewers what is new, once a day."),
    gently: bool = typer.Option(False, "--gently", hidden=True),
) -> None:
    """Examine months by the rules in force, now, and set aside what they say."""
    if gently:
        os.nice(10)
    settings = Settings()
    today = local_today(settings.zone)
    with open_database(settings) as database:
        with database.reading() as session:
            active = in_force(session)
            units = units_of_days(session, today - timedelta(days=1)) if fresh else None
        if not active:
            raise Refused("no rule is in force; 'hailong integrity on stuffing' puts it there")
        with Progress(transient=True) as progress:
            task = progress.add_task("responses", total=None)
            done = run(
                database,
                settings,
                latest_months(today, months),
                units=units,
                actor=operator_or_schedule(scheduled=gently),
                tell=lambda n: progress.update(task, advance=n),
            )
        sent = mail_daily(database, settings, datetime.now(UTC)) if mail else 0
    typer.echo(
        f"by {names(active)}: {done.flagged} batches flagged, {done.quarantined} set aside with "
        f"{done.responses} responses, {done.withdrawn} withdrawn"
        + (f"; {sent} mails to reviewers" if mail else "")
    )


@integrity.command("batches")
def list_batches(
    every: bool = typer.Option(False, "--all", help="Those that are decided, too."),
) -> None:
    """List what is suspected, the most probable first."""
    states = tuple(State) if every else (State.OPEN, State.QUARANTINED)
    with open_database() as database, database.reading() as session:
        found = found_batches.batches(session, states=states)
        codes = _codes(session, {each.unit_id for each in found})
        for each in found:
            typer.echo(
                f"{each.id} {codes[each.unit_id]} {each.month:%Y-%m} {each.channel}: {each.state}, "
                f"{_probability(each.probability)}, about {each.suspected:.0f} of {each.responses}"
            )
    typer.echo(f"{len(found)} batches")


def _probability(p: float) -> str:
    """A probability as a person reads it: nothing is certain."""
    if p >= 0.9995:
        return "over 99.9 %"
    return f"{100 * p:.1f} %" if p >= 0.0005 else "under 0.1 %"


def _codes(session: Session, ids: set[int]) -> dict[int, str]:
    return {id: unit.code for id in ids if (unit := session.get(Unit, id)) is not None}


def _toml(version: RuleVersion) -> str:
    rule = version.rule
    lines = [f"# version {version.version}", f"[{version.name}]", f"flag = {rule.flag!r}"]
    lines.append('quarantine = "never"' if rule.quarantine is None
                 else f"quarantine = {rule.quarantine!r}")  # fmt: skip
    lines += [
        f"prior = {rule.prior!r}", "", *_hours(version.name, rule.hours),
        f"[{version.name}.detectors]",
        *(f"{name} = {value!r}" for name, value in rule.detectors.items()),
    ]  # fmt: skip
    return "\n".join(lines)


def _hours(name: str, hours: OpeningHours) -> list[str]:
    """One range as a table; several as a table each."""

    def lines(of: OpeningRange) -> list[str]:
        return [f"opens = {of.opens!r}", f"closes = {of.closes!r}", f"days = {list(of.days)!r}", ""]

    if not hours.ranges:
        return [f"[{name}.hours]", *lines(hours)]
    return [line for each in hours.ranges for line in (f"[[{name}.hours.ranges]]", *lines(each))]
