"""What an archive may hold: files and folders below, whichever Python unpacks it."""

import io
import tarfile

import pytest

from app.backup.unpacking import unpack


def archive(*members):
    """Names, or members, each with one byte."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for each in members:
            member = each if isinstance(each, tarfile.TarInfo) else tarfile.TarInfo(each)
            member.size = 1 if member.isfile() else 0
            packed.addfile(member, io.BytesIO(b"a"))
    stream.seek(0)
    return tarfile.open(fileobj=stream)


def kind(name, of):
    member = tarfile.TarInfo(name)
    member.type = of
    return member


@pytest.fixture(params=[True, False])
def with_filters(request, monkeypatch):
    """As Python is, and as it was before 3.11.4."""
    if not request.param:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


def test_files_and_folders_come_out(with_filters, tmp_path):
    found = list(unpack(archive(kind("base", tarfile.DIRTYPE), "base/1", "top"), tmp_path))
    assert found == ["base", "base/1", "top"]
    assert (tmp_path / "base/1").read_bytes() == b"a" == (tmp_path / "top").read_bytes()


@pytest.mark.parametrize(
    ("member", "flat"),
    [
        ("../out", False),
        (kind("link", tarfile.SYMTYPE), False),
        (kind("pipe", tarfile.FIFOTYPE), False),
        ("base/1", True),
        (kind("base", tarfile.DIRTYPE), True),
    ],
)
def test_nothing_else_does(with_filters, tmp_path, member, flat):
    with pytest.raises(tarfile.TarError, match="it holds"):
        list(unpack(archive("first", member), tmp_path / "in", flat=flat))
    assert [each.name for each in tmp_path.rglob("*") if each.is_file()] == ["first"]


def test_nobody_else_may_write_what_came_out(with_filters, tmp_path):
    member = kind("file", tarfile.REGTYPE)
    member.mode = 0o6777
    list(unpack(archive(member), tmp_path))
    assert (tmp_path / "file").stat().st_mode & 0o6022 == 0
