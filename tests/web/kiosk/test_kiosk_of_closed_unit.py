"""A kiosk whose unit is no more says who does its work now, in both languages."""

import pytest
from playwright.sync_api import expect

from app.clock import local_today
from app.registry.models import Unit
from app.settings import Settings
from tests import changed_tree
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import pair

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

#: The longest between two looks (app/web/static/kiosk/main.js), on the page's own clock.
MINUTE_MS = 66_000


def test_a_kiosk_of_a_closed_unit_asks_nobody_and_names_who_goes_on(
    browser, client, database, province, pairing
):
    today = local_today(Settings().zone)
    context = browser.new_context(locale="vi-VN")
    try:
        page = context.new_page()
        page.clock.install()
        page.goto(f"{client.base_url}/kiosk")
        pair(page, pairing().code)
        expect(page.locator(".faces .choice").first).to_be_visible()
        with database.writing() as session:
            unit = session.get_one(Unit, province.units["C1"])
            changed_tree.merge(session, [unit], "C9", today, today=today, points=False)
        # At its next look, a minute later, it learns so without anybody's touch.
        page.clock.fast_forward(MINUTE_MS)
        expect(page.locator("h1", has_text="đã đóng")).to_be_visible()
        expect(page.locator("main")).to_contain_text("Đơn vị mới C9")
        expect(page.locator(".choice")).to_have_count(0)
        page.get_by_role("button", name="English").click()
        expect(page.locator("main")).to_contain_text("now done at New unit C9")
    finally:
        context.close()
