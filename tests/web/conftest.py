"""A real browser, and a demonstration of pages in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.small_province import SmallProvince
from tests.web.staff_visits import Visit

#: The shell is the same engine without the windows around it, which cost as much as the pages.
CHROMIUM = (
    os.environ.get("HAILONG_CHROMIUM")
    or shutil.which("chromium-headless-shell")
    or shutil.which("chromium")
)
#: Without these, Chromium asks the world outside for updates while it is tested.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: The browser with its windows, for what the shell lacks: settings of a person's profile.
WHOLE_CHROMIUM = os.environ.get("HAILONG_CHROMIUM") or shutil.which("chromium")

needs_browser = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("HAILONG_REQUIRE_ALL"),
    reason="Chromium is not installed (HAILONG_CHROMIUM names one)",
)


# What is expected comes at last on a busy machine too; where it comes at once this costs nothing.
expect.set_options(timeout=120_000)


def _patient(begin: Callable[..., Any], **options: Any) -> Any:
    """A page, or what has pages, that waits as long as a busy machine needs.

    One that scrolls smoothly moves under a click that was aimed before it stood still.
    """
    begun = begin(**{"reduced_motion": "reduce"} | options)
    begun.set_default_timeout(120_000)
    return begun


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; as long as it is open, no other test of the process can run a loop of events."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        for name in ("new_context", "new_page"):
            setattr(browser, name, partial(_patient, getattr(browser, name)))
        yield browser
        browser.close()


@pytest.fixture
def code(province: SmallProvince) -> str:
    """The public code of a commune's desk."""
    return province.points["C1", "sipas-desk"]


@pytest.fixture(scope="session", autouse=True)
def pictures_for_who_wants_them() -> Iterator[None]:
    """Pictures of pages that are put into files are taken with HAILONG_SCREENSHOTS=1 alone.

    No test looks at them, and a whole page takes the browser long to paint.
    """
    if os.environ.get("HAILONG_SCREENSHOTS"):
        yield
        return
    take = Page.screenshot

    def screenshot(page: Page, **options: Any) -> bytes:
        return b"" if "path" in options else take(page, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "screenshot", screenshot)
        yield


@pytest.fixture
def screenshots() -> Path:
    """Where pictures of pages are put, to be looked at; not part of the source."""
    folder = Path(__file__).parents[2] / "var/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def visit(browser: Browser, client: Any, screenshots: Path) -> Iterator[Callable[..., Visit]]:
    """Begins visits of staff to the pages of a server."""
    opened: list[Visit] = []

    def begin(**options: Any) -> Visit:
        opened.append(Visit(browser, client, screenshots, **options))
        return opened[-1]

    yield begin
    for each in opened:
        each.page.context.close()
