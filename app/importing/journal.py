"""Which files were imported: begun, ended, or broken off; and which are others' answers.

An import is stored in groups, so one whose process was killed stands with its first ones. What
began is therefore noted before the first group, and noted as ended after the last; the same file
sent again goes on. A file is known by the keyed hash of its bytes: nothing of it can be read here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.importing.models import ResponseImport
from app.problems import Problem
from app.text_keys import TextKeys

_PURPOSE = b"imported"
#: Signs of a batch's name.
LONGEST_BATCH = 100
#: Imports that are listed as not ended.
_MOST_LISTED = 50


class EqualRows(Problem):
    """Rows are equal to rows of earlier files, and nobody has said whether they are the same."""

    code, status = "equal-rows", 409


class SourceInBatches(Problem):
    """Files of the source came as others' answers, so none can contain what they held."""

    code, status = "source-in-batches", 409


class FileCameBefore(Problem):
    """The same bytes were imported already, as answers of another batch."""

    code, status = "file-came-before", 409


class BatchTaken(Problem):
    """The batch's name is that of another file of the source."""

    code, status = "batch-taken", 409


class BatchCameBefore(Problem):
    """Most rows of a file that is to hold others' answers are equal to rows of earlier files."""

    code, status = "batch-came-before", 409


class BatchWithIds(Problem):
    """Rows that have an id of their own are told apart by it, and not by a batch."""

    code, status = "batch-with-ids", 422


class OthersBeganError(Exception):
    """Since a file was tried, other files of its source began or ended: it is to be tried anew."""


@dataclass(frozen=True)
class FileMark:
    """What tells a file from others: its bytes, its source, and the batch that it is, if any."""

    #: By each key of texts, the present one first.
    digests: Sequence[str]
    source: str
    batch: str
    #: For showing only.
    name: str

    @classmethod
    def of(cls, file: Path, keys: TextKeys, source: str, name: str, batch: str = "") -> FileMark:
        """That of a file on the disk."""
        with file.open("rb") as stream:
            said = hashlib.file_digest(stream, "sha256").hexdigest()
        digests = [each.hex() for each in keys.hashes(_PURPOSE, said)]
        return cls(digests, source, batch, name[:200])


def batches_of(session: Session, source: str) -> Sequence[str]:
    """The names of batches of a source, in the order in which they came."""
    rows = session.scalars(
        select(ResponseImport.batch)
        .where(ResponseImport.source == source, ResponseImport.batch != "")
        .order_by(ResponseImport.id)
    )
    return list(dict.fromkeys(rows))


def check(session: Session, file: FileMark) -> None:
    """Refuse a file that would be counted twice, or taken for another one.

    Raises
    ------
    FileCameBefore
        Where the same bytes came under another batch, or under none.
    BatchTaken
        Where another file came under the batch.
    """
    for row in _same_bytes(session, file):
        if row.batch != file.batch:
            raise FileCameBefore(
                field="batch", batch=row.batch, day=f"{row.begun_at:%d/%m/%Y}", name=row.name
            )
    if file.batch:
        taken = session.scalar(
            select(ResponseImport).where(
                ResponseImport.source == file.source,
                ResponseImport.batch == file.batch,
                ResponseImport.digest.not_in(file.digests),
            )
        )
        if taken is not None:
            raise BatchTaken(field="batch", batch=file.batch, name=taken.name)


def standing(session: Session, source: str) -> Sequence[object]:
    """What has begun and ended of a source, to be compared with what has a while later."""
    rows = session.execute(
        select(ResponseImport.id, ResponseImport.begun_at, ResponseImport.ended_at)
        .where(ResponseImport.source == source)
        .order_by(ResponseImport.id)
    )
    return [tuple(row) for row in rows]


def is_known(session: Session, file: FileMark, equal: int) -> bool:
    """Whether the rows of a file that are there already, ``equal``, came with this very file.

    They did where they are no more than at its end; else some came with another file, as of rows
    that had mistakes. Of one that was broken off this is known while nothing else of its source has
    begun since.
    """
    newest = session.scalar(
        select(func.max(ResponseImport.id)).where(ResponseImport.source == file.source)
    )
    return any(
        row.batch == file.batch
        and (row.id == newest if row.ended_at is None else equal <= (row.kept or 0))
        for row in _same_bytes(session, file)
    )


def begin(
    session: Session,
    file: FileMark,
    actor: str,
    seen: Sequence[object] | None = None,
    **details: object,
) -> int:
    """Note that an import begins, before anything of it is stored; its number. Logged.

    ``seen`` is what stood of the source when the file was tried.

    Raises
    ------
    FileCameBefore, BatchTaken
        As ``check`` does.
    OthersBeganError
        Where something else stands of the source by now.
    """
    # Whoever writes to the audit log waits until this transaction ends: two that begin at once
    # with one batch's name find each other.
    record(session, "responses.import_begin", file.name, batch=file.batch or None, **details)
    check(session, file)
    if seen is not None and seen != standing(session, file.source):
        raise OthersBeganError
    row = next(iter(_same_bytes(session, file)), None)
    if row is None:
        row = ResponseImport(
            digest=file.digests[0], source=file.source, batch=file.batch, name=file.name,
            begun_by="", begun_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(row)
    row.begun_by, row.begun_at, row.ended_at = actor[:200], datetime.now(UTC), None
    session.flush()
    return row.id


def end(session: Session, id: int, file: FileMark, kept: int = 0, **details: object) -> None:
    """Note that all of an import is stored; logged, with what became of its rows.

    ``kept`` are those of them that are there and are known by what stands in them.
    """
    row = session.get_one(ResponseImport, id)
    row.ended_at, row.kept = datetime.now(UTC), kept
    record(session, "responses.import", file.name, batch=file.batch or None, **details)


def not_ended(session: Session) -> Sequence[ResponseImport]:
    """Imports that are under way, or were broken off, the latest first."""
    query = select(ResponseImport).where(ResponseImport.ended_at.is_(None))
    return session.scalars(query.order_by(ResponseImport.id.desc()).limit(_MOST_LISTED)).all()


def _same_bytes(session: Session, file: FileMark) -> Sequence[ResponseImport]:
    return session.scalars(
        select(ResponseImport)
        .where(ResponseImport.source == file.source, ResponseImport.digest.in_(file.digests))
        .order_by(ResponseImport.id.desc())
    ).all()
