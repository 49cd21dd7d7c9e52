"""Examines months by the rules in force, and writes down what they find."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta

from app.db import Database
from app.intake.retained import retained
from app.intake.setting_aside import Together
from app.integrity import habits
from app.integrity.examination import Examined, Found, examine
from app.integrity.recording import Recorded, keep, withdraw
from app.integrity.rules import RuleVersion, in_force
from app.registry.questionnaires import published
from app.settings import Settings


def latest_months(today: date, number: int) -> list[date]:
    """First days of the latest months, the running one last."""
    months = []
    month = today.replace(day=1)
    for _ in range(number):
        months.append(month)
        month = (month - timedelta(days=1)).replace(day=1)
    return months[::-1]


def run(
    database: Database,
    settings: Settings,
    months: Sequence[date],
    *,
    units: Collection[int] | None = None,
    actor: str = "system",
    tell: Callable[[int], None] = lambda responses: None,
) -> Recorded:
    """Examine months, or some units of them, by all rules in force; what changed."""
    done, together = Recorded(), Together.of(settings)
    with database.reading() as session:
        active, versions = in_force(session), published(session)
        kept_from = retained(session).responses_from
    # Of months whose responses were deleted by rule, what was found stays as it was found.
    for month in (month for month in months if month >= kept_from):
        for rule in active:
            found: list[Found] = []
            with database.reading() as session:
                for part in examine(
                    session, settings.zone, versions, month, rule.rule, units=units, tell=tell
                ):
                    # In short transactions of their own: who answers meanwhile waits for none.
                    done += _written(database, together, rule, part, actor)
                    found += part.found
            if units is None:
                with database.writing(actor) as session:
                    done += withdraw(session, rule, month, found)
    return done


def _written(
    database: Database, together: Together, rule: RuleVersion, part: Examined, actor: str
) -> Recorded:
    done, counted = Recorded(), part.counted
    with database.writing(actor) as session:
        habits.keep(session, part.version, part.month, counted.sources, counted.group, part.honest)
    for each in part.found:
        with database.writing(actor) as session:
            done += keep(session, together, rule, each)
    return done
