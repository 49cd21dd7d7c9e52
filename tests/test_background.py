"""Tasks beside the requests: begun again when they fail, told of when they do not run."""

import asyncio
import logging
import time

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app import background, main
from app.background import Supervisor, beat, item_failed
from app.settings import Settings
from tests.conftest import serving
from tests.databases import cut_off
from tests.small_province import body


@pytest.fixture
def hurried(monkeypatch):
    """Short pauses; whoever has failed for a quarter of a second does not run."""
    for name, value in {
        "FIRST_PAUSE_S": 0.01, "LONGEST_PAUSE_S": 0.05, "GRACE_S": 0.25, "_LOOK_EVERY_S": 0.02,
    }.items():  # fmt: skip
        monkeypatch.setattr(background, name, value)


class SteadyClock:
    """A clock that nobody but the test sets."""

    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


def run(scenario):
    """A scenario with a supervisor, which is stopped at its end."""

    async def whole():
        clock = SteadyClock()
        supervisor = Supervisor(clock)
        supervisor.watch()
        try:
            await asyncio.wait_for(scenario(supervisor, clock), 20)
        finally:
            await supervisor.stop()

    asyncio.run(whole())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)


def of(supervisor, name):
    (state,) = [state for state in supervisor.states() if state.name == name]
    return state


def test_a_task_that_raises_or_ends_is_begun_again_and_logged_once(hurried, caplog):
    begun = []

    async def work():
        begun.append(len(begun))
        if len(begun) <= 30:
            raise OSError("disk full")
        if len(begun) <= 33:
            return
        beat()
        await asyncio.sleep(60)

    async def scenario(supervisor, clock):
        supervisor.keep("sms", work)
        await until(lambda: len(begun) == 10)
        assert supervisor.not_running() == []  # not at the first trouble
        clock.at += 0.3
        assert supervisor.not_running() == ["sms"]
        told = supervisor.problem()
        assert "sms" in told.detail("en") and told.status == 503
        await until(lambda: "TASK sms DOES NOT RUN" in caplog.text)
        await until(lambda: supervisor.not_running() == [])
        await until(lambda: "task sms runs again" in caplog.text)
        state = of(supervisor, "sms")
        assert (state.failures, state.last_failure.kind) == (33, "ended")
        assert state.running and state.last_success >= state.last_failure.at

    run(scenario)
    logged = [r for r in caplog.records if r.levelno == logging.ERROR]
    # One traceback for thirty failures, one line for what failed otherwise, one that it stands.
    assert [bool(r.exc_info and r.exc_info[1]) for r in logged].count(True) == 1
    assert len(logged) == 3
    assert "works again after 33 failures" in caplog.text


def test_a_task_fails_alone(hurried):
    rounds = []

    async def bad():
        raise RuntimeError("bad")

    async def cancelled():
        raise asyncio.CancelledError

    async def good():
        while True:
            rounds.append(1)
            beat()
            await asyncio.sleep(0.01)

    async def scenario(supervisor, clock):
        supervisor.keep("bad", bad)
        supervisor.keep("cancelled", cancelled)
        supervisor.keep("good", good)
        await until(lambda: of(supervisor, "bad").failures > 3)
        await until(lambda: of(supervisor, "cancelled").failures > 3)
        before = len(rounds)
        await until(lambda: len(rounds) > before + 5)
        clock.at += 1
        assert set(supervisor.not_running()) == {"bad", "cancelled"}
        assert of(supervisor, "good").failures == 0

    run(scenario)


def test_pauses_grow_and_are_bounded_however_long_it_lasts(monkeypatch):
    pauses, sleep = [], asyncio.sleep

    async def noted(seconds):
        pauses.append(seconds)
        await sleep(0)

    async def work():
        raise OSError

    async def scenario(supervisor, clock):
        monkeypatch.setattr(background.asyncio, "sleep", noted)
        supervisor.keep("bad", work)
        while len(pauses) < 3000:
            await sleep(0)
        monkeypatch.setattr(background.asyncio, "sleep", sleep)

    run(scenario)
    mine = [pause for pause in pauses if pause != background._LOOK_EVERY_S]
    # 2 s is among the pauses, too, and looks like that of the watch.
    assert mine[:4] == [0.5, 1.0, 4.0, 5.0] and set(mine[4:]) == {5.0}


def test_one_that_hangs_is_told_and_one_that_is_done_is_not(hurried, caplog):
    held = asyncio.Event()

    async def hangs():
        beat()
        await held.wait()
        beat()
        await asyncio.sleep(60)

    async def is_done():
        await asyncio.sleep(0)

    async def scenario(supervisor, clock):
        supervisor.keep("hangs", hangs, silent_after_s=120)
        supervisor.keep("charts", is_done, once=True, silent_after_s=60)
        await until(lambda: of(supervisor, "charts").last_success)
        clock.at += 119
        assert supervisor.not_running() == []
        clock.at += 2
        assert supervisor.not_running() == ["hangs"] and of(supervisor, "hangs").silent
        await until(lambda: "TASK hangs DOES NOT RUN" in caplog.text)
        held.set()
        await until(lambda: supervisor.not_running() == [])

    run(scenario)


def test_one_that_never_says_anything_runs_again_when_it_has_lived(hurried):
    begun = []

    async def work():
        begun.append(1)
        if len(begun) < 3:
            raise OSError
        await asyncio.sleep(60)

    async def scenario(supervisor, clock):
        supervisor.keep("silent", work)
        await until(lambda: len(begun) == 3)
        clock.at += 30
        assert supervisor.not_running() == ["silent"]
        clock.at += 31
        await until(lambda: supervisor.not_running() == [])

    run(scenario)


def test_items_that_fail_are_counted_from_threads_too_and_stop_nothing(hurried):
    def item():
        item_failed("ReadTimeout")

    async def work():
        await asyncio.to_thread(item)
        item_failed("InvalidURL")
        beat()
        await asyncio.sleep(60)

    async def scenario(supervisor, clock):
        supervisor.keep("webhooks", work)
        await until(lambda: of(supervisor, "webhooks").last_success)
        state = of(supervisor, "webhooks")
        assert (state.items_failed, state.last_item_failure.kind) == (2, "InvalidURL")
        assert (state.failures, supervisor.not_running()) == (0, [])

    run(scenario)
    beat(), item_failed("nobody's")  # in no task they say nothing


# --- in the server --------------------------------------------------------------------------


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_readyz_names_the_task_and_the_intake_goes_on(settings, province, hurried, monkeypatch):
    mended, rounds = [], []

    async def keep_tidy(*_):
        rounds.append(1)
        if not mended:
            raise RuntimeError("bad")
        beat()
        await asyncio.sleep(60)

    monkeypatch.setattr(main, "keep_tidy", keep_tidy)
    with serving(settings) as client:
        wait_for(lambda: client.get("/readyz").status_code == 503)
        told = client.get("/readyz")
        assert told.json()["type"] == "/problems/task-not-running"
        assert "tidying" in told.json()["detail"] and told.headers["Retry-After"]
        sent = client.post("/api/v1/responses", json=body(), headers=province.device())
        assert sent.status_code == 201
        assert len(rounds) > 2
        mended.append(True)
        wait_for(lambda: client.get("/readyz").status_code == 200)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_all_tasks_work_again_within_ten_seconds_of_the_database(
    settings, database, monkeypatch, caplog
):
    supervisors = []

    class Known(Supervisor):
        def __init__(self):
            super().__init__()
            supervisors.append(self)

    monkeypatch.setattr(main, "Supervisor", Known)
    monkeypatch.setattr(background, "GRACE_S", 0.5)
    for name in ("app.clock", "app.access.tidying"):
        monkeypatch.setattr(f"{name}.EVERY_S", 0.2)
    database.close()
    url = make_url(settings.database_url).set(drivername="postgresql")
    name = url.database
    other = url.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(other, autocommit=True) as server, serving(settings) as client:
        (supervisor,) = supervisors
        wait_for(lambda: all(state.last_success for state in supervisor.states()))
        server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        cut_off(settings.database_url)
        wait_for(lambda: {"clock", "tidying"} <= set(supervisor.not_running()))
        assert client.get("/readyz").status_code >= 500
        time.sleep(6)  # pauses have grown to their longest
        server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        back = time.monotonic()
        wait_for(lambda: client.get("/readyz").status_code == 200, 10)
        assert time.monotonic() - back < 10 and supervisor.not_running() == []
    tracebacks = [r for r in caplog.records if r.name == "hailong.background" and r.exc_info]
    assert 1 <= len(tracebacks) <= 5


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_schedule_that_means_nothing_stops_the_start(settings, tmp_path):
    wrong = Settings(
        database_url=settings.database_url, report_folder=tmp_path, report_schedule="fortnight"
    )

    async def start():
        app = main.create_app(wrong)
        async with app.router.lifespan_context(app):
            raise AssertionError("it started")

    with pytest.raises(ValueError, match="fortnight"):
        asyncio.run(start())
