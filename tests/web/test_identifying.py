"""The id of a request: given back, quoted by what fails, and found in the log."""

import asyncio
import logging

import pytest

from app.web.identifying import HEADER, RequestIds
from tests.conftest import serving

GIVEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def broken(monkeypatch):
    def defect(self, language):
        raise RuntimeError("0912345678")

    monkeypatch.setattr("app.problems.NotFound.detail", defect)


def test_every_answer_has_an_id_and_one_of_a_proxy_is_kept(client):
    first, second = (client.get(path).headers[HEADER] for path in ("/healthz", "/static/x"))
    assert len(first) == len(second) == 16 and first != second
    assert client.get("/healthz", headers={HEADER: GIVEN}).headers[HEADER] == GIVEN
    odd = client.get("/healthz", headers={HEADER: "0912345678"}).headers[HEADER]
    assert len(odd) == 16 and odd != "0912345678"
    refused = client.post("/api/v1/responses", content=b"{")
    assert HEADER in refused.headers and "request_id" not in refused.json()


def test_what_fails_by_a_defect_names_the_id_that_the_log_has(client, broken, caplog):
    answer = client.get("/api/v1/nothing", headers={HEADER: GIVEN})
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers[HEADER] == GIVEN
    page = client.get("/nothing/0987654321", headers={"Accept": "text/html", HEADER: GIVEN})
    assert page.status_code == 500 and f"mã yêu cầu {GIVEN}" in page.text
    told = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert told == ["defect while answering GET no route"] * 2


def test_what_fails_after_an_answer_is_told_once_and_keeps_the_connection(caplog):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        raise RuntimeError("0912345678")

    async def sent(message):
        pass

    scope = {"type": "http", "method": "GET", "headers": []}
    asyncio.run(RequestIds(app)(scope, None, sent))
    (told,) = caplog.records
    assert told.getMessage() == "defect after an answer of no route" and told.exc_info


def test_what_breaks_off_an_answer_reaches_the_server():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        raise RuntimeError

    async def sent(message):
        pass

    scope = {"type": "http", "method": "GET", "headers": []}
    with pytest.raises(RuntimeError):
        asyncio.run(RequestIds(app)(scope, None, sent))


def test_the_access_log_has_routes_and_never_what_was_asked_for(settings, province, caplog):
    caplog.set_level(logging.INFO, "hailong.access_log")
    code = province.points[("C1", "sipas-desk")]
    with serving(settings.model_copy(update={"access_log": True})) as client:
        client.get(f"/q/{code}?phone=0912345678")
        client.get("/problems/0912345678")
        client.get("/0912345678")
        client.request("PROPFIND", "/healthz")
    told = [r for r in caplog.records if r.name == "hailong.access_log"]
    said = [(r.method, r.route, r.status) for r in told]
    assert ("GET", "/problems/{code}", 404) in said and ("GET", "no route", 404) in said
    assert ("GET", "/q/{token}", 200) in said
    assert ("other", "/healthz", 405) in said
    assert all(r.ms >= 0 and r.getMessage() == "answered" for r in told)
    assert "0912345678" not in str(said) and code not in str(said)


def test_without_the_setting_nothing_is_said_of_an_access(client, caplog):
    caplog.set_level(logging.DEBUG)
    client.get("/healthz")
    assert not [r for r in caplog.records if r.name == "hailong.access_log"]
