"""Packs the files of a copy into one, sealed for whoever holds a private key; and opens it again.

What is made is a tar archive, packed by zstandard, sealed by age: three formats that other programs
open too, should this one be gone: ``age -d -i key SET | zstd -d | tar -x``.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import IO, BinaryIO

import pyrage
import zstandard

from app.backup.unpacking import unpack
from app.commands import Refused

_PRIVATE = "AGE-SECRET-KEY-"
_LEVEL = 3
_BLOCK = 1 << 20


class UnreadableError(Refused):
    """A file is no set, was damaged, or is sealed for another key."""


class _Summed:
    """Passes on what is written, and sums it up."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.digest = stream, hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._stream.write(content)

    def flush(self) -> None:
        self._stream.flush()


def make_key() -> tuple[str, str]:
    """A new pair: the public half, and the private one."""
    private = pyrage.x25519.Identity.generate()
    return str(private.to_public()), str(private)


def recipients_of(keys: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """Whom a set is sealed for.

    Raises
    ------
    Refused
        For what is no public key.
    """
    if any(key.upper().startswith(_PRIVATE) for key in keys):
        raise Refused(
            "HAILONG_BACKUP_KEYS holds a private key, which is not to lie on this machine: put the "
            "public half there (age1…), and make a new pair, for this one was seen"
        )
    try:
        return [pyrage.x25519.Recipient.from_str(key) for key in keys]
    except pyrage.RecipientError as error:
        raise Refused(f"HAILONG_BACKUP_KEYS: {error}") from error


def identities_in(key: Path) -> list[pyrage.x25519.Identity]:
    """The private keys in a file, as ``hailong backup key`` prints one.

    Raises
    ------
    Refused
        Where the file cannot be read, or holds none.
    """
    try:
        words = key.read_text(encoding="utf-8").split()
        found = [
            pyrage.x25519.Identity.from_str(word) for word in words if word.startswith(_PRIVATE)
        ]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise Refused(f"{key} holds no private key: {error}") from error
    if not found:
        raise Refused(f"{key} holds no private key ({_PRIVATE}…)")
    return found


def seal(folder: Path, names: Sequence[str], out: BinaryIO, keys: Sequence[str]) -> str:
    """Pack files of a folder, in this order; without keys they are not sealed. The SHA-256 of it.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    summed = _Summed(out)

    def pack(stream: IO[bytes]) -> None:
        packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        with (
            packer.stream_writer(stream, closefd=False) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            for name in names:
                archive.add(folder / name, name, recursive=False)

    recipients = recipients_of(keys)
    if not recipients:
        pack(summed)  # type: ignore[arg-type]
    else:
        with _Beside(pack) as packed:
            try:
                pyrage.encrypt_io(packed, summed, recipients)
            except pyrage.EncryptError as error:
                raise OSError(str(error)) from error
    return summed.digest.hexdigest()


def unseal(file: Path, folder: Path, key: Path | None) -> list[str]:
    """Unpack a set into an empty folder; the names of its files, in their order.

    Raises
    ------
    UnreadableError
        For a file that is no set, was damaged, or is sealed for another key.
    OSError
        Where there is no room.
    """
    try:
        with file.open("rb") as stream:
            if not is_sealed(file):
                return _unpack(stream, folder)
            if key is None:
                raise Refused(f"{file} is sealed: name the file of the private key with --key")
            identities = identities_in(key)
            with _Beside(lambda out: _decrypt(stream, out, identities)) as opened:
                return _unpack(opened, folder)
    except pyrage.DecryptError as error:
        why = (
            "it is sealed for another key"
            if "No matching keys" in str(error)
            else f"it was damaged, or is no sealed file ({error})"
        )
        raise UnreadableError(f"{file} cannot be opened: {why}") from error
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise UnreadableError(
            f"{file} cannot be opened: it was damaged, or is no backup of Hài Lòng ({error})"
        ) from error


def is_sealed(file: Path) -> bool:
    """Whether a file begins as age begins one."""
    with file.open("rb") as stream:
        return stream.read(22) == b"age-encryption.org/v1\n"


def sum_of(file: Path) -> str:
    """The SHA-256 of a file as it lies on the disk."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        # What was just written would be read from memory else, which proves little.
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _decrypt(stream: IO[bytes], out: IO[bytes], keys: list[pyrage.x25519.Identity]) -> None:
    try:
        pyrage.decrypt_io(stream, out, keys)
    except OSError as error:
        # What is wrong in the middle of a file, age takes for a failure of reading it.
        if error.errno is None:
            raise pyrage.DecryptError(str(error)) from error
        raise


def _unpack(stream: IO[bytes], folder: Path) -> list[str]:
    names: list[str] = []
    with (
        zstandard.ZstdDecompressor().stream_reader(stream, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="r|") as archive,
    ):
        names.extend(unpack(archive, folder, flat=True))
        while packed.read(_BLOCK):  # to the end, where the checksum stands
            pass
    if stream.read(1):
        raise tarfile.TarError("something follows its end")
    if not names:
        raise tarfile.TarError("it is empty")
    return names


class _Beside:
    """Reads from a pipe what a thread writes into it; the thread's failure is raised at the end.

    Whoever writes and whoever reads both want to be the one that calls the other.
    """

    def __init__(self, write: Callable[[IO[bytes]], None]) -> None:
        self._write = write
        self._failure: BaseException | None = None

    def __enter__(self) -> IO[bytes]:
        reading, writing = os.pipe()
        self._reader, self._writer = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
        self._thread = Thread(target=self._run, name="sealing")
        self._thread.start()
        return self._reader

    def _run(self) -> None:
        try:
            with self._writer:
                self._write(self._writer)
        except BaseException as failure:  # noqa: BLE001 - told by whoever reads
            self._failure = failure

    def __exit__(self, kind: object, raised: BaseException | None, trace: object) -> None:
        self._reader.close()  # who still writes gets a broken pipe, and ends
        self._thread.join()
        failure = self._failure
        # What the reader stumbled over is most often that the writer ended early.
        ended_by_us = isinstance(failure, BrokenPipeError) or "Broken pipe" in str(failure)
        if failure is not None and not (raised is not None and ended_by_us):
            raise failure
