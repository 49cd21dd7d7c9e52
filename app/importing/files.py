"""Files of responses before their cells are read: too large, locked, or with macros."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from app.problems import FieldError
from app.tables import WrongTable

#: Most bytes of a file, and of what a workbook unpacks to.
MOST_BYTES, MOST_UNPACKED = 128 * 2**20, 512 * 2**20
_LOCKED = "EncryptedPackage".encode("utf-16-le")


def check(file: Path, name: str, most_unpacked: int = MOST_UNPACKED) -> None:
    """Refuse what is not to be opened; what else is wrong the reader of tables says.

    Raises
    ------
    WrongTable
        For a file that is too large, has a password, or has macros.
    """
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise _wrong(name, "importing.too_large", size=size >> 20, most=MOST_BYTES >> 20)
        with file.open("rb") as stream:
            head = stream.read(8)
            if head.startswith(b"\xd0\xcf\x11\xe0") and _LOCKED in head + stream.read():
                raise _wrong(name, "importing.locked")
    except OSError as error:
        raise _wrong(name, "table.unreadable", reason=error.strerror) from error
    if not head.startswith(b"PK"):
        return
    try:
        with ZipFile(file) as archive:
            entries = archive.infolist()
    except (BadZipFile, ValueError, OSError) as error:
        raise _wrong(name, "table.not_xlsx", reason=" ".join(str(error).split())[:200]) from error
    if any(entry.filename.endswith("vbaProject.bin") for entry in entries):
        raise _wrong(name, "importing.macros")
    if (size := sum(entry.file_size for entry in entries)) > most_unpacked:
        raise _wrong(name, "table.too_large", size=size >> 20, most=most_unpacked >> 20)


def _wrong(name: str, sentence: str, **values: object) -> WrongTable:
    return WrongTable(name, [FieldError("", sentence, values)])
