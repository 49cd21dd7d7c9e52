"""What must hold when all is over."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import func, select

from app.audit import log as audit
from app.db import Database
from app.intake.models import Response
from app.intake.retained import erased
from app.intake.rollup_rebuild import verify
from tests.soak.clients import Ledger


def broken_promises(database_url: str, ledger: Ledger) -> list[str]:
    """Every promise that does not hold, in a sentence; none is the good result."""
    broken = [f"clients were told, {n} times: {odd}" for odd, n in ledger.odd.most_common(20)]
    with closing(Database(database_url)) as database:
        with database.reading() as session:
            stored = set(session.scalars(select(Response.id)))
            rows = session.scalar(select(func.count()).select_from(Response))
            verdict = audit.verify(session)
            # Not what was deleted by rule, or withdrawn.
            gone = erased(session, ledger.acknowledged - stored)
        if lost := ledger.acknowledged - stored - gone:
            broken.append(f"{len(lost)} acknowledged responses are not stored: {min(lost)} …")
        if strange := stored - ledger.sent:
            broken.append(f"{len(strange)} responses are stored that nobody sent: {min(strange)} …")
        if rows != len(stored):
            broken.append(f"{rows} rows hold {len(stored)} responses")
        if differences := verify(database):
            broken.append(f"{len(differences)} cells differ from a recount: {differences[0]}")
        if verdict.breach:
            broken.append(f"the audit log breaks: {verdict.breach}")
    return broken
