"""The staff's pages in a real browser: what each role does there, on a phone and on a desk.

Every page is checked by axe-core (WCAG 2.2 AA), for what does not fit the screen, and for
anything that the browser complains of, the content security policy included. Pictures are put
into var/screenshots.
"""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.access import accounts
from app.access.models import Sector
from app.access.roles import Role
from app.dead_letters import Fate
from app.invitations.models import SmsMessage
from app.registry.models import SurveyPoint
from app.webhooks.models import Delivery
from app.webhooks.service import add_webhook
from tests.small_province import body
from tests.web.conftest import needs_browser

pytestmark = [
    needs_browser,
    # One real browser at a time, and one store: what the pages show does not depend on it.
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

GOOD = "bốn từ ngẫu nhiên đây"
SIZES = {"phone": (320, 640), "tall phone": (390, 844), "kiosk": (768, 1024), "desk": (1280, 800)}
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


class Visit:
    """A browser window that notes what the browser complains of."""

    def __init__(self, browser, client, screenshots, language="vi-VN"):
        self.base, self.screenshots = str(client.base_url), screenshots
        context = browser.new_context(base_url=self.base, locale=language)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message):
        # That an answer was 401, 404 or 422 is what those pages are for.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def sign_in(self, email, password=GOOD):
        self.page.goto("/sign-in")
        self.page.fill("#email", email)
        self.page.fill("#password", password)
        self.page.click("main button")
        expect(self.page.locator("h1")).to_be_visible()

    def look(self, name):
        """Check the page as it stands at every size."""
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} px wide on a {size} of {width} px"
            if size in ("phone", "desk"):  # the layouts between them differ from neither
                found = Axe().run(self.page, options=WCAG)
                assert not found.violations_count, f"{name}, {size}: {found.generate_report()}"
            picture = self.screenshots / f"{name}-{width}.png"
            self.page.screenshot(path=str(picture), full_page=True)
        assert self.complaints == []


@pytest.fixture
def visit(browser, client, screenshots):
    def begin(**options):
        visit = Visit(browser, client, screenshots, **options)
        opened.append(visit)
        return visit

    opened: list[Visit] = []
    yield begin
    for each in opened:
        each.page.context.close()


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
        "/sign-in/confirm", "/none",
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
        "quantri@tinh.vn": ((Role.OPERATOR, None), ["Số liệu", "Máy khảo sát", "Áp phích",
                            "Tài khoản", "Khóa truy cập", "Sắp xếp đơn vị", "Nhật ký"]),
        "soyte@tinh.vn": ((Role.DEPARTMENT_ANALYST, None, Sector.HEALTH),
                          ["Số liệu", "Phản ánh", "Chủ đề ý kiến", "Phiếu nghi vấn",
                        "Áp phích", "Khóa truy cập"]),
        "khoa@bv.vn": ((Role.UNIT_HEAD, "W1"),
                       ["Số liệu", "Phản ánh", "Chủ đề ý kiến", "Phiếu nghi vấn",
                        "Máy khảo sát", "Áp phích", "Khóa truy cập"]),
        "quay@xa.vn": ((Role.DESK_STAFF, "C1"),
                       ["Số liệu", "Máy khảo sát", "Áp phích", "Khóa truy cập"]),
        "phananh@xa.vn": ((Role.CARE_DESK, "C2"),
                          ["Số liệu", "Phản ánh", "Áp phích", "Khóa truy cập"]),
        "thanhtra@tinh.vn": ((Role.AUDITOR, None),
                             ["Số liệu", "Phản ánh", "Chủ đề ý kiến", "Phiếu nghi vấn",
                        "Áp phích", "Tài khoản",
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


def test_an_analyst_decides_about_limits_and_a_head_reads_why(visit, province):
    province.person((Role.PROVINCIAL_ANALYST, None), email="cchc@tinh.vn", password=GOOD)
    province.person((Role.UNIT_HEAD, "C1"), email="truong@xa.vn", password=GOOD)
    window = visit()
    window.sign_in("cchc@tinh.vn")
    window.page.goto("/limits?unit=C1")
    expect(window.page.get_by_text("Chưa có quyết định nào.")).to_be_visible()
    window.look("limits")
    window.page.select_option("#start", "2026-04")
    window.page.select_option("#first", "2025-01")
    window.page.select_option("#last", "2025-11")
    window.page.fill("#reason", "  ")
    window.page.get_by_role("button", name="Quyết định").click()
    # Eleven months are too few, and nobody would know why; what was typed is still there.
    expect(window.page.locator("#last-error")).to_contain_text("12")
    expect(window.page.locator("#reason-error")).to_be_visible()
    assert window.page.input_value("#start") == "2026-04"
    window.look("limits_wrong")
    window.page.select_option("#last", "2025-12")
    window.page.fill("#reason", "Chuyển sang trụ sở mới <b>")
    window.page.get_by_role("button", name="Quyết định").click()
    expect(window.page.get_by_role("status")).to_contain_text("Đã quyết định")
    row = window.page.locator("tbody tr")
    expect(row).to_contain_text("Chuyển sang trụ sở mới <b>")
    # The form by its title, as in the choice above, and not by its code.
    title = window.page.locator("#questionnaire option").first.inner_text()
    expect(row.get_by_text(title)).to_be_visible()
    window.look("limits_decided")

    head = visit()
    head.sign_in("truong@xa.vn")
    head.page.goto("/limits?unit=C1")
    expect(head.page.locator("tbody tr")).to_contain_text("Chuyển sang trụ sở mới <b>")
    assert head.page.locator("main button").count() == 0
    window.page.get_by_role("button", name="Thu hồi").click()
    expect(window.page.get_by_role("status")).to_contain_text("Đã thu hồi")
    expect(window.page.locator("tbody tr .tag")).to_contain_text("Đã thu hồi")


def test_an_analyst_changes_the_list_of_themes_and_reads_comments_by_it(visit, client, province):
    province.send(
        client,
        [
            body(
                province.points["C1", "sipas-desk"],
                answers={"A1": 4, "comment": f"Ghế {'chờ' * 40} ít {n}, cán bộ nhiệt tình"},
                answered_at=f"2026-04-{n + 1:02}T09:00:00+07:00",
            )
            for n in range(12)
        ],
    )
    province.person((Role.PROVINCIAL_ANALYST, None), email="phantich@tinh.vn", password=GOOD)
    province.person((Role.UNIT_HEAD, "D1"), email="truong@huyen.vn", password=GOOD)
    analyst = visit()
    analyst.sign_in("phantich@tinh.vn")
    analyst.page.get_by_role("link", name="Chủ đề ý kiến").first.click()
    analyst.page.fill("#sentence", "Không phải chờ")
    analyst.page.get_by_role("button", name="Thử").click()
    expect(analyst.page.get_by_role("status")).to_contain_text("Chờ đợi (khen)")
    analyst.look("themes")
    text = analyst.page.input_value("#list")
    analyst.page.fill("#list", text.replace("code: facilities", "code: waiting"))
    analyst.page.get_by_role("button", name="Dùng danh sách này").click()
    expect(analyst.page.locator("#list-error")).to_contain_text("waiting có hai lần")
    analyst.page.fill("#list", text.replace("vi: Cơ sở vật chất", "vi: Chỗ ngồi"))
    analyst.page.get_by_role("button", name="Dùng danh sách này").click()
    expect(analyst.page.get_by_role("status")).to_contain_text("Đã dùng danh sách mới")
    head = visit()
    head.sign_in("truong@huyen.vn")
    head.page.goto("/themes")
    expect(head.page.locator("#list")).to_have_count(0)  # sees the list, and changes nothing
    head.page.goto("/dashboard/comments?unit=D1")
    expect(head.page.locator("#found")).to_contain_text("12 ý kiến")
    expect(head.page.locator(".theme").first).to_contain_text("Thái độ phục vụ")
    head.look("comments")
    head.page.fill("#search", "ghe")
    head.page.select_option("#theme", label="Chỗ ngồi")
    head.page.get_by_role("button", name="Xem").click()
    expect(head.page.locator("#found")).to_contain_text("12 ý kiến")


def test_a_head_notes_what_was_done_and_withdraws_it(visit, province):
    province.person((Role.UNIT_HEAD, "C1"), email="truong@xa.vn", password=GOOD)
    province.person((Role.DESK_STAFF, "C1"), email="quay@xa.vn", password=GOOD)
    head = visit()
    head.sign_in("truong@xa.vn")
    head.page.goto("/action-notes?unit=C1")
    expect(head.page.get_by_text("Chưa ghi việc nào.")).to_be_visible()
    head.look("action_notes")
    head.page.fill("#day", "2026-04-01")
    head.page.fill("#text", "ă" * 201)
    head.page.get_by_role("button", name="Ghi", exact=True).click()
    expect(head.page.locator("#text-error")).to_contain_text("200")
    assert head.page.input_value("#day") == "2026-04-01"
    head.look("action_notes_wrong")
    head.page.fill("#text", "Mở thêm quầy 3 <b>")
    head.page.get_by_role("button", name="Ghi", exact=True).click()
    expect(head.page.get_by_role("status")).to_contain_text("Đã ghi")
    row = head.page.locator("tbody tr")
    expect(row).to_contain_text("01/04/2026")
    expect(row).to_contain_text("Mở thêm quầy 3 <b>")
    expect(row).to_contain_text("Mọi phiếu khảo sát")
    head.look("action_notes_noted")

    desk = visit()
    desk.sign_in("quay@xa.vn")
    desk.page.goto("/action-notes?unit=C1")
    expect(desk.page.locator("tbody tr")).to_contain_text("Mở thêm quầy 3 <b>")
    assert desk.page.locator("main button").count() == 0
    head.page.get_by_role("button", name="Rút").click()
    expect(head.page.get_by_role("status")).to_contain_text("Đã rút")
    expect(head.page.locator("tbody tr .tag")).to_contain_text("Đã rút")


def test_staff_pair_a_device_and_revoke_it(visit, province, client):
    province.person((Role.DESK_STAFF, "C1"), email="quay@xa.vn", password=GOOD)
    window = visit()
    window.sign_in("quay@xa.vn")
    window.page.goto("/devices")
    with province.database.reading() as session:
        mine = session.scalars(
            select(SurveyPoint.id).where(SurveyPoint.unit_id == province.units["C1"])
        ).all()
    offered = window.page.locator("#point option").all()
    assert sorted(int(option.get_attribute("value")) for option in offered) == sorted(mine)
    window.page.fill("#name", "Ki-ốt cửa vào")
    window.page.get_by_role("button", name="Lấy mã").click()
    code = window.page.locator(".code").text_content()
    window.look("device_code")
    assert client.post("/api/v1/pairings", json={"code": code}).status_code == 201
    window.page.goto("/devices")
    window.look("devices_with_one")
    window.page.get_by_role("button", name="Thu hồi máy: Ki-ốt cửa vào").click()
    expect(window.page.get_by_role("status")).to_contain_text("Đã thu hồi máy")


def test_a_key_is_shown_once_and_works_until_it_is_revoked(visit, province, client):
    province.person((Role.PROVINCIAL_ANALYST, "D1"), email="cchc@tinh.vn", password=GOOD)
    window = visit()
    window.sign_in("cchc@tinh.vn")
    window.page.goto("/keys/new")
    window.page.fill("#name", "Báo cáo tháng")
    window.page.get_by_label("Xem số liệu", exact=True).check()
    window.page.get_by_role("button", name="Tạo khóa").click()
    key = window.page.locator(".secret code").text_content()
    window.look("key_made")
    headers = {"Authorization": f"Bearer {key}"}
    url = "/api/v1/satisfaction?questionnaire=sipas-desk&unit="
    assert client.get(f"{url}C1", headers=headers).status_code == 200
    assert client.get(f"{url}H1", headers=headers).status_code == 404
    window.page.goto("/keys")
    assert key not in window.page.content()
    window.look("keys_with_one")
    window.page.get_by_role("button", name="Thu hồi: Báo cáo tháng").click()
    expect(window.page.get_by_role("status")).to_contain_text("Đã thu hồi khóa")
    assert client.get(f"{url}C1", headers=headers).status_code == 401


def test_the_log_is_filtered(visit, province):
    province.person((Role.AUDITOR, None), email="thanhtra@tinh.vn", password=GOOD)
    with province.database.writing("kẻ lạ") as session:
        accounts.disable(session, accounts.find(session, province.person().email))
    window = visit()
    window.sign_in("thanhtra@tinh.vn")
    window.page.goto("/audit")
    everything = window.page.locator("tbody tr").count()
    window.page.fill("#actor", "KẺ L".lower())
    window.page.get_by_role("button", name="Lọc").click()
    assert window.page.locator("tbody tr").count() == 1 < everything
    expect(window.page.locator("tbody")).to_contain_text("Khóa tài khoản")
    window.page.fill("#actor", "")
    window.page.select_option("#action", "account.sign_in")
    window.page.get_by_role("button", name="Lọc").click()
    expect(window.page.locator("tbody")).to_contain_text("thanhtra@tinh.vn")
    window.page.fill("#from", "2020-01-01")
    window.page.fill("#to", "2020-12-31")
    window.page.get_by_role("button", name="Lọc").click()
    expect(window.page.locator(".empty")).to_be_visible()
    window.look("audit_empty")


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


def test_chosen_points_are_printed_alone(visit, province):
    province.person((Role.OPERATOR, None), email="quantri@tinh.vn", password=GOOD)
    window = visit()
    window.sign_in("quantri@tinh.vn")
    window.page.goto("/posters?unit=D1")
    codes = [box.get_attribute("value") for box in window.page.locator("[name=point]").all()]
    assert len(codes) == len(set(codes)) > 1

    def printed(button):
        # Not drawn here: what a file of these points looks like is tested with the posters.
        with window.page.expect_request("**/api/v1/posters?*") as sent:
            window.page.get_by_role("button", name=button).click()
        return parse_qs(urlsplit(sent.value.url).query)

    assert printed("Áp phích A4") == {"unit": ["D1"], "size": ["a4"]}
    window.page.goto("/posters?unit=D1")
    # The name of the unit is the label: a large target for a finger.
    window.page.locator("tbody label").nth(1).click()
    assert printed("Thẻ để bàn") == {"unit": ["D1"], "point": [codes[1]], "size": ["card"]}
