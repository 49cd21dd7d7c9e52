"""Responses examined by themselves: how often, by a process of its own, and only by a rule."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.integrity import batches, schedule
from app.integrity.models import State
from app.integrity.rules import Rule, set_rule
from app.integrity.schedule import arguments, keep_examining
from app.settings import Settings
from tests.integrity.mailbox import mailbox
from tests.integrity.stored import ZONE, desk_form, desks, honest, presses, store
from tests.integrity.suspected import batch_of


@pytest.fixture
def box():
    with mailbox() as box:
        yield box


def at(day, hour):
    return datetime(2026, 11, day, hour, 30, tzinfo=ZONE)


def test_whole_months_are_examined_once_a_night_and_what_is_new_each_hour():
    given, night = arguments(None, at(3, 1))
    assert (given, night) == (["--months", "1", "--fresh"], None)
    given, night = arguments(night, at(3, 2))
    # Devices bring late what they took in the month before.
    assert (given, night) == (["--months", "2", "--mail"], date(2026, 11, 3))
    assert arguments(night, at(3, 3)) == (["--months", "1", "--fresh"], night)
    assert arguments(night, at(4, 1)) == (["--months", "1", "--fresh"], night)
    assert arguments(night, at(11, 5)) == (["--months", "1", "--mail"], date(2026, 11, 11))


def test_a_server_that_slept_through_the_night_catches_up():
    assert arguments(date(2026, 11, 1), at(20, 23)) == (
        ["--months", "1", "--mail"], date(2026, 11, 20),
    )  # fmt: skip


def keep(database, settings, until, now, seconds=300):
    """Let the task run until something is so, or some seconds are over."""

    async def some():
        task = asyncio.create_task(keep_examining(database, settings, lambda: now))
        for _ in range(seconds * 20):
            await asyncio.sleep(0.05)
            if until() or task.done():
                break
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(some())


def in_force(database):
    with database.writing() as session:
        set_rule(session, "stuffing", Rule(), active=True, by="test")


def test_by_a_rule_in_force_a_process_examines_and_mails(
    database, province, database_url, box, caplog
):
    today = datetime.now(ZONE).date()
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    night = datetime(today.year, today.month, 2, 3, tzinfo=ZONE)  # the month before is looked at
    version, units = desk_form(database), desks(database, 20)
    closing = datetime(month.year, month.month, 20, 16, 40, tzinfo=ZONE)
    store(database, honest(version, units, month))
    store(database, presses(version, units[-1], begin=closing))
    in_force(database)
    province.person((Role.PROVINCIAL_ANALYST, None))
    settings = Settings(
        database_url=database_url, mail_server=box.server, public_url="https://hailong.example.vn"
    )
    caplog.set_level(logging.INFO, "hailong.integrity")

    def said():
        return [each for each in caplog.messages if each.startswith("integrity: ")]

    # By the machine's clock the running month is another one only where the test runs at midnight.
    keep(database, settings, said, night)
    assert said(), caplog.text
    assert "by stuffing (1): " in said()[0] and "1 set aside with" in said()[0]
    assert "1 mails to reviewers" in said()[0]
    with database.reading() as session:
        (batch,) = batches.batches(session)
    assert batch.state is State.QUARANTINED and batch.unit_id == units[-1]
    (mail,) = box.mails
    assert f"/integrity/{batch.id}" in mail.get_content()
    with database.reading() as session:  # nobody's hand was in it
        query = select(AuditEntry.actor).where(AuditEntry.action == "batch.quarantine")
        assert set(session.scalars(query)) == {"schedule"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_rule_nothing_is_examined(database, settings, monkeypatch, caplog):
    rounds = []

    async def never(settings, given):
        raise AssertionError(given)

    monkeypatch.setattr(schedule, "_examine", never)
    monkeypatch.setattr(schedule, "beat", lambda: rounds.append(1))
    keep(database, settings, lambda: rounds, datetime.now(UTC), seconds=20)
    assert rounds and not caplog.messages


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_pass_that_fails_is_logged_and_the_task_goes_on(database, monkeypatch, caplog):
    in_force(database)
    rounds = []
    monkeypatch.setattr(schedule, "_MODULE", ("app.cli", "integrity", "no-such-command"))
    monkeypatch.setattr(schedule, "item_failed", lambda name: rounds.append(name))
    settings = Settings(database_url=str(database.engine.url))
    keep(database, settings, lambda: rounds, datetime.now(UTC))
    assert rounds == ["integrity"] and "RESPONSES WERE NOT EXAMINED" in caplog.text


def test_reviewers_are_mailed_once_a_day_of_what_is_new(
    database, province, hailong, box, monkeypatch
):
    in_force(database)
    first = batch_of(database, province.units["C1"], [], month=date(2020, 1, 1))
    province.person((Role.PROVINCIAL_ANALYST, None))
    assert "withdrawn; 0 mails" in hailong("integrity", "examine", "--mail", "--months", 1)
    assert not box.mails  # none is set up
    monkeypatch.setenv("HAILONG_MAIL_SERVER", box.server)
    assert "mails" not in hailong("integrity", "examine", "--months", 1)
    assert "1 mails to reviewers" in hailong("integrity", "examine", "--mail", "--months", 1)
    assert "0 mails to reviewers" in hailong("integrity", "examine", "--mail", "--months", 1)
    (mail,) = box.mails
    assert f"/integrity/{first}" in mail.get_content()
    # The next day: what was found since, and no more.
    second = batch_of(database, province.units["W1"], [], month=date(2020, 1, 1))
    box.mails.clear()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr("app.integrity.commands.datetime", Clock(tomorrow))
    assert "1 mails to reviewers" in hailong("integrity", "examine", "--mail", "--months", 1)
    said = box.mails[0].get_content()
    assert f"/integrity/{second}" in said and f"/integrity/{first}:" not in said
    assert "Có 1 lô" in said
    with database.reading() as session:
        mailed = select(func.count()).where(AuditEntry.action == "integrity.mail")
        assert session.scalar(mailed) == 2


def test_what_no_mail_server_took_is_mailed_the_next_day(
    database, province, hailong, box, monkeypatch
):
    in_force(database)
    found = batch_of(database, province.units["C1"], [], month=date(2020, 1, 1))
    reviewer = province.person((Role.PROVINCIAL_ANALYST, None))
    monkeypatch.setenv("HAILONG_MAIL_SERVER", box.server)
    box.refuses.add(reviewer.email)
    for day in range(4):
        then = datetime.now(UTC) + timedelta(days=day)
        monkeypatch.setattr("app.integrity.commands.datetime", Clock(then))
        if day == 2:
            box.refuses.clear()
        said = hailong("integrity", "examine", "--mail", "--months", 1)
        assert f"{int(day == 2)} mails to reviewers" in said
    (mail,) = box.mails
    assert f"/integrity/{found}" in mail.get_content()


class Clock:
    """A calendar that shows another moment."""

    def __init__(self, moment):
        self._moment = moment

    def now(self, zone):
        return self._moment.astimezone(zone)
