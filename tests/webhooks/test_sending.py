"""Telling webhooks: a bad, slow or vanished one holds up no other, and nothing is lost."""

import asyncio
import dataclasses
import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update

from app import dead_letters
from app.audit.log import entries
from app.dead_letters import MOST_TRIES
from app.webhooks import sending, service
from app.webhooks.models import Delivery
from tests.conftest import serving
from tests.databases import cut_off
from tests.listening import dripping, listening, wait_for

NOW = datetime.now(UTC)
BODY = json.dumps({"type": "invitation.answered", "invitation": "inv_1"})
#: What a webhook's address may look like, though no HTTP client can call it.
BAD = (
    "http://[::1", "http://127.0.0.1:99999/", "http://127.0.0.1:9/", "ftp://x.vn/", "x.vn", "",
    f"http://{'a' * 70}.vn/", "http://exa\u0301mple..vn/", "http://x\ny/",
)  # fmt: skip


@pytest.fixture
def hooks(database):
    """Adds webhooks with tellings that are due; tells what is in the queue."""

    class Queue:
        def add(self, url, times=1, body=BODY, **changes):
            with database.writing() as session:
                hook = service.add_webhook(session, url, None)
                session.flush()
                last = session.scalar(select(func.max(Delivery.id))) or 0
                for n in range(times):
                    due = NOW - timedelta(hours=1) + timedelta(seconds=n)
                    # Else drawn at random; these tests go by their order.
                    values = {
                        "id": last + n + 1,
                        "webhook_id": hook.id,
                        "body": body,
                        "due_at": due,
                    }
                    values |= changes
                    session.add(Delivery(**values))
                return hook.id

        def all(self):
            with database.reading() as session:
                return list(session.scalars(select(Delivery).order_by(Delivery.id)))

        def make_due(self):
            with database.writing() as session:
                session.execute(
                    update(Delivery).where(Delivery.due_at.is_not(None)).values(due_at=NOW)
                )

    return Queue()


def tell_one(database):
    """Make the telling that is due longest; whether there was one."""
    taken = sending.take(database, ())
    if taken is not None:
        asyncio.run(sending.tell(database, taken))
    return taken is not None


def test_a_bad_address_counts_against_itself_alone(database, hooks):
    for url in BAD:
        hooks.add(url)
    with listening() as (url, taken):
        hooks.add(url)
        while tell_one(database):
            pass
    assert len(taken) == 1
    left = hooks.all()
    assert len(left) == len(BAD) and all(each.tries == 1 and each.reason for each in left)
    assert all(each.due_at > NOW and each.failed_at is None for each in left)


def test_a_body_that_is_none_and_a_redirect_loop_are_faults_of_their_own(database, hooks):
    with listening() as (url, taken):
        for body in ("{", "[1, 2]", '{"x": "\\ud800"}'):
            hooks.add(url, body=body)
        while tell_one(database):
            pass
    # Half a surrogate is written as it came, in letters that every system reads.
    ((_, content),) = taken
    assert content.endswith('", "x": "\\ud800"}')
    assert [each.reason.partition(":")[0] for each in hooks.all()] == [
        "JSONDecodeError", "TypeError",
    ]  # fmt: skip
    with listening((302,), Location="/") as (url, taken):
        hooks.add(url)
        tell_one(database)
        assert len(taken) == 1
    assert hooks.all()[-1].reason == "HTTP 302"


def test_what_is_told_in_vain_is_kept_after_growing_pauses_and_told_again(database, hooks):
    pauses = []
    with listening((500,) * 3 + (404,) * (MOST_TRIES - 3) + (200,)) as (url, taken):
        hooks.add(url)
        for _ in range(MOST_TRIES - 1):
            assert tell_one(database)
            assert not tell_one(database)
            left = hooks.all()[0].due_at - datetime.now(UTC)
            pauses.append(round(left.total_seconds(), -1))
            hooks.make_due()
        assert tell_one(database) and not tell_one(database)
        assert pauses == [min(10 * 2**n, 7200) for n in range(1, MOST_TRIES)]
        (letter,) = hooks.all()
        assert (letter.due_at, letter.fate, letter.reason) == (None, "given-up", "HTTP 404")
        assert letter.tries == MOST_TRIES and letter.failed_at >= NOW
        with database.writing() as session:
            assert dead_letters.count(session, Delivery) == 1
            dead_letters.retry(session, Delivery, letter.id)
            assert dead_letters.count(session, Delivery) == 0
        assert tell_one(database)
        assert len(taken) == MOST_TRIES + 1 and hooks.all() == []
        assert len({content for _, content in taken}) == 1


def test_an_id_is_never_given_twice_though_the_queue_was_empty(database, hooks):
    with listening() as (url, taken):
        for _ in range(3):  # on SQLite each is row 1
            hooks.add(url)
            assert tell_one(database) and hooks.all() == []
    ids = [json.loads(content)["id"] for _, content in taken]
    assert len(set(ids)) == 3 and all(id.startswith("evt_") for id in ids)


def test_a_late_answer_takes_no_newer_telling_of_the_same_number_away(database, hooks):
    """Two processes tell the same, the first is slow; the queue is empty meanwhile."""
    with listening() as (url, taken):
        hooks.add(url)
        slow = sending.take(database, ())
        hooks.make_due()
        assert tell_one(database)
        hooks.add(url, id=slow.id, tries=slow.tries)
        asyncio.run(sending.tell(database, slow))
        asyncio.run(sending.tell(database, dataclasses.replace(slow, url="", tries=MOST_TRIES)))
    assert len({content for _, content in taken}) == 1
    (left,) = hooks.all()
    assert (left.id, left.reason, left.failed_at) == (slow.id, None, None)


def test_what_an_ended_webhook_was_to_be_told_is_dropped(database, hooks):
    with listening() as (url, taken):
        id = hooks.add(url)
        with database.writing() as session:
            service.end_webhook(session, id)
        assert tell_one(database) and taken == [] and hooks.all() == []


def test_a_slow_answer_and_an_endless_one_end(database, hooks, monkeypatch):
    monkeypatch.setattr(sending, "_DEADLINE_S", 0.5)
    release = threading.Event()
    with listening(wait=lambda: release.wait(20)) as (url, _):
        hooks.add(url)
        begun = time.monotonic()
        tell_one(database)
        assert time.monotonic() - begun < 5
        release.set()
    assert hooks.all()[0].reason == "TimeoutError"
    with dripping() as url:
        hooks.add(url)
        begun = time.monotonic()
        tell_one(database)
        assert time.monotonic() - begun < 5
    assert hooks.all()[1].reason == "TimeoutError"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_slow_and_bad_ones_hold_up_nobody_in_the_running_server(settings, hooks, tmp_path):
    """Ten that hang, each with fifty tellings, beside nine bad ones, SMS and one good webhook."""
    release = threading.Event()
    with listening(wait=lambda: release.wait(60)) as (slow, hanging), listening() as (good, taken):
        for n in range(10):
            hooks.add(f"{slow}{n}", times=50)
        for url in BAD:
            hooks.add(url, due_at=NOW - timedelta(days=1))
        hooks.add(good, times=20)
        with serving(settings.model_copy(update={"sms_outbox": tmp_path / "x"})) as client:
            begun = time.monotonic()
            wait_for(lambda: len(taken) == 20, 30)
            took = time.monotonic() - begun
            assert client.get("/readyz").status_code == 200
            # Each that hangs is told one thing at a time.
            assert len(hanging) <= 10
            release.set()
    assert took < 15, took  # one timeout of one webhook
    left = hooks.all()
    assert {each.webhook_id for each in left} >= set(range(11, 20))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_lost_when_the_server_ends_in_the_middle(settings, hooks):
    release = threading.Event()
    with listening(wait=lambda: release.wait(300)) as (url, taken):
        hooks.add(url)
        with serving(settings):
            wait_for(lambda: taken)
            begun = time.monotonic()
        assert time.monotonic() - begun < 100  # it does not wait for the webhook
        release.set()
        (left,) = hooks.all()
        assert left.due_at > NOW and left.tries == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_goes_away_meanwhile_has_it_told_again(
    settings, database_url, database, hooks, monkeypatch
):
    cut, note = threading.Event(), sending._note

    def cut_once(*given):
        if cut.is_set():
            return note(*given)
        try:
            with given[0].writing() as session:
                session.execute(text("SELECT 1"))
                cut_off(database_url)
                session.execute(text("SELECT 1"))  # as the noting would, had it begun before
        finally:
            cut.set()

    monkeypatch.setattr(sending, "_note", cut_once)
    with listening() as (url, taken):
        hooks.add(url)
        database.close()
        with serving(settings) as client:
            assert cut.wait(60)
            assert [each.tries for each in hooks.all()] == [1]
            hooks.make_due()
            wait_for(lambda: hooks.all() == [])
            assert client.get("/readyz").status_code == 200
    # By its number the webhook knows it again.
    assert len(taken) == 2 and taken[0][1] == taken[1][1]


def test_nothing_is_told_while_the_clock_is_in_doubt_and_no_task_fails_by_it(
    settings, hooks, caplog
):
    shift = [timedelta(0)]
    with listening() as (url, taken):
        hooks.add(url, due_at=NOW + timedelta(hours=1))
        with serving(settings, wall=lambda: datetime.now(UTC) + shift[0]) as client:
            wait_for(lambda: client.get("/readyz").status_code == 200)
            shift[0] = timedelta(days=3)
            wait_for(lambda: "clock-in-doubt" in client.get("/readyz").text)
            hooks.make_due()
            time.sleep(2 * sending.EVERY_S + 0.5)
            assert taken == []
            shift[0] = timedelta(0)
            wait_for(lambda: taken and hooks.all() == [])
    assert "failed" not in caplog.text


def test_commands_list_send_again_and_drop(hailong, database, hooks):
    dead = {"due_at": None, "failed_at": NOW, "fate": "given-up", "reason": "HTTP 404"}
    hooks.add("http://127.0.0.1:9/a", times=3, tries=12, **dead)
    hooks.add("http://127.0.0.1:9/b")
    said = hailong("webhooks", "waiting")
    assert said.count("HTTP 404") == 3 and "127.0.0.1:9/b" in said
    assert "no dead letter 4" in hailong("webhooks", "retry", 4, code=1)
    assert "no dead letter 4" in hailong("webhooks", "drop", 4, code=1)
    assert "--all" in hailong("webhooks", "retry", 1, "--all", code=1)
    hailong("webhooks", "retry", 1)
    hailong("webhooks", "drop", 2)
    assert hailong("webhooks", "retry", "--all").startswith("1 telling")
    assert [(each.id, each.tries, each.due_at is None) for each in hooks.all()] == [
        (1, 0, False), (3, 0, False), (4, 0, False),
    ]  # fmt: skip
    with database.reading() as session:
        log = [(e.action, e.subject) for e in entries(session) if e.action.startswith("delivery")]
    assert log == [("delivery.retry", "1"), ("delivery.drop", "2"), ("delivery.retry", "all")]
