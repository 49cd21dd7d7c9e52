"""Questionnaires are written in a real browser, and tried on the devices that stand beside."""

import io

import openpyxl
import pytest
from playwright.sync_api import expect

from app.access.roles import Role
from tests.web.conftest import needs_browser
from tests.web.staff_visits import GOOD

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def writer(visit, province):
    province.person((Role.PROVINCIAL_ANALYST, None), email="soan@tinh.vn", password=GOOD)
    window = visit()
    window.sign_in("soan@tinh.vn")
    return window


def test_what_is_typed_stands_in_the_preview_before_it_is_saved(writer):
    page = writer.page
    page.get_by_role("link", name="Phiếu khảo sát", exact=True).first.click()
    writer.look("questionnaires")
    page.get_by_role("row", name="sipas-desk").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Đã lưu bản nháp")
    kiosk = page.frame_locator("iframe.kiosk")
    expect(kiosk.get_by_role("heading")).to_contain_text("Mức độ hài lòng")
    kiosk.get_by_role("button", name="Bắt đầu").click()
    kiosk.get_by_role("button", name="Rất không hài lòng").click()
    expect(kiosk.get_by_role("heading")).to_contain_text("Trang thiết bị")
    writer.look("questionnaire_draft")
    page.get_by_role("link", name="Sửa: trips").click()
    phone = page.frame_locator("iframe.phone")
    page.fill("[id='text.vi']", "Mấy lần tất cả?")
    expect(phone.get_by_text("Mấy lần tất cả?")).to_be_in_viewport()
    writer.look("questionnaire_item")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Thử trên máy khảo sát").click()
    expect(opened.value.get_by_role("heading")).to_contain_text("Mấy lần tất cả?")
    opened.value.close()
    # Of another kind its own fields come; what stood there stays.
    page.select_option("#kind", "number")
    expect(page.locator("#minimum")).to_be_visible()
    assert page.input_value("[id='text.vi']") == "Mấy lần tất cả?"
    page.fill("#minimum", "0")
    page.fill("#maximum", "9")
    expect(phone.locator("#i-trips")).to_be_visible()
    page.select_option("#if", "A1")
    page.get_by_label("1 · Rất không hài lòng").check()
    writer.look("questionnaire_condition")
    # On the phone it comes only after that answer.
    expect(phone.locator("#q-trips")).to_be_hidden()
    phone.locator("#q-A1 input[value='1']").check()
    expect(phone.locator("#q-trips")).to_be_visible()
    phone.get_by_role("button", name="Gửi").click()
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Đã lưu")
    expect(page.locator("#publish")).to_contain_text("hỏi điều khác")
    for part, at in (("form", ""), ("scale", "satisfaction"), ("factor", "0"), ("scoring", "")):
        draft = page.url.partition("?")[0].partition("#")[0]
        page.goto(f"{draft}/edit?part={part}&at={at}")
        writer.look(f"questionnaire_{part}")
        page.goto(draft)
    page.get_by_role("button", name="Công bố thành bản số 3").click()
    expect(page.get_by_role("status")).to_contain_text("Đã công bố")
    page.goto("/language/en?next=/questionnaires/sipas-desk/versions/3")
    expect(page.get_by_text("in use", exact=True)).to_be_visible()
    writer.look("questionnaire_version_en")


def test_what_is_typed_before_the_script_is_there_stands_in_the_preview(writer):
    page, held = writer.page, []
    page.get_by_role("link", name="Phiếu khảo sát", exact=True).first.click()
    page.get_by_role("row", name="sipas-desk").get_by_role("button").click()
    page.route("**/form_part.js", lambda route: held.append(route))
    page.get_by_role("link", name="Sửa: trips").click(no_wait_after=True)
    page.fill("[id='text.vi']", "Mấy lần tất cả?")
    assert len(held) == 1
    held[0].continue_()
    expect(page.frame_locator("iframe.phone").get_by_text("Mấy lần tất cả?")).to_be_in_viewport()


def test_without_script_a_file_becomes_a_draft_that_is_mended(browser, client, writer):
    book = openpyxl.Workbook()
    book.active.title = "survey"
    for row in (
        ["type", "name", "label::English (en)", "label::Tiếng Việt (vi)"],
        ["text", "why", "Why?", "Vì sao?"],
        ["geopoint", "where", "Where", "Ở đâu"],
    ):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    context = browser.new_context(
        base_url=str(client.base_url), java_script_enabled=False, locale="en-GB"
    )
    context.add_cookies(writer.page.context.cookies())
    page = context.new_page()
    page.goto("/questionnaires")
    kind = "application/octet-stream"
    page.set_input_files("#file", {"name": "a.xlsx", "mimeType": kind, "buffer": stream.getvalue()})
    page.get_by_role("button", name="Xem tệp").click()
    expect(page.get_by_role("row", name="survey, hàng 3, cột A")).to_be_visible()
    writer.page.goto(page.url if page.url.endswith("/questionnaires") else "/questionnaires")
    page.get_by_role("button", name="Lưu thành bản nháp").click()
    page.get_by_role("link", name="Chưa có thang đo.").click()
    page.fill("#name", "hai")
    for row, (vi, en) in enumerate((("Không", "No"), ("Có", "Yes"))):
        page.fill(f"[id='level.{row}.vi']", vi)
        page.fill(f"[id='level.{row}.en']", en)
    page.locator("[name='satisfied.1']").check()
    page.get_by_role("button", name="Thử trên bản xem").click()
    expect(page.frame_locator("iframe.phone").locator("h1")).to_be_visible()
    page.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Đã lưu")
    expect(page.locator("#checks")).to_contain_text("Chưa có yếu tố nào tính vào chỉ số")
    context.close()
