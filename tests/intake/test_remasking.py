"""Stored texts are masked once each, whoever is killed meanwhile, and however many do it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import date

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.db import Database, overwriting
from app.intake import remasking
from app.intake.ids import new_id
from app.intake.models import ResponseText
from app.intake.remasking import reencrypt, remask
from app.masking.masker import EDITION, mask
from app.text_keys import TextKeys, TextKeysUnusableError
from tests.server import ROOT

CITIZEN, STAFF = "Trần Thị Mận", "Hoàng Văn Đậu"
TEXT = f"Tôi là {CITIZEN}, số 0912 345 678. Bác sĩ {STAFF} quát tôi."
NUMBER = 240


def store(database, number=NUMBER):
    """Texts of before there was a masker."""
    with database.writing() as session:
        session.add_all(
            ResponseText(
                response_id=new_id(), item="comment", unit_id=1, day=date(2026, 1, 5), body=TEXT
            )
            for _ in range(number)
        )


def begin_run(database, keys):
    """`hailong masking run` in a process, five texts a transaction, of 10 ms each."""
    environment = os.environ | {
        "HAILONG_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "HAILONG_TEXT_KEY_FILE": str(keys.file), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    slowly = (
        "import sys, time; from app.intake import remasking; remasking._AT_ONCE = 5\n"
        "mask = remasking.mask\n"
        "def slow(*given, **more):\n    time.sleep(0.01); return mask(*given, **more)\n"
        "remasking.mask = slow; sys.argv = ['hailong', 'masking', 'run']\n"
        "from app.cli import main; main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", slowly], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def wait_for(process, condition):
    """Until something is so, while a process runs."""
    until = time.monotonic() + 120
    while not condition() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)


def masked(database):
    with database.reading() as session:
        edition = ResponseText.masker_edition
        query = select(func.count()).select_from(ResponseText).where(edition.is_not(None))
        return session.scalar(query)


def entries(database):
    with database.reading() as session:
        query = select(AuditEntry).where(AuditEntry.action.like("masking.%"))
        return list(session.scalars(query.order_by(AuditEntry.id)))


def check(database, keys, number):
    """As many texts are masked, wholly, and all others stand as they came."""
    with database.reading() as session:
        texts = session.scalars(select(ResponseText)).all()
    done = [each for each in texts if each.masker_edition is not None]
    assert len(done) == number
    for each in texts:
        if each not in done:
            assert (each.body, each.encrypted_body) == (TEXT, None)
            continue
        assert (each.body, each.masker_edition) == (mask(TEXT).text, EDITION)
        opened = keys.decrypt(each.encrypted_body, f"{each.response_id}/{each.item}")
        assert opened == mask(TEXT).with_staff


def test_who_is_killed_leaves_nothing_half_and_two_go_on_together(database, tmp_path):
    keys = TextKeys(tmp_path / "texts.key")
    store(database)
    first = begin_run(database, keys)
    wait_for(first, lambda: masked(database) > 0)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = masked(database)
    assert 0 < done < NUMBER
    check(database, keys, done)
    (begun,) = entries(database)  # that texts were changed is known without its end
    assert (begun.action, json.loads(begun.details)) == ("masking.begin", {"waiting": NUMBER})
    both = [begin_run(database, keys) for _ in range(2)]
    said = [each.communicate()[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    # Each text is one run's alone, and neither ends before all are done.
    numbers = [re.search(r"(\d+) comments looked at, (\d+) masked", each).groups() for each in said]
    assert [sum(map(int, each)) for each in zip(*numbers, strict=True)] == [NUMBER - done] * 2
    check(database, keys, NUMBER)


def test_a_new_key_does_not_bring_back_what_is_masked_meanwhile(database, tmp_path, monkeypatch):
    """Names that an older edition had left are read, masked by a run, and not written again."""
    keys = TextKeys(tmp_path / "texts.key")
    store(database, 5)
    with database.writing() as session:
        for each in session.scalars(select(ResponseText)):
            each.masker_edition = EDITION - 1
            each.encrypted_body = keys.encrypt(TEXT, f"{each.response_id}/{each.item}")
    keys.rotate()
    by_rotate, reading = TextKeys(keys.file), threading.Event()

    def decrypt(*given):
        reading.set()
        time.sleep(0.1)  # the run waits by then, or is done
        return keys.decrypt(*given)

    monkeypatch.setattr(by_rotate, "decrypt", decrypt)
    with closing(Database(database.url.render_as_string(hide_password=False))) as of_another:
        thread = threading.Thread(target=reencrypt, args=(of_another, by_rotate, "another"))
        thread.start()
        reading.wait()
        remask(database, keys, "one")
        thread.join()
    with database.reading() as session:
        for each in session.scalars(select(ResponseText)):
            opened = keys.decrypt(each.encrypted_body, f"{each.response_id}/{each.item}")
            assert opened == mask(TEXT, again=True).with_staff and CITIZEN not in opened


def test_without_a_key_nothing_is_changed_and_with_it_the_run_goes_on(
    database, tmp_path, monkeypatch
):
    keys = TextKeys(tmp_path / "texts.key")
    monkeypatch.setattr(remasking, "_AT_ONCE", 5)
    store(database, 12)
    made, encrypt = iter(range(8)), keys.encrypt
    monkeypatch.setattr(
        keys, "encrypt", lambda *given: None if next(made, None) is None else encrypt(*given)
    )
    with pytest.raises(TextKeysUnusableError):
        remask(database, keys, "one")
    check(database, keys, 5)
    monkeypatch.setattr(keys, "encrypt", encrypt)
    assert remask(database, keys, "one").texts == 7
    check(database, keys, 12)
    keys.rotate()
    monkeypatch.setattr(keys, "encrypt", lambda *given: None)
    with pytest.raises(TextKeysUnusableError):  # or the older key might be forgotten
        reencrypt(database, keys, "one")
    check(database, keys, 12)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_journal_that_is_read_is_not_called_empty(database, tmp_path, hailong, monkeypatch):
    monkeypatch.setenv("HAILONG_TEXT_KEY_FILE", str(tmp_path / "texts.key"))
    store(database, 3)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ResponseText)) == 3
        monkeypatch.setattr("app.db.database._LOCK_S", 0.1)
        said = hailong("masking", "run")
        assert "still in SQLite's journal" in said
    assert "journal" not in hailong("masking", "run")
    assert overwriting.empty_journal(database)
