"""The kiosk in a real browser: paired, asked a question a screen, left alone, looked after."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from app.access import devices
from app.access.models import DeviceStatus
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.registry.models import Channel, Unit
from app.registry.points import open_point
from app.registry.questionnaires import publish, published
from surveys.loader import FORMS, load_file
from tests.conftest import serving
from tests.web.citizen import stored
from tests.web.conftest import CHROMIUM, QUIET, needs_browser
from tests.web.kiosk.device import (
    COUNTDOWN_MS,
    IDLE_MS,
    LONG,
    device,
    look,
    pair,
    queue_length,
    thanked,
    wait_for,
)

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def at_work(page):
    """Open the page again, with a clock that a test may run, by day when no screen is dimmed."""
    page.clock.install(time=datetime.now(UTC).replace(hour=9, minute=0))
    page.reload()


# --- where it cannot be ----------------------------------------------------------------------


def test_over_plain_http_it_says_that_it_needs_https(browser, client, screenshots):
    """By a name, as a device in the network reaches it; to a browser 127.0.0.1 is safe."""
    port = client.base_url.port
    named = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[*QUIET, "--host-resolver-rules=MAP kiosk.example 127.0.0.1"],
    )
    try:
        page = named.new_page()
        failed = []
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(f"http://kiosk.example:{port}/kiosk")
        expect(page.locator("section[lang=vi] p")).to_contain_text("Ki-ốt cần kết nối an toàn")
        expect(page.locator("section[lang=en] p")).to_contain_text(
            "address that begins with https://"
        )
        page.screenshot(path=str(screenshots / "kiosk_plain_http.png"))
        assert failed == []
        page.goto(f"http://localhost:{port}/kiosk")
        expect(page.locator("#code")).to_be_visible()
    finally:
        named.close()


def test_without_storage_it_says_so(browser, client):
    page = browser.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'indexedDB', {get() { throw new DOMException('no'); }})"
    )
    page.goto(f"{client.base_url}/kiosk")
    expect(page.locator("section[lang=vi] p")).to_contain_text("cho phép cookie")
    expect(page.locator("section[lang=en] p")).to_contain_text("allow cookies")
    page.close()


# --- the screen -----------------------------------------------------------------------------


def test_it_is_paired_once_answered_by_touch_and_looked_at(
    playwright, client, database, pairing, tmp_path, screenshots, province
):
    made = pairing()
    with device(playwright, tmp_path / "p", client.base_url) as page:
        page.fill("#code", "XXXX-2222")
        page.get_by_role("button", name="Ghép máy").click()
        expect(page.get_by_role("alert")).to_contain_text("Mã không có")
        look(page, "kiosk_pair", screenshots)
        pair(page, f"{made.code[:4].lower()}-{made.code[4:]}")
        look(page, "kiosk_face", screenshots)
        page.locator(".faces .choice").nth(1).click()
        expect(page.locator(".options")).to_be_visible()
        look(page, "kiosk_reason", screenshots)
        # That there may be several is told: the choices look like those of which one is taken.
        expect(page.locator(".several")).to_have_text("Có thể chọn nhiều câu trả lời.")
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.locator(".foot progress").evaluate("e => e.offsetWidth") > 250
        heights = page.locator(".foot button").evaluate_all("all => all.map(e => e.scrollHeight)")
        # One line each, with the way on at the right of the way back.
        assert len(heights) == 2 and max(heights) < 70
        boxes = [each.bounding_box() for each in page.locator(".foot button").all()]
        assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]
        page.set_viewport_size({"width": 1024, "height": 768})
        page.get_by_role("button", name="Thời gian chờ").click()
        page.get_by_role("button", name="Tiếp tục").click()
        expect(page.locator(".typed input")).to_be_visible()
        look(page, "kiosk_text", screenshots)
        page.locator(".typed input").fill("chờ <b>lâu</b>")
        page.get_by_role("button", name="Tiếp tục").click()
        thanked(page)
        look(page, "kiosk_thanks", screenshots)
        wait_for(lambda: stored(database) == 1)
        assert queue_length(page) == 0
        # The next one finds nothing of the last.
        expect(page.locator(".faces")).to_be_visible()
        assert page.locator("[aria-pressed=true].choice").count() == 0
        assert "chờ" not in page.locator("main").inner_text()
        assert page.complaints == []
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        assert row.channel == "kiosk" and row.duration_s is not None
        wait_for(lambda: session.scalar(select(func.count()).select_from(DeviceStatus)) == 1)


def test_a_whole_form_is_asked_a_question_a_screen(
    playwright, client, database, province, tmp_path, screenshots
):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["W1"])
        point = open_point(session, unit, "moh-inpatient", Channel.KIOSK, "Khoa Nội")
        session.flush()
        made = devices.new_code(session, point, "Ki-ốt")
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, made.code)
        expect(page.locator("main")).to_contain_text("38 câu hỏi, khoảng 6 phút")
        expect(page.locator("main")).to_contain_text("Có thể kết thúc sớm")
        look(page, "kiosk_start", screenshots)
        page.get_by_role("button", name="Bắt đầu").click()
        look(page, "kiosk_rated", screenshots)
        asked = set()
        for _ in range(60):
            if page.locator("#thanks").count():
                break
            asked.add(page.locator("h1").inner_text())
            kind = page.locator(".question").get_attribute("class")
            before = page.locator("h1").inner_text()
            if "number" in kind or "percent" in kind:
                page.locator(".typed input").fill("42")
                page.get_by_role("button", name="Tiếp tục").click()
            elif "text" in kind or "multiple" in kind:
                page.get_by_role("button", name="Tiếp tục").click()
            else:
                page.locator(".choice").last.click()
            page.wait_for_function(
                "before => !document.querySelector('h1') || "
                "document.querySelector('h1').innerText !== before",
                arg=before,
            )
        thanked(page)
        assert len(asked) > 30
        wait_for(lambda: stored(database) == 1)
    assert verify(database) == []


def test_an_abandoned_answer_is_reset_after_a_visible_countdown(
    playwright, settings, database, pairing, tmp_path, screenshots
):
    with (
        serving(settings.model_copy(update=LONG)) as client,
        device(playwright, tmp_path / "p", client.base_url) as page,
    ):
        pair(page, pairing().code)
        at_work(page)
        page.get_by_role("button", name="English").click()
        page.locator(".faces .choice").nth(0).click()
        page.clock.run_for(1000)
        expect(page.locator(".options")).to_be_visible()
        expect(page.locator(".countdown")).to_have_count(0)
        page.clock.run_for(IDLE_MS)
        expect(page.locator(".countdown")).to_be_visible()
        look(page, "kiosk_countdown", screenshots)
        page.get_by_role("button", name="I am still answering").click()
        expect(page.locator(".countdown")).to_have_count(0)
        expect(page.locator(".options")).to_be_visible()
        page.clock.run_for(IDLE_MS)
        expect(page.locator(".countdown")).to_be_visible()
        # Nobody answers: back to the beginning, in Vietnamese, with nothing kept or sent.
        page.clock.run_for(COUNTDOWN_MS)
        expect(page.locator(".faces")).to_be_visible()
        assert page.locator("[aria-pressed=true].choice").count() == 0
        expect(page.locator("h1")).to_contain_text("hài lòng")
        assert queue_length(page) == 0 and stored(database) == 0


def test_the_staffs_screen_is_behind_a_pin(
    playwright, client, pairing, tmp_path, screenshots, database
):
    made = pairing()
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, made.code)
        name = page.locator(".unit").bounding_box()
        page.mouse.move(name["x"] + 5, name["y"] + 15)
        page.mouse.down()
        expect(page.locator("#pin")).to_be_visible()
        page.mouse.up()
        page.fill("#pin", "000000" if made.pin != "000000" else "111111")
        page.get_by_role("button", name="Mở").click()
        expect(page.get_by_role("alert")).to_contain_text("không đúng")
        page.fill("#pin", made.pin)
        page.get_by_role("button", name="Mở").click()
        expect(page.locator("dl")).to_contain_text("Phiếu chờ gửi")
        look(page, "kiosk_staff", screenshots)
        page.get_by_role("button", name="Trở về khảo sát").click()
        expect(page.locator(".faces")).to_be_visible()
    with database.reading() as session:
        told = session.scalars(select(DeviceStatus)).one()
        assert (told.queue, told.aside) == (0, 0) and abs(told.clock_ahead_s) < 5


# --- nothing lost, nothing doubled ------------------------------------------------------------


def test_a_wrong_clock_is_corrected(playwright, client, database, pairing, tmp_path):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        page.clock.install(time=datetime.now(UTC) - timedelta(days=3, hours=5))
        page.reload()
        pair(page, pairing().code)
        page.locator(".faces .choice").nth(4).click()
        page.clock.run_for(1000)
        wait_for(lambda: stored(database) == 1)
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        assert abs(row.answered_at - datetime.now(UTC)) < timedelta(minutes=2)
        assert row.received_at - row.claimed_at > timedelta(days=3)
        told = session.scalars(select(DeviceStatus)).one()
        assert told.clock_ahead_s < -3 * 86_400


def test_half_an_answer_is_kept_where_the_questionnaire_says_so(
    playwright, settings, database, province, tmp_path
):
    text = (FORMS / "sipas-desk.yaml").read_text("utf-8")
    partial = tmp_path / "partial.yaml"
    partial.write_text(
        text.replace("code: sipas-desk\n", "code: partial-desk\n").replace(
            "estimated_minutes: 3", "estimated_minutes: 3\nkeep_partial: true"
        ),
        "utf-8",
    )
    with database.writing() as session:
        publish(session, [load_file(partial)])
        unit = session.get_one(Unit, province.units["C1"])
        codes = {}
        for form in ("partial-desk", "sipas-desk"):
            point = open_point(session, unit, form, Channel.KIOSK, form)
            session.flush()
            codes[form] = devices.new_code(session, point, form).code
    with serving(settings.model_copy(update=LONG)) as client:
        for form, code in codes.items():
            with device(playwright, tmp_path / form, client.base_url) as page:
                pair(page, code)
                at_work(page)
                page.get_by_role("button", name="Bắt đầu").click()
                page.locator(".choice").first.click()
                page.clock.run_for(1000 + IDLE_MS)
                expect(page.locator(".countdown")).to_be_visible()
                page.clock.run_for(COUNTDOWN_MS)
                expect(page.get_by_role("button", name="Bắt đầu")).to_be_visible()
                wait_for(lambda page=page: queue_length(page) == 0)
    with database.reading() as session:
        versions = {version.id: version for version in published(session)}
        (row,) = session.scalars(select(Response))
        assert versions[row.version_id].form.code == "partial-desk" and row.partial
        assert versions[row.version_id].sheet.unpack(row.packed) == {"A1": 1}


# --- when nobody is there -----------------------------------------------------------------


def test_the_picture_moves_and_is_dimmed_at_night_until_somebody_comes(
    playwright, client, pairing, tmp_path
):
    with device(
        playwright, tmp_path / "p", client.base_url, timezone_id="Asia/Ho_Chi_Minh"
    ) as page:
        # 18:50 in Vietnam: five minutes later nobody was there, but it is no night yet.
        page.clock.install(time="2026-03-02T11:50:00Z")
        page.reload()
        pair(page, pairing().code)
        places = set()
        for _ in range(6):
            page.clock.run_for(60_000)
            places.add(page.locator("#screen").bounding_box()["x"])
        assert len(places) >= 3
        expect(page.locator("body")).not_to_have_class("dim")
        page.clock.run_for(10 * 60_000)
        expect(page.locator("body")).to_have_class("dim")
        # Whoever touches it, wherever, has light at once, and their touch counts.
        page.locator(".faces .choice").nth(1).click()
        expect(page.locator("body")).not_to_have_class("dim")
        page.clock.run_for(1000)
        expect(page.locator(".options")).to_be_visible()
