"""What a comment of 200 signs costs the intake: masked before it is stored, its names encrypted.

Processor time of the server process a response, with a comment and without one, in turns, so that
what else the machine does weighs on both alike. PostgreSQL's own time is not counted.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import statistics
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rich.console import Console

from tests.bench import load
from tests.bench.intake import BATCH, SECONDS, Device, body, check, devices_of
from tests.databases import BACKENDS, PostgresServer, address
from tests.server import ROOT, ServerProcess

#: So few that nobody waits longer than the server waits for its store, on a busy machine too.
CONNECTIONS = 8
SIGNS = 200
PAIRS = int(os.environ.get("HAILONG_BENCH_ROUNDS", "5"))
#: Responses of a run for each second that one may last.
_SINGLE, _BATCHES = 600, 12
_TICKS = os.sysconf("SC_CLK_TCK")


def main(out: Console) -> None:
    """Run and print both stores."""
    with tempfile.TemporaryDirectory() as name, closing(PostgresServer(durable=True)) as postgres:
        folder = Path(name)
        for backend in BACKENDS:
            url = f"sqlite:///{folder / 'bench.db'}"
            if backend == "postgresql":
                url = address(postgres.create())
            devices = devices_of(url)
            server = ServerProcess(url, folder / "server.log", device_rate="9000000/hour")
            try:
                server.wait_until_ready()
                for batch, count in ((1, _SINGLE), (BATCH, _BATCHES)):
                    _compare(out, backend, server, devices, batch, int(count * SECONDS))
            finally:
                server.stop()
            check(out, url)


def _compare(
    out: Console, backend: str, server: ServerProcess, devices: list[Device], batch: int, count: int
) -> None:
    texts = _texts()
    _spent(server, _requests(devices, batch, count // 4, texts))  # what is loaded once is loaded
    pairs = []
    for _ in range(PAIRS):
        plain = _spent(server, _requests(devices, batch, count, None))
        commented = _spent(server, _requests(devices, batch, count, texts))
        pairs.append((plain / (count * batch), commented / (count * batch)))
    ratios = [commented / plain for plain, commented in pairs]
    plain, commented = (statistics.median(each) * 1e3 for each in zip(*pairs, strict=True))
    name = "single posts" if batch == 1 else f"batches of {batch}"
    out.print(
        f"{backend:11} {name:15} {plain:.2f} ms of the processor a response, with a comment of "
        f"{SIGNS} signs {commented:.2f} ms: {statistics.median(ratios):.2f} times "
        f"({min(ratios):.2f}–{max(ratios):.2f}, {PAIRS} pairs)"
    )


def _spent(server: ServerProcess, requests: deque[bytes]) -> float:
    """Seconds of the processor that the server spends on all requests."""
    before = _processor_s(server.process.pid)
    load.run(server.port, requests, connections=CONNECTIONS, seconds=3600)
    return _processor_s(server.process.pid) - before


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _texts() -> Iterator[str]:
    """Comments of so many signs, of lines by which the masker was tuned; none twice soon."""
    with (ROOT / "tests/masking/lines.tsv").open(encoding="utf-8") as stream:
        lines = [row["line"] for row in csv.DictReader(stream, delimiter="\t")]
    lines = [line for line in lines if 20 <= len(line) <= SIGNS]
    for step in itertools.count(1):
        for start in range(len(lines)):
            chosen = (lines[(start + step * n) % len(lines)] for n in range(20))
            yield " ".join(chosen)[:SIGNS]


def _requests(
    devices: list[Device], batch: int, count: int, texts: Iterator[str] | None
) -> deque[bytes]:
    made: deque[bytes] = deque()
    for secret, code in itertools.islice(itertools.cycle(devices), count):
        bodies = [body(code) for _ in range(batch)]
        for each in bodies if texts is not None else ():
            each["answers"] = {**each["answers"], "comment": next(texts)}  # type: ignore[dict-item]
        sent = bodies[0] if batch == 1 else {"responses": bodies}
        made.append(load.request("/api/v1/responses", json.dumps(sent).encode(), secret))
    return made
