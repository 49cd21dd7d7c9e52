"""Durable responses a second over HTTP, as ratios to an empty endpoint that validates the same, and
to the service as it was before its intake was made faster.

One server process; where the machine has two processors it has one to itself, and the load
generator (and PostgreSQL) the other, for the baseline too. Bodies are one-stop forms of 22 rated
items and one choice, from 64 devices at as many communes, each device with its credential.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from sqlalchemy import text

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
from tests.bench.before import before
from tests.databases import BACKENDS, PostgresServer, address
from tests.server import ROOT, ServerProcess

CONNECTIONS = 64
BATCH = 100
SECONDS = float(os.environ.get("HAILONG_BENCH_SECONDS", "4"))
ROUNDS = int(os.environ.get("HAILONG_BENCH_ROUNDS", "5"))
#: Requests made ahead for each second, in the first round; a server that answers more of them is
#: done earlier. Later rounds make three times what was answered.
MOST_SINGLE, MOST_BATCHES = 24_000, 1_200

#: A file that came with the faster intake: the commit before it is the second baseline. Of another
#: file it is told what that change costs, as of analysis/integrity.py the search for stuffing.
BROUGHT_WITH = os.environ.get("HAILONG_BENCH_BEFORE", "app/intake/decoding.py")

Device = tuple[str, str]


def main(out: Console) -> None:
    """Run and print both stores."""
    cores = sorted(os.sched_getaffinity(0))
    server_cores, our_cores = ({cores[0]}, set(cores[1:])) if len(cores) > 1 else (set(cores),) * 2
    os.sched_setaffinity(0, our_cores)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(closing(PostgresServer(durable=True)))
        old = stack.enter_context(before(BROUGHT_WITH))
        if old is None:
            out.print("without the commit before: git knows none here")
        _run(out, folder, postgres, old, server_cores, our_cores)


def _run(
    out: Console,
    folder: Path,
    postgres: PostgresServer,
    old: Path | None,
    server_cores: set[int],
    our_cores: set[int],
) -> None:
    def started(url: str, log: str, **more: Any) -> ServerProcess:
        os.sched_setaffinity(0, server_cores)
        server = ServerProcess(url, folder / log, **more)
        os.sched_setaffinity(0, our_cores)
        return server.wait_until_ready()

    empty = started("sqlite://", "empty.log", command=("tests.bench.empty",))
    for backend in BACKENDS:
        contenders: list[_Contender] = [_Contender("empty endpoint", empty, [])]
        urls = []
        for name, root in (("before", old), ("durable", ROOT)):
            if root is None:
                continue
            url = f"sqlite:///{folder / f'{name}.db'}"
            if backend == "postgresql":
                url = address(postgres.create())
            devices = _devices_of(root, url)
            # A thousand times as fast as people answer: counted all the same, and never refused.
            # Nor does what draws charts load in the midst of the first round, which the commit
            # before had not: it knows no such setting, and a server does it once.
            more = {"charts_ready_s": 0} if root is ROOT else {}
            server = started(url, f"{name}.log", root=root, device_rate="9000000/hour", **more)
            contenders.append(_Contender(name, server, devices))
            urls.append(url)
        out.print(f"{backend:11} {durability(urls[-1])}")
        try:
            _compare(out, backend, contenders)
        finally:
            for each in contenders[1:]:
                each.server.stop()
        check(out, urls[-1])
    empty.stop()


@dataclass(frozen=True)
class _Contender:
    """A server and the devices that it knows; the empty one takes anybody's."""

    name: str
    server: ServerProcess
    devices: list[Device]


def _devices_of(root: Path, url: str) -> list[Device]:
    """The devices of a new database of a checkout's own."""
    code = (
        "import json, sys; from tests.bench import intake; "
        "made = getattr(intake, 'devices_of', None) or intake._devices; "
        "print(json.dumps(made(sys.argv[1])))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, url], cwd=root, check=True, capture_output=True, text=True
    )
    return [(secret, point) for secret, point in json.loads(ran.stdout.splitlines()[-1])]


def devices_of(url: str) -> list[Device]:
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


def _compare(out: Console, backend: str, contenders: list[_Contender]) -> None:
    """Each kind of request in rounds; in each round all contenders, in another order."""
    ours = contenders[-1]
    for name, most, make, path in (
        ("single posts", MOST_SINGLE, _single, "/one"),
        (f"batches of {BATCH}", MOST_BATCHES, _batch, "/batch"),
    ):
        rates: dict[str, list[float]] = {each.name: [] for each in contenders}
        cpu: dict[str, list[float]] = {each.name: [] for each in contenders}
        for turn in range(ROUNDS):
            for each in contenders if turn % 2 else contenders[::-1]:
                where = "/api/v1/responses" if each.devices else path
                enough = min(most, 3 * max(rates[each.name], default=most)) * SECONDS
                requests = deque(make(each.devices or ours.devices, where, int(enough)))
                process = psutil.Process(each.server.process.pid)
                began = sum(process.cpu_times()[:2])
                ran = load.run(each.server.port, requests, connections=CONNECTIONS, seconds=SECONDS)
                rates[each.name].append(ran.per_second)
                cpu[each.name].append((sum(process.cpu_times()[:2]) - began) / ran.requests)
        for other in contenders[:-1]:
            ratios = [a / b for a, b in zip(rates[ours.name], rates[other.name], strict=True)]
            costs = [a / b for a, b in zip(cpu[ours.name], cpu[other.name], strict=True)]
            out.print(
                f"{backend:11} {name:15} {other.name} "
                f"{statistics.median(rates[other.name]):7,.0f}/s, "
                f"durable {statistics.median(rates[ours.name]):7,.0f}/s, "
                f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}, "
                f"{ROUNDS} rounds), its processor time a request {statistics.median(costs):.2f} "
                f"({min(costs):.2f}–{max(costs):.2f})"
            )


_rng = np.random.default_rng(1)


def body(point: str) -> dict[str, object]:
    """A form of a desk, without a comment."""
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
        load.request(path, json.dumps(body(code)).encode(), secret)
        for secret, code in (devices[i % len(devices)] for i in range(count))
    ]


def _batch(devices: list[Device], path: str, count: int) -> list[bytes]:
    return [
        load.request(
            path,
            json.dumps({"responses": [body(code) for _ in range(BATCH)]}).encode(),
            secret,
        )
        for secret, code in (devices[i % len(devices)] for i in range(count))
    ]


def durability(url: str) -> str:
    """What a commit waits for, as the store itself says; a store that waits for nothing ends it."""
    with closing(Database(url)) as database, database.writing() as session:
        if database.locks_whole_database:
            return f"synchronous={session.scalar(text('PRAGMA synchronous'))} (2 is FULL)"
        asked = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        said = {name: str(session.scalar(text(f"SHOW {name}"))) for name in asked}
    if "off" in said.values():
        raise SystemExit(f"not durable: {said}")
    return ", ".join(f"{name}={value}" for name, value in said.items())


def check(out: Console, url: str) -> None:
    """What was acknowledged is there, and cells equal their recount."""
    with closing(Database(url)) as database:
        with database.reading() as session:
            stored = count_responses(session)
        differing = verify(database)
    if differing:
        raise SystemExit(f"{len(differing)} cells differ from their recount")
    out.print(f"            {stored:,} responses stored, all cells equal their recount")
