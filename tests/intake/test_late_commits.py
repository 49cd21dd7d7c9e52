"""A sending that was given up may be stored in the end; the next one is a duplicate of it."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import func, select

from app.intake.models import Response, ResponseChange
from app.intake.prepared import Outcome
from app.intake.rollup_rebuild import verify
from app.intake.writer import Writer
from app.invitations.models import Invitation
from app.registry.points import find_by_code
from tests.intake.test_store import Preparing
from tests.small_province import body


@pytest.fixture
def prepare(database, province):
    return Preparing(database)


def invited(database, province, prepare):
    """A response to an invitation of its own."""
    code = province.points[("C1", "sipas-desk")]
    with database.writing() as session:
        point = find_by_code(session, code)
        session.add(
            Invitation(
                number="7", token_hash="f" * 64, unit_id=point.unit_id, point_id=point.id,
                case_hash="e" * 64, finished_on=datetime.now(UTC).date(),
                expires_at=datetime.now(UTC) + timedelta(days=3),
            )
        )  # fmt: skip
    return prepare(body(code))._replace(invitation="f" * 64)


def test_a_second_sending_waits_for_the_first_and_is_a_duplicate_of_it(
    prepare, province, database, monkeypatch
):
    # The first hangs with all written and nothing committed, as one whose caller has given up.
    response = invited(database, province, prepare)
    written, go_on = Event(), Event()
    add = prepare.store._cells.add

    def hang(session, contributions):
        add(session, contributions)
        if not written.is_set():
            written.set()
            assert go_on.wait(10)

    monkeypatch.setattr(prepare.store._cells, "add", hang)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(prepare.store.append, [response])
        assert written.wait(10)
        second = threads.submit(prepare.store.append, [response])
        time.sleep(0.5)
        assert not second.done()
        go_on.set()
        assert first.result(10) == [Outcome.ACCEPTED]
        assert second.result(10) == [Outcome.DUPLICATE]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 1
    assert verify(database) == []


@pytest.mark.parametrize("late_at", ["write", "commit"])
def test_what_a_commit_held_up_is_noted_for_those_who_follow_once(
    prepare, province, database, monkeypatch, late_at
):
    response = prepare(body(province.points[("C1", "sipas-desk")]))
    received = response.row.received_at
    moments = [
        received + timedelta(seconds=s) for s in ((0, 130) if late_at == "commit" else (130,) * 2)
    ]
    monkeypatch.setattr(prepare.store, "_now", lambda: moments.pop(0))
    assert prepare.store.append([response]) == [Outcome.ACCEPTED]
    with database.reading() as session:
        rows = session.execute(select(ResponseChange.number, ResponseChange.response_id)).all()
    assert rows == [(1, response.row.id)]


@pytest.mark.parametrize("late_at", ["write", "commit"])
def test_of_a_group_that_was_held_up_those_are_noted_that_had_waited(
    prepare, province, database, monkeypatch, late_at
):
    point = province.points[("C1", "sipas-desk")]
    old, new = prepare(body(point)), prepare(body(point))
    received = old.row.received_at
    new = new._replace(row=new.row._replace(received_at=received + timedelta(seconds=100)))
    moments = [
        received + timedelta(seconds=s) for s in ((0, 130) if late_at == "commit" else (130,) * 2)
    ]
    monkeypatch.setattr(prepare.store, "_now", lambda: moments.pop(0))
    if late_at == "write":  # it is noted with what is written
        monkeypatch.setattr(prepare.store, "_note_late", lambda *_: None)
    assert prepare.store.append([old, new]) == [Outcome.ACCEPTED] * 2
    with database.reading() as session:
        noted = session.scalars(select(ResponseChange.response_id)).all()
    assert noted == [old.row.id]


def test_responses_are_stored_while_all_other_threads_hang():
    class Store:
        def append(self, group):
            return [Outcome.ACCEPTED] * len(group)

    async def work():
        loop, go_on = asyncio.get_running_loop(), Event()
        loop.set_default_executor(ThreadPoolExecutor(2))
        elsewhere = [loop.run_in_executor(None, go_on.wait, 20) for _ in range(8)]
        writer = Writer(Store(), 100)
        writer.start()
        try:
            return await asyncio.wait_for(writer.submit([1]), 10)
        finally:
            go_on.set()
            await asyncio.gather(*elsewhere)
            await writer.stop()

    assert asyncio.run(work()) == [Outcome.ACCEPTED]
