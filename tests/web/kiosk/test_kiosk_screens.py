"""Every kind of question on the screens that kiosks have: all of it is seen without scrolling."""

import pytest
from playwright.sync_api import expect

from app.access import devices
from app.registry.models import Channel, Unit
from app.registry.points import open_point
from app.registry.questionnaires import publish
from surveys.model import Questionnaire
from tests.web.conftest import needs_browser

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SCREENS = [(1080, 1920), (1920, 1080), (1280, 800)]
LONG = "Cơ sở vật chất và phương tiện phục vụ người bệnh"
ASK = "Nhân viên y tế chỉ dẫn rõ ràng các nơi cần đến trong bệnh viện"


def text(words):
    return {"vi": words, "en": words}


def item(code, kind, **more):
    return {"code": code, "kind": kind, "text": text(ASK)} | more


NO_OPINION = {"text": text("Không sử dụng hoặc không có ý kiến")}
OPTIONS = [{"value": value, "text": text(LONG if value == 3 else "Chi phí")} for value in range(9)]
LEVELS = ["Rất không hài lòng hoặc rất kém", "Kém", "Bình thường hoặc trung bình", "Tốt", "Rất tốt"]
MORE = [
    item("one", "single_choice", options=OPTIONS[1:4], no_opinion=NO_OPINION),
    item("many", "multiple_choice", options=OPTIONS[1:], required=True, no_opinion=NO_OPINION),
    item("ten", "zero_to_ten", no_opinion=NO_OPINION),
    item("age", "number", minimum=0, maximum=120, unit=text("tuổi"), no_opinion=NO_OPINION),
    item("met", "percent", no_opinion=NO_OPINION),
    item("room", "short_text"),
    item("said", "long_text"),
]
FORM = {
    "code": "screens",
    "version": 1,
    "title": text("Ý kiến người bệnh"),
    "source": text("x"),
    "scales": {
        "five": {
            "levels": [{"value": v, "text": text(said)} for v, said in enumerate(LEVELS, 1)],
            "satisfied": [4, 5],
            "no_opinion": NO_OPINION,
        }
    },
    "factors": [
        {
            "code": "A",
            "title": text("A"),
            "items": [{"code": code, "scale": "five", "text": text(ASK)} for code in ("A1", "A2")],
        }
    ],
    "more": MORE,
    "scoring": {"index": ["A"]},
}
#: What lies outside the screen, and what is cut off, by its text.
AMISS = """() => {
  const what = 'header, main, footer, button, h1, p, input, textarea';
  const all = [...document.querySelectorAll(what)];
  const box = (each) => each.getBoundingClientRect();
  // A picture that is never the same for long is moved by up to three pixels.
  const outside = all.filter((e) => box(e).top < -3 || box(e).bottom > innerHeight + 3
    || box(e).left < -3 || box(e).right > innerWidth + 3);
  const cut = [...document.querySelectorAll('button')]
    .filter((e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
  return [...outside, ...cut].map((each) => each.tagName + ' ' + each.textContent);
}"""


@pytest.fixture
def begin(browser, client, database, province):
    """Opens a kiosk of some size with the form, begun."""
    with database.writing() as session:
        publish(session, [Questionnaire.model_validate(FORM)])
        unit = session.get_one(Unit, province.units["C1"])
        point = open_point(session, unit, "screens", Channel.KIOSK, "Quầy")
        session.flush()
        code = devices.new_code(session, point, "Ki-ốt").code
    contexts = []

    def make(width, height):
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", service_workers="block"
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{client.base_url}/kiosk")
        assert page.evaluate(AMISS) == []
        page.fill("#code", code)
        page.get_by_role("button", name="Ghép máy").click()
        page.get_by_role("button", name="Bắt đầu").click()
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_question_is_seen_whole(begin, size, screenshots):
    page = begin(*size)

    def look(kind, place):
        section = page.locator(f".question.{kind}")
        expect(section).to_be_visible()
        expect(page.locator(".foot span")).to_have_text(f"{place}/9")
        page.screenshot(path=str(screenshots / f"kiosk-{size[0]}-{place}-{kind}.png"))
        assert page.evaluate(AMISS) == [], kind
        faces = page.eval_on_selector_all("main .face", "all => all.map(e => e.clientWidth)")
        assert len(set(faces)) <= 1, "faces of one size"

    go_on = page.get_by_role("button", name="Tiếp tục")
    look("rated", 1)
    page.locator(".faces .choice").first.click()
    look("rated", 2)
    page.locator(".faces .choice").first.click()
    look("single_choice", 3)
    page.locator(".options .choice").first.click()
    look("multiple_choice", 4)
    expect(page.locator(".several")).to_have_text("Có thể chọn nhiều câu trả lời.")
    go_on.click()
    expect(page.get_by_role("alert")).not_to_have_text("")
    look("multiple_choice", 4)
    page.locator(".options .choice").nth(2).click()
    look("multiple_choice", 4)
    go_on.click()
    look("zero_to_ten", 5)
    page.locator(".tens .choice").last.click()
    look("number", 6)
    page.locator(".typed input").fill("121")
    go_on.click()
    look("number", 6)
    page.locator(".none").click()
    look("percent", 7)
    page.locator(".none").click()
    look("short_text", 8)
    go_on.click()
    look("long_text", 9)


def test_on_a_low_screen_what_goes_on_stays_in_sight_and_each_question_begins_at_its_top(begin):
    page = begin(1280, 800)
    page.set_viewport_size({"width": 1024, "height": 480})
    for place in (1, 2):
        expect(page.locator(".foot span")).to_have_text(f"{place}/9")
        assert page.evaluate("scrollY") == 0
        expect(page.get_by_role("button", name="Bỏ qua câu này")).to_be_in_viewport(ratio=1)
        page.mouse.wheel(0, 2000)
        page.wait_for_function("() => scrollY > 0")
        page.get_by_role("button", name="Bỏ qua câu này").click()


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_staffs_screen_is_seen_whole(begin, size, screenshots):
    page = begin(*size)
    page.reload()
    name = page.locator(".unit")
    name.dispatch_event("pointerdown")
    expect(page.locator("#pin")).to_be_visible()
    assert page.evaluate(AMISS) == []
    pin = page.evaluate("import('/static/kiosk/store.js').then(store => store.fact('pin'))")
    page.fill("#pin", pin)
    page.get_by_role("button", name="Mở", exact=True).click()
    expect(page.locator("dl")).to_be_visible()
    page.screenshot(path=str(screenshots / f"kiosk-{size[0]}-staff.png"))
    assert page.evaluate(AMISS) == []
