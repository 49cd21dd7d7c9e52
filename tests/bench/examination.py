"""The nightly examination of all responses, at one million and at ten: seconds, and memory.

The command that a server's schedule runs, as a process of its own on one core, over twelve months
of honest answers of a province: read, marked, habits learnt and written, weighed. The rule sets
nothing aside here: what is drawn has no cells.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sqlalchemy import select

from app.clock import local_today
from app.db import Database
from app.demonstration import province
from app.integrity.passes import latest_months
from app.integrity.rules import named, set_rule
from app.registry.models import Channel, Unit, UnitKind
from app.registry.questionnaires import Published, versions_of
from app.settings import Settings
from app.setup import prepare
from tests.server import ROOT

SIZES = tuple(
    int(size) for size in os.environ.get("HAILONG_BENCH_EXAMINED", "1000000,10000000").split(",")
)
MONTHS = 12
CHUNK = 100_000
_COLUMNS = (
    "id", "point_id", "unit_id", "version_id", "channel", "day", "answered_at", "claimed_at",
    "received_at", "duration_s", "language", "disposition", "packed", "partial", "credential_id",
)  # fmt: skip
#: Runs a command, and says the most memory that it held, as the system has it of this program:
#: ``getrusage`` counts from before a process became another one, and may say the bench's own peak.
MEASURED = """
import sys
from pathlib import Path
from app.cli import main
try:
    main()
finally:
    held = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    print("peak", held.split()[0], file=sys.stderr)
"""


def main(out: Console) -> None:
    """Run and print each size."""
    took: list[tuple[float, float]] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            url = f"sqlite:///{Path(name) / 'bench.db'}"
            draw(url, size)
            seconds, peak, said = _examine(url)
        took.append((seconds, peak))
        out.print(
            f"examination of {size:>10,} responses in {MONTHS} months: {seconds:6.1f} s "
            f"({size / seconds:,.0f}/s), {peak:.0f} MB at most; {said}"
        )
    if len(took) > 1:
        (_, first), *_, (_, last) = took
        out.print(
            f"            memory at {SIZES[-1] // SIZES[0]} times as many: {last / first:.2f}"
        )


def _examine(url: str) -> tuple[float, float, str]:
    """Seconds and MB of examining, and what it said."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "integrity", "examine", "--months", str(MONTHS + 1)],
        cwd=ROOT,
        env=os.environ | {"HAILONG_DATABASE_URL": url, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - began
    peak = next(line for line in done.stderr.splitlines() if line.startswith("peak"))
    return seconds, int(peak.split()[1]) / 1024, done.stdout.strip().splitlines()[-1]


def draw(url: str, size: int) -> None:
    """Found a province, put the rule in force, and draw answers of its desks over the months."""
    settings = Settings()
    with closing(Database(url)) as database:
        prepare(database, settings)
        with database.writing() as session:
            province.found(session, province.OF_2020)
            rule = named(session, "stuffing")
            flagging = rule.rule.model_copy(update={"quarantine": None})
            set_rule(session, rule.name, flagging, active=True, by="bench")
        with database.reading() as session:
            (version,) = versions_of(session, "sipas-desk")
            kinds = (UnitKind.AGENCY, UnitKind.DISTRICT, UnitKind.COMMUNE)
            units = list(session.scalars(select(Unit.id).where(Unit.kind.in_(kinds))))
    # Months that are over: of the running one some days are still to come, and a server that finds
    # answers of these doubts its clock.
    months = latest_months(local_today(settings.zone), MONTHS + 1)[:-1]
    rng = np.random.default_rng(2021)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for i, month in enumerate(months):
            n = size // MONTHS + (size % MONTHS if i == 0 else 0)
            for start in range(0, n, CHUNK):
                _insert(connection, rng, version, np.array(units), month, min(CHUNK, n - start))
        connection.commit()


def _insert(
    connection: sqlite3.Connection, rng: np.random.Generator, version: Published,
    units: NDArray[np.int64], month: date, n: int,
) -> None:  # fmt: skip
    """Answers within opening hours of the working days of a month, at kiosks and by QR codes."""
    days = np.arange(np.datetime64(month, "D"), np.datetime64(month, "D") + 28)
    days = days[np.is_busday(days)]
    day = np.sort(days[rng.integers(0, len(days), n)])
    # Local hours from half past seven to five o'clock, in seconds since 1970, UTC.
    answered = day.astype("datetime64[s]").astype(np.int64) + (rng.random(n) * 9.5 + 0.5) * 3600
    answered = np.sort(answered)
    unit = units[rng.integers(0, len(units), n)].tolist()
    kiosk = rng.random(n) < 0.6
    duration = np.exp(rng.normal(4.4, 0.45, n)).astype(int) + 15
    rated = [column.offset for column in version.sheet.columns if column.item.kind == "rated"]
    felt = rng.normal(1.0, 1.0, (n, 1)) + rng.normal(0.0, 0.8, (n, len(rated)))
    packed = np.zeros((n, version.sheet.width), dtype=np.uint8)
    packed[:, rated] = np.searchsorted([-2.4, -1.4, -0.5, 1.2], felt) + 1
    raw, width = packed.tobytes(), version.sheet.width
    random = rng.bytes(10 * n).hex()
    micro = (answered * 1e6).astype(np.int64)
    rows = (
        (
            f"{moment // 1000:012x}7{random[20 * k + 1 : 20 * k + 4]}"
            f"8{random[20 * k + 5 : 20 * k + 20]}",
            at, at, version.id, channel, str(on), moment, moment, moment + 2_000_000, lasted,
            "vi", "counted", raw[k * width : (k + 1) * width], 0,
            at if channel is Channel.KIOSK else None,
        )
        for k, (moment, at, channel, on, lasted) in enumerate(
            zip(
                micro.tolist(),
                unit,
                [Channel.KIOSK if at else Channel.QR for at in kiosk.tolist()],
                day.tolist(),
                duration.tolist(),
                strict=True,
            )
        )
    )  # fmt: skip
    marks = ", ".join("?" * len(_COLUMNS))
    connection.executemany(f"INSERT INTO response ({', '.join(_COLUMNS)}) VALUES ({marks})", rows)
