"""What went wrong in other systems, tried against a real server on both stores.

The kiosk's and the form's own part of (4) and (7) is tested where they are; here is the server's.
"""

import asyncio
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from sqlalchemy import select, text

from app.demonstration.load import LONGEST_WAIT_S, Sender
from app.intake import rollup_rebuild as replay
from app.intake.models import Response, ResponseText
from app.registry.models import PointState
from app.registry.points import change_state, find_by_code
from tests.server import free_port
from tests.small_province import body

URL = "/api/v1/responses"


@pytest.fixture
def address(client):
    """Where the server is, which runs in a thread here: nothing of these depends on its process."""
    return str(client.base_url).rstrip("/")


def ids(database):
    with database.reading() as session:
        return sorted(session.scalars(select(Response.id)))


def deliver(address, headers, bodies):
    async def run():
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
            sender = Sender(client)
            await sender.send_all(bodies)
            return sender

    return asyncio.run(run())


def test_one_submission_is_stored_once_however_often_a_client_sends_it_again_while_the_server_works(
    address, province, database
):
    # (1) SEL-Columbia/formhub 678, kobotoolbox/kobocat 565, Esri Survey123Community 326
    headers, sent = province.device(), body()

    def impatient(_):
        patience = 0.3
        while True:
            try:
                return httpx.post(
                    address + URL, json=sent, headers=headers, timeout=patience
                ).json()["status"]
            except httpx.TimeoutException:
                patience *= 1.3  # a busy machine may never answer ten within the same short time

    with ThreadPoolExecutor(10) as pool, database.writing() as session:
        # The store is held by another program, as in a slow moment.
        session.execute(text("DELETE FROM response WHERE unit_id = -1"))
        if not database.locks_whole_database:
            session.execute(text("LOCK TABLE response IN EXCLUSIVE MODE"))
        clients = [pool.submit(impatient, n) for n in range(10)]
        time.sleep(1.0)
        session.commit()
        statuses = [client.result() for client in clients]
    assert set(statuses) <= {"accepted", "duplicate"}
    assert ids(database) == [sent["id"]]
    assert replay.verify(database) == []


def test_two_handlers_that_empty_one_queue_at_once_neither_double_nor_drop(
    address, province, database
):
    # (2) formbricks/formbricks pull request 7743
    headers = province.device()
    queue = [body() for _ in range(120)]
    overlapping = [queue, queue[::-1], queue[30:90]]
    with ThreadPoolExecutor(3) as pool:
        senders = list(pool.map(lambda part: deliver(address, headers, part), overlapping))
    assert ids(database) == sorted(sent["id"] for sent in queue)
    assert sum(sender.outcomes["accepted"] for sender in senders) == 120
    assert sum(sender.outcomes["duplicate"] for sender in senders) == 180
    assert replay.verify(database) == []


def test_a_queue_flows_seconds_after_the_server_is_back(serve, province, database, monkeypatch):
    # (3) enketo/enketo 1180
    port, headers, queue = free_port(), province.device(), [body() for _ in range(10)]
    waits, sleep = [], asyncio.sleep

    async def noted(seconds):
        waits.append(seconds)
        await sleep(seconds)

    # Not the clock: what is promised are the waits between tries, on a busy machine too.
    monkeypatch.setattr(asyncio, "sleep", noted)
    with ThreadPoolExecutor(1) as pool:
        delivered = pool.submit(deliver, f"http://127.0.0.1:{port}", headers, queue)
        time.sleep(2)
        assert not delivered.done()
        serve(port=port)
        assert delivered.result(120).outcomes["accepted"] == 10
    assert waits and max(waits) <= LONGEST_WAIT_S
    assert len(ids(database)) == 10


def test_a_response_holds_nothing_of_the_one_before(address, province, database):
    # (4) kobotoolbox/enketo-express 220
    headers = province.device()
    first = body(answers={"A1": 1, "A2": 1, "comment": "of the first"})
    second = body(answers={"B1": 5})
    for sent in (first, second):
        httpx.post(address + URL, json=sent, headers=headers).raise_for_status()
    with database.reading() as session:
        texts = session.scalars(select(ResponseText.response_id)).all()
        packed = dict(map(tuple, session.execute(select(Response.id, Response.packed))))
    assert texts == [first["id"]]
    assert np.count_nonzero(np.frombuffer(bytes(packed[second["id"]]), np.uint8)) == 1


def test_nobody_posts_into_a_closed_survey_by_claiming_an_earlier_time(address, province, database):
    # (5) bcgov/common-hosted-form-service pull request 1916
    code = province.points[("C1", "sipas-desk")]
    device = province.device()
    before = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    with database.writing() as session:
        change_state(session, find_by_code(session, code), PointState.PAUSED)
    stranger = httpx.post(address + URL, json=body(code, answered_at=before))
    assert (stranger.status_code, stranger.json()["type"]) == (422, "/problems/point-closed")
    kept = body(answered_at=before)
    assert httpx.post(address + URL, json=kept, headers=device).status_code == 201
    too_old = body(answered_at=(datetime.now(UTC) - timedelta(days=31)).isoformat())
    answer = httpx.post(address + URL, json=too_old, headers=device)
    # Counted at receipt, as what is too old is, it meets a survey that is closed.
    assert answer.json()["type"] == "/problems/point-closed"
    with database.reading() as session:
        (row,) = session.scalars(select(Response))
    assert row.claimed_at == datetime.fromisoformat(before)
    assert row.received_at - row.claimed_at > timedelta(minutes=9)


def test_a_refused_item_is_set_aside_with_its_reason_and_holds_up_nothing(
    address, province, database
):
    # (6) formio/formio.js 1156
    good = [body() for _ in range(5)]
    wrong = body(answers={"A1": 9})
    sender = deliver(address, province.device(), [wrong, *good])
    assert ids(database) == sorted(sent["id"] for sent in good)
    (aside,) = sender.set_aside
    assert aside["response"] == wrong
    assert aside["problem"]["errors"][0]["field"] == "answers.A1"


def test_a_device_that_died_before_the_answer_came_sends_again_and_is_counted_once(
    address, province, database
):
    # (7) formbricks/formbricks 2956: what the device kept is all it needs
    headers, sent = province.device(), body()
    with httpx.Client(base_url=address, headers=headers) as client:
        request = client.build_request("POST", URL, json=sent)
        stream = client.send(request, stream=True)
        stream.close()  # dies without having read the answer
    answer = httpx.post(address + URL, json=sent, headers=headers)
    assert answer.json()["status"] in ("accepted", "duplicate")
    assert ids(database) == [sent["id"]]


def test_a_recount_needs_no_more_memory_for_more_responses(province, database, monkeypatch):
    # (8) LimeSurvey pull requests 3267 and 4911, Scifabric/pybossa 670. Rates read cells, whose
    # number does not depend on the responses; what reads responses reads them in pieces.
    from tests.intake.test_store import Preparing

    prepare, code = Preparing(database), province.points[("C1", "sipas-desk")]
    monkeypatch.setattr(replay, "_CHUNK", 100)

    def peak():
        tracemalloc.start()
        assert replay.verify(database) == []
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    prepare.store.append([prepare(body(code)) for _ in range(200)])
    peak()  # what is made once
    small = peak()
    for _ in range(7):
        prepare.store.append([prepare(body(code)) for _ in range(200)])
    assert peak() < 1.5 * small


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_several_server_processes_neither_deadlock_nor_lose(serve, province, database):
    servers = [serve() for _ in range(2)]
    headers = [province.device(unit) for unit in ("A1", "D1", "C1")]
    queues = [[body() for _ in range(600)] for _ in range(6)]
    shared = [body() for _ in range(200)]
    with ThreadPoolExecutor(6) as pool:
        senders = list(
            pool.map(
                lambda n: deliver(
                    servers[n % 2].address,
                    headers[n % 3],
                    queues[n] + (shared if n % 3 == 0 else []),
                ),
                range(6),
            )
        )
    assert sum(s.outcomes["accepted"] for s in senders) == 6 * 600 + 200
    assert sum(s.outcomes["duplicate"] for s in senders) == 200
    assert len(ids(database)) == 3800
    assert replay.verify(database) == []
