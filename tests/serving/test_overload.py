"""Sixty who ask for heavy figures without end, and ten kiosks that post, at one real server."""

import statistics
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import pytest

from tests.conftest import serving
from tests.server import ServerProcess
from tests.small_province import body

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.timeout(900),
]
READERS, KIOSKS, POSTS = 60, 10, 12
UNTIL = datetime.now(UTC).date() - timedelta(days=1)
#: The day makes each a question of its own, which no cache answers.
DAYS = "from=2020-01-{day:02}&to={until}"
HEAVY = (
    f"/api/v1/satisfaction/ranking?questionnaire=sipas-desk&unit=77&expand=all&{DAYS}",
    "/api/v1/satisfaction/casemix?questionnaire=sipas-desk&unit=77&expand=all"
    f"&adjust=channel&{DAYS}",
    f"/api/v1/satisfaction?by=unit&by=month&{DAYS}",
    "/api/v1/reports?unit=77&format=xlsx",
)


@contextmanager
def readers_at_work(server, keys, seen):
    """Threads that ask, and ask again at once whatever they were told."""
    ended = threading.Event()

    def read(number):
        with httpx.Client(base_url=server.address, timeout=120) as client:
            turn = number
            while not ended.is_set():
                path = HEAVY[turn % len(HEAVY)].format(day=1 + turn % 28, until=UNTIL)
                turn += 1
                answer = client.get(path, headers=keys[number % len(keys)])
                told = answer.headers.get("retry-after") if answer.status_code == 503 else None
                seen[answer.status_code, told is not None and int(told) >= 2] += 1
                if told:
                    ended.wait(0.2)  # not as polite as it should be

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(150)


def posted(server, devices):
    """Seconds of each post of ten kiosks, which must all be taken."""
    took, failed = [], []

    def kiosk(headers):
        with httpx.Client(base_url=server.address, timeout=120) as client:
            for _ in range(POSTS):
                began = time.monotonic()
                answer = client.post("/api/v1/responses", json=body(), headers=headers)
                took.append(time.monotonic() - began)
                if answer.status_code != 201:
                    failed.append(answer.text)
                time.sleep(0.1)

    threads = [threading.Thread(target=kiosk, args=(headers,)) for headers in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    assert failed == [] and len(took) == KIOSKS * POSTS
    return took


def test_figures_do_not_starve_the_intake(settings, database_url, province, tmp_path):
    day = datetime.now(UTC) - timedelta(days=40)
    with serving(settings) as client:
        province.send(
            client,
            [
                body(province.points[(unit, "sipas-desk")], answered_at=day.isoformat())
                for unit in ("A1", "D1", "C1", "C2")
                for _ in range(100)
            ],
        )
    keys = [province.reader() for _ in range(12)]
    devices = [province.device() for _ in range(KIOSKS)]
    server = ServerProcess(database_url, tmp_path / "log", figures_wait_s=2)
    seen = Counter()
    try:
        server.wait_until_ready()
        alone = posted(server, devices)
        process = psutil.Process(server.process.pid)
        # What figures load once (SciPy, fonts) is no overload.
        with httpx.Client(base_url=server.address, timeout=120) as client:
            for path in HEAVY:
                answer = client.get(path.format(day=28, until=UNTIL), headers=keys[0])
                assert answer.status_code == 200, (path, answer.text)
        before = process.memory_info().rss
        with readers_at_work(server, keys, seen):
            time.sleep(1)
            crowded = posted(server, devices)
            assert httpx.get(f"{server.address}/healthz", timeout=60).status_code == 200
            grown = process.memory_info().rss - before
    finally:
        server.stop()
    # Readers saw figures, refusals that say when to come again, and nothing else.
    assert {status for status, _ in seen} == {200, 503}
    assert seen[503, False] == 0 and seen[503, True] > 0 and seen[200, False] > 0
    # A machine that others keep busy too shares its turns out by the tenth of a second.
    ratio = statistics.median(crowded) / max(statistics.median(alone), 0.1)
    assert ratio < 20, (statistics.median(alone), statistics.median(crowded))
    # Each thread that computes keeps what the libraries load once; sixty would keep much more.
    assert max(crowded) < 60 and grown < 256 << 20
