"""The register of processing: it knows every column there is, and says what the settings say."""

import re

import pytest

import app.main  # noqa: F401 - with it all tables are known
from app.data_protection.register import About, Data, Way, register_of, schema
from app.data_protection.writing import written
from app.db import Base
from app.messages import LANGUAGES
from app.settings import Settings
from app.webhooks import service as webhooks

TABLES = {
    table.name: {column.name for column in table.columns} for table in Base.metadata.sorted_tables
}


def test_every_table_is_declared_once():
    found = schema()
    assert not set(found.tables) & set(found.nobody)
    assert set(found.tables) | set(found.nobody) == set(TABLES)
    assert len(found.nobody) == len(set(found.nobody))


@pytest.mark.parametrize("name", schema().tables)
def test_every_column_is_declared_once(name):
    table = schema().tables[name]
    declared = [*table.other, *(column for data in Data for column in table.columns(data))]
    assert sorted(declared) == sorted(TABLES[name])


def test_what_looks_like_a_name_a_phone_or_words_is_not_among_what_tells_of_nobody():
    telling = re.compile(r"(^|_)(email|phone|body|text|reason|actor|by)$|password|secret_hash")
    # A delivery's reason is a status, and its body an invitation's number; a secret signs calls.
    known = {("delivery", "body"), ("delivery", "reason")}
    found = {
        (name, column)
        for name in schema().nobody
        for column in TABLES[name]
        if telling.search(column)
    }
    assert found == known


@pytest.fixture
def register(database):
    def of(**settings):
        with database.reading() as session:
            return register_of(session, Settings(**settings))

    return of


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_names_all_tables_and_how_long_each_is_kept(register, language):
    text = written(register(keep_texts_months=7, keep_responses_months=None), language)
    lines = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert set(lines) == set(schema().tables)
    assert "7 " in lines["response_text"] and "7 " not in lines["response"]
    assert "{" not in text and "91/2025/QH15" in text
    assert all(f"`{name}`" in text for name in schema().nobody)
    assert len(About) == text.count("|---|---|---|---|")


def test_it_says_where_data_go_and_never_with_which_password(register, database):
    with database.writing() as session:
        webhooks.add_webhook(session, "https://hook.example.vn/told?key=s3cret", None)
    found = register(
        mail_server="smtp://robot:s3cret@mail.example.vn:587",
        sms_url="https://sms.example.vn/send?token=s3cret",
        audit_heads="mailto:keeper@example.vn file:///mnt/heads",
    )
    ways = {(each.way, each.where) for each in found.recipients}
    assert ways == {
        (Way.MAIL, "mail.example.vn"), (Way.SMS, "sms.example.vn"), (Way.HEADS, "example.vn"),
        (Way.HEADS, "/mnt/heads"), (Way.WEBHOOK, "hook.example.vn"),
    }  # fmt: skip
    assert "s3cret" not in written(found, "vi") and "robot" not in written(found, "vi")


def test_what_is_not_guarded_is_said(register, tmp_path):
    bare = written(register(), "en")
    assert "No HTTPS address" in bare and "There are no backups" in bare
    kept = written(register(public_url="https://hailong.example.vn", backup_folder=tmp_path), "en")
    assert "encrypted on its way" in kept and "not sealed" in kept and "No HTTPS" not in kept


def test_the_command_prints_or_writes_it_and_refuses_what_it_does_not_know(hailong, tmp_path):
    assert "Hồ sơ hoạt động xử lý dữ liệu cá nhân" in hailong("processing-register")
    file = tmp_path / "register.md"
    assert str(file) in hailong("processing-register", "--language", "en", "--to", file)
    assert file.read_text("utf-8").startswith("# Register of the processing")
    assert "--language is one of vi, en" in hailong(
        "processing-register", "--language", "fr", code=1
    )
    assert "cannot be written" in hailong(
        "processing-register", "--to", tmp_path / "no/r.md", code=1
    )
