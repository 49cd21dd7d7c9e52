"""Bytes of bodies in memory: bounded, shared between networks, given back."""

import json

import pytest

from app import main
from app.serving.bodies import SMALL, Bodies
from app.serving.problems import Overloaded
from tests.conftest import serving
from tests.serving.raw import opened, wait_for
from tests.small_province import body

MB = 1 << 20


def scope(host="192.0.2.1"):
    return {"type": "http", "client": (host, 1)}


def test_one_network_has_half_of_the_room():
    bodies, office, kiosk = Bodies(8 * MB), [scope(), scope()], scope("192.0.2.9")
    bodies.hold(office[0], 1 * MB)
    bodies.hold(office[0], 2 * MB)
    bodies.hold(office[1], 2 * MB)
    assert bodies.total == 4 * MB
    with pytest.raises(Overloaded):
        bodies.hold(office[1], 2 * MB + 1)
    bodies.hold(kiosk, 4 * MB)
    with pytest.raises(Overloaded):
        bodies.hold(scope("192.0.2.10"), SMALL + 1)
    for each in (*office, kiosk):
        bodies.let_go(each)
    assert bodies.total == 0
    bodies.hold(office[1], 4 * MB)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_large_bodies_are_refused_while_many_are_held_and_small_ones_pass(
    settings, province, monkeypatch
):
    bodies = Bodies(2 * MB)
    monkeypatch.setattr(main, "Bodies", lambda limit: bodies)
    code = province.points[("C1", "sipas-desk")]
    batch = json.dumps({"responses": [body(code) for _ in range(100)]}).encode()
    assert len(batch) > SMALL
    head = (
        "POST /api/v1/responses HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        f"Content-Length: {2 * MB}\r\n\r\n"
    ).encode()
    with serving(settings) as client:
        port = client.base_url.port
        held = opened(port, head + b" " * (MB - 10_000))
        wait_for(lambda: bodies.total == MB - 10_000)
        sent = {"content": batch, "headers": {"Content-Type": "application/json"}}
        answer = client.post("/api/v1/responses", **sent)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/overloaded")
        assert answer.json()["retry"] is True and int(answer.headers["retry-after"]) >= 2
        assert client.post("/api/v1/responses", json=body(code)).status_code == 201
        held.close()
        wait_for(lambda: bodies.total == 0)
        answer = client.post("/api/v1/responses", **sent)
        assert answer.status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("address", ["/api/v1/responses", "/q/{code}"])
def test_a_body_that_is_cut_off_is_no_defect(settings, province, caplog, address):
    path = address.format(code=province.points[("C1", "sipas-desk")])
    kind = "application/json" if "api" in path else "application/x-www-form-urlencoded"
    with serving(settings) as client:
        for _ in range(5):
            opened(
                client.base_url.port,
                f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n"
                "Content-Length: 900\r\n\r\na=1".encode(),
            ).close()
        assert client.get("/healthz").status_code == 200
    assert "defect" not in caplog.text and "Traceback" not in caplog.text
