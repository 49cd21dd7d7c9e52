"""What a backup wants of a store, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select

from app.audit import log
from app.db import Database
from app.intake.models import Response
from app.intake.rollup_rebuild import count_responses, verify


@dataclass(frozen=True)
class Checked:
    """What a copy holds, as it was found in a store that was restored from it."""

    responses: int
    last_response: datetime | None
    audit_entries: int
    audit_head: str
    #: In words; empty where the copy is good.
    faults: tuple[str, ...]


class StoreBackup(Protocol):
    """One kind of store, copied while it is written to."""

    def take(self, folder: Path) -> None:
        """Write a consistent copy of the live database into an empty folder, as plain files."""

    def check(self, folder: Path) -> Checked:
        """Restore a copy into a store of its own for a while, and recount it."""

    def put_back(self, folder: Path, until: datetime | None) -> None:
        """Make a copy the live database, where it can as it was at a moment."""


def look(database: Database) -> Checked:
    """Count, recount and walk the chain of a database that nobody writes to."""
    differences = verify(database)
    with database.reading() as session:
        verdict = log.verify(session)
        faults = [f"{len(differences)} cells differ from their recount"] if differences else []
        if verdict.breach is not None:
            faults.append(
                f"the audit log breaks at entry {verdict.breach.entry}: {verdict.breach.reason}"
            )
        return Checked(
            count_responses(session),
            session.scalar(select(func.max(Response.received_at))),
            verdict.entries,
            verdict.head,
            tuple(faults),
        )
