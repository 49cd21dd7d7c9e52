"""What is kept no longer goes by rule, sums stay, and nobody's answer is counted twice for it."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.clock import note as note_time
from app.figures.late import find_withheld
from app.figures.microdata import ResponsesDeleted
from app.figures.microdata import read as read_single
from app.intake import partitions
from app.intake.models import AsideResponse, LateResponse, Response, ResponseText
from app.intake.prepared import Outcome
from app.intake.retained import note, retained
from app.intake.rollup_rebuild import rebuild, verify
from app.intake.setting_aside import Together
from app.integrity.batches import BatchDeleted, release
from app.integrity.models import State, SuspectBatch, SuspectResponse
from app.invitations.models import Invitation
from app.invitations.service import months
from app.retention import deleting
from app.retention.schedule import claim, give_back
from tests.retention.history import SETTINGS, TODAY, days_ago, months_ago
from tests.server import ROOT
from tests.small_province import body

OLD, NEW = months_ago(5), months_ago(2)
FIRST = months_ago(3)


@pytest.fixture
def both(history):
    """Twelve of a month that goes, and twelve of one that stays; the first of each wrote."""
    history.old = history.came(OLD, 11) + history.came(OLD + timedelta(1), 1, text="cũ")
    history.new = history.came(NEW, 11) + history.came(NEW, 1, text="mới")
    return history


def test_rows_go_with_all_that_is_theirs_and_sums_stay(both):
    before = both.cells()
    with both.database.writing() as session:
        session.add(_batch(OLD))
        session.flush()
        (batch,) = session.scalars(select(SuspectBatch.id))
        session.add(
            SuspectResponse(
                response_id=both.old[0].row.id, batch_id=batch, kind="even", probability=0.9
            )
        )
    assert both.delete(FIRST).numbers["responses"] == 12
    assert both.ids() == {each.row.id for each in both.new} and both.texts() == ["mới"]
    assert both.count(SuspectResponse) == 0
    assert both.cells() == before and verify(both.database) == []
    rebuild(both.database)
    assert both.cells() == before
    # Again there is nothing, and nothing is noted of it.
    entries = both.actions()
    assert sum(both.delete(FIRST).numbers.values()) == 0 and both.actions() == entries
    assert [each for each in entries if each.startswith("retention")] == [
        "retention.responses", "retention.run",
    ]  # fmt: skip
    with both.database.reading() as session:
        (run,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "retention.run"))
        assert json.loads(run.details)["deleted"] == {"responses": 12} and run.actor == "test"
    # A batch of it can be decided on no more.
    with both.database.writing() as session, pytest.raises(BatchDeleted):
        release(session, Together.of(SETTINGS), batch, "An", "đúng")


def _batch(month):
    return SuspectBatch(
        unit_id=1, version_id=1, channel="kiosk", credential_id=7, month=month, rule="stuffing",
        rule_version=1, probability=0.9, responses=12, suspected=1, reasons="[]",
        state=State.QUARANTINED.value, found_at=datetime.now(UTC),
    )  # fmt: skip


def test_sent_again_it_is_known_and_what_never_came_is_refused_by_name(both):
    both.delete(FIRST)
    before = both.cells()
    assert set(both.store.append(both.old)) == {Outcome.DUPLICATE}
    # Whatever its device's clock claims by now, and on whichever day it would count.
    (one,) = both.old[:1]
    today = one._replace(row=one.row._replace(day=TODAY, claimed_at=datetime.now(UTC)))
    assert both.store.append([today]) == [Outcome.DUPLICATE]
    late = both.one(OLD)
    assert both.store.append([late, both.one(NEW)]) == [Outcome.DAY_DELETED, Outcome.ACCEPTED]
    assert late.row.id not in both.ids()
    now = both.cells()
    assert {k for k in now if now[k] != before.get(k)} == {
        key for key in now if key[0] == NEW
    } and verify(both.database) == []


def test_a_device_is_told_so_and_its_answer_is_kept_aside(client, database, province):
    device = province.device()
    with database.writing() as session:
        note(session).responses_from = days_ago(2)
    old, new = (body(age_s=86_400 * days) for days in (9, 1))
    told = client.post("/api/v1/responses", json={"responses": [old, new]}, headers=device).json()
    refused, taken = told["responses"]
    assert refused["problem"]["type"] == "/problems/day-deleted" and taken["status"] == "accepted"
    with database.reading() as session:
        (aside,) = session.scalars(select(AsideResponse))
        assert (aside.response_id, aside.rule) == (old["id"], "day-deleted")


def test_texts_go_alone_and_history_brings_none_back(both):
    assert both.delete(texts=FIRST).numbers["texts"] == 1
    assert both.texts() == ["mới"] and both.count(Response) == 24
    assert both.store.append(both.old) == [Outcome.DUPLICATE] * 12
    imported = both.one(OLD, text="nhập lại")
    assert both.store.append([imported]) == [Outcome.ACCEPTED] and both.texts() == ["mới"]


def test_what_was_withheld_of_late_answers_stays_withheld(history):
    """Of nine that came late strangers are told nothing, before and after; of twelve they are."""
    history.came(OLD, 9, late=OLD + timedelta(45))
    history.came(OLD, 12, unit=4, late=OLD + timedelta(45))
    history.came(NEW, 5, late=NEW + timedelta(45))

    def withheld():
        with history.database.reading() as session:
            found, _ = find_withheld(session, [history.version], 10, TODAY)
        (one,) = found.values()
        order = np.argsort(one.rows.day, kind="stable")
        cells = [cell.tobytes() for cell in one.rows.cells[order]]
        return list(zip(one.rows.unit_id[order].tolist(), cells, strict=True)), len(one.moved.day)

    before = withheld()
    assert [unit for unit, _ in before[0]] == [1, 1]
    history.delete(FIRST)
    assert history.count(LateResponse) == 5
    assert withheld() == before


def test_statistics_of_single_responses_say_from_which_day_on(both):
    def single(first, last=None, units=(1,)):
        with both.database.reading() as session:
            return len(
                read_single(
                    session, both.version, first=first, last=last, units=units, unreleased=None
                )
            )

    assert single(None) == 24
    both.delete(FIRST)
    assert single(FIRST) == 12 and single(None, units=(2,)) == 0
    for first, last in ((None, None), (OLD, None), (OLD, OLD)):
        with pytest.raises(ResponsesDeleted) as refused:
            single(first, last)
        assert refused.value.values["first_day"] == FIRST


def test_invitations_are_traced_no_more_and_still_counted(history):
    with history.database.writing() as session:
        for n in range(6):
            session.add(
                Invitation(
                    number=f"inv_{n}", token_hash=f"t{n}", unit_id=1, point_id=1,
                    case_hash=f"c{n}", procedure="1.004", finished_on=OLD if n < 4 else NEW,
                    expires_at=datetime.now(UTC), answered=n % 2 == 0,
                )
            )  # fmt: skip

    def rates():
        with history.database.reading() as session:
            return months(session, {1}, OLD, TODAY)

    before = rates()
    assert history.delete(invitations=FIRST).numbers["invitations"] == 4
    assert history.delete(invitations=FIRST).numbers["invitations"] == 0
    assert rates() == before
    with history.database.reading() as session:
        left = session.scalars(select(Invitation).order_by(Invitation.id)).all()
    assert [each.procedure for each in left] == [None] * 4 + ["1.004"] * 2
    assert {each.case_hash for each in left[4:]} == {"c4", "c5"}
    assert not {f"c{n}" for n in range(4)} & {each.case_hash for each in left}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_empty_months_lose_their_partition_and_none_that_is_read_is_waited_for(both):
    name = f"response_y{OLD:%Y}m{OLD:%m}"

    def there():
        with both.database.reading() as session:
            return session.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None

    with both.database.reading() as session:
        session.execute(text(f"SELECT count(*) FROM {name}"))
        # A recount reads it at this moment, and whoever answers must not wait behind us.
        assert name not in both.delete(FIRST).partitions and there()
    assert name in deleting._drop_partitions(both.database) and not there()
    with both.database.writing() as session:
        assert name not in partitions.ensure(session.connection(), TODAY)
    both.came(NEW, 1)
    assert verify(both.database) == []


def test_the_command_says_before_what_it_would_do(hailong, both, monkeypatch):
    monkeypatch.setenv("HAILONG_KEEP_RESPONSES_MONTHS", "3")
    monkeypatch.setenv("HAILONG_KEEP_TEXTS_MONTHS", "0")
    with both.database.writing() as session:
        session.add(_batch(OLD))
    both.database.close()
    said = hailong("retention", "run", "--preview")
    assert f"single responses: 12 before {FIRST}" in said and "texts: kept for good" in said
    assert "1 batches of these months are set aside" in said and both.count(Response) == 24
    said = hailong("retention", "run")
    assert "deleted: 12 single responses" in said and both.count(Response) == 12
    assert "nothing was kept too long" in hailong("retention", "run")
    assert "all cells equal" in hailong("rollups", "verify")
    # A clock that went on by years overnight deletes nothing.
    with both.database.writing() as session:
        note_time(session, datetime.now(UTC) - timedelta(days=400))
    both.database.close()
    assert "the clock is in doubt" in hailong("retention", "run", code=1)
    assert hailong("retention", "run", "--preview")


def test_one_server_of_several_does_the_work_of_a_night(history):
    database = history.database
    # The first night after an installation is the next one.
    assert not claim(database, days_ago(1)) and not claim(database, days_ago(1))
    assert claim(database, TODAY) and not claim(database, TODAY)
    give_back(database, TODAY)
    assert claim(database, TODAY)


def test_who_is_killed_in_the_midst_is_taken_up_again(history, monkeypatch, tmp_path):
    """SIGKILL between any two transactions: cells as before, and the next run ends the work."""
    history.came(OLD, 1500)
    history.came(NEW, 20, text="còn")
    before = history.cells()
    environment = os.environ | {
        "HAILONG_DATABASE_URL": history.database.url.render_as_string(hide_password=False),
        "HAILONG_KEEP_RESPONSES_MONTHS": "3", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    slow = (
        "import sys, time; from app.retention import deleting; deleting._AT_ONCE = 50; "
        "erase = deleting.erase\n"
        "def slowly(*given):\n    time.sleep(0.05); erase(*given)\n"
        "deleting.erase = slowly; sys.argv = ['hailong', 'retention', 'run']\n"
        "from app.cli import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow], env=environment, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while history.count(Response) == 1520 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
        # Whoever answers meanwhile waits for none of it.
    history.came(TODAY, 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = history.count(Response)
    assert 21 < left < 1521
    assert verify(history.database) == []
    rebuild(history.database)
    assert {k: v for k, v in history.cells().items() if k[0] != TODAY} == before
    done = history.delete(FIRST)
    assert done.numbers["responses"] == left - 21 and history.count(Response) == 21
    assert verify(history.database) == [] and history.count(ResponseText) == 20
    with history.database.reading() as session:
        assert retained(session).responses_from == FIRST
