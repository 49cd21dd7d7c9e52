"""What the manifest of a base backup tells, on a small folder made by its rules."""

import hashlib
import json

import pytest

from app.backup import manifest

FILES = {"PG_VERSION": b"18\n", "base/1/112": b"x" * 5000, "global/pg_control": b"\0" * 8192}


@pytest.fixture
def data(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    files = [
        {"Path": name, "Size": len(content), "Checksum-Algorithm": "SHA256",
         "Checksum": hashlib.sha256(content).hexdigest()}
        for name, content in FILES.items()
    ]  # fmt: skip
    listed = ",\n".join(json.dumps(file) for file in files)
    lines = f'{{ "PostgreSQL-Backup-Manifest-Version": 2,\n"Files": [\n{listed}\n],\n'
    lines += '"WAL-Ranges": [\n{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120" }'
    lines += "\n],\n"
    checksum = hashlib.sha256(lines.encode()).hexdigest()
    (tmp_path / manifest.NAME).write_text(f'{lines}"Manifest-Checksum": "{checksum}"}}\n')
    return tmp_path


def test_data_as_they_were_sent_have_no_fault(data):
    (data / "pg_wal").mkdir()
    (data / "pg_wal" / "000000010000000000000002").write_bytes(b"w")
    assert list(manifest.faults(data)) == []


def test_every_difference_is_told(data):
    (data / "base/1/112").write_bytes(b"x" * 4999 + b"y")
    (data / "PG_VERSION").write_bytes(b"18")
    (data / "global/pg_control").unlink()
    (data / "base/1/113").write_bytes(b"")
    assert list(manifest.faults(data)) == [
        "PG_VERSION has another size",
        "base/1/112 was changed",
        "global/pg_control cannot be read: No such file or directory",
        "base/1/113 does not belong to it",
    ]


def test_a_manifest_that_was_changed_or_cut_is_no_proof(data):
    file = data / manifest.NAME
    whole = file.read_text()
    file.write_text(whole.replace('"Size": 3', '"Size": 4'))
    assert list(manifest.faults(data)) == ["the manifest itself was changed"]
    file.write_text(whole[:-20])
    assert list(manifest.faults(data)) == ["the manifest has no end"]
