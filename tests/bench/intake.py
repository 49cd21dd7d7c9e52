"""Durable responses a second over HTTP, as ratios to an empty endpoint that validates the same.

One server process; where the machine has two processors it has one to itself, and the load
generator (and PostgreSQL) the other, for the baseline too. Bodies are one-stop forms of 22 rated
items and one choice, from 64 devices at as many communes, each device with its credential.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections import deque
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console

from app.access import credentials
from app.access.models import Right
from app.db import Database
from app.demonstration import province
from app.intake.ids import made_uuid7
from app.intake.rollup_rebuild import count_responses, verify
from app.registry.points import find_by_code
from app.settings import Settings
from app.setup import prepare
from tests.bench import load
from tests.databases import BACKENDS, PostgresServer, address
from tests.server import ServerProcess

CONNECTIONS = 64
BATCH = 100
SECONDS = float(os.environ.get("HAILONG_BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("HAILONG_BENCH_ROUNDS", "5"))
#: Requests made ahead for each second; a server that answers more of them is done earlier.
MOST_SINGLE, MOST_BATCHES = 24_000, 1_200

Device = tuple[str, str]


def main(out: Console) -> None:
    """Run and print both stores."""
    cores = sorted(os.sched_getaffinity(0))
    server_cores, our_cores = ({cores[0]}, set(cores[1:])) if len(cores) > 1 else (set(cores),) * 2
    os.sched_setaffinity(0, our_cores)
    with tempfile.TemporaryDirectory() as name, closing(PostgresServer()) as postgres:
        folder = Path(name)
        os.sched_setaffinity(0, server_cores)
        empty = ServerProcess("sqlite://", folder / "empty.log", command=("tests.bench.empty",))
        os.sched_setaffinity(0, our_cores)
        empty.wait_until_ready()
        for backend in BACKENDS:
            url = f"sqlite:///{folder / 'bench.db'}"
            if backend == "postgresql":
                url = address(postgres.create())
            devices = _devices(url)
            os.sched_setaffinity(0, server_cores)
            # A thousand times as fast as people answer: counted all the same, and never refused.
            server = ServerProcess(url, folder / "server.log", device_rate="9000000/hour")
            os.sched_setaffinity(0, our_cores)
            try:
                server.wait_until_ready()
                _compare(out, backend, empty.port, server.port, devices)
            finally:
                server.stop()
            _check(out, url)
        empty.stop()


def _devices(url: str) -> list[Device]:
    """Secrets and public codes of 64 devices at desks of the demonstration province."""
    database = Database(url)
    prepare(database, Settings())
    with closing(database), database.writing() as session:
        province.found(session, province.OF_2020)
        points = [p for p in province.points(session) if p.questionnaire == "sipas-desk"]
        return [
            (
                credentials.issue(session, p.unit, [Right.SUBMIT], find_by_code(session, p.code)),
                p.code,
            )
            for p in points[-CONNECTIONS:]
        ]


def _compare(out: Console, backend: str, empty: int, ours: int, devices: list[Device]) -> None:
    for name, most, make in (
        ("single posts", MOST_SINGLE, _single),
        (f"batches of {BATCH}", MOST_BATCHES, _batch),
    ):
        path = "/one" if make is _single else "/batch"
        ratios, rates = [], []
        for _ in range(ROUNDS):
            count = int(most * SECONDS)
            pair = []
            for port, where in ((empty, path), (ours, "/api/v1/responses")):
                requests = deque(make(devices, where, count))
                pair.append(
                    load.run(port, requests, connections=CONNECTIONS, seconds=SECONDS).per_second
                )
            rates.append(pair)
            ratios.append(pair[1] / pair[0])
        base, own = (statistics.median(column) for column in zip(*rates, strict=True))
        out.print(
            f"{backend:11} {name:15} empty endpoint {base:7,.0f}/s, durable {own:7,.0f}/s, "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}, "
            f"{ROUNDS} pairs)"
        )


_rng = np.random.default_rng(1)


def _body(point: str) -> dict[str, object]:
    levels = _rng.integers(1, 6, 22).tolist()
    codes = [
        f"{f}{i}" for f, n in zip("ABCDE", (4, 5, 6, 3, 4), strict=True) for i in range(1, n + 1)
    ]
    now = datetime.now(UTC)
    return {
        "id": str(made_uuid7(now, _rng.bytes(10))),
        "questionnaire": "sipas-desk",
        "version": 2,
        "point": point,
        "answered_at": now.isoformat(),
        "duration_s": 75,
        "language": "vi",
        "answers": dict(zip(codes, levels, strict=True)) | {"trips": 1},
    }


def _single(devices: list[Device], path: str, count: int) -> list[bytes]:
    return [
        load.request(path, json.dumps(_body(code)).encode(), secret)
        for secret, code in (devices[i % len(devices)] for i in range(count))
    ]


def _batch(devices: list[Device], path: str, count: int) -> list[bytes]:
    return [
        load.request(
            path,
            json.dumps({"responses": [_body(code) for _ in range(BATCH)]}).encode(),
            secret,
        )
        for secret, code in (devices[i % len(devices)] for i in range(count))
    ]


def _check(out: Console, url: str) -> None:
    """What was acknowledged is there, and cells equal their recount."""
    with closing(Database(url)) as database:
        with database.reading() as session:
            stored = count_responses(session)
        differing = verify(database)
    if differing:
        raise SystemExit(f"{len(differing)} cells differ from their recount")
    out.print(f"            {stored:,} responses stored, all cells equal their recount")
