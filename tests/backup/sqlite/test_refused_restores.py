"""What cannot or may not be put in the database's place is refused, and nothing is touched."""

import pytest

from app.backup import sealing
from app.backup.sqlite import NAME
from tests.backup.sqlite.repacking import repacked
from tests.server import ServerProcess


def test_while_a_server_runs_it_refuses(hailong, settings, province, key, only_set, tmp_path):
    hailong("backup")
    province.database.close()
    before = (tmp_path / "var" / "hailong.db").stat().st_ino
    server = ServerProcess(settings.database_url, tmp_path / "log").wait_until_ready()
    try:
        said = hailong("restore", only_set(), "--key", key, "--replace", code=1)
    finally:
        server.stop()
    assert "stop the server first" in said
    assert (tmp_path / "var" / "hailong.db").stat().st_ino == before
    assert not list((tmp_path / "var").glob("*.before-*"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda told, copy: told.update(schema="9999"), "of a later version"),
        (lambda told, copy: told.update(format=2), "made by a later version"),
        (lambda told, copy: told.update(store="postgresql"), "backup of postgresql"),
        (lambda told, copy: told.update(responses=5), "its responses should be 5"),
        (lambda told, copy: told.update(audit_head="ab"), "head of the audit log should be"),
        (lambda told, copy: told.pop("files"), "none of ours"),
        (lambda told, copy: (copy / NAME).write_bytes(b"x"), "not what was written"),
    ],
)
def test_what_cannot_be_served_is_refused_in_a_sentence(
    hailong, database, key, only_set, tmp_path, change, says
):
    hailong("backup")
    database.close()
    wrong = repacked(only_set(), key, tmp_path, change)
    for command in (["restore", wrong], ["backup", "check", wrong]):
        said = hailong(*command, code=1)
        assert says in said and said.count("hailong:") == 1, said
    assert not list((tmp_path / "var").glob("*.before-*"))


def test_bad_files_are_refused_in_a_sentence(hailong, database, key, only_set, tmp_path):
    hailong("backup")
    database.close()
    good = only_set().read_bytes()
    (tmp_path / "other.key").write_text(sealing.make_key()[1])
    (tmp_path / "empty.key").write_text("nothing\n")
    files = {
        "truncated": good[:-100], "shorter": good[:150],
        "flipped": good[:-50] + bytes([good[-50] ^ 1]) + good[-49:],
        "longer": good + b"x", "text": b"a letter " * 100, "nothing": b"",
        "database": (tmp_path / "var" / "hailong.db").read_bytes(),
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        said = hailong("restore", tmp_path / name, "--key", key, code=1)
        assert "cannot be opened" in said and said.count("hailong:") == 1, (name, said)
    renamed = tmp_path / only_set().name
    renamed.write_bytes(files["flipped"])
    assert "is damaged" in hailong("restore", renamed, code=1)
    assert "is damaged" in hailong("backup", "check", renamed, code=1)
    for arguments, says in (
        ((only_set(),), "--key"),
        ((only_set(), "--key", tmp_path / "other.key"), "sealed for another key"),
        ((only_set(), "--key", tmp_path / "empty.key"), "holds no private key"),
        ((only_set(), "--key", tmp_path / "absent"), "holds no private key"),
        ((tmp_path / "absent",), "no such file"),
        ((only_set(), "--key", key, "--until", "2026-11-28 10:00:00"), "--until"),
    ):
        said = hailong("restore", *arguments, code=1)
        assert says in said and said.count("hailong:") == 1, said
    said = hailong("backup", "check", only_set(), code=1)
    assert "is what was written" in said and "--key" in said
    assert not list((tmp_path / "var").glob("*.before-*"))


def test_a_place_that_cannot_be_written_is_said(
    hailong, database, key, only_set, tmp_path, monkeypatch
):
    hailong("backup")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HAILONG_DATABASE_URL", f"sqlite:///{tmp_path}/file/below.db")
    assert "no place to work in" in hailong("restore", only_set(), "--key", key, code=1)
