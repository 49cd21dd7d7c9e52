"""The citizen's form on a slow phone: Chromium with its "Slow 3G" and a CPU four times slower.

Of each form: bytes on the wire for everything that the page loads, the first contentful paint, and
the time from the tap on "send" (a level chosen for every rated item) until the thanks are painted,
which is two round trips. Beside it the same over the same network for a page of one word: what
the network alone takes.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright
from rich.console import Console
from sqlalchemy import select

from app.db import Database
from app.demonstration import province
from app.registry.models import Channel, Unit, UnitKind
from app.registry.points import current_code, open_point
from app.settings import Settings
from app.setup import prepare
from tests.server import ServerProcess
from tests.web.conftest import CHROMIUM, QUIET

FORMS = ("kiosk-face", "sipas-desk", "moh-inpatient")
ROUNDS = 5
#: DevTools' preset "Slow 3G", and its "4× slowdown".
SLOW_3G = {
    "offline": False,
    "latency": 2000,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
CPU_SLOWER = 4
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main(out: Console) -> None:
    """Run and print every form."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'bench.db'}"
        with closing(Database(url)) as database:
            prepare(database, Settings())
            with database.writing() as session:
                province.found(session, province.OF_2020)
                unit = session.scalars(select(Unit).where(Unit.kind == UnitKind.COMMUNE)).first()
                assert unit is not None
                codes = {
                    form: current_code(open_point(session, unit, form, Channel.QR, form))
                    for form in FORMS
                }
        server = ServerProcess(
            url,
            Path(name) / "server.log",
            public_rate="1000/minute",
            pageless_rate="1000/minute",
            point_rate="1000/minute",
        )
        server.wait_until_ready()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
                bare = [_open(browser, f"{server.address}/healthz")[0] for _ in range(ROUNDS)]
                out.print(
                    f"Slow 3G, CPU {CPU_SLOWER} times slower: a page of one word is painted after "
                    f"{statistics.median(bare):.1f} s"
                )
                for form, code in codes.items():
                    visits = [_visit(browser, f"{server.address}/q/{code}") for _ in range(ROUNDS)]
                    size, painted, sent = (statistics.median(v) for v in zip(*visits, strict=True))
                    out.print(
                        f"{form}: {size / 1000:.1f} KB on the wire, first contentful paint "
                        f"{painted:.1f} s; sent and thanked for {sent:.1f} s after the tap "
                        f"({ROUNDS} visits)"
                    )
                browser.close()
        finally:
            server.stop()


def _slow_page(browser: Browser) -> tuple[Page, CDPSession]:
    page = browser.new_context(locale="vi-VN", viewport={"width": 360, "height": 740}).new_page()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_3G)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    return page, devtools


def _open(browser: Browser, address: str) -> tuple[float, Page, list[float]]:
    """Seconds to the first contentful paint, the page, and the sizes of what it loaded."""
    page, devtools = _slow_page(browser)
    sizes: list[float] = []

    def note(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    devtools.on("Network.loadingFinished", note)
    page.goto(address, wait_until="load")
    page.wait_for_function(_PAINT)
    return page.evaluate(_PAINT) / 1000, page, sizes


def _visit(browser: Browser, address: str) -> tuple[float, float, float]:
    painted, page, sizes = _open(browser, address)
    page.wait_for_load_state("networkidle")
    size = sum(sizes)
    page.evaluate(
        "() => { for (const set of document.querySelectorAll('fieldset')) {"
        " const radios = set.querySelectorAll('input[type=radio]:enabled');"
        " if (radios.length > 2 && set.offsetParent) radios[radios.length - 2].click(); } }"
    )
    began = time.perf_counter()
    page.get_by_role("button", name="Gửi ý kiến").click()
    page.wait_for_selector(".end h1", timeout=60_000)
    page.wait_for_function(_PAINT)
    sent = time.perf_counter() - began
    page.context.close()
    return size, painted, sent
