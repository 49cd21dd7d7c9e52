"""Mappings that are remembered: by the header of the files that they are for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.log import record
from app.importing.mapping import Mapping
from app.importing.models import ResponseMapping
from app.problems import Problem


class NoSuchMapping(Problem):
    """No mapping is remembered under this number, or for files with this header."""

    code, status = "no-such-mapping", 404


def remembered(session: Session, fingerprint: str) -> Mapping | None:
    """The mapping of files with a header."""
    row = session.scalar(
        select(ResponseMapping)
        .where(ResponseMapping.fingerprint == fingerprint)
        .order_by(ResponseMapping.id.desc())
        .limit(1)
    )
    return Mapping.model_validate_json(row.document) if row and row.document else None


def in_force(session: Session) -> Sequence[ResponseMapping]:
    """The newest mapping of each header, the latest first."""
    newest = select(func.max(ResponseMapping.id)).group_by(ResponseMapping.fingerprint)
    query = select(ResponseMapping).where(
        ResponseMapping.id.in_(newest), ResponseMapping.document != ""
    )
    return session.scalars(query.order_by(ResponseMapping.id.desc())).all()


def remember(session: Session, fingerprint: str, mapping: Mapping, actor: str) -> None:
    """Keep what a person has decided about files with a header, if it is new; logged."""
    if remembered(session, fingerprint) == mapping:
        return
    _append(session, fingerprint, mapping, mapping.model_dump_json(exclude_defaults=True), actor)
    record(
        session,
        "mapping.set",
        mapping.source,
        questionnaire=mapping.questionnaire,
        header=fingerprint,
        columns=len(mapping.columns),
        left_out=len(mapping.leave_out),
    )


def forget(session: Session, id: int, actor: str) -> None:
    """Forget the mapping of a header: the next such file is proposed anew; logged.

    Raises
    ------
    NoSuchMapping
        Where none is in force under this number.
    """
    row = next((row for row in in_force(session) if row.id == id), None)
    if row is None:
        raise NoSuchMapping
    mapping = Mapping.model_validate_json(row.document)
    _append(session, row.fingerprint, mapping, "", actor)
    record(session, "mapping.forget", mapping.source, header=row.fingerprint)


def _append(
    session: Session, fingerprint: str, mapping: Mapping, document: str, actor: str
) -> None:
    session.add(
        ResponseMapping(
            fingerprint=fingerprint,
            source=mapping.source,
            questionnaire=mapping.questionnaire,
            document=document,
            set_by=actor[:200],
            set_at=datetime.now(UTC),
        )
    )
