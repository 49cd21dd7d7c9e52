"""A server whose calendar jumps: nothing is stored, deleted or refused for good by it."""

import asyncio
import logging
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.access import tidying
from app.access.models import AccountSession, Right
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.clock import ClockInDoubt, ClockNote, ServerClock
from app.intake import clock_commands
from app.intake.models import Response
from app.intake.writer import Writer
from app.registry.points import find_by_code
from tests.conftest import serving
from tests.small_province import body

URL = "/api/v1/responses"
JUMPS = [timedelta(days=400), timedelta(minutes=-10), timedelta(minutes=3)]


class Wall:
    """A calendar that a test sets."""

    def __init__(self):
        self.off = timedelta(0)

    def __call__(self):
        return datetime.now(UTC) + self.off


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def server(settings, province, wall, monkeypatch):
    """The real server with that calendar; what it does now and then it does all the time."""
    monkeypatch.setattr(clock, "EVERY_S", 0.02)
    monkeypatch.setattr(tidying, "EVERY_S", 0.02)
    with serving(settings, wall=wall) as client:
        yield client


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def count(database, table=Response):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def in_doubt(answer):
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/clock-in-doubt")
    assert answer.json()["retry"] is True and int(answer.headers["Retry-After"]) > 0
    return True


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_while_the_calendar_is_in_doubt_nothing_is_taken_and_all_may_come_again(
    server, province, database, wall, jump
):
    device, code = province.device(), province.points[("C1", "sipas-desk")]
    sent, batch = body(), {"responses": [body(), body()]}
    assert server.post(URL, json=body(), headers=device).status_code == 201
    wall.off = jump
    assert in_doubt(server.post(URL, json=sent, headers=device))
    assert in_doubt(server.post(URL, json=batch, headers=device))
    assert in_doubt(server.post(URL, json=body(code)))
    assert in_doubt(server.post(URL, json=body(), headers=province.importer()))
    assert in_doubt(server.get("/readyz"))
    assert server.get("/healthz").status_code == 200
    assert count(database) == 1
    # As it was before: the doubt is over by itself, and what was kept is taken.
    wall.off = timedelta(0)
    assert server.post(URL, json=sent, headers=device).status_code == 201
    assert server.post(URL, json=batch, headers=device).status_code == 200
    assert server.get("/readyz").status_code == 200
    with database.reading() as session:
        for received in session.scalars(select(Response.received_at)):
            assert abs(received - datetime.now(UTC)) < timedelta(minutes=10)


def test_a_small_correction_is_followed(server, province, database, wall):
    for seconds in (60, 120, 60, -30):
        wall.off = timedelta(seconds=seconds)
        assert server.post(URL, json=body(), headers=province.device()).status_code == 201
    assert count(database) == 4


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_nobody_is_signed_out_and_nothing_is_tidied_away(server, province, database, wall, jump):
    person = province.person((Role.OPERATOR, None))
    with database.writing() as session:
        over = session.scalars(select(AccountSession)).one()
        over.expires_at = datetime.now(UTC) - timedelta(hours=1)
    until(lambda: count(database, AccountSession) == 0)  # so it does tidy
    person = province.person((Role.OPERATOR, None))
    headers = person.headers | {"Accept": "text/html"}
    assert "hailong clock confirm" not in server.get("/", headers=headers).text
    wall.off = jump
    time.sleep(0.5)  # many times as long as tidying waits
    assert count(database, AccountSession) == 1
    page = server.get("/", headers=headers)
    assert page.status_code == 200 and "hailong clock confirm" in page.text
    refused = server.post("/sign-out", headers=headers, data=person.csrf)
    assert refused.status_code == 503 and "Đồng hồ máy chủ" in refused.text
    wall.off = timedelta(0)
    assert "hailong clock confirm" not in server.get("/", headers=headers).text
    assert server.post("/sign-out", headers=headers, data=person.csrf).status_code == 303


def test_the_operator_is_told_once_and_confirms_it_where_the_new_time_is_right(
    server, province, database, wall, caplog
):
    device = province.device()
    wall.off = timedelta(days=2)
    with caplog.at_level(logging.ERROR, "hailong.clock"):
        for _ in range(3):
            in_doubt(server.post(URL, json=body(), headers=device))
    assert sum("IN DOUBT" in record.message for record in caplog.records) == 1
    # What was confirmed is the calendar of that moment, not one that has moved on since.
    with database.writing() as session:
        clock.confirm(session, datetime.now(UTC))
    time.sleep(0.3)
    in_doubt(server.post(URL, json=body(), headers=device))
    with database.writing() as session:
        clock.confirm(session, wall())
    until(lambda: server.get("/readyz").status_code == 200)
    assert server.post(URL, json=body(), headers=device).status_code == 201
    with database.reading() as session:
        received = session.scalars(select(Response.received_at)).one()
    assert abs(received - wall()) < timedelta(minutes=5)


def test_one_that_starts_holds_its_calendar_against_what_was_noted(database, monkeypatch, wall):
    monkeypatch.setattr(clock, "NOTED_EVERY_S", 0)

    def started(off):
        wall.off = off
        server = ServerClock(database, 120, 30, wall=wall)
        server.begin()
        return server

    assert started(timedelta(0)).look() is None  # nothing is known yet
    first = started(timedelta(0))
    first.watch()
    assert count(database, ClockNote) == 1
    assert started(timedelta(days=29)).look() is None
    assert started(timedelta(seconds=-60)).look() is None
    for off in (timedelta(minutes=-10), timedelta(days=400)):
        doubtful = started(off)
        assert abs(doubtful.now() - datetime.now(UTC)) < timedelta(minutes=5)
        with pytest.raises(ClockInDoubt):
            doubtful.check()
        with pytest.raises(ClockInDoubt):
            doubtful.sure_now()
        doubtful.watch()
        assert doubtful.look() is not None
    with database.reading() as session:  # a doubtful server is sure of nothing
        assert session.get(ClockNote, 1).seen_at < datetime.now(UTC)


def test_a_server_that_starts_beside_one_in_doubt_doubts_too(database, wall):
    def started():
        server = ServerClock(database, 120, 30, wall=wall)
        server.begin()
        return server

    first = started()
    wall.off = timedelta(days=5)  # which alone would be taken for a pause
    first.watch()
    second = started()
    assert abs(second.look().expected - datetime.now(UTC)) < timedelta(minutes=1)
    second.watch()
    # Started alone, after those that doubted have ended, it has learnt nothing new.
    assert started().look() is not None
    wall.off = timedelta(0)
    for server in (first, second):
        server.watch()
        assert server.look() is None
    assert started().look() is None and count(database, ClockNote) == 1
    # And where the new time is the right one, they agree on that.
    wall.off = timedelta(days=5)
    first.watch()
    second = started()
    with database.writing() as session:
        clock.confirm(session, wall())
    for server in (first, second, started()):
        server.watch()
        assert server.look() is None
    assert count(database, ClockNote) == 1


def test_a_calendar_that_was_set_right_while_no_server_ran_is_believed(database, wall):
    server = ServerClock(database, 120, 30, wall=wall)
    wall.off = timedelta(days=5)
    server.watch()
    wall.off = timedelta(0)
    another = ServerClock(database, 120, 30, wall=wall)
    another.begin()
    assert another.look() is None
    # What was doubted is forgotten once its time has come.
    wall.off = timedelta(days=6)
    with database.writing() as session:
        clock.note(session, wall())
    assert count(database, ClockNote) == 1


def test_a_confirmation_by_mistake_is_none_of_a_doubt_that_comes_later(database):
    passed, off = [0.0], [timedelta(0)]
    begun = datetime.now(UTC)
    server = ServerClock(
        database, 120, 30,
        wall=lambda: begun + timedelta(seconds=passed[0]) + off[0], steady=lambda: passed[0],
    )  # fmt: skip
    server.begin()
    with database.writing() as session:
        clock.confirm(session, begun)
    server.watch()
    passed[0] = 3600
    server.watch()
    off[0] = timedelta(seconds=-3590)  # back to when it was confirmed
    for _ in range(2):
        server.watch()
        assert server.look() is not None


def test_an_id_from_the_end_of_time_hides_no_newer_receipt(client, province, database, wall):
    device, far = province.device(), "ffffffff-ffff-7fff-bfff-ffffffffffff"
    for sent in (body(id=far), body()):
        assert client.post(URL, json=sent, headers=device).status_code == 201
    with database.writing() as session:
        session.execute(
            update(Response)
            .where(Response.id == far)
            .values(received_at=datetime.now(UTC) - timedelta(days=90))
        )
    server = ServerClock(database, 120, 30, wall=wall)
    server.begin()
    assert server.look() is None


def test_a_server_that_starts_in_doubt_shows_the_form_and_takes_it_later(
    settings, province, database, wall
):
    path = f"/q/{province.points[('C1', 'sipas-desk')]}"
    with serving(settings, wall=wall) as server:
        assert server.get(path).status_code == 200
    with database.writing() as session:
        clock.note(session, datetime.now(UTC))
    wall.off = timedelta(days=-100)
    with serving(settings, wall=wall) as server:
        page = server.get(path)
        assert page.status_code == 200
        sent = dict(re.findall(r'name="(id|version|opened|page)" value="([^"]*)"', page.text))
        assert server.post(path, data=sent | {"a.A1": "4"}).status_code == 503
        wall.off = timedelta(0)
        assert server.post(path, data=sent | {"a.A1": "4"}).status_code == 303
    assert count(database) == 1


def test_a_month_is_over_by_the_time_that_is_believed(settings, province, database, wall):
    """A jump of the calendar does not tell strangers what waits for the month's end."""
    device, stranger = province.device(), province.public_reader()
    settings = settings.model_copy(update={"clock_gap_days": 90})
    asked = {"questionnaire": "sipas-desk", "unit": "C1"}

    def told(server):
        found = server.get("/api/v1/satisfaction", params=asked, headers=stranger)
        assert found.status_code == 200, found.text
        return [row["rate"] for row in found.json()["rows"]]

    with serving(settings, wall=wall) as server:
        answers = {"responses": [body(answers={"A1": 5, "A2": 5}) for _ in range(12)]}
        assert server.post(URL, json=answers, headers=device).status_code == 200
        assert told(server) == [None]
        wall.off = timedelta(days=40)
        in_doubt(server.post(URL, json=body(), headers=device))
        assert told(server) == [None]
    with database.writing() as session:
        clock.confirm(session, wall())
    with serving(settings, wall=wall) as server:
        assert told(server) == [1.0]


def test_whether_a_form_is_open_is_told_by_the_clock_that_is_believed(
    settings, province, database, wall
):
    code = province.points[("C1", "sipas-desk")]
    with database.writing() as session:
        find_by_code(session, code).closes_at = datetime.now(UTC) + timedelta(days=20)
    case = {"unit": "C1", "case": "H1", "finished_at": datetime.now(UTC).isoformat()}
    with serving(settings, wall=wall) as server:
        invited = server.post(
            "/api/v1/invitations", json=case, headers=province.credential(Right.INVITE)
        ).json()
        paths = [f"/q/{code}", "/i/" + invited["link"].rpartition("/")[2]]
        assert [server.get(path).status_code for path in paths] == [200, 200]
    wall.off = timedelta(days=31)  # not in doubt: by this calendar both are over
    with serving(settings, wall=wall) as server:
        assert [server.get(path).status_code for path in paths] == [403, 410]


def test_the_first_start_looks_at_the_newest_receipt(client, province, database, wall):
    device = province.device()
    assert client.post(URL, json=body(), headers=device).status_code == 201
    wall.off = timedelta(minutes=-10)
    server = ServerClock(database, 120, 30, wall=wall)
    server.begin()
    assert server.look() is not None


def test_a_jump_between_the_check_and_the_writing_refuses_what_waits():
    class Store:
        def append(self, group):
            raise ClockInDoubt

    async def run():
        writer = Writer(Store(), 10)
        writer.start()
        try:
            with pytest.raises(ClockInDoubt):
                await writer.submit([object()])
            with pytest.raises(ClockInDoubt):  # and it goes on writing
                await writer.submit([object()])
        finally:
            await writer.stop()

    asyncio.run(run())


def test_the_commands_show_and_confirm(database_url, database, monkeypatch, capsys):
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)
    clock_commands.show()
    assert "no server was sure yet" in capsys.readouterr().out
    for confirmations in (1, 2):
        clock_commands.confirm_time()
        assert "is confirmed" in capsys.readouterr().out
        with database.reading() as session:
            found = session.scalars(select(ClockNote)).one()
            assert found.confirmations == confirmations
            assert abs(found.confirmed_at - datetime.now(UTC)) < timedelta(minutes=5)
    clock_commands.show()
    assert "last sure" in capsys.readouterr().out
    with database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "clock.confirm"))
        assert all(entry.actor.startswith("command:") for entry in entries.all())
