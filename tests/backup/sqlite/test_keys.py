"""Sets are sealed for those whose keys are named, and opened by them alone."""

import json
import sqlite3
import tarfile
from contextlib import closing

import pyrage
import pytest
import zstandard

from app.backup import sealing, sets
from app.backup.sqlite import NAME


def test_it_opens_with_the_formats_own_programs(hailong, database, key, only_set, tmp_path):
    hailong("backup")
    private = pyrage.x25519.Identity.from_str(key.read_text().split()[-1])
    packed = pyrage.decrypt(only_set().read_bytes(), [private])
    with (
        zstandard.ZstdDecompressor().stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path / "out")
    told = json.loads((tmp_path / "out" / sets.CONTENTS).read_text())
    assert told["files"].keys() == {NAME} and told["store"] == "sqlite"
    with closing(sqlite3.connect(tmp_path / "out" / NAME)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_only_its_owner_reads_it_and_nothing_unsealed_is_left(
    hailong, database, folder, only_set, tmp_path
):
    hailong("backup")
    assert only_set().name.endswith(".tar.zst.age")
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {f.name for f in folder.iterdir()} == {only_set().name, sets.NOTES, ".lock"}
    assert [f.name for f in (tmp_path / "var").iterdir() if "backup" in f.name] == []
    assert "sqlite" not in repr(only_set().read_bytes()[:4000]).lower()


def test_without_a_key_it_is_made_only_where_that_is_meant(hailong, database, monkeypatch, folder):
    monkeypatch.setenv("HAILONG_BACKUP_KEYS", "")
    assert "HAILONG_BACKUP_UNSEALED" in hailong("backup", code=1)
    assert not list(folder.glob("hailong-*"))
    monkeypatch.setenv("HAILONG_BACKUP_UNSEALED", "true")
    hailong("backup")
    (file,) = folder.glob("hailong-*.tar.zst")
    assert "NOT SEALED" in hailong("backup", "list")
    assert "is good" in hailong("backup", "check", file)


@pytest.mark.parametrize("wrong", ["age1nonsense", "AGE-SECRET-KEY-1ABC"])
def test_wrong_keys_are_refused_before_anything_is_copied(hailong, folder, monkeypatch, wrong):
    monkeypatch.setenv("HAILONG_BACKUP_KEYS", wrong)
    said = hailong("backup", code=1)
    assert "HAILONG_BACKUP_KEYS" in said and not list(folder.glob("hailong-*"))
    assert ("private key" in said) == wrong.startswith("AGE-SECRET")


def test_several_keys_open_it_each(hailong, database, folder, only_set, monkeypatch, tmp_path):
    pairs = [sealing.make_key() for _ in range(2)]
    monkeypatch.setenv("HAILONG_BACKUP_KEYS", ", ".join(public for public, _ in pairs))
    hailong("backup")
    for number, (_, private) in enumerate(pairs):
        file = tmp_path / f"key{number}"
        file.write_text(private)
        assert "is good" in hailong("backup", "check", only_set(), "--key", file)


def test_a_pair_is_made_and_its_private_half_is_printed_once(hailong, tmp_path, database):
    printed = hailong("backup", "key")
    (tmp_path / "paper").write_text(printed)
    (private,) = sealing.identities_in(tmp_path / "paper")
    assert f"# public key: {private.to_public()}" in printed
