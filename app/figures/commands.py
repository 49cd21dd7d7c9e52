"""The command ``hailong rates``."""

from __future__ import annotations

import math
from datetime import date

import typer
from rich import box
from rich.table import Table

from app.access.callers import owner
from app.clock import local_today
from app.commands import Refused, add_row, open_database, operator, out
from app.db import Database
from app.figures.query import Expand, Key, Query
from app.figures.rates import find as find_rates
from app.figures.release import everything
from app.messages import say
from app.problems import Problem
from app.settings import Settings


def rates(
    unit: list[str] = typer.Option([], help="Code of a unit; all if none is named."),
    expand: Expand = typer.Option(Expand.GIVEN, help="Which units get a row."),
    questionnaire: str = typer.Option(None, help="Code of one questionnaire."),
    by: list[Key] = typer.Option([Key.UNIT], help="What rows are grouped by."),
    own: bool = typer.Option(False, "--own", help="Only answers about the unit itself."),
    first: str = typer.Option(None, "--from", help="First day, like 2026-01-01."),
    last: str = typer.Option(None, "--to", help="Last day."),
) -> None:
    """Print satisfaction rates with their confidence intervals."""
    try:
        query = Query(
            units=unit,
            expand=expand,
            questionnaire=questionnaire,
            by=by,
            descendants=not own,
            first=date.fromisoformat(first) if first else None,
            last=date.fromisoformat(last) if last else None,
        )
    except ValueError as error:
        raise Refused(f"not a day: {error}") from error
    with open_database() as database:
        print_rates(database, query)


def print_rates(database: Database, query: Query) -> None:
    """One table a questionnaire; rows without respondents are left out and counted.

    Raises
    ------
    Refused
        Where the query names something unknown.
    """
    try:
        with database.reading() as session:
            today = local_today(Settings().zone)
            found = find_rates(session, query, owner(operator()), everything(today))
    except Problem as problem:
        raise Refused(problem.detail("en")) from problem
    if found.synthetic:
        out.print(f"[bold]{say('synthetic.notice', 'vi')}\n{say('synthetic.notice', 'en')}[/]")
    out.print(
        "The rate is the share of satisfied answers. A person's answers resemble one\n"
        "another, so people are what the interval counts; deff is what that adds to the\n"
        "variance, and the usual interval is too narrow by its square root."
    )
    for rates in found.rates:
        kept = [i for i, n in enumerate(rates.sums["n"]) if n > 0]
        if not kept:
            continue
        keys = {
            "unit": [f"{u.code} {u.name_vi}" if u else "" for u in rates.unit],
            "period": [period or "" for period in rates.period],
            "channel": [channel or "" for channel in rates.channel],
            "factor": [measure.factor or "" for measure in rates.measure],
            "item": [measure.item or "" for measure in rates.measure],
        }
        shown = {
            "unit": Key.UNIT in query.by,
            "period": query.step is not None,
            "channel": Key.CHANNEL in query.by,
            "factor": Key.FACTOR in query.by,
            "item": Key.ITEM in query.by,
        }
        table = Table(
            *[key for key in keys if shown[key]],
            title=f"{rates.questionnaire}, {found.first} – {found.last}",
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        for heading in ("rate", "95% interval", "people", "answers", "deff"):
            table.add_column(heading, justify="right", no_wrap=True)
        for i in kept:
            add_row(
                table,
                *[keys[key][i] for key in keys if shown[key]],
                _percent(rates.ratio.estimate[i]),
                f"{100 * rates.low[i]:.1f} – {_percent(rates.high[i])}",
                f"{rates.sums['n'][i]:,.0f}",
                f"{rates.sums['m'][i]:,.0f}",
                "" if math.isnan(d := rates.ratio.design_effect[i]) else f"{d:.1f}",
            )
        out.print(table)
        if len(kept) < len(rates.unit):
            typer.echo(f"{len(rates.unit) - len(kept)} rows without respondents are left out.")


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}%"
