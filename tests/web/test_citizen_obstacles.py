"""The citizen's form in a browser that lacks something, or is told to wait."""

import json
import os
import re
import time

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.intake.models import ResponseText
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from tests.conftest import serving
from tests.small_province import body
from tests.web.citizen import choose, stored
from tests.web.conftest import QUIET, WHOLE_CHROMIUM, needs_browser

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def phone(browser, client):
    """Opens a page in a browser of its own."""
    contexts = []

    def make(**options):
        options = {"base_url": str(client.base_url), "locale": "vi-VN"} | options
        contexts.append(browser.new_context(viewport={"width": 390, "height": 844}, **options))
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


def filled_in(page, code):
    page.goto(f"/q/{code}")
    choose(page, "A1", 2)
    choose(page, "trips", 2)
    page.fill("#i-comment", "còn đây")


def expect_filled_in(page):
    expect(page.locator('input[name="a.A1"][value="2"]')).to_be_checked()
    expect(page.locator('input[name="a.trips"][value="2"]')).to_be_checked()
    expect(page.locator("#i-comment")).to_have_value("còn đây")
    assert page.locator("input:checked").count() == 2


# --- another language ---------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_another_language_keeps_what_was_given(phone, code, database, screenshots, script):
    page = phone(java_script_enabled=script)
    filled_in(page, code)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect_filled_in(page)
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    expect_filled_in(page)
    page.screenshot(path=str(screenshots / "form_reworded.png"))
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("h1")).to_have_text("Thank you for your answers!")
    assert stored(database) == 1


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_enter_key_sends_and_does_not_switch(phone, province, database, script):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["W1"])
        code = current_code(open_point(session, unit, "moh-inpatient", Channel.QR, "x"))
    page = phone(java_script_enabled=script)
    page.goto(f"/q/{code}")
    choose(page, "A1", 4)
    page.fill("#i-age", "40")
    page.press("#i-age", "Enter")
    expect(page.locator("h1")).to_have_text("Cảm ơn ý kiến của Ông/Bà!")
    assert stored(database) == 1


# --- too many at once ---------------------------------------------------------------------

EVERY_S = 8


def test_told_to_wait_it_waits_and_sends_by_itself(phone, settings, code, database, screenshots):
    few = settings.model_copy(update={"public_rate": f"1 per {EVERY_S} second"})
    with serving(few) as client:
        page = phone(base_url=str(client.base_url))
        sent = []
        page.on("request", lambda r: sent.append(time.time()) if r.method == "POST" else None)
        filled_in(page, code)
        drawn = time.time()
        other = client.post("/api/v1/responses", json=body(point=code))
        assert other.status_code == 201
        page.get_by_role("button", name="Gửi ý kiến").click()
        expect(page.locator("#status")).to_contain_text("không bị mất")
        expect(page.locator("#left")).to_have_text(re.compile(r"Tự gửi lại sau 0:\d\d"))
        expect(page.locator("#status")).to_be_in_viewport(ratio=0.9)
        expect(page.locator("#left")).to_be_in_viewport(ratio=0.9)
        page.screenshot(path=str(screenshots / "form_waiting.png"))
        page.get_by_role("button", name="Gửi ý kiến").click(force=True)  # impatient
        assert stored(database) == 1 and len(sent) == 1
        # What was given stands there all the while, and may still be changed.
        expect_filled_in(page)
        page.fill("#i-comment", "nghĩ lại")
        # Told to wait, it comes by turns: up to twice as long after.
        expect(page.locator(".end h1")).to_be_visible(timeout=120_000)
        # The bucket of one is full again that long after the other response drew from it.
        assert len(sent) == 2 and sent[1] - drawn >= EVERY_S
    with database.reading() as session:
        texts = session.scalars(select(ResponseText.body)).all()
    assert stored(database) == 2 and "nghĩ lại" in texts


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ({"Retry-After": "40"}, 40, 55),
        (  # the telephone's clock is wrong; the server tells its own
            {
                "Date": "Sat, 28 Nov 2020 10:00:00 GMT",
                "Retry-After": "Sat, 28 Nov 2020 10:00:40 GMT",
            },
            40, 55,
        ),
        ({"Retry-After": "99999999999"}, 900, 915),
    ],
    ids=["seconds", "a date", "absurd"],
)  # fmt: skip
def test_a_busy_server_says_when_to_send_again(phone, code, told, least, most):
    page = phone()
    filled_in(page, code)
    page.route(
        "**/q/**",
        lambda route: (
            route.fulfill(status=503, headers=told)
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    page.get_by_role("button", name="Gửi ý kiến").click()
    left = page.locator("#left")
    expect(left).to_have_text(re.compile(r"Tự gửi lại sau \d+:\d\d"))
    minutes, seconds = re.search(r"(\d+):(\d\d)", left.inner_text()).groups()
    assert least - 10 <= 60 * int(minutes) + int(seconds) <= most


def test_a_page_left_while_it_waits_is_found_again(phone, settings, code, database):
    few = settings.model_copy(update={"public_rate": "1 per 1 hour"})
    with serving(few) as client:
        page = phone(base_url=str(client.base_url))
        assert client.post("/api/v1/responses", json=body(point=code)).status_code == 201
        filled_in(page, code)
        page.get_by_role("button", name="Gửi ý kiến").click()
        expect(page.locator("#left")).to_have_text(re.compile(r"sau \d+:\d\d"))
        page.reload()
        expect_filled_in(page)
    assert stored(database) == 1


# --- nothing may be kept ------------------------------------------------------------------

NO_STORAGE = {
    "blocked": "",  # as this browser does it where cookies are blocked: reading it throws
    "absent": """for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
        Object.defineProperty(window, name, {value: null});
        Object.defineProperty(navigator, "serviceWorker", {value: undefined});""",
    "full": """const full = () => { throw new DOMException("full", "QuotaExceededError"); };
        const store = {getItem: () => null, setItem: full, removeItem: full};
        for (const name of ["localStorage", "sessionStorage"])
            Object.defineProperty(window, name, {value: store});
        Object.defineProperty(window, "indexedDB", {get: full});""",
}


@pytest.fixture
def inside_another_app(browser, client, tmp_path):
    """Opens a page in a browser that blocks cookies, as those inside other applications may."""
    (tmp_path / "Default").mkdir()
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default/Preferences").write_text(json.dumps(blocked), "utf-8")
    contexts = []
    if WHOLE_CHROMIUM is None and not os.environ.get("HAILONG_REQUIRE_ALL"):
        pytest.skip("chromium is not installed; its shell keeps no profile")

    def make(script):
        context = browser.browser_type.launch_persistent_context(
            str(tmp_path), executable_path=WHOLE_CHROMIUM, args=QUIET, locale="vi-VN",
            base_url=str(client.base_url), viewport={"width": 390, "height": 844},
        )  # fmt: skip
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize("how", NO_STORAGE)
def test_where_nothing_may_be_kept_the_form_works(inside_another_app, code, database, how):
    page = inside_another_app(NO_STORAGE[how])
    filled_in(page, code)
    expect(page.locator("#count")).to_contain_text(re.compile("Đã trả lời [23]/"))
    assert page.context.cookies() == []
    kept = "(() => { try { return localStorage.length > 0; } catch { return false; } })()"
    assert not page.evaluate(kept)
    id = page.input_value("[name=id]")
    # Another language and a mistake come back from the server with all that was given.
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect_filled_in(page)
    assert page.input_value("[name=id]") == id
    page.get_by_role("button", name="Tiếng Việt").click()
    expect(page.locator("html")).to_have_attribute("lang", "vi")
    # Without a network it waits, and a double tap is one response.
    page.context.set_offline(True)
    page.get_by_role("button", name="Gửi ý kiến").dblclick()
    expect(page.locator("#status")).to_contain_text("Mất mạng")
    page.context.set_offline(False)
    expect(page.locator(".end h1")).to_have_text("Cảm ơn ý kiến của Ông/Bà!")
    assert stored(database) == 1 and page.complaints == []


def test_where_nothing_may_be_kept_a_lost_answer_is_asked_for_again(
    inside_another_app, code, database
):
    page = inside_another_app("")
    lost = []

    def lose_the_first(route):
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch())
            route.abort()
        else:
            route.continue_()

    page.route("**/q/**", lose_the_first)
    filled_in(page, code)
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()
    assert len(lost) == 1 and stored(database) == 1


def test_where_nothing_may_be_kept_and_no_script_runs_either(inside_another_app, code, database):
    page = inside_another_app("")
    page.route("**/citizen.js", lambda route: route.abort())
    filled_in(page, code)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect_filled_in(page)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".end h1")).to_be_visible()
    assert stored(database) == 1
