"""The rates of all units over a year, from cells over HTTP, beside DuckDB over raw answers.

The same answers are put into cells (SQLite, in a real server) and, one row a respondent, into
Parquet. DuckDB computes the sums that the intervals need; the server's answer has the intervals
too. Both use one thread, as one server process does.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import duckdb
import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.console import Console
from sqlalchemy import Table, select

from app.access import credentials
from app.access.models import Right
from app.db import Database, bulk
from app.demonstration import province
from app.registry.models import Unit, UnitKind
from app.registry.questionnaires import Published, versions_of
from app.rollups.cells import Cells, layout_of
from app.rollups.conduct import conduct_of
from app.rollups.models import RollupCell
from app.settings import Settings
from app.setup import prepare
from tests.server import ServerProcess

SIZES = (1_000_000, 10_000_000)
DAYS = 365
LAST = date(2026, 10, 31)
FIRST = LAST - timedelta(days=DAYS - 1)
CHUNK = 500_000
ROUNDS = 9


def main(out: Console) -> None:
    """Run and print both sizes."""
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            _compare(out, Path(name), size)


def _compare(out: Console, folder: Path, size: int) -> None:
    url = f"sqlite:///{folder / 'bench.db'}"
    with closing(Database(url)) as database:
        prepare(database, Settings())
        with database.writing() as session:
            province.found(session, province.OF_2020)
            secret = credentials.issue(session, "bench", [Right.READ_FIGURES])
        with database.reading() as session:
            (version,) = versions_of(session, "sipas-desk")
            kinds = (UnitKind.AGENCY, UnitKind.DISTRICT, UnitKind.COMMUNE)
            units = list(session.scalars(select(Unit.id).where(Unit.kind.in_(kinds))))
        parquet = folder / "answers.parquet"
        _write(database, parquet, version, units, size)
    server = ServerProcess(url, folder / "server.log").wait_until_ready()
    try:
        with httpx.Client(
            base_url=server.address, headers={"Authorization": f"Bearer {secret}"}, timeout=60
        ) as client:
            ask = {
                "questionnaire": "sipas-desk",
                "by": "unit",
                "from": str(FIRST),
                "to": str(LAST),
                "descendants": "false",
            }

            def from_cells() -> dict[str, Any]:
                answer = client.get("/api/v1/satisfaction", params=ask).raise_for_status()
                return cast(dict[str, Any], answer.json())

            connection = duckdb.connect()
            connection.execute("SET threads = 1")
            statement = _statement(version, parquet)

            def from_answers() -> list[tuple[Any, ...]]:
                return connection.execute(statement).fetchall()

            _check(from_cells(), from_answers(), size)
            ours, theirs = _paired(from_cells, from_answers)
    finally:
        server.stop()
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    out.print(
        f"{len(units)} units, one year, {size:>10,} responses: cells over HTTP "
        f"{statistics.median(ours):.3f} s, DuckDB over Parquet {statistics.median(theirs):.3f} s, "
        f"{statistics.median(ratios):.1f} times faster ({min(ratios):.1f}–{max(ratios):.1f}, "
        f"{ROUNDS} pairs)"
    )


def _paired(
    first: Callable[[], object], second: Callable[[], object]
) -> tuple[list[float], list[float]]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for kept, call in zip(times, (first, second), strict=True):
            began = time.perf_counter()
            call()
            kept.append(time.perf_counter() - began)
    return times


def _write(
    database: Database, parquet: Path, version: Published, units: list[int], size: int
) -> None:
    """Draw answers and put them into cells and into Parquet."""
    rng = np.random.default_rng(2020)
    layout, sheet = layout_of(version), version.sheet
    rated = [column for column in sheet.columns if column.item.kind == "rated"]
    cells = layout.empty(len(units) * DAYS)
    schema = pa.schema(
        [("unit_id", pa.int32()), ("day", pa.date32())]
        + [(column.item.code, pa.uint8()) for column in rated]
    )
    with pq.ParquetWriter(parquet, schema) as writer:
        for start in range(0, size, CHUNK):
            n = min(CHUNK, size - start)
            unit, day = rng.integers(0, len(units), n), rng.integers(0, DAYS, n)
            felt = rng.normal(1.0, 1.0, (n, 1)) + rng.normal(0.0, 0.8, (n, len(rated)))
            levels = (np.searchsorted([-2.4, -1.4, -0.5, 1.2], felt) + 1).astype(np.uint8)
            levels[rng.random((n, len(rated))) < 0.04] = 255
            records, cell_of = _records(sheet.width, rated, levels), unit * DAYS + day
            said = [conduct_of(None, False, "vi")] * n
            _add(cells, layout.tally(records, cell_of, len(cells), said))
            epoch = np.datetime64(FIRST)
            columns: list[NDArray[Any]] = [
                np.array(units, dtype=np.int32)[unit],
                epoch + day.astype("timedelta64[D]"),
            ]
            writer.write_table(pa.table([*columns, *levels.T], schema=schema))
    names = ("day", "unit_id", "version_id", "channel", "packed")
    rows = [
        (FIRST + timedelta(days=d), id, version.id, "qr", cells[u * DAYS + d].tobytes())
        for u, id in enumerate(units)
        for d in range(DAYS)
    ]
    with database.writing() as session:
        bulk.replace(session.connection(), cast(Table, RollupCell.__table__), names, rows)


def _records(width: int, rated: list[Any], levels: NDArray[np.uint8]) -> list[bytes]:
    raw = np.zeros((len(levels), width), dtype=np.uint8)
    raw[:, [column.offset for column in rated]] = levels
    joined = raw.tobytes()
    return [joined[i : i + width] for i in range(0, len(joined), width)]


def _add(total: Cells, more: Cells) -> None:
    for name in total.dtype.names or ():
        total[name] += more[name]


def _statement(version: Published, parquet: Path) -> str:
    codes = [item.code for f in version.form.index_factors for item in version.form.index_items(f)]
    m = " + ".join(f"({code} BETWEEN 1 AND 5)::INT" for code in codes)
    a = " + ".join(f"({code} BETWEEN 4 AND 5)::INT" for code in codes)
    return f"""
        WITH respondent AS (
            SELECT unit_id, {m} AS m, {a} AS a FROM '{parquet}'
            WHERE day BETWEEN DATE '{FIRST}' AND DATE '{LAST}')
        SELECT unit_id, count(*) FILTER (m > 0), sum(a), sum(m), sum(a * a), sum(a * m), sum(m * m)
        FROM respondent GROUP BY unit_id"""


def _check(ours: dict[str, Any], theirs: list[tuple[Any, ...]], size: int) -> None:
    """The two answers agree."""
    rows = [row for row in ours["rows"] if row["respondents"]]
    by_cells = sorted((row["respondents"], row["answers"]) for row in rows)
    by_duckdb = sorted((n, int(m)) for _, n, _, m, *_ in theirs)
    if by_cells != by_duckdb or sum(n for n, _ in by_cells) > size:
        raise SystemExit("the two ways differ")
