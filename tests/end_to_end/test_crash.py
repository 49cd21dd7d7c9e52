"""SIGKILL under load: every acknowledged response is there, once, and cells equal a recount."""

import asyncio
import os
import random
import time

import httpx
import pytest
from sqlalchemy import select

from app.db import Database
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from tests.server import free_port
from tests.small_province import body

ROUNDS = int(os.environ.get("HAILONG_CRASH_ROUNDS", "2"))
CLIENTS = 24
URL = "/api/v1/responses"


class Client:
    """Posts without end; what it knows of each response when the server dies."""

    def __init__(self, headers, batch):
        self.headers, self.batch = headers, batch
        self.sent, self.acknowledged = {}, set()

    async def post(self, http):
        while True:
            bodies = [body() for _ in range(self.batch or 1)]
            self.sent |= {each["id"]: each for each in bodies}
            content = {"responses": bodies} if self.batch else bodies[0]
            try:
                answer = await http.post(URL, json=content, headers=self.headers)
            except httpx.TransportError:
                return
            assert answer.status_code in (200, 201), answer.text
            results = answer.json()["responses"] if self.batch else [answer.json()]
            assert all(result["status"] == "accepted" for result in results)
            self.acknowledged |= {result["id"] for result in results}


async def load_and_kill(server, clients):
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=server.address, limits=limits, timeout=20) as http:
        posting = [asyncio.create_task(client.post(http)) for client in clients]
        until = time.monotonic() + 20
        while sum(len(c.acknowledged) for c in clients) < 20 and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await asyncio.sleep(random.uniform(0.0, 0.6))
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*posting)


def send_again(server, clients):
    """What a client whose answer was lost does: the same bodies once more."""
    with httpx.Client(base_url=server.address, timeout=30) as http:
        for client in clients:
            unknown = [b for id, b in client.sent.items() if id not in client.acknowledged]
            for start in range(0, len(unknown), 500):
                part = {"responses": unknown[start : start + 500]}
                answer = http.post(URL, json=part, headers=client.headers)
                for result in answer.json()["responses"]:
                    assert result["status"] in ("accepted", "duplicate"), result


@pytest.mark.crash
@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_lost_and_nothing_counted_twice(serve, province, database_url):
    headers = [province.device(unit) for unit in ("A1", "D1", "C1")]
    port, sent = free_port(), set()
    for _ in range(ROUNDS):
        server = serve(port=port)
        clients = [Client(headers[i % 3], batch=7 if i % 4 == 0 else 0) for i in range(CLIENTS)]
        asyncio.run(load_and_kill(server, clients))
        acknowledged = set().union(*(client.acknowledged for client in clients))
        assert len(acknowledged) >= 20
        database = Database(database_url)
        with database.reading() as session:
            stored = list(session.scalars(select(Response.id)))
        assert acknowledged <= set(stored)
        assert len(stored) == len(set(stored))
        assert verify(database) == []

        again = serve(port=port)
        send_again(again, clients)
        again.stop()
        sent |= {id for client in clients for id in client.sent}
        with database.reading() as session:
            stored = list(session.scalars(select(Response.id)))
        assert sorted(stored) == sorted(sent)
        assert verify(database) == []
        database.close()
