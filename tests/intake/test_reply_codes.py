"""A response may come with the hash of a code for a reply: one code, one response, kept apart."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app.intake.models import ReplyCode, Response
from app.intake.prepared import Outcome
from app.intake.store import ResponseStore
from app.registry.questionnaires import published
from app.settings import Settings
from app.text_keys import TextKeys
from tests.intake.test_store import Preparing
from tests.integrity.stored import CLOSING, desks, one, rated
from tests.small_province import body


def code_hash(n):
    return hashlib.sha256(f"CODE{n}".encode()).hexdigest()


def stored(database):
    with database.reading() as session:
        rows = session.execute(select(ReplyCode.code_hash, ReplyCode.response_id)).all()
        return {row.code_hash: row.response_id for row in rows}, session.scalar(
            select(func.count()).select_from(Response)
        )


def test_a_code_is_kept_apart_and_told_by_no_body_of_ours(client, province, database):
    device = province.device()
    sent = body(reply_code_hash=code_hash(1))
    first = client.post("/api/v1/responses", json=sent, headers=device)
    assert (first.status_code, first.json()["status"]) == (201, "accepted")
    again = client.post("/api/v1/responses", json=sent, headers=device)
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    other = client.post(
        "/api/v1/responses", json=body(reply_code_hash=code_hash(1)), headers=device
    )
    assert other.status_code == 409 and other.json()["type"] == "/problems/reply-code-taken"
    assert other.json()["field"] == "reply_code_hash" and other.json()["retry"] is False
    # The same response with another code, or suddenly with none, is another response.
    for changed in ({"reply_code_hash": code_hash(2)}, {"reply_code_hash": None}):
        answer = client.post("/api/v1/responses", json=sent | changed, headers=device)
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/conflicting-response"
    plain = body()
    client.post("/api/v1/responses", json=plain, headers=device)
    later = client.post(
        "/api/v1/responses", json=plain | {"reply_code_hash": code_hash(3)}, headers=device
    )
    assert later.json()["type"] == "/problems/conflicting-response"
    for wrong in ("x" * 64, code_hash(4).upper(), code_hash(4)[:-1], 5):
        refused = client.post("/api/v1/responses", json=body(reply_code_hash=wrong), headers=device)
        assert refused.status_code == 422, wrong
    assert stored(database) == ({code_hash(1): sent["id"]}, 2)


def test_members_of_a_batch_are_judged_one_by_one(client, province, database):
    device = province.device()
    first, twin = body(reply_code_hash=code_hash(1)), body(reply_code_hash=code_hash(1))
    batch = [first, twin, first, body(reply_code_hash=code_hash(2)), body(), first | {
        "reply_code_hash": code_hash(9)
    }]  # fmt: skip
    answer = client.post("/api/v1/responses", json={"responses": batch}, headers=device).json()
    told = [
        each["problem"]["type"].rpartition("/")[2]
        if each["status"] == "refused"
        else each["status"]
        for each in answer["responses"]
    ]
    assert told == [
        "accepted", "reply-code-taken", "duplicate", "accepted", "accepted", "conflicting-response",
    ]  # fmt: skip
    assert stored(database) == ({code_hash(1): first["id"], code_hash(2): batch[3]["id"]}, 3)


def test_the_form_without_script_may_carry_one(client, code, database):
    form = {"a.A1": "5", "reply_code_hash": code_hash(7)}
    assert client.post(f"/q/{code}", data=form).status_code == 303
    assert client.post(f"/q/{code}", data={"a.A1": "5", "reply_code_hash": "x"}).status_code == 303
    codes, responses = stored(database)
    assert list(codes) == [code_hash(7)] and responses == 2


@pytest.fixture
def code(province):
    return province.points["C1", "sipas-desk"]


def test_processes_that_bring_one_code_at_once_let_one_have_it(database):
    """Two stores write at the same time; whoever is second waits, and is refused."""
    with database.reading() as session:
        version = next(v for v in published(session) if v.form.code == "sipas-desk")
    (unit,) = desks(database, 1)
    good = dict.fromkeys(rated(version), 4)

    def bring(n):
        each = one(version, unit, CLOSING, good)._replace(reply_code_hash=code_hash(n % 3))
        return ResponseStore(database, TextKeys.of(Settings())).append([each])[0]

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(bring, range(12)))
    assert outcomes.count(Outcome.ACCEPTED) == 3 and outcomes.count(Outcome.CODE_TAKEN) == 9
    codes, responses = stored(database)
    assert len(codes) == responses == 3


def test_whoever_is_refused_leaves_the_code_to_another(database, code, province):
    """A response without its invitation claimed it before, alone or beside one that is stored."""
    prepare = Preparing(database)
    uninvited = prepare(body(code))._replace(invitation="f" * 64, reply_code_hash=code_hash(1))
    assert prepare.store.append([uninvited]) == [Outcome.UNINVITED]
    assert stored(database) == ({}, 0)
    assert prepare.store.append([uninvited, prepare(body(code))]) == [
        Outcome.UNINVITED,
        Outcome.ACCEPTED,
    ]
    assert stored(database) == ({}, 1)
    other = prepare(body(code))._replace(reply_code_hash=code_hash(1))
    assert prepare.store.append([other]) == [Outcome.ACCEPTED]
