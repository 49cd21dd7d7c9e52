"""Real server processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server import ServerProcess


@pytest.fixture
def serve(database_url: str, tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Starts server processes on the test's database and ends them after it."""
    started: list[ServerProcess] = []

    def start(**options: object) -> ServerProcess:
        log = tmp_path / f"server{len(started)}.log"
        port = options.pop("port", None)
        server = ServerProcess(
            database_url, log, port=port if isinstance(port, int) else None, **options
        )
        started.append(server)
        return server.wait_until_ready()

    yield start
    for server in started:
        server.stop()
