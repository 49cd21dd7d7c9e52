"""From the dashboard to a file of single responses in two clicks, on a phone and on a desk."""

import pytest
from playwright.sync_api import expect

from app.access.roles import Role
from tests.export.conftest import answered
from tests.web.conftest import needs_browser
from tests.web.staff_visits import GOOD

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def test_an_analyst_finds_each_file_in_two_clicks(visit, province, database):
    answered(database, province, 60)
    province.person((Role.PROVINCIAL_ANALYST, None), email="phantich@tinh.vn", password=GOOD)
    window = visit()
    window.page.goto("/")
    window.sign_in("phantich@tinh.vn")
    window.page.goto("/dashboard/overview?questionnaire=sipas-desk")
    window.page.wait_for_load_state("networkidle")  # its charts, for which others would wait
    window.page.locator(".foot a", has_text="Từng phiếu").click()
    # Of what the dashboard was about; from there, or by the menu, everything there is.
    expect(window.page.locator("#questionnaire")).to_have_value("sipas-desk")
    expect(window.page.locator("#from")).not_to_have_value("")
    window.page.locator("header nav a", has_text="Xuất dữ liệu").click()
    expect(window.page.locator("#from")).to_have_value("")
    files = window.page.locator(".files a")
    expect(files).to_have_count(6)
    with window.page.expect_download() as download:
        files.nth(1).click()
    assert download.value.suggested_filename == "sipas-desk-csv-vi.zip"
    window.look("exports")
    window.page.goto("/language/en?next=/exports")
    assert window.page.locator("h1").text_content() == "Export"
    window.look("exports_en")
    window.page.goto("/exports?questionnaire=sipas-desk&from=2026-02-01&to=2026-01-01")
    window.look("exports_wrong")
