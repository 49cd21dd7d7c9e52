"""The pages of cases and of replies in a real browser: phones, desks, a kiosk's upright screen."""

from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.access.roles import Role
from app.cases.opening import open_wishes
from tests.cases.sent import LOW, MONTH, SETTINGS, form, keep, new_code, sent, subjects
from tests.web.conftest import needs_browser
from tests.web.staff_visits import GOOD, WCAG, Visit

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
YESTERDAY = datetime.now(SETTINGS.zone).date() - timedelta(days=1)
SIZES = {"phone": (390, 844), "desk": (1280, 800), "kiosk": (1080, 1920)}


def look(page, screenshots, name):
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide on a {size} of {width} px"
        if size != "desk":
            found = Axe().run(page, options=WCAG)
            assert not found.violations_count, f"{name}, {size}: {found.generate_report()}"
        page.screenshot(path=str(screenshots / f"{name}-{width}.png"), full_page=True)


def test_a_wish_is_dealt_with_and_its_reply_read_by_the_code_that_was_scanned(
    browser, client, database, province, screenshots
):
    code, version = new_code(), form(database)
    keep(
        database,
        [
            sent(version, province.units["C1"], MONTH, LOW | {"C1": 2}, code=code,
                 comment="Chờ từ sáng đến trưa, hỏi không ai trả lời.", received=YESTERDAY),
            *(sent(version, province.units["C1"], YESTERDAY, code=new_code()) for _ in range(3)),
        ],
    )  # fmt: skip
    assert open_wishes(database, SETTINGS, YESTERDAY) == 4
    id = next(case for case in subjects(database).values())
    province.person((Role.CARE_DESK, None), email="phananh@tinh.vn", password=GOOD)
    visit = Visit(browser, client, screenshots)
    page = visit.page
    visit.sign_in("phananh@tinh.vn")
    page.goto("/cases")
    look(page, screenshots, "cases")
    id = page.locator("tbody a").first.get_attribute("href").rpartition("/")[2]
    for each in page.locator("tbody a").all():
        id = each.get_attribute("href").rpartition("/")[2]
        if "tháng 9" in each.locator("xpath=ancestor::tr").inner_text():
            break
    page.goto(f"/cases/{id}")
    page.get_by_role("button", name="Nhận xử lý").click()
    page.fill("#note-text", "Hỏi lại bộ phận một cửa về ca sáng.")
    page.get_by_role("button", name="Ghi chú").click()
    page.fill("#reply-text", "Chúng tôi đã mở thêm quầy số 3 vào buổi sáng.\nXin lỗi Ông/Bà.")
    page.get_by_role("button", name="Trả lời", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Đã trả lời")
    look(page, screenshots, "case")
    page.goto("/language/en?next=/case-lists")
    page.fill("#words-entries", "- cò mồi")
    page.locator("#words").get_by_role("button", name="Put this list in force").click()
    page.locator("#words summary").click()
    look(page, screenshots, "case_lists")
    assert visit.complaints == []

    # The code stands in the address's fragment: it is sent in no address and to no log.
    asked = []
    citizen = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
    phone = citizen.new_page()
    phone.on("request", lambda request: asked.append(request.url))
    complaints = []
    phone.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    phone.goto("/c")
    look(phone, screenshots, "code")
    phone.goto(f"/c?lang=vi#{code}")
    phone.reload()
    expect(phone.locator(".lines").first).to_contain_text("mở thêm quầy số 3")
    assert code not in phone.url and not any(code in each.split("#")[0] for each in asked)
    look(phone, screenshots, "reply")
    phone.fill("#text", "Cảm ơn.")
    phone.get_by_role("button", name="Gửi").click()
    expect(phone.get_by_role("status")).to_contain_text("Đã gửi")
    phone.get_by_role("button", name="English").click()
    expect(phone.locator("h1")).to_have_text("Read the reply to your complaint")
    look(phone, screenshots, "reply_en")
    # What she may do with her response: nothing is gone before she has read what goes.
    phone.get_by_role("button", name="Tiếng Việt").click()
    phone.get_by_role("button", name="Xem những gì tôi đã trả lời").click()
    expect(phone.locator(".lines").first).to_contain_text("Chờ từ sáng đến trưa")
    look(phone, screenshots, "own_answers")
    phone.get_by_role("button", name="Quay lại").click()
    phone.get_by_role("button", name="Rút lại toàn bộ phiếu").click()
    look(phone, screenshots, "withdraw")
    phone.get_by_role("button", name="English").click()
    expect(phone.locator("h1")).to_have_text("Withdraw my whole response")
    look(phone, screenshots, "withdraw_en")
    phone.get_by_role("button", name="Yes, withdraw all of it").click()
    expect(phone.get_by_role("status")).to_contain_text("withdrawn and deleted")
    look(phone, screenshots, "withdrawn")
    page.goto("/language/vi?next=/cases")
    page.goto(f"/cases/{id}")
    expect(page.locator(".summary").first).to_contain_text("Người gửi đã rút lại")
    look(page, screenshots, "case_withdrawn")
    assert code not in phone.url and not any(code in each.split("#")[0] for each in asked)
    phone.goto("/c?lang=vi")
    phone.fill("#code", "0000-0000-0000-0000")
    phone.get_by_role("button", name="Xem").click()
    expect(phone.get_by_role("alert")).to_contain_text("Mã gõ sai")
    look(phone, screenshots, "code_wrong")
    assert citizen.cookies() == []
    assert [each for each in complaints if "404" not in each] == []
    citizen.close()
    page.context.close()
