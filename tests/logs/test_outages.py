"""A database that goes away six times under load leaves some dozens of lines, not thousands."""

import asyncio
import json
import time
from collections import Counter
from contextlib import closing

import httpx
import pytest
from sqlalchemy.engine import make_url

from app.access.models import Right
from app.db import Database
from tests.databases import address
from tests.server import ServerProcess
from tests.small_province import SmallProvince, body

OUTAGES, OUTAGE_S, BETWEEN_S = 6, 1.0, 1.0
CLIENTS = 16


class Gate:
    """Stands before PostgreSQL's socket; while it is shut, connections break and are refused."""

    def __init__(self, socket_file):
        self._socket_file = socket_file
        self._writers, self._tasks, self.port = set(), set(), 0

    async def open(self):
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self):
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _join(self, reader, writer):
        there, back = await asyncio.open_unix_connection(self._socket_file)
        ends = {writer, back}
        self._writers |= ends
        try:
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        finally:
            self._writers -= ends

    async def _pass_on(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


async def load(server, headers, code, seen):
    """Posts and reads of several sorts, without end."""
    paths = ["/readyz", f"/q/{code}", "/api/v1/rates?period=2026-10", "/api/v1/units", "/"]
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=server.address, timeout=30, limits=limits) as http:

        async def one(n):
            at = n
            while True:
                at += 1
                try:
                    if at % 3:
                        answer = await http.post(
                            "/api/v1/responses", json=body(), headers=headers["device"]
                        )
                    else:
                        answer = await http.get(paths[at % len(paths)], headers=headers["reader"])
                    seen[answer.status_code] += 1
                except httpx.TransportError:
                    seen["broken"] += 1
                await asyncio.sleep(0.005)

        await asyncio.gather(*(one(n) for n in range(CLIENTS)))


async def taken_again(seen):
    """Wait for a post that is stored: a busy machine needs longer than an outage to come back."""
    stored, until = seen[201], time.monotonic() + 60
    while seen[201] == stored and time.monotonic() < until:
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_six_outages_leave_dozens_of_lines_and_a_path_a_kind(database_url, tmp_path):
    url = make_url(database_url)
    with closing(Database(database_url)) as database:
        province = SmallProvince.found(database)
        headers = {
            "device": province.device(), "reader": province.credential(Right.READ_FIGURES),
        }  # fmt: skip
    log, seen = tmp_path / "server.log", Counter()

    async def run():
        gate = Gate(f"{url.query['host']}/.s.PGSQL.5432")
        await gate.open()
        through = address(
            url.set(host="127.0.0.1", port=gate.port).difference_update_query(["host"])
        )
        server = await asyncio.to_thread(
            lambda: ServerProcess(through, log, cache_s=0).wait_until_ready()
        )
        try:
            posting = asyncio.create_task(
                load(server, headers, province.points[("C1", "sipas-desk")], seen)
            )
            await taken_again(seen)
            for _ in range(OUTAGES):
                await asyncio.sleep(BETWEEN_S)
                await gate.shut()
                await asyncio.sleep(OUTAGE_S)
                await gate.open()
                await taken_again(seen)
            posting.cancel()
        finally:
            await asyncio.to_thread(server.stop)
            await gate.shut()

    asyncio.run(run())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    failures = [line for line in lines if line["level"] in ("warning", "error")]
    paths = [(line["failure"], line["place"]) for line in lines if "traceback" in line]
    print(seen, len(lines), *map(json.dumps, failures), sep="\n")
    unanswered = sum(n for status, n in seen.items() if status == "broken" or status >= 500)
    assert unanswered > 20 and seen[201] > 0
    assert 1 < len(lines) < 60
    assert paths and len(paths) == len(set(paths)) < 12
    assert sum(line.get("times", 0) for line in failures) > 30  # counted, and told at the end
