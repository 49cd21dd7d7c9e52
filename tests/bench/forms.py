"""The citizen's form as it is opened, a second: beside an empty template of Starlette's.

One server process on one core, the load generator on the other; forms of 22 rated items at 64
points, packed as a browser takes them, over 64 connections.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections import deque
from pathlib import Path

import psutil
from rich.console import Console

from tests.bench import load
from tests.bench.intake import CONNECTIONS, ROUNDS, SECONDS, devices_of
from tests.server import ServerProcess

MOST = 20_000


def main(out: Console) -> None:
    """Run and print."""
    cores = sorted(os.sched_getaffinity(0))
    server_cores, our_cores = ({cores[0]}, set(cores[1:])) if len(cores) > 1 else (set(cores),) * 2
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'bench.db'}"
        codes = [point for _, point in devices_of(url)]
        os.sched_setaffinity(0, server_cores)
        empty = ServerProcess(
            "sqlite://", Path(name) / "empty.log", command=("tests.bench.template",)
        )
        form = ServerProcess(url, Path(name) / "form.log", charts_ready_s=0)
        os.sched_setaffinity(0, our_cores)
        contenders = (
            (empty.wait_until_ready(), [f"/page/{code}" for code in codes]),
            (form.wait_until_ready(), [f"/q/{code}" for code in codes]),
        )
        try:
            rates: list[tuple[float, ...]] = []
            cpu: list[tuple[float, ...]] = []
            for turn in range(ROUNDS):
                ran = {
                    id(server): _run(server, paths)
                    for server, paths in (contenders if turn % 2 else contenders[::-1])
                }
                rates.append(tuple(ran[id(server)][0] for server, _ in contenders))
                cpu.append(tuple(ran[id(server)][1] for server, _ in contenders))
        finally:
            empty.stop()
            form.stop()
    ratios, costs = [b / a for a, b in rates], [b / a for a, b in cpu]
    base, own = (statistics.median(column) for column in zip(*rates, strict=True))
    out.print(
        f"empty template {base:,.0f}/s, citizen's form {own:,.0f}/s, ratio "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}, {ROUNDS} rounds), "
        f"its processor time a page {statistics.median(costs):.2f} "
        f"({min(costs):.2f}–{max(costs):.2f})"
    )


def _run(server: ServerProcess, paths: list[str]) -> tuple[float, float]:
    """Pages a second, and processor time of the server for each."""
    requests = deque(load.opening(paths[i % len(paths)]) for i in range(int(MOST * SECONDS)))
    process = psutil.Process(server.process.pid)
    began = sum(process.cpu_times()[:2])
    ran = load.run(server.port, requests, connections=CONNECTIONS, seconds=SECONDS)
    return ran.per_second, (sum(process.cpu_times()[:2]) - began) / ran.requests
