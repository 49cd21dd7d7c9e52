"""The kiosk in a real browser, against real servers that stop, fail and come back.

Whatever happens between the tap and the acknowledgement, an answer is counted once.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.access import credentials
from app.access.models import Credential, DeviceStatus
from app.intake.rollup_rebuild import verify
from tests.server import ServerProcess, free_port
from tests.web.citizen import stored
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import (
    answer_five_faces,
    device,
    installed,
    look,
    pair,
    queue_length,
    wait_for,
)

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def next_respondent(page):
    """Whoever comes next touches the thanks away, if they are still there."""
    page.evaluate("document.querySelector('#thanks')?.click()")


def test_fifty_answers_while_the_server_is_away_and_the_browser_is_killed(
    playwright, database_url, database, province, pairing, tmp_path
):
    port = free_port()
    log = tmp_path / "server.log"
    server = ServerProcess(database_url, log, port=port).wait_until_ready()
    profile = tmp_path / "p"
    with device(playwright, profile, server.address) as page:
        pair(page, pairing().code)
        installed(page)
        server.kill()
        for number in range(50):
            answer_five_faces(page, level=4 + number % 2)
            if number % 10 == 9:
                page.reload()  # from the worker: there is no server
            else:
                next_respondent(page)
        assert queue_length(page) == 50
    assert stored(database) == 0
    server = ServerProcess(database_url, log, port=port).wait_until_ready()
    try:
        with device(playwright, profile, server.address) as page:
            expect(page.locator(".faces")).to_be_visible()
            wait_for(lambda: stored(database) == 50)
            wait_for(lambda: queue_length(page) == 0)
        time.sleep(0.5)
        assert stored(database) == 50 and verify(database) == []
    finally:
        server.stop()


class FlakyProxy:
    """Stands between kiosk and server, and fails as networks do."""

    def __init__(self, server, decide):
        proxy = self
        self.decide, self.count = decide, 0
        #: When each submission came.
        self.moments = []
        #: Headers of an answer that the server is busy.
        self.told = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._pass_on()

            do_POST = do_GET  # noqa: N815 - the library's name

            def _pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fate = "pass"
                if self.path == "/api/v1/responses":
                    proxy.moments.append(time.monotonic())
                    proxy.count += 1
                    fate = proxy.decide(proxy.count)
                if fate == "drop":
                    self.close_connection = True
                    return
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                answer = httpx.request(
                    self.command, f"{server}{self.path}", content=body, headers=headers,
                    timeout=120,
                )  # fmt: skip
                if fate == "cut":  # the server has committed; its answer never arrives
                    self.close_connection = True
                    return
                self.send_response(503 if fate == "busy" else answer.status_code)
                for name, value in answer.headers.items():
                    if name not in ("content-length", "content-encoding", "transfer-encoding"):
                        self.send_header(name, value)
                for name, value in proxy.told.items() if fate == "busy" else ():
                    self.send_header(name, value)
                content = b"" if fate == "busy" else answer.content
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.httpd.server_port}"
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()


@pytest.mark.parametrize(
    "fates",
    [("drop", "pass"), ("cut", "pass"), ("cut", "drop", "busy", "pass")],
    ids=["half fail", "answers are cut off", "everything at once"],
)
def test_a_network_that_fails(playwright, client, database, pairing, tmp_path, fates):
    proxy = FlakyProxy(client.base_url, lambda count: fates[count % len(fates)])
    try:
        with device(playwright, tmp_path / "p", proxy.address) as page:
            pair(page, pairing().code)
            installed(page)
            for number in range(12):
                answer_five_faces(page, level=1 + number % 5)
                next_respondent(page)
            wait_for(lambda: queue_length(page) == 0, seconds=600)
    finally:
        proxy.close()
    assert stored(database) == 12 and verify(database) == []
    assert proxy.count >= 6


def test_when_to_come_again_is_read_in_seconds_and_as_a_date(browser, client):
    page = browser.new_page()
    page.goto(f"{client.base_url}/kiosk")
    said = {
        "7": {"Retry-After": "7"},
        "a date": {
            # The device's clock is ten years ahead; the server tells its own.
            "Date": "Sat, 28 Nov 2026 10:00:00 GMT",
            "Retry-After": "Sat, 28 Nov 2026 10:00:40 GMT",
        },
        "a past date": {
            "Date": "Sat, 28 Nov 2026 10:00:00 GMT",
            "Retry-After": "Fri, 27 Nov 2026 10:00:00 GMT",
        },
        "absurd": {"Retry-After": "99999999999"},
        "nonsense": {"Retry-After": "soon"},
        "nothing": {},
    }
    waits = page.evaluate(
        """async said => {
            const { waitOf } = await import("/static/kiosk/retry.js");
            const of = (headers) => [0, 1].map((chance) => waitOf(new Headers(headers), chance));
            return Object.fromEntries(Object.entries(said).map(([name, each]) => [name, of(each)]));
        }""",
        said,
    )
    assert waits == {
        "7": [7000, 14_000],
        "a date": [40_000, 55_000],
        "a past date": [1000, 2000],
        "absurd": [900_000, 915_000],
        "nonsense": [None, None],
        "nothing": [None, None],
    }
    drawn = page.evaluate(
        """import("/static/kiosk/retry.js").then(({ waitOf }) => Array.from(
            { length: 1000 }, () => Math.floor(waitOf(new Headers({ "Retry-After": "30" })) / 1000)
        ))"""
    )
    # A thousand kiosks: in no second more than a few times as many as if they came evenly.
    assert set(drawn) == set(range(30, 45))
    assert max(drawn.count(second) for second in set(drawn)) < 200
    page.close()


def test_a_busy_server_is_left_alone_until_the_moment_it_named(
    playwright, client, database, pairing, tmp_path
):
    proxy = FlakyProxy(client.base_url, lambda count: "busy" if count == 1 else "pass")
    proxy.told = {"Retry-After": "6"}
    try:
        with device(playwright, tmp_path / "p", proxy.address) as page:
            pair(page, pairing().code)
            answer_five_faces(page)
            wait_for(lambda: proxy.count == 1)
            # Who answers next does not make it ask again, nor does a call to send what waits.
            next_respondent(page)
            answer_five_faces(page)
            page.evaluate("import('/static/kiosk/queue.js').then(queue => queue.flush())")
            wait_for(lambda: proxy.count > 1)
            assert proxy.moments[1] - proxy.moments[0] > 5
            wait_for(lambda: queue_length(page) == 0)
    finally:
        proxy.close()
    assert stored(database) == 2


def test_a_server_that_is_back_is_found_without_a_reload(
    playwright, database_url, database, province, pairing, tmp_path
):
    port = free_port()
    log = tmp_path / "server.log"
    server = ServerProcess(database_url, log, port=port).wait_until_ready()
    failed = []
    with device(playwright, tmp_path / "p", server.address) as page:
        pair(page, pairing().code)
        server.kill()
        answer_five_faces(page)
        # Several tries in vain, however long they take.
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.evaluate("import('/static/kiosk/queue.js').then(queue => queue.flush())")
        while sum(url.endswith("/api/v1/responses") for url in failed) < 3:
            page.wait_for_timeout(100)
        server = ServerProcess(database_url, log, port=port).wait_until_ready()
        wait_for(lambda: stored(database) == 1)
        wait_for(lambda: queue_length(page) == 0)
    server.stop()


def test_two_kiosks_at_one_point(playwright, client, database, pairing, tmp_path):
    for name in ("one", "two"):
        with device(playwright, tmp_path / name, client.base_url) as page:
            pair(page, pairing().code)
            for level in (5, 4, 5):
                answer_five_faces(page, level)
                next_respondent(page)
            wait_for(lambda page=page: queue_length(page) == 0)
    assert stored(database) == 6
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Credential)) == 2


def test_what_is_refused_for_good_is_laid_aside_and_lets_others_pass(
    playwright, client, database, province, pairing, tmp_path
):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        page.evaluate(
            """async () => {
                const store = await import('/static/kiosk/store.js');
                const at = new Date().toISOString();
                const make = (id, more) => ({id, questionnaire: 'kiosk-face', version: 2,
                    answered_at: at, language: 'vi', answers: {S1: 5}, ...more});
                await store.enqueue(make('019ab000-0000-7000-8000-000000000001',
                    {answers: {S1: 9}}));
                await store.enqueue(make('019ab000-0000-7000-8000-000000000002', {nonsense: 1}));
                await store.enqueue(make('019ab000-0000-7000-8000-000000000003', {version: 99}));
                await store.enqueue(make('019ab000-0000-7000-8000-000000000004', {}));
                const queue = await import('/static/kiosk/queue.js');
                await queue.flush();
            }"""
        )
        wait_for(lambda: stored(database) == 1)
        # Two are refused for good; the one whose version may yet be published waits.
        wait_for(lambda: queue_length(page) == 1)
        aside = page.evaluate("import('/static/kiosk/store.js').then(store => store.setAside())")
        assert [each["id"][-1] for each in aside] == ["1", "2"]
        assert all(each["problem"]["status"] == 422 for each in aside)
        page.reload()  # the next report names them

        def reported():
            with database.reading() as session:
                status = session.scalars(select(DeviceStatus)).one_or_none()
                return status is not None and (status.queue, status.aside) == (1, 2)

        wait_for(reported)


def test_a_revoked_device_keeps_what_it_has_and_says_so(
    playwright, client, database, pairing, tmp_path
):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        with database.writing() as session:
            credentials.revoke(session, 1)
        answer_five_faces(page)
        expect(page.locator("#trouble")).to_contain_text("thu hồi")
        assert queue_length(page) == 1 and stored(database) == 0


def test_a_storage_that_refuses_is_told_to_the_respondent_and_to_staff(
    playwright, client, database, pairing, tmp_path, screenshots
):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        page.evaluate(
            "() => { IDBObjectStore.prototype.add = () => { throw new DOMException('full', "
            "'QuotaExceededError'); }; }"
        )
        page.locator(".faces .choice").nth(4).click()
        expect(page.locator("#not-kept")).to_be_visible()
        expect(page.locator("#not-kept")).to_contain_text("Xin báo nhân viên")
        look(page, "kiosk_not_kept", screenshots)
