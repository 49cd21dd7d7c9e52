"""The citizen's form reached from other websites, in a real browser."""

import json

import pytest
from playwright.sync_api import expect

from tests.small_province import body
from tests.web.citizen import choose, stored
from tests.web.conftest import needs_browser
from tests.web.elsewhere import elsewhere

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def page(browser, client):
    context = browser.new_context(
        base_url=str(client.base_url), locale="vi-VN", viewport={"width": 390, "height": 844}
    )
    yield context.new_page()
    context.close()


def follow(page, address):
    """From another site to the form by its link; the script is there once progress is shown."""
    page.goto(address)
    page.click("a")
    expect(page.locator("#progress")).to_be_visible()


def send(page):
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()


def test_a_link_on_another_site_leads_back_to_the_same_response(page, client, code, database):
    link = f'<a href="{client.base_url}/q/{code}">Góp ý</a>'
    with elsewhere(link) as address:
        follow(page, address)
        choose(page, "A1", 2)
        page.fill("#i-comment", "đang viết")
        id = page.input_value("[name=id]")
        follow(page, address)
        expect(page.locator('input[name="a.A1"][value="2"]')).to_be_checked()
        expect(page.locator("#i-comment")).to_have_value("đang viết")
        assert page.input_value("[name=id]") == id
        send(page)
        # Whoever follows the link once more is thanked, and does not answer twice.
        page.goto(address)
        page.click("a")
        expect(page.locator("h1")).to_contain_text("đã được ghi nhận")
    assert stored(database) == 1


def test_by_the_link_in_two_tabs_it_is_sent_twice_and_counted_once(page, client, code, database):
    link = f'<a href="{client.base_url}/q/{code}">Góp ý</a>'
    other = page.context.new_page()
    with elsewhere(link) as address:
        for tab in (page, other):
            follow(tab, address)
            choose(tab, "A1", 4)
        for tab in (page, other):
            send(tab)
    expect(other.locator("h1")).to_contain_text("đã được ghi nhận")
    assert stored(database) == 1


def test_without_cookies_the_draft_tells_which_response_it_is(page, code, database):
    page.goto(f"/q/{code}")
    expect(page.locator("#progress")).to_be_visible()
    choose(page, "A1", 3)
    id = page.input_value("[name=id]")
    page.context.clear_cookies()
    page.goto(f"/q/{code}")
    expect(page.locator('input[name="a.A1"][value="3"]')).to_be_checked()
    assert page.input_value("[name=id]") == id
    send(page)
    page.context.clear_cookies()
    # Another visit is another response, whatever a draft says.
    page.goto(f"/q/{code}?new=1")
    expect(page.locator("#progress")).to_be_visible()
    assert page.input_value("[name=id]") != id and stored(database) == 1


def test_what_was_chosen_before_the_script_came_is_neither_lost_nor_replaced(page, code):
    page.goto(f"/q/{code}")
    expect(page.locator("#progress")).to_be_visible()
    choose(page, "A1", 2)
    choose(page, "A2", 2)
    waiting = []
    page.route("**/citizen.js", lambda route: waiting.append(route))
    page.goto(f"/q/{code}", wait_until="commit")
    choose(page, "A1", 5)
    waiting[0].continue_()
    expect(page.locator('input[name="a.A2"][value="2"]')).to_be_checked()
    expect(page.locator('input[name="a.A1"][value="5"]')).to_be_checked()
    page.unroute("**/citizen.js")
    page.goto(f"/q/{code}")
    expect(page.locator('input[name="a.A1"][value="5"]')).to_be_checked()


def voting(address, code):
    """A page of another site that has its visitors vote, in each way that a page has."""
    own = f"{address}q/{code}"
    return f"""
<form id="by-form" method="post" action="{own}"><input name="a.A1" value="1"></form>
<form id="by-plain-form" method="post" action="{address}api/v1/responses" enctype="text/plain">
<input name="{{" value="}}"></form>
<iframe sandbox="allow-forms allow-scripts" srcdoc='<form method="post" action="{own}">
<input name="a.A1" value="1"></form><script>document.forms[0].submit()</script>'></iframe>"""


_FETCHES = """async ([own, interface, response]) => {
  const ways = [
    [own, {body: new URLSearchParams({"a.A1": "1"})}],
    [interface, {body: response}],
    [interface, {body: new Blob([response])}],
    [interface, {body: response, headers: {"Content-Type": "application/json"}}],
  ];
  for (const [where, what] of ways)
    for (const mode of ["no-cors", "cors"])
      await fetch(where, {method: "POST", mode, credentials: "include", ...what}).catch(() => {});
}"""


def test_another_site_has_no_visitor_vote(page, client, code, database):
    address = f"{client.base_url}/"
    answered = []
    page.on(
        "response",
        lambda r: answered.append(r.status) if r.request.method == "POST" else None,
    )
    with elsewhere(voting(address, code)) as foreign:
        page.goto(foreign)
        page.evaluate(
            _FETCHES,
            [f"{address}q/{code}", f"{address}api/v1/responses", json.dumps(body(point=code))],
        )
        with page.expect_navigation():
            page.evaluate("document.getElementById('by-form').submit()")
        expect(page.locator("body")).to_contain_text("Phiếu do trang web khác gửi")
        page.goto(foreign)
        with page.expect_navigation():
            page.evaluate("document.getElementById('by-plain-form').submit()")
        expect(page.locator("body")).to_contain_text("Phiếu do trang web khác gửi")
    # The forms' answers are seen (those to its scripts the browser keeps from the page).
    assert set(answered) == {403} and stored(database) == 0
    # The same response is taken from a page of ours.
    page.goto(f"/q/{code}")
    choose(page, "A1", 1)
    send(page)
    assert stored(database) == 1
