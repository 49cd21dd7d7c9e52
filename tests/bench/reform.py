"""The whole country through 1 July 2025, beside importing its units: ``make bench``."""

from __future__ import annotations

import csv
import resource
import statistics
import tempfile
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from app.clock import local_today
from app.db import Database
from app.reform import service
from app.registry.reorganisation import country
from app.registry.structures import read_units
from app.registry.unit_import import add_units
from app.registry.unit_import import read_units as read_file
from app.settings import Settings
from app.setup import prepare
from tests.databases import BACKENDS, PostgresServer, address

ROUNDS = 3
#: As docs/reorganisations.md promises.
MOST = 3.0
SINCE = date(2024, 1, 1)


def main(out: Console) -> None:
    """Run and print both stores."""
    with tempfile.TemporaryDirectory() as name, closing(PostgresServer()) as postgres:
        file = _as_list(Path(name) / "units.csv")
        for backend in BACKENDS:
            pairs = []
            for number in range(ROUNDS):
                url = f"sqlite:///{name}/{number}.db"
                if backend == "postgresql":
                    url = address(postgres.create())
                pairs.append(_once(url, file))
            ratios = [plan / imported for imported, plan in pairs]
            imported, plan = (statistics.median(each) for each in zip(*pairs, strict=True))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            out.print(
                f"{backend:11} import {imported:5.1f} s, reform {plan:5.1f} s, "
                f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}, "
                f"{ROUNDS} pairs; at most {MOST:g}), {peak} MB at most"
            )


def _as_list(file: Path) -> Path:
    """The units of the day before in the columns of an import."""
    source = country.FOLDER / f"{country.DAY - timedelta(days=1)}-units.csv"
    with source.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    above = {row["code"]: row["parent"] for row in rows}
    kinds = {0: "province", 1: "district", 2: "commune"}

    def depth(code: str) -> int:
        return 1 + depth(above[code]) if above[code] else 0

    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("kind", "code", "name_vi", "parent_code"))
        writer.writerows(
            (kinds[depth(row["code"])], row["code"], row["name"], row["parent"]) for row in rows
        )
    return file


def _once(url: str, file: Path) -> tuple[float, float]:
    """Seconds of importing the units, and of the plan with reading and checking it."""
    settings = Settings(database_url=url)
    with closing(Database(url)) as database:
        prepare(database, settings)
        began = time.perf_counter()
        with database.writing("operator") as session:
            add_units(session, read_file(file, SINCE), file)
        imported = time.perf_counter()
        country.whole_plan.cache_clear()
        with database.writing("operator") as session:
            found = country.selected(read_units(session))
            service.carry_out(
                session, found.plan, name=country.NAME, decision=country.DECISION,
                today=local_today(settings.zone),
            )  # fmt: skip
        return imported - began, time.perf_counter() - imported
