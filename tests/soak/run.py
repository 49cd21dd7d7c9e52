"""One soak: a world, its clients, the drawn troubles one after another, and the proofs."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.soak import troubles
from tests.soak.clients import PATIENCE_S, Dropper, Reader, Sender
from tests.soak.proofs import broken_promises
from tests.soak.world import World, world_of

_GIVEN_UP_S = 90.0
#: Until everything that clients kept is acknowledged at the end.
_LAST_S = 120.0


@dataclass
class Outcome:
    """What became of a soak of one store."""

    store: str
    seed: int
    slowness: float = 1.0
    broken: list[str] = field(default_factory=list)
    #: Seconds until responses were taken again, by trouble; each time it came.
    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    acknowledged: int = 0
    most_memory_mb: float = 0.0


def soak(
    store: str,
    seed: int,
    seconds: float,
    folder: Path,
    tell: Callable[[str], None] = lambda line: None,
    only: frozenset[str] | None = None,
    slowness: float = 1.0,
) -> Outcome:
    """Break a service for some seconds, in an order drawn from a seed.

    ``only`` names the troubles to draw from; all that this machine can make, else. On a machine
    that does other things meanwhile recovery may take ``slowness`` times as long.
    """
    outcome = Outcome(store, seed, slowness)
    with world_of(store, folder) as world:
        asyncio.run(_soak(world, outcome, seconds, tell, only))
        world.end()
        outcome.broken += broken_promises(world.database_url, world.ledger)
        outcome.answers = dict(world.ledger.answers)
        outcome.sent, outcome.acknowledged = (
            len(world.ledger.sent), len(world.ledger.acknowledged),
        )  # fmt: skip
    return outcome


async def _soak(
    world: World,
    outcome: Outcome,
    seconds: float,
    tell: Callable[[str], None],
    only: frozenset[str] | None,
) -> None:
    draw = random.Random(f"{outcome.store} {outcome.seed}")
    stop = asyncio.Event()
    async with httpx.AsyncClient(base_url=world.address, timeout=PATIENCE_S) as http:
        working = [asyncio.create_task(client.run(http, stop)) for client in _clients(world, draw)]
        watching = asyncio.create_task(_watch_memory(world, outcome, stop))
        until = time.monotonic() + seconds
        kinds = [t for t in troubles.of(world.store) if only is None or t.name in only]
        order: list[troubles.Trouble] = []
        while time.monotonic() < until:
            if not order:  # each once before any comes again
                order = draw.sample(kinds, len(kinds))
            await asyncio.sleep(draw.uniform(0.5, 3))
            await _one(world, order.pop(), outcome, draw, tell)
        stop.set()
        _, late = await asyncio.wait([*working, watching], timeout=_LAST_S)
        if late:
            outcome.broken.append(
                f"{len(late)} clients still held what nobody took after {_LAST_S:.0f} s"
            )
        for task in late:
            task.cancel()
        for task in working:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error


def _clients(world: World, draw: random.Random) -> list[Sender | Reader | Dropper]:
    def seed() -> int:
        return draw.randrange(1 << 30)

    kiosks = [Sender(world.ledger, world.sender(), 1, 0.15, seed()) for _ in range(10)]
    systems = [Sender(world.ledger, world.sender(), 40, 0.5, seed()) for _ in range(3)]
    paths = (world.figures, world.form, "/healthz")
    readers = [Reader(world.ledger, world.reader_headers, paths, seed()) for _ in range(3)]
    return [*kiosks, *systems, *readers, Dropper(world.ledger, world.sender(), world.port, seed())]


async def _one(
    world: World,
    trouble: troubles.Trouble,
    outcome: Outcome,
    draw: random.Random,
    tell: Callable[[str], None],
) -> None:
    lasts = draw.uniform(*trouble.seconds)
    begun = time.monotonic()
    async with trouble.begin(world, draw):
        await asyncio.sleep(lasts)
        over = time.monotonic()
    took = await troubles.recovered(world, over, _GIVEN_UP_S)
    if took is None:
        outcome.broken.append(f"nothing was taken for {_GIVEN_UP_S:.0f} s after: {trouble.name}")
        took = _GIVEN_UP_S
        await asyncio.to_thread(world.start_what_ended)
    elif took > outcome.slowness * trouble.recovers_in_s:
        outcome.broken.append(f"{took:.1f} s until responses were taken again: {trouble.name}")
    outcome.recoveries[trouble.name].append(took)
    tell(f"{trouble.name:<20} {over - begun:5.1f} s, taken again after {took:5.2f} s")


async def _watch_memory(world: World, outcome: Outcome, stop: asyncio.Event) -> None:
    while not stop.is_set():
        outcome.most_memory_mb = max(outcome.most_memory_mb, world.memory_mb())
        await asyncio.sleep(0.5)
