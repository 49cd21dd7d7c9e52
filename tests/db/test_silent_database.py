"""A PostgreSQL that falls silent, stands still, dies or only reads: it is told, and got over.

The real server process, behind a way that can fall silent; times are promises of docs/operator.md.
"""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from app.db import Database
from app.db.connections import Patience
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.settings import Settings
from app.setup import prepare
from tests.faults import OwnPostgres, Proxy, seconds_until
from tests.server import ServerProcess
from tests.small_province import SmallProvince, body

URL = "/api/v1/responses"
#: The promise: so long after the database can be reached responses are taken again.
RECOVERY_S = 10.0
#: And so long a caller waits at most for an answer (HAILONG_INTAKE_S and what comes before it).
ANSWER_S = 15.0

pytestmark = pytest.mark.xdist_group("own-postgres")


class Place:
    """A server on a PostgreSQL of its own, and what clients were told."""

    def __init__(self, folder, **settings):
        self.postgres = OwnPostgres()
        self.postgres.start()
        self.way = Proxy(self.postgres.port)
        with closing(Database(self.postgres.url)) as database:
            prepare(database, Settings(database_url=self.postgres.url))
            self.headers = SmallProvince.found(database).device()
        self.server = ServerProcess(
            self.postgres.url_by(self.way.port), folder / "server.log", **settings
        ).wait_until_ready()
        self.sent, self.taken, self.told, self.waits = {}, {}, Counter(), []
        self._stop, self._threads = threading.Event(), []
        self.wrong = []

    def __enter__(self):
        self._stop.clear()
        self._threads = [threading.Thread(target=self._post, daemon=True) for _ in range(6)]
        for thread in self._threads:
            thread.start()
        seconds_until(lambda: len(self.taken) > 20)
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        assert self.wrong == [] and not any(thread.is_alive() for thread in self._threads)

    def _post(self):
        unsure = []
        with httpx.Client(base_url=self.server.address, timeout=60) as http:
            while not self._stop.is_set() or unsure:
                response = unsure[0] if unsure else body()
                self.sent[response["id"]] = response
                begun = time.monotonic()
                try:
                    answer = http.post(URL, json=response, headers=self.headers)
                except httpx.TransportError:  # the server has ended
                    return
                self.waits.append(time.monotonic() - begun)
                if answer.is_success:
                    self.told[answer.json()["status"]] += 1
                    self.taken[response["id"]] = begun
                    unsure = unsure[1:]
                else:
                    if answer.status_code != 503 or "retry-after" not in answer.headers:
                        self.wrong.append(answer.text)
                        return
                    self.told[answer.json()["type"]] += 1
                    unsure = unsure or [response]
                    time.sleep(0.2)

    def recovers(self, since):
        """Seconds until something is taken that was sent after a moment."""
        seconds_until(lambda: max(self.taken.values()) >= since)
        return time.monotonic() - since

    def get(self, path, **headers):
        begun = time.monotonic()
        answer = httpx.get(self.server.address + path, headers=headers, timeout=60)
        return answer, time.monotonic() - begun

    def nothing_is_lost(self):
        with closing(Database(self.postgres.url)) as database:
            with database.reading() as session:
                stored = list(session.scalars(select(Response.id)))
            assert sorted(stored) == sorted(self.taken) == sorted(self.sent)
            assert verify(database) == []

    def close(self):
        if self.server.process.poll() is None:
            self.server.kill()
        self.way.close()
        self.postgres.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with closing(Place(tmp_path_factory.mktemp("silent"), cache_s=0)) as place:
        yield place


@pytest.fixture
def posting(place):
    """Six clients that post and send again, until the test is over; then nothing is lost."""
    place.told.clear()
    place.waits.clear()
    with place:
        yield place
    place.nothing_is_lost()


def test_the_server_asks_whether_its_client_is_still_there(place):
    """Amid a message it waits for the rest, whatever it has locked: for hours, if it does not.

    With an answer under way it does not ask, but sends that again, for a quarter of an hour.
    """
    with closing(Database(place.postgres.url, Patience())) as database:
        for session in (database.reading, database.writing):
            with session() as asking:
                told = [
                    asking.scalar(text(f"SHOW tcp_keepalives_{name}"))
                    for name in ("idle", "interval", "count")
                ]
                told.append(asking.scalar(text("SHOW tcp_user_timeout")))
            assert told == ["10", "3", "3", "19000"]


def test_one_that_fell_silent_takes_all_others_of_its_pools_with_it(place):
    """Each would be waited for in its turn else."""
    with closing(Proxy(place.postgres.port)) as way:
        url, patience = place.postgres.url_by(way.port), Patience(write_s=1.0, read_s=1.0)
        with closing(Database(url, patience)) as database:
            with ExitStack() as stack:
                for pool in (database.reading, database.reading, database.writing):
                    for _ in range(2):
                        stack.enter_context(pool()).execute(text("SELECT 1"))
            way.go_silent()
            with pytest.raises(OperationalError), database.writing() as session:
                session.execute(text("SELECT 1"))
            begun = time.monotonic()
            with ExitStack() as stack:
                for pool in (database.reading, database.reading, database.writing):
                    for _ in range(2):
                        stack.enter_context(pool()).execute(text("SELECT 1"))
            assert time.monotonic() - begun < 1.0


def test_connections_that_fall_silent_are_given_up(posting):
    begun = time.monotonic()
    posting.way.go_silent()
    assert posting.recovers(begun + 0.5) < RECOVERY_S + 0.5
    assert max(posting.waits) < ANSWER_S
    answer, took = posting.get("/readyz")
    assert answer.status_code == 200 and took < 2


def test_a_database_that_stands_still_is_told_of_and_comes_back(posting):
    posting.postgres.freeze()
    try:
        frozen = time.monotonic()
        seconds_until(lambda: posting.get("/readyz")[0].status_code == 503, 30)
        answer, took = posting.get("/readyz")
        assert took < 2 and answer.json()["type"] == "/problems/database-away"
        answer, took = posting.get("/sign-in/password", accept="text/html")
        assert answer.status_code in (200, 404, 503) and took < ANSWER_S
        seconds_until(lambda: time.monotonic() > frozen + 8)
    finally:
        posting.postgres.thaw()
    assert posting.recovers(time.monotonic()) < RECOVERY_S
    assert max(posting.waits) < ANSWER_S
    assert posting.told["/problems/busy"] + posting.told["/problems/database-away"] > 0


def test_a_database_that_dies_and_is_started_again(posting):
    posting.postgres.kill()
    seconds_until(lambda: posting.told["/problems/busy"] + posting.told["/problems/database-away"])
    posting.postgres.start()
    assert posting.recovers(time.monotonic()) < RECOVERY_S


def test_a_database_that_only_reads_is_not_ready(posting):
    english = {"Accept-Language": "en"}
    posting.postgres.set("default_transaction_read_only", "on")
    try:
        # A task that cannot write is told of before, where the database has just been found well.
        seconds_until(lambda: "cannot be written" in posting.get("/readyz", **english)[0].text, 30)
        assert posting.get("/readyz", **english)[0].status_code == 503
    finally:
        posting.postgres.set("default_transaction_read_only", "off")
    assert posting.recovers(time.monotonic()) < RECOVERY_S
    seconds_until(lambda: posting.get("/readyz")[0].status_code == 200, 20)


def test_pages_say_that_the_database_is_away(place):
    place.postgres.freeze()
    try:
        asked = (("/q/ABCDEFG", "text/html"), ("/api/v1/units", "application/json"))
        # At once, since each waits as long as it may.
        with ThreadPoolExecutor(len(asked)) as pool:
            heard = list(
                pool.map(
                    lambda ask: place.get(ask[0], accept=ask[1], authorization="Bearer hl_none"),
                    asked,
                )
            )
        for (_, kind), (answer, took) in zip(asked, heard, strict=True):
            assert answer.status_code == 503 and took < ANSWER_S, answer.text
            assert answer.headers["retry-after"]
            told = "Cơ sở dữ liệu không trả lời" if "html" in kind else "/problems/database-away"
            assert told in answer.text
    finally:
        place.postgres.thaw()
    seconds_until(lambda: place.get("/q/ABCDEFG", accept="text/html")[0].status_code == 404, 20)


def test_a_server_ends_whose_database_is_silent(tmp_path):
    with closing(Place(tmp_path, cache_s=0, end_s=2)) as place, place:
        place.postgres.freeze()
        time.sleep(1)
        place._stop.set()
        begun = time.monotonic()
        place.server.process.terminate()
        place.server.process.wait(60)
        assert time.monotonic() - begun < 2 + 10 + 5
    # Those whose post hung in the silent database were told so before the end.
    assert place.told["/problems/server-ending"] > 0
