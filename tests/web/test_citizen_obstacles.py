"""The citizen's form in a browser that lacks something, or is told to wait."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.intake.models import Response
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from tests.web.conftest import needs_browser

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


@pytest.fixture
def code(province):
    return province.points[("C1", "sipas-desk")]


def stored(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


def choose(page, item, value):
    page.locator(f'input[name="a.{item}"][value="{value}"]').check(force=True)


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
