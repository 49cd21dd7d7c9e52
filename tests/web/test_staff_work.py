"""What staff do on their pages in a real browser: decide, note, pair, make keys, read the log."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.access import accounts
from app.access.roles import Role
from app.registry.models import Channel, SurveyPoint, Unit
from app.registry.points import current_code, open_point
from tests.small_province import body
from tests.web.conftest import needs_browser
from tests.web.staff_visits import GOOD

pytestmark = [
    needs_browser,
    # One real browser at a time, and one store: what the pages show does not depend on it.
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


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
                answers={
                    "A1": 4,
                    "comment": f"Ghế {'chờ' * 40} ít {n}, cán bộ nhiệt tình"
                    if n
                    else "Cây cảnh héo",
                },
                answered_at=f"2026-04-{n + 1:02}T09:00:00+07:00",
            )
            for n in range(13)
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
    analyst.page.get_by_text("Cả danh sách dạng chữ").click()
    text = analyst.page.input_value("#list")
    analyst.page.fill("#list", text.replace("code: facilities", "code: waiting"))
    analyst.page.get_by_role("button", name="Xem sẽ đổi những gì").last.click()
    expect(analyst.page.locator("#list-error")).to_contain_text("waiting có hai lần")
    analyst.page.get_by_role("link", name="Sửa: Cơ sở vật chất").click()
    analyst.page.fill("[id='name.vi']", "Chỗ ngồi")
    analyst.page.fill("#blame", "cây cảnh héo, ghế gãy")
    analyst.look("theme")
    analyst.page.get_by_role("button", name="Xem sẽ đổi những gì").click()
    expect(analyst.page.locator("h1")).to_contain_text("Việc sửa làm đổi những gì")
    analyst.page.locator("#effects summary").first.click()
    analyst.look("theme_preview")
    analyst.page.get_by_role("button", name="Dùng danh sách này").click()
    expect(analyst.page.get_by_role("status")).to_contain_text("Đã dùng danh sách mới")
    analyst.page.get_by_role("link", name="Xem bản này: 0").click()
    analyst.look("themes_version")
    head = visit()
    head.sign_in("truong@huyen.vn")
    head.page.goto("/themes")
    expect(head.page.locator("#list")).to_have_count(0)  # sees the list, and changes nothing
    head.page.goto("/dashboard/comments?unit=D1")
    expect(head.page.locator("#found")).to_contain_text("13 ý kiến")
    expect(head.page.locator(".theme", has_text="Thái độ phục vụ").first).to_be_visible()
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
    with province.database.writing() as session:
        # As after a merger: two desks of one name.
        unit = session.get_one(Unit, province.units["C1"])
        alike = [open_point(session, unit, "sipas-desk", Channel.QR, "Quầy") for _ in range(2)]
        codes = {f"mã in {current_code(point)}" for point in alike}
    window = visit()
    window.sign_in("quay@xa.vn")
    window.page.goto("/devices")
    called = window.page.locator("#point option").all_text_contents()
    assert len(set(called)) == len(called)
    assert {each.split(" · ")[-1] for each in called if "mã in" in each} == codes
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
