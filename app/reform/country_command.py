"""The command ``hailong reform 2025-07-01``: the real change, on the units of a registry."""

from __future__ import annotations

from collections import Counter

import typer

from app.clock import local_today
from app.commands import Refused, open_database, operator, out, progress, refused_table
from app.problems import Problem
from app.reform import service
from app.reform.preview import preview
from app.registry.reorganisation import country
from app.registry.reorganisation.country import OtherNames
from app.registry.structures import read_units
from app.settings import Settings
from app.tables import WrongTable

#: How many units are named that are called otherwise than the list has it.
_MOST_NAMED = 20


def reform_the_country(
    province: str = typer.Option(None, help="Code of one province of the day before, as 77."),
    accept_names: bool = typer.Option(
        False, help="Take units for those of the list though they are called otherwise."
    ),
    dry_run: bool = typer.Option(False, help="Say what would change, and change nothing."),
) -> None:
    """Take the units of the registry, or of one province, through the reform of 1 July 2025."""
    today = local_today(Settings().zone)
    try:
        with open_database() as database, database.writing(operator()) as session:
            found = country.selected(read_units(session), province)
            _tell_names(found, accept_names)
            counts = Counter(line.action.value for line in found.plan.lines)
            out.print(", ".join(f"{action} {n:,}" for action, n in sorted(counts.items())))
            for line in found.along[:_MOST_NAMED]:
                out.print(f"{line.code} goes along, below {line.parent}: to be looked at")
            if len(found.along) > _MOST_NAMED:
                out.print(f"and {len(found.along) - _MOST_NAMED:,} more units go along")
            if dry_run:
                seen = preview(session, found.plan, today)
                out.print(
                    f"{len(seen.ends):,} units end, {len(seen.begins):,} begin, "
                    f"{len(seen.points):,} survey points move or close; nothing was changed"
                )
                return
            with progress() as bar:
                task = bar.add_task("Units", total=None)
                done = service.carry_out(
                    session, found.plan, name=country.NAME, decision=country.DECISION, today=today,
                    tell=lambda n, total: bar.update(task, completed=n, total=total),
                )  # fmt: skip
    except WrongTable as wrong:
        file = country.FOLDER / f"{country.DAY}.csv"
        raise refused_table(wrong, file, "nothing was changed") from wrong
    except Problem as problem:
        raise Refused(problem.detail("en")) from problem
    out.print(f"carried out as no. {done.id}; what undoes it: hailong reform undo {done.id}")


def _tell_names(found: country.Selection, accepted: bool) -> None:
    for each in found.other_names[:_MOST_NAMED]:
        out.print(f"{each.code} is called {each.name} here, {each.expected} in the list")
    for each in found.other_kinds[:_MOST_NAMED]:
        out.print(
            f"{each.code} is taken for {each.expected} of the list, though it is called "
            f"{each.name} here: nothing else in its province is called so"
        )
    if len(found.other_kinds) > _MOST_NAMED:
        out.print(f"and {len(found.other_kinds) - _MOST_NAMED:,} more with another word in front")
    if found.other_names and not accepted:
        raise OtherNames(count=len(found.other_names))
