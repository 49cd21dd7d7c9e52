"""A file of responses as the page of imports takes it: from a form, and back with the next one."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from fastapi import UploadFile

from app.problems import FieldError
from app.settings import Settings
from app.tables import WrongTable

#: Most bytes of a file on the page; the command takes more.
LONGEST_FILE = 1_200_000
#: Of the file in the form, compressed or not, as text.
LONGEST_TEXT = LONGEST_FILE * 4 // 3 + 1000
#: Bytes of the form beside the file: what each column means, and words.
_BESIDE = 128 * 1024


@dataclass(frozen=True)
class Sent:
    """A file that was sent: where it stands meanwhile, and what it is called, for showing only."""

    path: Path
    name: str


def largest_file(settings: Settings) -> int:
    """Bytes of a file that the page takes: it goes back and forth as text, and in one request."""
    return min(LONGEST_FILE, (settings.body_limit - _BESIDE) * 3 // 4)


@contextmanager
def sent_file(
    settings: Settings, file: UploadFile | None, content: str, name: str
) -> Iterator[Sent]:
    """The file that was sent, or that stood in the form, for as long as it is looked at.

    Raises
    ------
    WrongTable
        Where it is too large for the page, or did not come whole.
    """
    most = largest_file(settings)
    given = name if content or file is None else file.filename or ""
    shown = "".join(sign if sign.isprintable() else " " for sign in given.replace("\\", "/"))
    plain = PurePath(shown).name.strip()[-80:].strip(". ") or "file.csv"
    data = b"" if file is None else file.file.read(LONGEST_FILE + 1)
    whole = True
    if content:
        try:
            bytes_of = base64.b64decode(content, validate=True)
            unpacking = zlib.decompressobj()
            data, whole = unpacking.decompress(bytes_of, LONGEST_FILE + 1), unpacking.eof
        except (binascii.Error, zlib.error) as error:
            raise wrong_file(plain, "importing.sent_anew") from error
    if len(data) > most:
        raise wrong_file(plain, "importing.too_large_here", most=most // 1000)
    if not whole:
        raise wrong_file(plain, "importing.sent_anew")
    # The reader of tables knows a workbook by its end.
    end = ".xlsx" if plain.lower().endswith((".xlsx", ".xlsm")) else ".csv"
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"file{end}"
        path.write_bytes(data)
        try:
            yield Sent(path, plain)
        except WrongTable as wrong:
            raise WrongTable(plain, wrong.errors) from wrong


def packed(data: bytes) -> str:
    """A file as it stands in the form that goes back to the browser."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def wrong_file(name: str, sentence: str, **values: object) -> WrongTable:
    """That a file is not taken, and why."""
    return WrongTable(name, [FieldError("", sentence, values)])
