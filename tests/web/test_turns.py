"""Requests that take turns: which, how many at once, and what is told to whoever comes too late."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
from fastapi.routing import APIRoute

from app import main
from app.access.models import Right
from app.access.roles import Role
from app.api import rates
from app.serving.places import processors
from app.settings import Settings
from app.web.turns import PAGES_AT_ONCE, Kind, Turns, kind_of
from tests.conftest import serving
from tests.serving.raw import opened, wait_for
from tests.small_province import body

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
#: Rooms whose routes compute figures or draw, and those that everybody must reach.
COMPUTING = (
    "app.api.adjusted", "app.api.comments", "app.api.feed", "app.api.rates", "app.api.reports",
    "app.api.statistics", "app.api.stream", "app.api.views", "app.posters.routes",
    "app.web.dashboard", "app.web.public",
)  # fmt: skip
REACHED = ("app.intake", "app.web.citizen", "app.web.kiosk", "app.invitations", "app.web.routes")


def test_every_route_is_of_the_kind_of_its_room():
    routers = (*main.ROUTERS, *(page.router for page in main.PAGES), *main.LAST)
    routes = [each for router in routers for each in router.routes]
    assert len(routes) > 90
    for route in routes:
        assert isinstance(route, APIRoute)
        room, kind = route.endpoint.__module__, kind_of(route.path)
        if room.startswith(COMPUTING) and not route.path.startswith("/screen"):
            assert kind is Kind.FIGURES, route.path
        if room.startswith(REACHED) and route.path != "/":
            assert kind is None, route.path
    assert kind_of("/accounts/7") is Kind.PAGES and kind_of("/") is Kind.PAGES


def test_as_many_figures_at_once_as_processors_and_threads_are_left():
    def at_once(**changes):
        return Turns(Settings(**changes)).places[Kind.FIGURES].places

    assert at_once() == max(2, processors()) and at_once(figures_at_once=1) == 1
    assert PAGES_AT_ONCE < 20


@pytest.fixture
def held(monkeypatch):
    """Rates that are computed until the test lets go; how many are at once."""
    held = SimpleNamespace(go=threading.Event(), now=0, most=0, times=0)
    find, lock = rates.find_rates, threading.Lock()

    def slow(*given, **named):
        with lock:
            held.now, held.times = held.now + 1, held.times + 1
            held.most = max(held.most, held.now)
        held.go.wait(60)
        with lock:
            held.now -= 1
        return find(*given, **named)

    monkeypatch.setattr(rates, "find_rates", slow)
    yield held
    held.go.set()


@on_sqlite
def test_few_figures_at_once_the_others_wait_and_then_are_told(settings, province, held):
    few = settings.model_copy(update={"figures_at_once": 3, "figures_wait_s": 2})
    readers = [province.reader() for _ in range(8)]
    code = province.points[("C1", "sipas-desk")]
    with serving(few) as client, ThreadPoolExecutor(8) as pool:
        address = str(client.base_url)

        def ask(headers):
            with httpx.Client(base_url=address, timeout=60) as own:
                return own.get("/api/v1/satisfaction", headers=headers)

        asked = [pool.submit(ask, headers) for headers in readers]
        wait_for(lambda: held.now == 3)
        # Meanwhile everybody else is served, a page of staff too.
        person = province.person((Role.OPERATOR, None))
        assert client.post("/api/v1/responses", json=body(code)).status_code == 201
        for path in (f"/q/{code}", "/kiosk", "/healthz", "/readyz"):
            assert client.get(path).status_code == 200
        assert client.get("/keys", headers=person.headers).status_code == 200
        wait_for(lambda: sum(each.done() for each in asked) == 5)
        held.go.set()
        answers = [each.result() for each in asked]
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 5
    assert held.most == 3
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["type"] == "/problems/figures-busy"
            assert answer.json()["retry"] is True and int(answer.headers["retry-after"]) >= 2


@on_sqlite
def test_a_page_says_it_in_the_persons_language(settings, province, held):
    few = settings.model_copy(update={"figures_at_once": 1, "figures_wait_s": 0.5})
    reader = province.reader()
    with serving(few) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, "/api/v1/satisfaction", headers=reader)
        wait_for(lambda: held.now == 1)
        for language, said in (("vi", "Nhiều người đang xem"), ("en", "Many people are asking")):
            answer = client.get(
                "/dashboard",
                headers={"Accept": "text/html", "Cookie": f"language={language}"},
            )
            assert answer.status_code == 503 and said in answer.text
            assert answer.headers["content-type"].startswith("text/html")
            assert answer.headers["retry-after"] in answer.text
            assert "content-security-policy" in answer.headers
        held.go.set()
        assert first.result().status_code == 200


@on_sqlite
def test_one_key_never_has_all_places(settings, province, held):
    few = settings.model_copy(update={"figures_at_once": 2})
    greedy, modest = province.reader(), province.reader()
    with serving(few) as client, ThreadPoolExecutor(5) as pool:

        def ask(headers):
            with httpx.Client(base_url=client.base_url, timeout=60) as own:
                return own.get("/api/v1/satisfaction", headers=headers).status_code

        asked = [pool.submit(ask, greedy) for _ in range(4)]
        wait_for(lambda: held.now == 1)
        time.sleep(0.3)
        assert held.now == 1
        other = pool.submit(ask, modest)
        wait_for(lambda: held.now == 2)
        held.go.set()
        assert {each.result() for each in [*asked, other]} == {200}


@on_sqlite
def test_who_has_gone_is_not_computed_for(settings, province, held):
    few = settings.model_copy(update={"figures_at_once": 1, "figures_wait_s": 60})
    reader, other = province.reader(), province.reader()["Authorization"]
    with serving(few) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, "/api/v1/satisfaction", headers=reader)
        wait_for(lambda: held.now == 1)
        request = f"GET /api/v1/satisfaction HTTP/1.1\r\nHost: a\r\nAuthorization: {other}\r\n\r\n"
        waiting = [opened(client.base_url.port, request.encode()) for _ in range(5)]
        time.sleep(0.3)
        for each in waiting:
            each.close()
        time.sleep(0.3)
        held.go.set()
        assert first.result().status_code == 200
        assert client.get("/api/v1/satisfaction", headers=reader).status_code == 200
        assert held.times == 2


@on_sqlite
def test_streams_are_bounded_and_one_network_has_half(settings, province):
    few = settings.model_copy(update={"stream_limit": 4})
    client_of = province.credential(Right.READ_FIGURES)
    with serving(few) as client:
        province.send(client, [body(province.points[("C1", "sipas-desk")]) for _ in range(12)])
        path, headers = "/api/v1/stream?unit=C1", client_of
        with client.stream("GET", path, headers=headers) as one:
            assert one.status_code == 200
            with client.stream("GET", path, headers=headers) as two:
                assert two.status_code == 200
                answer = client.get(path, headers=headers)
                assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 30
                # Streams that have begun keep no figure waiting.
                assert client.get("/api/v1/satisfaction", headers=headers).status_code == 200
        wait_for(lambda: _first(client, path, headers) == 200)


def _first(client, path, headers):
    with client.stream("GET", path, headers=headers) as answer:
        return answer.status_code
