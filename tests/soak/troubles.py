"""Each trouble of the drawn order: how it begins, and how it is over.

Disks are troubled at the system call (``strace`` answers writes as a full or read-only disk would,
or makes every flush wait), which needs no right of root and is what the database itself sees.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx

from tests.small_province import body
from tests.soak.clients import URL, Ledger
from tests.soak.world import World

STRACE = shutil.which("strace")
#: So long after a trouble a response must be taken again: once the database can be reached, and
#: once the command that starts a server is given.
RECOVERY_S, START_S = 10.0, 30.0

Begin = Callable[[World, random.Random], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Trouble:
    """One way to break the service: for how long, on which stores, with what."""

    name: str
    begin: Begin
    seconds: tuple[float, float] = (2, 7)
    stores: tuple[str, ...] = ("sqlite", "postgresql")
    needs: str | None = None
    #: So long after it a response is taken again at most, in seconds.
    recovers_in_s: float = RECOVERY_S

    @property
    def can_be_made(self) -> bool:
        """Whether this machine has what it needs."""
        return self.needs is None or shutil.which(self.needs) is not None


@asynccontextmanager
async def server_killed(world: World, draw: random.Random) -> AsyncIterator[None]:
    """SIGKILL; whoever watches over services starts it again after the trouble."""
    await asyncio.to_thread(world.kill_server)
    yield
    await asyncio.to_thread(world.start_server)


@asynccontextmanager
async def server_restarted(world: World, draw: random.Random) -> AsyncIterator[None]:
    """SIGTERM, as an update does it: it ends within the stated time."""
    await asyncio.to_thread(world.stop_server)
    yield
    await asyncio.to_thread(world.start_server)


@asynccontextmanager
async def database_killed(world: World, draw: random.Random) -> AsyncIterator[None]:
    """SIGKILL to all of PostgreSQL."""
    await asyncio.to_thread(world.postgres.kill)
    yield
    await asyncio.to_thread(world.postgres.start)


@asynccontextmanager
async def database_stopped(world: World, draw: random.Random) -> AsyncIterator[None]:
    """SIGSTOP: it takes connections and never answers."""
    world.postgres.freeze()
    try:
        yield
    finally:
        world.postgres.thaw()


@asynccontextmanager
async def connections_silent(world: World, draw: random.Random) -> AsyncIterator[None]:
    """What was connected is no longer forwarded, for good; new connections work."""
    world.proxy.go_silent()
    yield


@asynccontextmanager
async def connections_cut(world: World, draw: random.Random) -> AsyncIterator[None]:
    """All connections to the database are reset, and new ones refused for a while."""
    world.proxy.refuse()
    world.proxy.cut()
    yield
    world.proxy.resume()


@asynccontextmanager
async def database_read_only(world: World, draw: random.Random) -> AsyncIterator[None]:
    """PostgreSQL as a standby is: it reads, and refuses to write."""
    world.postgres.set("default_transaction_read_only", "on")
    try:
        yield
    finally:
        world.postgres.set("default_transaction_read_only", "off")


def _disk(calls: str, injection: str) -> Begin:
    @asynccontextmanager
    async def begin(world: World, draw: random.Random) -> AsyncIterator[None]:
        command = [str(STRACE), "-f", "-qq", "-o", "/dev/null"]
        for pid in world.pids_that_write():
            command += ["-p", str(pid)]
        command += ["-e", f"trace={calls}", "-e", f"inject={calls}:{injection}"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracing:
            try:
                yield
            finally:
                tracing.send_signal(signal.SIGINT)
                await asyncio.to_thread(tracing.wait, 30)
        # A database that ended over it is started again, as by whoever watches over services.
        await asyncio.to_thread(world.start_what_ended)

    return begin


@asynccontextmanager
async def clock_jumps(world: World, draw: random.Random) -> AsyncIterator[None]:
    """The server's calendar jumps, by an hour to some days, either way, and is set right."""
    world.set_clock(timedelta(hours=draw.choice((-1, 1)) * draw.uniform(1, 100)))
    try:
        yield
    finally:
        world.set_clock(timedelta(0))


@asynccontextmanager
async def overload(world: World, draw: random.Random) -> AsyncIterator[None]:
    """Many more clients than there is room for: large batches, and pages that cost much."""
    ending = asyncio.Event()
    async with httpx.AsyncClient(
        base_url=world.address, timeout=20, limits=httpx.Limits(max_connections=150)
    ) as http:
        crowd = [asyncio.create_task(_press(world, http, ending)) for _ in range(30)]
        crowd += [asyncio.create_task(_ask(world, http, ending)) for _ in range(30)]
        yield
        ending.set()
        await asyncio.gather(*crowd)


async def _press(world: World, http: httpx.AsyncClient, ending: asyncio.Event) -> None:
    ledger: Ledger = world.ledger
    while not ending.is_set():
        bodies = [body() for _ in range(300)]
        ledger.sent |= {each["id"] for each in bodies}
        try:
            answer = await http.post(URL, json={"responses": bodies}, headers=world.sender())
        except httpx.TransportError as error:
            ledger.answers[f"crowd {type(error).__name__}"] += 1
            await asyncio.sleep(0.2)
            continue
        if not answer.is_success:
            ledger.judge(answer)
            await asyncio.sleep(0.2)
            continue
        for each, result in zip(bodies, answer.json()["responses"], strict=True):
            ledger.note(each, again=False, status=result["status"], problem=result.get("problem"))


async def _ask(world: World, http: httpx.AsyncClient, ending: asyncio.Event) -> None:
    while not ending.is_set():
        try:
            answer = await http.get(world.figures, headers=world.reader_headers)
        except httpx.TransportError as error:
            world.ledger.answers[f"crowd {type(error).__name__}"] += 1
            await asyncio.sleep(0.2)
            continue
        if answer.is_success:
            world.ledger.answers["crowd reading 200"] += 1
        else:
            world.ledger.judge(answer)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def slow_clients(world: World, draw: random.Random) -> AsyncIterator[None]:
    """Hundreds of half-sent heads and bodies that never go on."""
    begun: list[socket.socket] = []
    head = f"POST {URL} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for i in range(300):
        try:
            connection = socket.create_connection(("127.0.0.1", world.port), timeout=2)
            connection.sendall(
                (head + ("Content-Length: 900\r\n\r\n{" if i % 2 else "X-Slow: ")).encode()
            )
        except OSError as error:
            world.ledger.answers[f"slow {type(error).__name__}"] += 1
            continue
        begun.append(connection)
        if i % 20 == 0:
            await asyncio.sleep(0)
    try:
        yield
    finally:
        for connection in begun:
            connection.close()


TROUBLES = (
    Trouble("server killed", server_killed, (0.2, 3), recovers_in_s=START_S),
    Trouble("server restarted", server_restarted, (0, 2), recovers_in_s=START_S),
    Trouble("database killed", database_killed, (0.2, 4), ("postgresql",)),
    Trouble("database stopped", database_stopped, (3, 15), ("postgresql",)),
    Trouble("silent connections", connections_silent, (0.1, 0.2), ("postgresql",)),
    Trouble("connections cut", connections_cut, (0.5, 5), ("postgresql",)),
    Trouble("database read-only", database_read_only, (2, 6), ("postgresql",)),
    Trouble("disk full", _disk("pwrite64", "error=ENOSPC"), (2, 6), needs="strace"),
    Trouble("disk read-only", _disk("pwrite64", "error=EROFS"), (2, 6), ("sqlite",), "strace"),
    Trouble("slow disk", _disk("fdatasync,fsync", "delay_enter=400000"), (3, 8), needs="strace"),
    Trouble("clock jumps", clock_jumps, (2, 8)),
    Trouble("overload", overload, (4, 10)),
    Trouble("slow clients", slow_clients, (3, 10)),
)


def of(store: str) -> list[Trouble]:
    """The troubles of a store that this machine can make."""
    return [each for each in TROUBLES if store in each.stores and each.can_be_made]


async def recovered(world: World, since: float, within_s: float) -> float | None:
    """Seconds from a moment until a response that was sent after it was taken; none if never."""
    while time.monotonic() < since + within_s:
        taken = [end for begun, end in list(world.ledger.taken) if begun >= since]
        if taken:
            return min(taken) - since
        await asyncio.sleep(0.05)
    return None
