"""The first page of the dashboard, at one million responses and at ten.

A real server for each, SQLite, twelve months of a province's desks, cells recounted by the command
that operators have. Before each page the figures' version is raised, as every response that comes
in raises it: nothing that was computed before is used. What counts is the server's processor time.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import psutil
from rich.console import Console

from app.access import accounts, sessions
from app.access.roles import Role
from app.db import Database
from app.intake.rollup_rebuild import rebuild
from app.rollups.version import raise_version
from app.settings import Settings
from tests.bench.examination import draw
from tests.server import ServerProcess

SIZES = tuple(
    int(size) for size in os.environ.get("HAILONG_BENCH_SHOWN", "1000000,10000000").split(",")
)
ROUNDS = 9
PAGE = "/dashboard/overview"


def main(out: Console) -> None:
    """Run and print each size, and their ratio."""
    with ExitStack() as stack:
        shown = [
            _Shown.of(stack, Path(stack.enter_context(tempfile.TemporaryDirectory())), size)
            for size in SIZES
        ]
        for each in shown:
            each.load()
        rounds = [
            [each.take() for each in (shown if turn % 2 else shown[::-1])][:: 1 if turn % 2 else -1]
            for turn in range(ROUNDS)
        ]
    for size, took in zip(SIZES, zip(*rounds, strict=True), strict=True):
        out.print(
            f"the dashboard's first page at {size:>10,} responses: {statistics.median(took):.3f} s "
            f"of processor time ({min(took):.3f}–{max(took):.3f})"
        )
    ratios = [took[-1] / took[0] for took in rounds]
    out.print(
        f"            ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f}–{max(ratios):.2f}, {ROUNDS} pairs)"
    )


@dataclass(frozen=True)
class _Shown:
    """A server, its database, and the browser of somebody who has signed in there."""

    database: Database
    process: psutil.Process
    client: httpx.Client

    @classmethod
    def of(cls, stack: ExitStack, folder: Path, size: int) -> _Shown:
        url = f"sqlite:///{folder / 'bench.db'}"
        draw(url, size)
        database = stack.enter_context(closing(Database(url)))
        rebuild(database)
        with database.writing() as session:
            account = accounts.add(session, "an@tinh.vn", "An")
            accounts.grant(session, account, Role.PROVINCIAL_ANALYST, None, None)
            token = sessions.begin(session, account, "bench", Settings(), by="bench")
        server = ServerProcess(url, folder / "server.log")
        stack.callback(server.stop)
        server.wait_until_ready()
        cookies = {Settings().session_cookie: token}
        client = httpx.Client(base_url=server.address, cookies=cookies, timeout=300)
        return cls(
            database, psutil.Process(server.process.pid), stack.enter_context(closing(client))
        )

    def load(self) -> None:
        """Have the process load what it loads once; who is told to come again meanwhile does."""
        busy = HTTPStatus.SERVICE_UNAVAILABLE
        while self.client.get(PAGE, follow_redirects=True).status_code == busy:
            time.sleep(2)

    def take(self) -> float:
        """Processor seconds of the page, once figures have changed."""
        with self.database.writing() as session:
            raise_version(session)
        began = sum(self.process.cpu_times()[:4])
        page = self.client.get(PAGE, follow_redirects=True).raise_for_status().text
        if "<svg" not in page and "chart" not in page:
            raise SystemExit(f"the page shows no figures: {page[:500]}")
        return sum(self.process.cpu_times()[:4]) - began
