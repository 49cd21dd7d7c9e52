"""A kiosk's browser with a profile of its own, and what respondents and staff do at it."""

import re
import subprocess
import time
from contextlib import contextmanager, suppress

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from tests.web.conftest import CHROMIUM, QUIET

FACE = "kiosk-face"


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


@contextmanager
def device(playwright, profile, address, **options):
    """A browser with a profile of its own, as a kiosk has; in the end its power is cut."""
    context = playwright.chromium.launch_persistent_context(
        str(profile), executable_path=CHROMIUM, args=QUIET, locale="vi-VN",
        viewport=options.pop("viewport", {"width": 1024, "height": 768}), **options,
    )  # fmt: skip
    context.set_default_timeout(120_000)  # on a busy machine, too
    page = context.pages[0] if context.pages else context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    try:
        page.goto(f"{address}/kiosk")
        yield page
    finally:
        # Killed, not closed: it gets no chance to tidy up.
        subprocess.run(["pkill", "-9", "-f", f"user-data-dir={profile}"], check=False)
        with suppress(PlaywrightError):
            context.close()


def pair(page, code):
    page.fill("#code", code)
    page.get_by_role("button", name="Ghép máy").click()
    expect(page.locator("#code")).to_have_count(0)


def installed(page):
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    wait_for(lambda: page.evaluate("caches.keys().then(names => names.length > 0)"))


#: Idle and countdown of minutes, which tests run through on the page's own clock: what is shown
#: meanwhile stays long enough for a busy machine to look at it.
LONG = {"kiosk_idle_s": 600, "kiosk_countdown_s": 120}
IDLE_MS, COUNTDOWN_MS = 600_000, 120_000


def thanked(page):
    """Wait for the thanks: the page itself looks at every frame, since they stay for seconds.

    Who wrote something or gave a low mark is asked before whether they want a reply: they do not.
    """
    if page.wait_for_selector("#thanks, .wish").get_attribute("id") != "thanks":
        page.get_by_role("button", name="Không, cảm ơn").click()
        page.wait_for_selector("#thanks")


def answer_five_faces(page, level=5):
    expect(page.locator(".faces .choice")).to_have_count(5)
    page.locator(".faces .choice").nth(level - 1).click()
    if level <= 3:
        expect(page.locator(".options")).to_be_visible()
        page.get_by_role("button", name="Tiếp tục").click()
        expect(page.locator(".typed")).to_be_visible()
        page.get_by_role("button", name="Tiếp tục").click()
    thanked(page)


def queue_length(page):
    return page.evaluate("import('/static/kiosk/store.js').then(store => store.countWaiting())")


def look(page, name, screenshots):
    for width, height in ((320, 640), (768, 1024), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        # Against burning in, the picture is moved by two pixels for a minute.
        wide = page.evaluate(
            "document.querySelector('#screen').dataset.shift = '0', "
            "document.documentElement.scrollWidth"
        )
        assert wide <= width, f"{name} is {wide} px wide on {width}"
        assert not re.search("null|undefined|NaN|\\{", page.locator("body").inner_text())
        small = page.evaluate(
            "[...document.querySelectorAll('main button')].filter(b => b.offsetParent && "
            "(b.offsetHeight < 44 || b.offsetWidth < 44)).length"
        )
        assert small == 0, f"{name}: buttons smaller than 44 px at {width}"
        found = Axe().run(
            page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
        )
        assert not found.violations_count, f"{name}, {width}: {found.generate_report()}"
        page.screenshot(path=str(screenshots / f"{name}-{width}.png"))
    page.set_viewport_size({"width": 1024, "height": 768})
