"""Single responses out as Parquet, beside DuckDB's copy of the same rows from Parquet to Parquet.

``hailong export`` reads the table, makes ids, days, units and answers of it, and writes folders of
Parquet; DuckDB reads these and writes one file with the same compression. One thread each, in
turns. What the command holds in memory is measured in a process of its own, at ten times as many.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from rich.console import Console

from app.access.callers import owner
from app.db import Database
from app.export.folder import export_to_folder
from app.export.formats import Format
from app.export.selection import Wish
from app.settings import Settings
from tests.bench.examination import MEASURED, draw
from tests.server import ROOT

SIZES = tuple(
    int(size) for size in os.environ.get("HAILONG_BENCH_EXPORTED", "1000000,10000000").split(",")
)
ROUNDS = int(os.environ.get("HAILONG_BENCH_ROUNDS", "5"))
FORM = "sipas-desk"


def main(out: Console) -> None:
    """Run and print: the pairs at the first size, memory at all."""
    peaks = []
    for n, size in enumerate(SIZES):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            url = f"sqlite:///{folder / 'bench.db'}"
            draw(url, size)
            if n == 0:
                _compare(out, url, folder, size)
            peaks += [_held(out, url, folder, size, form) for form in (Format.PARQUET, Format.CSV)]
    if len(SIZES) > 1:
        ratios = [last / first for first, last in zip(peaks[:2], peaks[-2:], strict=True)]
        out.print(
            f"           memory at {SIZES[-1] // SIZES[0]} times as many: "
            f"{ratios[0]:.2f} (Parquet), {ratios[1]:.2f} (CSV)"
        )


def _compare(out: Console, url: str, folder: Path, size: int) -> None:
    pa.set_cpu_count(1)
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    with closing(Database(url)) as database:
        wish, parts = Wish(FORM), folder / "out"

        def ours() -> None:
            shutil.rmtree(parts, ignore_errors=True)
            export_to_folder(
                database, Settings(database_url=url), owner("bench"), wish, Format.PARQUET, parts,
                "vi", datetime.now(UTC),
            )  # fmt: skip

        def theirs() -> None:
            connection.execute(
                f"COPY (SELECT * FROM '{parts}/responses-0001/*.parquet') "
                f"TO '{folder / 'copy.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
            )

        pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(ROUNDS)]
    copied = connection.sql(f"SELECT count(*) FROM '{folder / 'copy.parquet'}'").fetchall()
    if copied != [(size,)]:
        raise SystemExit(f"{copied} rows of {size} were copied")
    mine, others = (statistics.median(each) for each in zip(*pairs, strict=True))
    ratios = [theirs / ours for ours, theirs in pairs]
    out.print(
        f"export of {size:>10,} responses, Parquet: {mine:.2f} s ({size / mine:,.0f}/s), DuckDB's "
        f"copy {others:.2f} s: {statistics.median(ratios):.2f} times its speed "
        f"({min(ratios):.2f}–{max(ratios):.2f}, {ROUNDS} pairs)"
    )


def _held(out: Console, url: str, folder: Path, size: int, form: Format) -> float:
    """MB that the command held at most."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "export", FORM, "--format", form.value,
         "--folder", str(folder / form.value)],
        cwd=ROOT,
        env=os.environ | {"HAILONG_DATABASE_URL": url, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    peak = next(line for line in done.stderr.splitlines() if line.startswith("peak"))
    megabytes = int(peak.split()[1]) / 1024
    out.print(
        f"export of {size:>10,} responses, command, {form.value:>7}: {seconds:6.1f} s, "
        f"{megabytes:.0f} MB at most"
    )
    return megabytes


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
