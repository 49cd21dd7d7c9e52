"""A real server that was asked for everything keeps no more when it is asked again and again."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.bench import memory
from tests.bench.curve import of_process
from tests.bench.memory import MIX, Client, World, demonstration, serve

#: Rounds of one request of each sort, after which caches and what loads once are there.
WARM, ROUNDS = 2, 6
#: MB that may come yet: what fills caches, which are bounded by their bytes (27 to 41 were
#: measured, and as much after twice as many rounds).
#: Half a megabyte that each request leaves behind is more.
ALLOWED = 60


def test_what_a_server_holds_levels_off(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HAILONG_MEMORY_DEMONSTRATION", str(tmp_path / "none"))
    monkeypatch.setattr(memory, "SIZE", 1500)
    folder = demonstration(tmp_path / "demo")
    url = f"sqlite:///{folder / 'hailong.db'}"
    world = World.of(url, folder)
    server = serve(url, folder / "memory.log")
    process = psutil.Process(server.process.pid)
    try:
        client = Client(server.address, world, 19)
        held = []
        for _ in range(WARM + ROUNDS):
            for sort in MIX:
                getattr(client, sort)()
            client.batch()  # all figures are others from now on
            held.append(of_process(process))
    finally:
        server.stop()
    assert client.trouble == []
    rss = [each[0] for each in held]
    assert rss[-1] < rss[WARM - 1] + ALLOWED, rss
    assert 0 < held[-1][2] < 300, "what draws is beside the server, and bounded"
    assert client.codes[201] >= WARM + ROUNDS and client.codes[200] > 6 * (WARM + ROUNDS)
