"""What tests of citizens' pages do: choose an answer, and count what is stored."""

from __future__ import annotations

from playwright.sync_api import Page
from sqlalchemy import func, select

from app.db import Database
from app.intake.models import Response


def choose(page: Page, item: str, value: int) -> None:
    """Tick an answer; the box itself is hidden by its label."""
    page.locator(f'input[name="a.{item}"][value="{value}"]').check(force=True)


def stored(database: Database) -> int | None:
    """How many responses there are."""
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))
