"""Makes a database ready to take responses."""

from __future__ import annotations

from datetime import UTC, datetime

from app.commands import Refused
from app.db import Database
from app.db.migrate import migrate
from app.intake import partitions
from app.registry.questionnaires import PublishedVersionChangedError, available, publish
from app.registry.today import bring_up_to_date
from app.settings import Settings
from surveys import FormError


def prepare(database: Database, settings: Settings) -> None:
    """Migrate, make the months' partitions, publish new questionnaires, bring units up to date.

    Raises
    ------
    Refused
        Where a form has mistakes, or differs from the version that was published.
    """
    migrate(database)
    try:
        with database.writing() as session:
            partitions.ensure(session.connection(), datetime.now(UTC).date())
            publish(session, available(settings.questionnaires))
            bring_up_to_date(session, datetime.now(settings.zone).date())
    except (FormError, PublishedVersionChangedError) as error:
        raise Refused(str(error)) from error
