"""Files take turns: what is made whole one at once, and downloads until all of them has left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest

from app.access.models import Right
from app.api import exports
from app.export import bundle
from app.web.turns import EXPORTS_AT_ONCE
from tests.conftest import serving
from tests.export.conftest import answered
from tests.serving.raw import opened, wait_for

URL = "/api/v1/exports"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def held():
    """What waits until the test lets go, and how many do or did."""
    held = SimpleNamespace(go=threading.Event(), began=0)
    yield held
    held.go.set()


def asking(client, headers, form):
    with httpx.Client(base_url=client.base_url, timeout=60) as own:
        asked = {"questionnaire": "sipas-desk", "format": form}
        return own.get(URL, params=asked, headers=headers)


@on_sqlite
def test_what_is_made_whole_is_made_one_at_once(database, province, settings, held, monkeypatch):
    write = bundle.write_whole

    def slow(*given, **named):
        held.began += 1
        held.go.wait(60)
        return write(*given, **named)

    monkeypatch.setattr(bundle, "write_whole", slow)
    answered(database, province, 20)
    keys = [province.credential(Right.READ_RESPONSES) for _ in range(2)]
    with serving(settings) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(asking, client, keys[0], "sav")
        wait_for(lambda: held.began == 1)
        for form in ("sav", "dta", "xlsx"):
            refused = asking(client, keys[1], form)
            assert refused.status_code == 503, form
            assert refused.json()["type"] == "/problems/figures-busy"
            assert int(refused.headers["retry-after"]) >= 30
        assert asking(client, {}, "sav").status_code == 401, "strangers are told nothing of it"
        assert asking(client, keys[1], "csv").status_code == 200
        held.go.set()
        assert first.result().content.startswith(b"PK")
        # Whatever became of one, the next has its place.
        wrong = {"questionnaire": "none", "format": "dta"}
        assert client.get(URL, params=wrong, headers=keys[1]).status_code == 404
        assert asking(client, keys[1], "dta").status_code == 200
        # Also of one who goes while it is made.
        held.go.clear()
        key = keys[0]["Authorization"]
        request = f"GET {URL}?questionnaire=sipas-desk&format=sav HTTP/1.1\r\nHost: a\r\n"
        one = opened(client.base_url.port, f"{request}Authorization: {key}\r\n\r\n".encode())
        wait_for(lambda: held.began == 3)
        one.close()
        assert asking(client, keys[1], "dta").status_code == 503, "its memory is still taken"
        held.go.set()
        wait_for(lambda: asking(client, keys[1], "dta").status_code == 200)
    assert held.began == 4


@on_sqlite
def test_downloads_keep_their_place_until_they_end_and_nobody_else_waits(
    province, settings, held, monkeypatch
):
    def slow(*given):
        yield b"PK"
        held.began += 1
        held.go.wait(60)
        yield b"end"

    monkeypatch.setattr(exports, "stream", slow)
    keys = [province.credential(Right.READ_RESPONSES) for _ in range(EXPORTS_AT_ONCE + 1)]
    few = settings.model_copy(update={"figures_at_once": 1, "figures_wait_s": 1})
    with serving(few) as client, ThreadPoolExecutor(EXPORTS_AT_ONCE) as pool:
        asked = [pool.submit(asking, client, each, "csv") for each in keys[:-1]]
        wait_for(lambda: held.began == EXPORTS_AT_ONCE)
        late = asking(client, keys[-1], "csv")
        assert late.status_code == 503 and int(late.headers["retry-after"]) >= 2
        figures = client.get("/api/v1/satisfaction", headers=province.reader())
        assert figures.status_code == 200
        page = client.get(f"{URL}/page", params={"questionnaire": "sipas-desk"}, headers=keys[-1])
        assert page.status_code == 200
        held.go.set()
        assert {each.result().content for each in asked} == {b"PKend"}
        assert asking(client, keys[-1], "csv").status_code == 200
    assert held.began == EXPORTS_AT_ONCE + 1
