"""A page becomes a kiosk."""

from __future__ import annotations

from playwright.sync_api import Page

from app.access import devices
from app.db import Database
from app.registry.points import find_by_code


def pair(page: Page, database: Database, code: str) -> None:
    """Pair the page as staff do with a new code for the survey point with this public code."""
    with database.writing() as session:
        point = find_by_code(session, code)
        assert point is not None
        pairing = devices.new_code(session, point, "Ki-ốt")
    page.goto("/kiosk")
    page.fill("#code", pairing.code)
    page.get_by_role("button", name="Ghép máy").click()
