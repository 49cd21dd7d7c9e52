"""What ails a running service: it hangs, a task of it stands still, its database is damaged."""

import os
import signal
import sqlite3
import threading
from contextlib import ExitStack, closing

import httpx
import pytest
from sqlalchemy import text

from app import background
from app.doctor import machine, service, store
from app.doctor.findings import Severity
from app.figures.rates import find as find_rates
from app.settings import Settings
from tests.conftest import serving
from tests.databases import overwrite
from tests.doctor.looking import severities, worst
from tests.server import ServerProcess, free_port
from tests.serving.raw import opened, wait_for
from tests.small_province import body


def remedies(check, settings):
    return " | ".join(f.do for f in check(settings) if f.do)


def test_a_service_that_hangs_is_not_told_to_be_started(settings, database_url, tmp_path):
    """Stopped in mid-life, as by a dead disk: its system goes on taking connections."""
    server = ServerProcess(database_url, tmp_path / "log").wait_until_ready()
    here = settings.model_copy(update={"port": server.port})
    try:
        os.killpg(server.process.pid, signal.SIGSTOP)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(service, "_PATIENCE_S", 1)
            assert "takes connections and does not answer" in worst(service.runs, here)
            assert "restart" in remedies(service.runs, here)
        os.killpg(server.process.pid, signal.SIGCONT)
        assert severities(service.runs, here) == {Severity.WELL}
    finally:
        server.kill()


def test_a_service_on_an_address_of_ipv6(settings):
    there = settings.model_copy(update={"host": "::1", "port": free_port()})
    assert f"http://[::1]:{there.port} does not answer" in worst(service.runs, there)


def test_work_in_the_background_that_does_not_run_is_named(settings, database, client, monkeypatch):
    here = settings.model_copy(update={"port": client.base_url.port})
    monkeypatch.setattr(background, "GRACE_S", 0.2)
    assert severities(service.runs, here) == {Severity.WELL}
    with database.writing() as session:
        session.execute(text("DROP TABLE delivery"))
    wait_for(lambda: client.get("/readyz").status_code == 503)
    assert "Not running: webhooks. Answers are taken all the same." in worst(service.runs, here)
    assert "grep 'task '" in remedies(service.runs, here)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("copies", [False, True])
def test_a_damaged_database_is_named_and_what_to_put_back(
    settings, database_url, database, province, tmp_path, copies
):
    if copies:
        (tmp_path / "copies").mkdir()
        (tmp_path / "copies/hailong-20261127T190000Z.sqlite.tar.zst").write_bytes(b"")
    device = province.device()
    database.close()
    server = ServerProcess(database_url, tmp_path / "log").wait_until_ready()
    here = Settings(
        database_url=database_url, port=server.port,
        backup_folder=tmp_path / "copies" if copies else None,
    )  # fmt: skip
    file = machine.database_file(here)
    try:
        with httpx.Client(base_url=server.address, timeout=30) as client:
            send = {"json": body(), "headers": device}
            assert client.post("/api/v1/responses", **send).status_code == 201
            overwrite(file, 4096 * 2)
            wait_for(lambda: client.get("/readyz").status_code == 503, 60)
        assert "is damaged, so nothing is taken" in worst(service.runs, here)
        assert "is damaged" in worst(store.reached, here)
        for check in (service.runs, store.reached):
            told = remedies(check, here)
            assert "hailong restore" in told
            assert ("hailong-20261127T190000Z" in told) is copies
    finally:
        server.kill()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_damage_that_hangs_together_is_found_by_looking_at_everything(settings, database, province):
    assert severities(store.whole, settings) == {Severity.WELL}
    with closing(sqlite3.connect(machine.database_file(settings))) as connection, connection:
        connection.execute("UPDATE survey_point SET unit_id = 987654")
    assert Severity.WRONG not in severities(store.reached, settings)
    assert "names one of unit that is not there" in worst(store.whole, settings)
    assert "hailong restore" in remedies(store.whole, settings)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_service_whose_connections_are_all_being_answered(settings, monkeypatch):
    full = settings.model_copy(update={"connection_limit": 16})
    monkeypatch.setattr("app.serving.protocol.BoundedProtocol.place_in_leaving", lambda self: None)
    with serving(full) as client, ExitStack() as stack:
        here = settings.model_copy(update={"port": client.base_url.port})
        assert severities(service.runs, here) == {Severity.WELL}
        for _ in range(16):
            stack.enter_context(opened(here.port))
        assert "too many requests at this moment" in worst(service.runs, here)
        assert "HAILONG_CONNECTION_LIMIT" in remedies(service.runs, here)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_service_that_has_no_time_for_figures(settings, province, monkeypatch):
    """Whoever computes holds the one place; who waits is refused soon."""
    release, begun = threading.Event(), threading.Event()

    def slow(*given, **named):
        begun.set()
        release.wait(30)
        return find_rates(*given, **named)

    monkeypatch.setattr("app.api.rates.find_rates", slow)
    asked = {"url": "/api/v1/satisfaction", "headers": province.reader()}
    busy = settings.model_copy(update={"figures_at_once": 1, "figures_wait_s": 0.3})
    with serving(busy) as client:
        here = busy.model_copy(update={"port": client.base_url.port})
        assert severities(service.runs, here) == {Severity.WELL}
        thread = threading.Thread(target=client.get, kwargs=asked)
        thread.start()
        try:
            assert begun.wait(10)
            assert client.get("/readyz").status_code == 200
            assert "refuses figures: " in worst(service.runs, here)
            assert "HAILONG_FIGURES_AT_ONCE" in remedies(service.runs, here)
        finally:
            release.set()
            thread.join(30)
