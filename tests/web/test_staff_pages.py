"""The staff's pages in a real browser: what each role does there, on a phone and on a desk.

Every page is checked by axe-core (WCAG 2.2 AA), for what does not fit the screen, and for
anything that the browser complains of, the content security policy included. Pictures are put
into var/screenshots.
"""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from app.access.models import Sector
from app.access.roles import Role
from app.dead_letters import Fate
from app.invitations.models import SmsMessage
from app.webhooks.models import Delivery
from app.webhooks.service import add_webhook
from tests.web.conftest import needs_browser
from tests.web.staff_visits import GOOD

pytestmark = [
    needs_browser,
    # One real browser at a time, and one store: what the pages show does not depend on it.
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def menu(visit):
    return [link.text_content().strip() for link in visit.page.locator("header nav a").all()]


def test_every_page_fits_every_screen_and_everybody(visit, province, database):
    with database.writing() as session:
        failed = {"failed_at": datetime(2026, 11, 1, tzinfo=UTC), "fate": Fate.UNSURE}
        address = f"https://một-cửa.tinh.vn/{'a' * 80}"
        told = {"webhook": add_webhook(session, address, None), "body": "{}"}
        session.add(SmsMessage(phone="+84912345678", body="", reason="ReadTimeout", **failed))
        session.add(Delivery(reason="ConnectError: " + "x" * 180, **told, **failed))
    province.person((Role.OPERATOR, None), email="quantri@tinh.vn", password=GOOD)
    head = province.person((Role.UNIT_HEAD, "C1"))
    window = visit()
    window.page.goto("/")
    window.look("sign_in")
    window.sign_in("quantri@tinh.vn", "sai mật khẩu rồi")
    expect(window.page.get_by_role("alert")).to_contain_text("không đúng")
    window.look("sign_in_wrong")
    window.sign_in("quantri@tinh.vn")
    window.look("start")
    for path in (
        "/profile", "/accounts", f"/accounts/{head.account_id}", "/accounts/new", "/keys",
        "/keys/new", "/devices", "/posters", "/audit", "/dead-letters", "/reorganisations",
        "/response-imports", "/sign-in/confirm", "/none",
    ):  # fmt: skip
        window.page.goto(path)
        window.look(path.strip("/").replace("/", "_"))
    window.page.goto("/language/en?next=/audit")
    assert window.page.locator("h1").text_content() == "Audit log"
    window.look("audit_en")


def test_an_operator_lets_somebody_in_who_then_sees_what_is_theirs(visit, province):
    province.person((Role.OPERATOR, None), email="quantri@tinh.vn", password=GOOD)
    desk = visit()
    desk.sign_in("quantri@tinh.vn")
    desk.page.get_by_role("link", name="Tài khoản", exact=True).first.click()
    desk.page.get_by_role("link", name="Tài khoản mới").click()
    desk.page.fill("#email", "truong@xa.vn")
    desk.page.fill("#name", "Trưởng Xã")
    desk.page.select_option("#role", "unit-head")
    desk.page.get_by_role("button", name="Tạo tài khoản").click()
    # Forgotten: the unit. What was typed is still there.
    expect(desk.page.locator("#unit-error")).to_contain_text("cần một đơn vị")
    assert desk.page.input_value("#email") == "truong@xa.vn"
    desk.look("account_new_wrong")
    desk.page.fill("#unit", "C1 – Đơn vị C1")
    desk.page.get_by_role("button", name="Tạo tài khoản").click()
    link = desk.page.locator(".secret code").text_content()
    desk.look("account_link")

    phone = visit()
    phone.page.goto(link)
    phone.look("password")
    phone.page.fill("#password", "ngắn")
    phone.page.fill("#again", "ngắn")
    phone.page.click("main button")
    expect(phone.page.locator("#password-error")).to_contain_text("12 ký tự")
    phone.page.fill("#password", GOOD)
    phone.page.fill("#again", GOOD)
    phone.page.click("main button")
    expect(phone.page.get_by_role("status")).to_contain_text("Đã đặt mật khẩu")
    phone.sign_in("truong@xa.vn")
    assert menu(phone) == [
        "Số liệu", "Phản ánh", "Chủ đề ý kiến", "Phiếu nghi vấn", "Máy khảo sát", "Áp phích",
        "Khóa truy cập",
    ]  # fmt: skip
    phone.page.goto("/accounts")
    expect(phone.page.locator("h1")).to_have_text("Không có quyền")
    phone.look("problem")
    # The link is used up.
    phone.page.goto(link)
    expect(phone.page.locator("h1")).to_have_text("Liên kết không còn dùng được")


def test_a_walk_through_as_everybody_shows_each_only_what_is_theirs(visit, province):
    walks = {
        "quantri@tinh.vn": ((Role.OPERATOR, None), ["Số liệu", "Phiếu khảo sát", "Máy khảo sát",
                            "Áp phích", "Tài khoản", "Khóa truy cập", "Sắp xếp đơn vị",
                            "Nhập phiếu", "Nhật ký"]),
        "soyte@tinh.vn": ((Role.DEPARTMENT_ANALYST, None, Sector.HEALTH),
                          ["Số liệu", "Phản ánh", "Xuất dữ liệu", "Chủ đề ý kiến",
                           "Phiếu nghi vấn", "Áp phích", "Khóa truy cập"]),
        "khoa@bv.vn": ((Role.UNIT_HEAD, "W1"),
                       ["Số liệu", "Phản ánh", "Chủ đề ý kiến", "Phiếu nghi vấn",
                        "Máy khảo sát", "Áp phích", "Khóa truy cập"]),
        "quay@xa.vn": ((Role.DESK_STAFF, "C1"),
                       ["Số liệu", "Máy khảo sát", "Áp phích", "Khóa truy cập"]),
        "phananh@xa.vn": ((Role.CARE_DESK, "C2"),
                          ["Số liệu", "Phản ánh", "Áp phích", "Khóa truy cập"]),
        "thanhtra@tinh.vn": ((Role.AUDITOR, None),
                             ["Số liệu", "Phản ánh", "Xuất dữ liệu", "Chủ đề ý kiến",
                        "Phiếu nghi vấn", "Áp phích", "Tài khoản",
                              "Khóa truy cập", "Nhật ký"]),
    }  # fmt: skip
    for email, (role, seen) in walks.items():
        province.person(role, email=email, password=GOOD)
        window = visit()
        window.sign_in(email)
        assert menu(window) == seen, email
        found = window.page.evaluate(
            "fetch('/api/v1/units').then(r => r.json()).then(d => d.units.map(u => u.code))"
        )
        expected = {
            "soyte@tinh.vn": ["H1", "W1"], "khoa@bv.vn": ["W1"], "quay@xa.vn": ["C1"],
            "phananh@xa.vn": ["C2"],
        }.get(email, ["77", "A1", "D1", "H1", "C1", "C2", "W1"])  # fmt: skip
        assert sorted(found) == sorted(expected), email
    stranger = visit()
    stranger.page.goto("/devices")
    expect(stranger.page).to_have_url(re.compile("/sign-in"))
    assert menu(stranger) == []


def test_everything_works_by_keyboard_alone(visit, province):
    province.person((Role.OPERATOR, None), email="quantri@tinh.vn", password=GOOD)
    window = visit()
    window.page.goto("/sign-in")
    window.page.keyboard.press("Tab")
    expect(window.page.locator(".skip")).to_be_focused()
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")
    window.page.keyboard.type("quantri@tinh.vn")
    window.page.keyboard.press("Tab")
    window.page.keyboard.type(GOOD)
    window.page.keyboard.press("Enter")
    expect(window.page.locator("h1")).to_contain_text("Xin chào")
