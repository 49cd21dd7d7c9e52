"""What the intake's slowest answers take while a hundred people sign in at once, beside without.

One server process on all processors, SQLite; devices send single responses over eight connections,
each when its last one was answered. Signing in is by wrong passwords of one account, so that each
is hashed and none begins a session.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
from rich.console import Console

from app.access import accounts
from app.access.roles import Role
from app.db import Database
from app.settings import Settings
from app.setup import prepare
from tests.server import ServerProcess
from tests.small_province import SmallProvince, body

ROUNDS = 5
SECONDS = 4.0
SENDERS = 8
PEOPLE = 100
EMAIL, PASSWORD = "an@tinh.vn", "bốn từ ngẫu nhiên đây"


def main(out: Console) -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'bench.db'}"
        secret = _province(url)
        server = ServerProcess(
            url,
            Path(name) / "server.log",
            device_rate="9000000/hour",
            sign_in_rate="9000000/hour",
            sign_in_account_rate="9000000/hour",
            sign_in_address_rate="9000000/hour",
        )
        server.wait_until_ready()
        try:
            pairs = [_pair(server.address, secret) for _ in range(ROUNDS)]
        finally:
            server.stop()
    alone, beside = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ratios = [pair[1] / pair[0] for pair in pairs]
    codes = sum((pair[2] for pair in pairs), Counter[int]())
    out.print(
        f"99 of 100 answers taken within: alone {statistics.median(alone) * 1000:.0f} ms, beside "
        f"{PEOPLE} who sign in at once {statistics.median(beside) * 1000:.0f} ms, ratio "
        f"{statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f}, {ROUNDS} pairs; "
        f"passwords looked at {codes[401]}, told to come again {codes[503]})"
    )


def _province(url: str) -> str:
    """The secret of a device at a desk of the small province, where somebody has an account."""
    with closing(Database(url)) as database:
        prepare(database, Settings())
        province = SmallProvince.found(database)
        with database.writing() as session:
            account = accounts.add(session, EMAIL, "An")
            accounts.grant(session, account, Role.OPERATOR, None, None)
            accounts.set_password(session, account, PASSWORD, PASSWORD)
        header = province.device()["Authorization"]
    return header.removeprefix("Bearer ")


def _pair(address: str, secret: str) -> tuple[float, float, Counter[int]]:
    """The 99th percentile of answers alone, then beside people who sign in, and their codes."""
    alone = asyncio.run(_percentile(address, secret))
    # In a process of their own, which steps back: people's browsers take nothing from a server.
    with ProcessPoolExecutor(1, initializer=os.nice, initargs=(19,)) as elsewhere:
        people = elsewhere.submit(_sign_in_at_once, address)
        time.sleep(1)
        beside = asyncio.run(_percentile(address, secret))
        return alone, beside, people.result()


def _sign_in_at_once(address: str) -> Counter[int]:
    """What a hundred people are answered, who try again when they are told to."""
    codes: Counter[int] = Counter()
    until = time.perf_counter() + 1.5 + SECONDS

    async def person(client: httpx.AsyncClient) -> None:
        while time.perf_counter() < until:
            answer = await client.post(
                "/sign-in", data={"email": EMAIL, "password": "sai mật khẩu rồi"}
            )
            codes[answer.status_code] += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", 0)))

    async def people() -> None:
        limits = httpx.Limits(max_connections=PEOPLE)
        async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client:
            await asyncio.gather(*(person(client) for _ in range(PEOPLE)))

    asyncio.run(people())
    return codes


async def _percentile(address: str, secret: str) -> float:
    took: list[float] = []
    until = time.perf_counter() + SECONDS
    headers = {"Authorization": f"Bearer {secret}"}

    async def sender(client: httpx.AsyncClient) -> None:
        while time.perf_counter() < until:
            began = time.perf_counter()
            answer = await client.post("/api/v1/responses", json=body(), headers=headers)
            took.append(time.perf_counter() - began)
            assert answer.status_code == 201, answer.text
            await asyncio.sleep(0.02)

    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        await asyncio.gather(*(sender(client) for _ in range(SENDERS)))
    return float(np.percentile(took, 99))
