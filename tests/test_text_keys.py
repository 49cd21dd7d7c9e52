"""Keys of comments: one file for all processes, its owner's alone; nothing breaks without it."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from app.doctor import keeping
from app.doctor.findings import Severity
from app.intake.models import Response, ResponseText
from app.intake.tidying import drop_hashes
from app.private_files import private_files
from app.settings import Settings
from app.text_keys import DROPPED, TextKeys, TextKeysUnusableError, is_same, key_file
from tests.conftest import serving
from tests.small_province import SmallProvince, body

URL = "/api/v1/responses"
SAID = {"comment": "Bác sĩ Hùng khám kỹ, gọi 0912345678"}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file of keys of this test alone."""
    file = tmp_path / "keys" / "texts.key"
    monkeypatch.setenv("HAILONG_TEXT_KEY_FILE", str(file))
    return file


def test_the_file_is_where_the_settings_say_beside_sqlite_or_in_the_working_directory(monkeypatch):
    monkeypatch.delenv("HAILONG_TEXT_KEY_FILE")
    sqlite = Settings(database_url="sqlite:////srv/x/hailong.db")
    assert key_file(sqlite) == Path("/srv/x/hailong.texts.key")
    assert key_file(Settings(database_url="postgresql+psycopg://x@y/z")) == Path("var/texts.key")
    assert key_file(Settings(text_key_file="/etc/x.key")) == Path("/etc/x.key")


def test_processes_that_start_together_have_one_key_and_others_cannot_read_it(file):
    before = os.umask(0)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: TextKeys(file).keys()[0], range(8)))
    finally:
        os.umask(before)
    assert len(set(found)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and list(file.parent.iterdir()) == [file]
    assert file in set(private_files(Settings()))


def test_a_text_opens_in_its_own_place_by_its_own_key_alone(file, tmp_path):
    keys = TextKeys(file)
    encrypted = keys.encrypt("bác sĩ Hùng", "a/comment")
    assert "Hùng".encode() not in encrypted
    assert keys.decrypt(encrypted, "a/comment") == "bác sĩ Hùng"
    assert keys.decrypt(encrypted, "b/comment") is None
    other = bytes([encrypted[-1] ^ 1])
    assert keys.decrypt(encrypted[:-1] + other, "a/comment") is None
    assert TextKeys(tmp_path / "other.key").decrypt(encrypted, "a/comment") is None
    assert keys.encrypt("bác sĩ Hùng", "a/comment") != encrypted


def test_a_new_key_is_seen_by_those_who_run_and_older_ones_still_know_what_they_made(file):
    running, command = TextKeys(file), TextKeys(file)
    encrypted, (before,) = running.encrypt("x", "a"), running.hashes(b"texts", SAID)
    command.rotate()
    hashes = running.hashes(b"texts", SAID)
    assert len(hashes) == 2 and hashes[1] == before and is_same(before, hashes)
    assert not is_same(before, running.hashes(b"texts", {"comment": "other"}))
    assert running.decrypt(encrypted, "a") == "x" and not running.is_present(encrypted)
    assert command.forget() == 1 and running.decrypt(encrypted, "a") is None
    # Nobody can tell any more, so nobody is refused.
    assert is_same(before, running.hashes(b"texts", {"comment": "other"}))


def test_words_and_none_are_never_the_same():
    assert is_same(None, None) and not is_same(None, (b"x" * 20,))
    assert not is_same(DROPPED, None) and is_same(DROPPED, (b"x" * 20,)) and is_same(DROPPED, ())


@pytest.mark.parametrize("written", ["", "x\n", "00112233 AAAA\n", "# nothing\n", "zz zz\n"])
def test_a_file_that_has_no_key_is_told_and_never_replaced(file, written, caplog):
    file.parent.mkdir()
    file.write_text(written)
    keys = TextKeys(file)
    with pytest.raises(TextKeysUnusableError):
        keys.keys()
    assert keys.hashes(b"texts", SAID) == () and keys.encrypt("x", "a") is None
    assert file.read_text() == written and caplog.text.count("cannot be used") == 1


def sent(client, device, *responses):
    answer = client.post(URL, json={"responses": list(responses)}, headers=device)
    return [each["status"] for each in answer.json()["responses"]]


def test_without_keys_every_answer_is_taken_and_doctor_tells(file, database, settings):
    province = SmallProvince.found(database)
    file.parent.mkdir()
    file.write_text("damaged")
    given = settings.model_copy(update={"text_key_file": file})
    with serving(given) as client:
        device = province.device()
        response = body(answers={"A1": 4, **SAID})
        assert sent(client, device, response, response) == ["accepted", "duplicate"]
    with database.reading() as session:
        (row,) = session.scalars(select(ResponseText))
        assert row.encrypted_body is None and row.body == "[cán bộ] khám kỹ, gọi [số điện thoại]"
        assert session.scalars(select(Response.texts_hash)).one() == DROPPED
    assert {f.severity for f in keeping.text_keys(given)} == {Severity.WRONG}
    file.unlink()
    assert {f.severity for f in keeping.text_keys(given)} == {Severity.LOOK}


def test_what_is_sent_again_is_known_when_masker_and_key_are_others_and_when_none_is(
    file, database, settings, monkeypatch, hailong
):
    province = SmallProvince.found(database)
    given = settings.model_copy(update={"text_key_file": file})
    response = body(answers={"A1": 4, **SAID})
    other = response | {"answers": {"A1": 4, "comment": "another text"}}
    silent = response | {"answers": {"A1": 4}}
    refused = body(answers={"A1": 9, **SAID})
    nameless = {"answers": {"comment": "Tôi là Lê Thị Bưởi"}}

    def again(expected):
        told = sent(client, device, response, other, silent, refused, nameless)
        assert told == [expected[0], expected[1], "refused", "refused", "refused"]

    with serving(given) as client:
        device = province.device()
        again(["accepted", "refused"])
        with monkeypatch.context() as patch:
            patch.setattr("app.masking.masker.placeholder", lambda kind, *_: f"<{kind}>")
            again(["duplicate", "refused"])
        assert "1 comments were encrypted" in hailong("masking", "rotate")
        again(["duplicate", "refused"])
        with database.reading() as session:
            assert count_aside(session) == {
                "conflicting-response": 2, "invalid-fields": 2
            }  # fmt: skip
        later = response_time(database) + settings_days(given)
        assert drop_hashes(database, given, later) == 5
        assert drop_hashes(database, given, later) == 0
        # Of other words nobody can tell any more; of none one can.
        again(["duplicate", "duplicate"])
        with database.reading() as session:
            text = session.scalars(select(ResponseText)).one()
            assert TextKeys.of(given).is_present(text.encrypted_body)


def count_aside(session):
    from collections import Counter

    from app.intake.models import AsideResponse

    return Counter(session.scalars(select(AsideResponse.rule)))


def response_time(database):
    with database.reading() as session:
        return session.scalars(select(Response.received_at)).one()


def settings_days(settings):
    from datetime import timedelta

    return timedelta(days=settings.backlog_days, seconds=60)
