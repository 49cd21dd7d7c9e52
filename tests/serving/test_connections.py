"""Places for connections: who gives way where all are taken, and what a real server does then."""

import asyncio
import resource
import threading
import time
from contextlib import ExitStack

import httpx
import psutil
import pytest

from app.serving import connections as module
from app.serving import files
from app.serving.connections import Connections, Limits, network_of
from tests.conftest import serving
from tests.server import ServerProcess
from tests.serving.raw import HALF_BODY, HALF_HEAD, is_open, opened, read_to_end
from tests.small_province import body

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Connection:
    """One as ``Connections`` sees it."""

    def __init__(self, network, since, place=0, size=0):
        self.network, self.since, self.place, self.size = network, since, place, size
        self.aborted = False

    def place_in_leaving(self):
        return self.place

    def look(self, now):
        return None

    def unread(self):
        return self.size

    def abort(self):
        self.aborted = True


def admit_all(most, given):
    async def run():
        found = Connections(Limits(most, 30, 30, 30, 1000))
        return [found.admit(each) for each in given], found

    return asyncio.run(run())


def test_the_network_with_most_gives_way_and_of_it_whoever_waits_longest():
    few = [Connection("office", since) for since in range(3)]
    many = [Connection("attacker", 100 + since) for since in range(13)]
    newcomers = [Connection("phone", 200 + since) for since in range(4)]
    taken, found = admit_all(16, [*few, *many, *newcomers])
    assert all(taken) and found.count == 16
    assert [each.aborted for each in many] == [True] * 4 + [False] * 9
    assert not any(each.aborted for each in few + newcomers)
    assert found.closed["gave way"] == 4


def test_who_has_no_whole_body_goes_after_those_who_wait_between_requests():
    sending = [Connection("hall", 1, place=1) for _ in range(10)]
    idle = [Connection("hall", 50) for _ in range(6)]
    new = [Connection("hall", 60) for _ in range(6)]
    admit_all(16, [*sending, *idle, *new])
    assert all(each.aborted for each in idle) and not any(each.aborted for each in sending)


def test_who_is_being_answered_never_gives_way():
    given = [Connection("hall", 1, place=None) for _ in range(16)]
    taken, found = admit_all(16, [*given, Connection("phone", 2)])
    assert taken == [True] * 16 + [False] and not any(each.aborted for each in given)
    assert found.closed["refused"] == 1


def test_room_is_made_for_several_at_once():
    """Each look at all connections frees a part of them, or a flood would cost a look apiece."""
    given = [Connection("attacker", since) for since in range(640)]
    _, found = admit_all(640, [*given, Connection("phone", 700)])
    assert sum(each.aborted for each in given) == 20 and found.count == 621


def test_what_readers_do_not_take_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    given = [Connection("hall", since, size=24 << 20) for since in range(4)]

    async def run():
        found = Connections(Limits(16, 30, 30, 30, 1000))
        for each in given:
            found.admit(each)
        await asyncio.sleep(0.1)

    asyncio.run(run())
    assert [each.aborted for each in given[2:]] == [False, False]
    assert given[0].aborted and given[1].aborted and module.MOST_UNREAD == 64 << 20


def test_a_defect_in_one_look_does_not_end_looking(monkeypatch):
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    looks = []

    class Broken(Connection):
        def look(self, now):
            looks.append(now)
            raise RuntimeError("a defect")

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        Connections(Limits(16, 30, 30, 30, 1000)).admit(Broken("hall", 1))
        await asyncio.sleep(0.2)

    asyncio.run(run())
    assert len(looks) > 2


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", str(0x20010DB800010002)),
        ("2001:db8:1:2:ffff::", str(0x20010DB800010002)),
        ("fe80::1%eth0", str(0xFE80000000000000)),
    ],
)
def test_whose_a_connection_is(host, network):
    assert network_of(host) == network


def test_connections_leave_room_for_other_files(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    assert files.connections_that_fit(2000) == 824 and files.connections_that_fit(500) == 500
    given = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limits: given.append(limits))
    assert files.raise_limit() == 4096
    assert given == [(resource.RLIMIT_NOFILE, (4096, 4096))]


@on_sqlite
def test_who_finds_all_places_taken_is_told_to_come_again(settings, monkeypatch):
    """All places are held by answers under way: nobody can give way."""
    full = settings.model_copy(update={"connection_limit": 16})
    monkeypatch.setattr("app.serving.protocol.BoundedProtocol.place_in_leaving", lambda self: None)
    with serving(full) as client, ExitStack() as stack:
        port = client.base_url.port
        for _ in range(16):
            stack.enter_context(opened(port))
        answer = read_to_end(stack.enter_context(opened(port)))
        assert answer.startswith(b"HTTP/1.1 503 ") and b'"/problems/overloaded"' in answer
        again = int(answer.partition(b"Retry-After: ")[2].partition(b"\r\n")[0])
        assert 2 <= again <= 4


@on_sqlite
def test_the_server_answers_while_a_thousand_lie_there_half_sent(database_url, province, tmp_path):
    """A process that may open 1,024 files, and more connections than that which never get on."""
    code = province.points[("C1", "sipas-desk")]
    server = ServerProcess(
        database_url, tmp_path / "log", files=1024, head_s=15, body_s=15,
    )  # fmt: skip
    process = psutil.Process(server.process.pid)
    try:
        server.wait_until_ready()
        with httpx.Client(base_url=server.address) as client:
            assert client.post("/api/v1/responses", json=body(code)).status_code == 201
        before = process.memory_info().rss
        ended = threading.Event()
        refused, answered = [], []

        def ask():
            while not ended.is_set():
                # Each on a connection of its own: it must be given a place and a file.
                with httpx.Client(base_url=server.address, timeout=20) as client:
                    for answer in (
                        client.get("/healthz"),
                        client.post("/api/v1/responses", json=body(code)),
                    ):
                        good = answer.status_code in (200, 201)
                        (answered if good else refused).append(answer.status_code)

        failures = []

        def asking():
            try:
                ask()
            except httpx.TransportError as error:
                failures.append(error)

        thread = threading.Thread(target=asking)
        thread.start()
        began = time.monotonic()
        half = [
            opened(server.port, sent)
            for sent in [HALF_HEAD] * 400 + [HALF_BODY] * 400 + [b""] * 300
        ]
        while time.monotonic() < began + 5:
            time.sleep(0.1)
        assert process.num_fds() < 1024
        assert process.memory_info().rss - before < 64 << 20
        # Places were freed for those who asked, of those who did not get on.
        assert sum(map(is_open, half)) > 600
        until = time.monotonic() + 60
        while any(map(is_open, half)) and time.monotonic() < until:
            time.sleep(0.5)
        took = time.monotonic() - began
        ended.set()
        thread.join(60)
        assert failures == [] and refused == [] and len(answered) > 20
        assert took < 60, "half-sent requests stay open"
        assert process.num_fds() < 200
        for connection in half:
            connection.close()
    finally:
        server.stop()
    assert "Too many open files" not in server.log.read_text()
    assert "Traceback" not in server.log.read_text()
