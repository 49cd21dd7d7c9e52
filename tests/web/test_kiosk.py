"""The kiosk in a real browser, against real servers that stop, fail and come back.

Whatever happens between the tap and the acknowledgement, an answer is counted once. One long file,
since all of it needs the same device, and the same ways for it and its network to fail.
"""

import re
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.access import credentials, devices
from app.access.models import Credential, DeviceStatus
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.registry.models import Channel, PointState, Unit
from app.registry.points import change_state, find_by_code, open_point
from app.registry.questionnaires import publish, published
from app.web.kiosk import routes as kiosk
from surveys.loader import FORMS, load_file
from tests.conftest import serving
from tests.server import ServerProcess, free_port
from tests.web.citizen import stored
from tests.web.conftest import CHROMIUM, QUIET, needs_browser

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
FACE = "kiosk-face"


@pytest.fixture
def settings(settings):
    """However slow the machine is, nobody is taken to have walked away."""
    return settings.model_copy(update={"kiosk_idle_s": 3600})


@pytest.fixture
def pairing(database, province):
    """Makes a pairing code for a point of C1."""

    def make(form=FACE):
        with database.writing() as session:
            point = find_by_code(session, province.points[("C1", form)])
            return devices.new_code(session, point, "Ki-ốt")

    return make


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


@pytest.fixture
def playwright(browser):
    """What starts browsers with profiles of their own, beside the session's browser."""
    return SimpleNamespace(chromium=browser.browser_type)


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


def at_work(page):
    """Open the page again, with a clock that a test may run, by day when no screen is dimmed."""
    page.clock.install(time=datetime.now(UTC).replace(hour=9, minute=0))
    page.reload()


def thanked(page):
    """Wait for the thanks: the page itself looks at every frame, since they stay for seconds."""
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


def next_respondent(page):
    """Whoever comes next touches the thanks away, if they are still there."""
    page.evaluate("document.querySelector('#thanks')?.click()")


def queue_length(page):
    return page.evaluate("import('/static/kiosk/store.js').then(store => store.countWaiting())")


# --- where it cannot be ----------------------------------------------------------------------


def test_over_plain_http_it_says_that_it_needs_https(browser, client, screenshots):
    """By a name, as a device in the network reaches it; to a browser 127.0.0.1 is safe."""
    port = client.base_url.port
    named = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[*QUIET, "--host-resolver-rules=MAP kiosk.example 127.0.0.1"],
    )
    try:
        page = named.new_page()
        failed = []
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(f"http://kiosk.example:{port}/kiosk")
        expect(page.locator("section[lang=vi] p")).to_contain_text("Ki-ốt cần kết nối an toàn")
        expect(page.locator("section[lang=en] p")).to_contain_text(
            "address that begins with https://"
        )
        page.screenshot(path=str(screenshots / "kiosk_plain_http.png"))
        assert failed == []
        page.goto(f"http://localhost:{port}/kiosk")
        expect(page.locator("#code")).to_be_visible()
    finally:
        named.close()


def test_without_storage_it_says_so(browser, client):
    page = browser.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'indexedDB', {get() { throw new DOMException('no'); }})"
    )
    page.goto(f"{client.base_url}/kiosk")
    expect(page.locator("section[lang=vi] p")).to_contain_text("cho phép cookie")
    expect(page.locator("section[lang=en] p")).to_contain_text("allow cookies")
    page.close()


# --- the screen -----------------------------------------------------------------------------


def test_it_is_paired_once_answered_by_touch_and_looked_at(
    playwright, client, database, pairing, tmp_path, screenshots, province
):
    made = pairing()
    with device(playwright, tmp_path / "p", client.base_url) as page:
        page.fill("#code", "XXXX-2222")
        page.get_by_role("button", name="Ghép máy").click()
        expect(page.get_by_role("alert")).to_contain_text("Mã không có")
        look(page, "kiosk_pair", screenshots)
        pair(page, f"{made.code[:4].lower()}-{made.code[4:]}")
        look(page, "kiosk_face", screenshots)
        page.locator(".faces .choice").nth(1).click()
        expect(page.locator(".options")).to_be_visible()
        look(page, "kiosk_reason", screenshots)
        # That there may be several is told: the choices look like those of which one is taken.
        expect(page.locator(".several")).to_have_text("Có thể chọn nhiều câu trả lời.")
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.locator(".foot progress").evaluate("e => e.offsetWidth") > 250
        heights = page.locator(".foot button").evaluate_all("all => all.map(e => e.scrollHeight)")
        # One line each, with the way on at the right of the way back.
        assert len(heights) == 2 and max(heights) < 70
        boxes = [each.bounding_box() for each in page.locator(".foot button").all()]
        assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]
        page.set_viewport_size({"width": 1024, "height": 768})
        page.get_by_role("button", name="Thời gian chờ").click()
        page.get_by_role("button", name="Tiếp tục").click()
        expect(page.locator(".typed input")).to_be_visible()
        look(page, "kiosk_text", screenshots)
        page.locator(".typed input").fill("chờ <b>lâu</b>")
        page.get_by_role("button", name="Tiếp tục").click()
        thanked(page)
        look(page, "kiosk_thanks", screenshots)
        wait_for(lambda: stored(database) == 1)
        assert queue_length(page) == 0
        # The next one finds nothing of the last.
        expect(page.locator(".faces")).to_be_visible()
        assert page.locator("[aria-pressed=true].choice").count() == 0
        assert "chờ" not in page.locator("main").inner_text()
        assert page.complaints == []
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        assert row.channel == "kiosk" and row.duration_s is not None
        wait_for(lambda: session.scalar(select(func.count()).select_from(DeviceStatus)) == 1)


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


def test_a_whole_form_is_asked_a_question_a_screen(
    playwright, client, database, province, tmp_path, screenshots
):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["W1"])
        point = open_point(session, unit, "moh-inpatient", Channel.KIOSK, "Khoa Nội")
        session.flush()
        made = devices.new_code(session, point, "Ki-ốt")
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, made.code)
        expect(page.locator("main")).to_contain_text("38 câu hỏi, khoảng 6 phút")
        expect(page.locator("main")).to_contain_text("Có thể kết thúc sớm")
        look(page, "kiosk_start", screenshots)
        page.get_by_role("button", name="Bắt đầu").click()
        look(page, "kiosk_rated", screenshots)
        asked = set()
        for _ in range(60):
            if page.locator("#thanks").count():
                break
            asked.add(page.locator("h1").inner_text())
            kind = page.locator(".question").get_attribute("class")
            before = page.locator("h1").inner_text()
            if "number" in kind or "percent" in kind:
                page.locator(".typed input").fill("42")
                page.get_by_role("button", name="Tiếp tục").click()
            elif "text" in kind or "multiple" in kind:
                page.get_by_role("button", name="Tiếp tục").click()
            else:
                page.locator(".choice").last.click()
            page.wait_for_function(
                "before => !document.querySelector('h1') || "
                "document.querySelector('h1').innerText !== before",
                arg=before,
            )
        thanked(page)
        assert len(asked) > 30
        wait_for(lambda: stored(database) == 1)
    assert verify(database) == []


def test_an_abandoned_answer_is_reset_after_a_visible_countdown(
    playwright, settings, database, pairing, tmp_path, screenshots
):
    with (
        serving(settings.model_copy(update=LONG)) as client,
        device(playwright, tmp_path / "p", client.base_url) as page,
    ):
        pair(page, pairing().code)
        at_work(page)
        page.get_by_role("button", name="English").click()
        page.locator(".faces .choice").nth(0).click()
        page.clock.run_for(1000)
        expect(page.locator(".options")).to_be_visible()
        expect(page.locator(".countdown")).to_have_count(0)
        page.clock.run_for(IDLE_MS)
        expect(page.locator(".countdown")).to_be_visible()
        look(page, "kiosk_countdown", screenshots)
        page.get_by_role("button", name="I am still answering").click()
        expect(page.locator(".countdown")).to_have_count(0)
        expect(page.locator(".options")).to_be_visible()
        page.clock.run_for(IDLE_MS)
        expect(page.locator(".countdown")).to_be_visible()
        # Nobody answers: back to the beginning, in Vietnamese, with nothing kept or sent.
        page.clock.run_for(COUNTDOWN_MS)
        expect(page.locator(".faces")).to_be_visible()
        assert page.locator("[aria-pressed=true].choice").count() == 0
        expect(page.locator("h1")).to_contain_text("hài lòng")
        assert queue_length(page) == 0 and stored(database) == 0


def test_the_staffs_screen_is_behind_a_pin(
    playwright, client, pairing, tmp_path, screenshots, database
):
    made = pairing()
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, made.code)
        name = page.locator(".unit").bounding_box()
        page.mouse.move(name["x"] + 5, name["y"] + 15)
        page.mouse.down()
        expect(page.locator("#pin")).to_be_visible()
        page.mouse.up()
        page.fill("#pin", "000000" if made.pin != "000000" else "111111")
        page.get_by_role("button", name="Mở").click()
        expect(page.get_by_role("alert")).to_contain_text("không đúng")
        page.fill("#pin", made.pin)
        page.get_by_role("button", name="Mở").click()
        expect(page.locator("dl")).to_contain_text("Phiếu chờ gửi")
        look(page, "kiosk_staff", screenshots)
        page.get_by_role("button", name="Trở về khảo sát").click()
        expect(page.locator(".faces")).to_be_visible()
    with database.reading() as session:
        told = session.scalars(select(DeviceStatus)).one()
        assert (told.queue, told.aside) == (0, 0) and abs(told.clock_ahead_s) < 5


# --- nothing lost, nothing doubled ------------------------------------------------------------


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

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._pass_on()

            do_POST = do_GET  # noqa: N815 - the library's name

            def _pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fate = "pass"
                if self.path == "/api/v1/responses":
                    proxy.count += 1
                    fate = proxy.decide(proxy.count)
                if fate == "drop":
                    self.close_connection = True
                    return
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                answer = httpx.request(
                    self.command, f"{server}{self.path}", content=body, headers=headers
                )
                if fate == "cut":  # the server has committed; its answer never arrives
                    self.close_connection = True
                    return
                self.send_response(503 if fate == "busy" else answer.status_code)
                for name, value in answer.headers.items():
                    if name not in ("content-length", "content-encoding", "transfer-encoding"):
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
            wait_for(lambda: queue_length(page) == 0, seconds=180)
    finally:
        proxy.close()
    assert stored(database) == 12 and verify(database) == []
    assert proxy.count >= 6


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


def test_a_wrong_clock_is_corrected(playwright, client, database, pairing, tmp_path):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        page.clock.install(time=datetime.now(UTC) - timedelta(days=3, hours=5))
        page.reload()
        pair(page, pairing().code)
        page.locator(".faces .choice").nth(4).click()
        page.clock.run_for(1000)
        wait_for(lambda: stored(database) == 1)
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        assert abs(row.answered_at - datetime.now(UTC)) < timedelta(minutes=2)
        assert row.received_at - row.claimed_at > timedelta(days=3)
        told = session.scalars(select(DeviceStatus)).one()
        assert told.clock_ahead_s < -3 * 86_400


def test_half_an_answer_is_kept_where_the_questionnaire_says_so(
    playwright, settings, database, province, tmp_path
):
    text = (FORMS / "sipas-desk.yaml").read_text("utf-8")
    partial = tmp_path / "partial.yaml"
    partial.write_text(
        text.replace("code: sipas-desk\n", "code: partial-desk\n").replace(
            "estimated_minutes: 3", "estimated_minutes: 3\nkeep_partial: true"
        ),
        "utf-8",
    )
    with database.writing() as session:
        publish(session, [load_file(partial)])
        unit = session.get_one(Unit, province.units["C1"])
        codes = {}
        for form in ("partial-desk", "sipas-desk"):
            point = open_point(session, unit, form, Channel.KIOSK, form)
            session.flush()
            codes[form] = devices.new_code(session, point, form).code
    with serving(settings.model_copy(update=LONG)) as client:
        for form, code in codes.items():
            with device(playwright, tmp_path / form, client.base_url) as page:
                pair(page, code)
                at_work(page)
                page.get_by_role("button", name="Bắt đầu").click()
                page.locator(".choice").first.click()
                page.clock.run_for(1000 + IDLE_MS)
                expect(page.locator(".countdown")).to_be_visible()
                page.clock.run_for(COUNTDOWN_MS)
                expect(page.get_by_role("button", name="Bắt đầu")).to_be_visible()
                wait_for(lambda page=page: queue_length(page) == 0)
    with database.reading() as session:
        versions = {version.id: version for version in published(session)}
        (row,) = session.scalars(select(Response))
        assert versions[row.version_id].form.code == "partial-desk" and row.partial
        assert versions[row.version_id].sheet.unpack(row.packed) == {"A1": 1}


# --- the screen ---------------------------------------------------------------------------


def test_the_picture_moves_and_is_dimmed_at_night_until_somebody_comes(
    playwright, client, pairing, tmp_path
):
    with device(
        playwright, tmp_path / "p", client.base_url, timezone_id="Asia/Ho_Chi_Minh"
    ) as page:
        # 18:50 in Vietnam: five minutes later nobody was there, but it is no night yet.
        page.clock.install(time="2026-03-02T11:50:00Z")
        page.reload()
        pair(page, pairing().code)
        places = set()
        for _ in range(6):
            page.clock.run_for(60_000)
            places.add(page.locator("#screen").bounding_box()["x"])
        assert len(places) >= 3
        expect(page.locator("body")).not_to_have_class("dim")
        page.clock.run_for(10 * 60_000)
        expect(page.locator("body")).to_have_class("dim")
        # Whoever touches it, wherever, has light at once, and their touch counts.
        page.locator(".faces .choice").nth(1).click()
        expect(page.locator("body")).not_to_have_class("dim")
        page.clock.run_for(1000)
        expect(page.locator(".options")).to_be_visible()


# --- news ---------------------------------------------------------------------------------


def test_a_paused_point_says_so_and_a_changed_point_is_learnt_between_respondents(
    playwright, client, database, province, pairing, tmp_path
):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        page.locator(".faces .choice").nth(0).click()  # somebody is in the middle of it
        expect(page.locator(".options")).to_be_visible()
        with database.writing() as session:
            point = find_by_code(session, province.points[("C1", FACE)])
            change_state(session, point, PointState.PAUSED)
        page.evaluate("dispatchEvent(new Event('online'))")
        page.get_by_role("button", name="Tiếp tục").click()
        page.get_by_role("button", name="Tiếp tục").click()
        thanked(page)
        page.reload()
        expect(page.locator("h1")).to_contain_text("chưa nhận ý kiến")


def test_a_new_version_that_is_published_while_it_is_offline(
    playwright, database_url, database, province, pairing, tmp_path
):
    """Answers to the old version are counted as such; then the new one is asked."""
    port = free_port()
    log = tmp_path / "server.log"
    server = ServerProcess(database_url, log, port=port).wait_until_ready()
    profile = tmp_path / "p"
    with device(playwright, profile, server.address) as page:
        pair(page, pairing().code)
        installed(page)
        server.kill()
        answer_five_faces(page)
    text = (FORMS / "kiosk-face.yaml").read_text("utf-8")
    newer = tmp_path / "kiosk-face.yaml"
    newer.write_text(
        text.replace("version: 2", "version: 3").replace("lần phục vụ vừa rồi", "hôm nay"), "utf-8"
    )
    with database.writing() as session:
        publish(session, [load_file(newer)])
    server = ServerProcess(database_url, log, port=port).wait_until_ready()
    try:
        with device(playwright, profile, server.address) as page:
            wait_for(lambda: stored(database) == 1)
            expect(page.locator("h1")).to_contain_text("hôm nay")
            answer_five_faces(page)
            wait_for(lambda: stored(database) == 2)
    finally:
        server.stop()
    with database.reading() as session:
        versions = session.scalars(select(Response.version_id).order_by(Response.id)).all()
    assert len(set(versions)) == 2 and verify(database) == []


def test_a_new_release_takes_over_between_respondents_and_never_during_one(
    playwright, client, database, pairing, tmp_path, monkeypatch
):
    monkeypatch.setattr(kiosk, "release", lambda: "aaaa")
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        installed(page)
        page.reload()
        expect(page.locator(".faces")).to_be_visible()
        page.evaluate("window.sameLife = true")
        page.locator(".faces .choice").nth(0).click()  # somebody is in the middle of it
        expect(page.locator(".options")).to_be_visible()
        monkeypatch.setattr(kiosk, "release", lambda: "bbbb")
        page.evaluate("navigator.serviceWorker.getRegistration('/kiosk').then(r => r.update())")
        wait_for(
            lambda: page.evaluate(
                "navigator.serviceWorker.getRegistration('/kiosk').then(found => !!found.waiting)"
            )
        )
        page.get_by_role("button", name="Tiếp tục").click()
        page.get_by_role("button", name="Tiếp tục").click()
        thanked(page)
        assert page.evaluate("window.sameLife") is True
        # Thanked, and nobody there: now it takes over and begins a new life.
        page.wait_for_function("() => window.sameLife === undefined")
        expect(page.locator(".faces")).to_be_visible()
        wait_for(lambda: page.evaluate("caches.keys()") == ["kiosk-bbbb"])
        wait_for(lambda: stored(database) == 1)
