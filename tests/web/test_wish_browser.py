"""The wish for a reply in a real browser: the code is the device's, and stays in its tab."""

import json
import re
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from app.access.tokens import hash_of
from app.cases.citizens import as_typed, grouped
from app.cases.opening import open_wishes
from app.clock import local_today
from tests.cases.sent import SETTINGS, new_code
from tests.web.citizen import choose, stored
from tests.web.conftest import needs_browser
from tests.web.test_citizen_browser import look
from tests.web.test_wishes import codes

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
#: What a browser may keep of a page, and where it is.
KEPT = """() => [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}),
    JSON.stringify(history.state), location.href]"""
NO_STORAGE = """const no = () => { throw new DOMException("no", "SecurityError"); };
    for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, {get: no});"""
NO_HASH = 'Object.defineProperty(Crypto.prototype, "subtle", {value: undefined});'
TAKEN = {"type": "/problems/reply-code-taken", "status": 409}


@pytest.fixture
def phone(browser, client):
    """Opens a page that writes down what it asks the server for, in a browser of its own."""
    contexts = []

    def make(script=""):
        context = browser.new_context(
            base_url=str(client.base_url), locale="vi-VN", viewport={"width": 390, "height": 844},
            permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.complaints, page.asked = [], []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.asked.append(request))
        return page

    yield make
    for context in contexts:
        context.close()


def wish(page, path, level=1):
    page.goto(path)
    choose(page, "A1", level)
    page.locator('input[name="reply"]').check(force=True)


def send(page):
    page.get_by_role("button", name=re.compile("^(Gửi ý kiến|Send)$")).click()
    expect(page.locator(".end h1")).to_be_visible()


def shown(page):
    expect(page.locator("#reply")).to_be_visible()
    return as_typed(page.locator("#reply-code").inner_text())


def posts(page):
    return [parse_qs(each.post_data) for each in page.asked if each.method == "POST"]


def test_a_code_of_the_device_is_shown_until_it_is_taken_along(
    phone, code, database, client, screenshots
):
    page, path = phone(), f"/q/{code}"
    wish(page, path)
    page.reload()
    assert page.locator('input[name="reply"]').is_checked()
    # The wish is no question of the form.
    expect(page.locator("#count")).to_have_text(re.compile("Đã trả lời 1/"))
    look(page, "wish", screenshots)
    page.goto(f"{path}?lang=en")
    look(page, "wish_en", screenshots)
    # Its first code is somebody else's; the answer to its second try is lost.
    tries = []

    def obstruct(route):
        if route.request.method != "POST":
            route.continue_()
            return
        tries.append(route.request)
        if len(tries) == 1:
            media = "application/problem+json"
            route.fulfill(status=409, content_type=media, body=json.dumps(TAKEN))
        elif len(tries) == 2:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/q/**", obstruct)
    send(page)
    mine = shown(page)
    sent = posts(page)
    hashes = [each["reply_code_hash"] for each in sent]
    assert hashes[0] != hashes[1] == hashes[2] == [hash_of(mine)] and len(sent) == 3
    assert all("reply_code" not in each for each in sent)
    assert list(codes(database)) == [hash_of(mine)] and stored(database) == 1
    assert page.locator("#reply-code").inner_text() == grouped(mine)
    look(page, "thanks_code_en", screenshots)
    page.goto(f"{path}/thanks?reply=kept")
    assert shown(page) == mine
    look(page, "thanks_code", screenshots)
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    for width in (320, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.reload()
    assert shown(page) == mine
    local, _, state, address = page.evaluate(KEPT)
    assert not any(mine in each for each in (local, state, address))
    page.get_by_role("button", name="Sao chép mã").click()
    expect(page.locator("#reply-status")).to_have_text("Đã sao chép mã.")
    assert page.evaluate("navigator.clipboard.readText()") == grouped(mine)
    # Another tab of this browser has no code, nor has whoever comes next in this one.
    other = page.context.new_page()
    other.goto(f"{path}/thanks?reply=kept")
    expect(other.locator(".end h1")).to_be_visible()
    expect(other.locator("#reply")).to_be_hidden()
    page.get_by_role("button", name="Tôi đã giữ mã").click()
    expect(page.locator("#reply")).to_be_hidden()
    page.reload()
    expect(page.locator("#reply")).to_be_hidden()
    assert not any(mine in each for each in page.evaluate(KEPT))
    # No request names it, but for what is typed into the page of replies.
    open_wishes(database, SETTINGS, local_today(SETTINGS.zone))
    assert not any(mine in each.url + (each.post_data or "") for each in page.asked)
    page.goto("/c")
    page.fill("#code", grouped(mine))
    page.get_by_role("button", name="Xem").click()
    expect(page.locator("main")).to_contain_text("Đơn vị C1")
    assert page.complaints == []


def test_who_answers_next_in_the_tab_finds_no_code_of_the_last(phone, code, database):
    page, path = phone(), f"/q/{code}"
    wish(page, path)
    send(page)
    mine = shown(page)
    page.goto(path)  # back to the form of what was sent
    assert shown(page) == mine
    page.get_by_role("link", name="Góp ý về một lần phục vụ khác").click()
    expect(page.locator("#form")).to_be_visible()
    assert not any(mine in each for each in page.evaluate(KEPT))
    choose(page, "A1", 5)
    send(page)
    expect(page.locator("#reply")).to_be_hidden()
    assert list(codes(database)) == [hash_of(mine)] and stored(database) == 2


def test_a_second_tab_is_told_that_its_wish_was_not_taken(phone, code, database):
    page, path = phone(), f"/q/{code}"
    wish(page, path)
    other = page.context.new_page()
    wish(other, path)
    send(page)
    send(other)
    expect(other.locator(".note").first).to_contain_text("không được nhận")
    expect(other.locator("#reply")).to_be_hidden()
    other.goto(path)
    expect(other.locator("#reply")).to_be_hidden()
    assert list(codes(database)) == [hash_of(shown(page))]


@pytest.mark.parametrize(
    "script", [NO_STORAGE, NO_HASH, NO_STORAGE + NO_HASH], ids=["kept", "hashed", "either"]
)
def test_where_nothing_may_be_kept_or_hashed_she_has_a_code_all_the_same(
    phone, code, database, script
):
    page, path = phone(script), f"/q/{code}"
    wish(page, path)
    send(page)
    mine = shown(page)
    assert list(codes(database)) == [hash_of(mine)]
    assert mine not in page.url and "#" not in page.url
    assert not any(mine in each.url.split("#")[0] for each in page.asked)
    (sent,) = posts(page)
    assert ("reply_code" in sent) == (NO_HASH in script) != ("reply_code_hash" in sent)
    assert page.complaints == []


def test_a_code_that_was_scanned_is_looked_up_where_the_page_is_open_already(
    phone, code, client, database
):
    page, mine = phone(), new_code()
    client.post(f"/q/{code}", data={"a.A1": "1", "reply": "1", "reply_code": mine})
    open_wishes(database, SETTINGS, local_today(SETTINGS.zone))
    page.goto("/c#%E0%A4%A")  # not even an address
    expect(page.locator("#code")).to_have_value("")
    for _ in range(2):  # from the form, and from where a case is shown
        page.evaluate("code => { window.before = true; location.hash = code; }", mine)
        page.wait_for_function("() => !window.before")
        expect(page.locator("main")).to_contain_text("Đơn vị C1")
    assert mine not in page.url and page.complaints == []
    # Back, from what she answered and from there again: the form without the code, and no question.
    page.get_by_role("button", name="Xem những gì tôi đã trả lời").click()
    expect(page.get_by_role("button", name="Quay lại")).to_be_visible()
    for _ in range(2):
        page.go_back()
        expect(page.locator("#code")).to_have_value("")
    assert page.complaints == []
