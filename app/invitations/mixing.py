"""Has rows of answered invitations lie in an order that tells nothing.

PostgreSQL writes a changed row anew, behind the others, with the number of the transaction that
changed it. So in a dump answered invitations would stand in the order in which they were answered,
and in the database each would bear the very number that its response bears. Both is gone once
they have been written again, in an order by chance and all in one transaction. SQLite changes rows
where they lie.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from app.db import Database
from app.invitations.models import Invitation

#: So long ago a link may have ended that was used since the last time.
_SINCE = timedelta(days=3)


def mix_answered(database: Database, now: datetime) -> int:
    """Write the rows anew of what may have been answered since the last night; how many."""
    if database.locks_whole_database:
        return 0
    with database.writing() as session:
        query = select(Invitation.id).where(
            Invitation.answered, Invitation.expires_at > now - _SINCE
        )
        ids = list(session.scalars(query))
        random.SystemRandom().shuffle(ids)
        if ids:
            session.connection().execute(
                update(Invitation)
                .where(Invitation.__table__.c.id == bindparam("of"))
                .values(answered=True),
                [{"of": id} for id in ids],
            )
    return len(ids)
