"""The citizen's form reached from other websites, in a real browser."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.intake.models import Response
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


@pytest.fixture
def code(province):
    return province.points[("C1", "sipas-desk")]


def stored(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


def follow(page, address):
    """From another site to the form by its link; the script is there once progress is shown."""
    page.goto(address)
    page.click("a")
    expect(page.locator("#progress")).to_be_visible()


def choose(page, item, value):
    page.locator(f'input[name="a.{item}"][value="{value}"]').check(force=True)


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
