"""Questions are read aloud where the browser has a voice of the language, and only there."""

import json

import pytest
from playwright.sync_api import expect

from app.access import devices
from app.registry.points import find_by_code
from tests.web.conftest import needs_browser

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
VIETNAMESE = {"name": "An", "lang": "vi-VN", "localService": False}
ON_DEVICE = {"name": "Bình", "lang": "vi_VN", "localService": True}
ENGLISH = {"name": "Ann", "lang": "en-GB", "localService": True}

#: A browser that has the given voices, and writes down what it is to speak.
STUB = """voices => {
  window.spoken = []; window.silenced = 0; window.found = [];
  window.later = () => { window.found = voices; window.speechSynthesis.onvoiceschanged(); };
  window.ended = () => window.spoken.at(-1).onend();
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
  Object.defineProperty(window, 'speechSynthesis', { value: {
    getVoices: () => window.found,
    speak: utterance => window.spoken.push(utterance),
    cancel: () => { window.silenced += 1; },
    onvoiceschanged: null,
  }});
}"""
SPOKEN = "() => window.spoken.map(each => [each.text, each.voice.name, each.lang])"


@pytest.fixture
def opened(browser, client):
    """Opens a page in a browser with these voices, found as late as browsers find them."""
    contexts = []

    def make(path, *voices):
        context = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
        contexts.append(context)
        context.add_init_script(f"({STUB})({json.dumps(voices)})")
        page = context.new_page()
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()


def test_a_form_is_read_question_by_question(opened, province, screenshots):
    page = opened(f"/q/{province.points[('C1', 'kiosk-face')]}", ENGLISH, VIETNAMESE, ON_DEVICE)
    buttons = page.get_by_role("button", name="Nghe câu hỏi")
    expect(buttons).to_have_count(0)
    page.evaluate("later()")
    # Of three questions one is asked at first, besides the wish for a reply; a hidden one has a
    # hidden button.
    expect(buttons).to_have_count(2)
    first, wish = buttons.first, buttons.last
    first.click()
    spoken = page.evaluate(SPOKEN)
    assert spoken[0] == ["Ông/Bà có hài lòng với lần phục vụ vừa rồi không? (cần trả lời)",
                         "Bình", "vi_VN"]  # fmt: skip
    assert [text for text, *_ in spoken[1:]] == [
        "Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng",
    ]  # fmt: skip
    expect(first).to_have_attribute("aria-pressed", "true")
    page.screenshot(path=str(screenshots / "form_aloud.png"))
    page.evaluate("ended()")
    expect(first).to_have_attribute("aria-pressed", "false")
    # Pressed while it speaks, it is silent.
    first.click()
    before = page.evaluate("silenced")
    first.click()
    assert page.evaluate("silenced") == before + 1
    assert len(page.evaluate(SPOKEN)) == 12
    expect(first).to_have_attribute("aria-pressed", "false")
    # That several may be chosen is heard, too.
    page.locator('input[name="a.S1"][value="2"]').check(force=True)
    page.locator("#q-reason .aloud").click()
    assert [text for text, *_ in page.evaluate(SPOKEN)[12:]][:3] == [
        "Điều gì cần làm tốt hơn?", "Có thể chọn nhiều câu trả lời.", "Thời gian chờ",
    ]  # fmt: skip
    # And what she agrees to by the tick.
    wish.click()
    heard = [text for text, *_ in page.evaluate(SPOKEN)][-3:]
    assert heard[:2] == ["Ông/Bà có muốn được trả lời không?", "Tôi muốn được trả lời"]
    assert "có thể đoán ra" in heard[2]


def test_no_button_is_there_without_a_voice_of_the_language(opened, province):
    code = province.points[("C1", "sipas-desk")]
    for path, voices, count in (
        (f"/q/{code}", [ENGLISH], 0),
        (f"/q/{code}", [], 0),
        (f"/q/{code}?lang=en", [VIETNAMESE], 0),
    ):
        page = opened(path, *voices)
        page.evaluate("later()")
        expect(page.locator(".aloud")).to_have_count(count)
    page = opened(f"/q/{code}?lang=en", ENGLISH)
    page.evaluate("later()")
    expect(page.get_by_role("button", name="Read aloud").first).to_be_visible()
    assert page.locator(".aloud").count() == page.locator(".q").count()


def test_what_sends_the_form_still_does(opened, province):
    page = opened(f"/q/{province.points[('C1', 'sipas-desk')]}", VIETNAMESE)
    page.evaluate("later()")
    page.locator('input[name="a.A1"][value="5"]').check(force=True)
    page.locator(".aloud").first.click()
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()


def test_a_kiosk_reads_what_it_shows_and_is_silent_for_the_next_one(
    opened, province, database, screenshots
):
    with database.writing() as session:
        point = find_by_code(session, province.points[("C1", "kiosk-face")])
        pairing = devices.new_code(session, point, "Ki-ốt")
    page = opened("/kiosk", VIETNAMESE)
    page.fill("#code", pairing.code)
    page.get_by_role("button", name="Ghép máy").click()
    button = page.locator(".aloud")
    expect(page.locator(".faces")).to_be_visible()
    expect(button).to_have_count(0)
    page.evaluate("later()")
    expect(button).to_be_visible()
    button.click()
    texts = [text for text, *_ in page.evaluate(SPOKEN)]
    assert texts[0] == "Ông/Bà có hài lòng với lần phục vụ vừa rồi không?" and len(texts) == 6
    expect(button).to_have_attribute("aria-pressed", "true")
    page.screenshot(path=str(screenshots / "kiosk_aloud.png"))
    # No voice of English: no button, and what was being said ends.
    before = page.evaluate("silenced")
    page.get_by_role("button", name="English").click()
    expect(page.locator("h1")).to_contain_text("Were you satisfied")
    expect(button).to_have_count(0)
    assert page.evaluate("silenced") > before
    page.get_by_role("button", name="Tiếng Việt").click()
    button.click()
    before = page.evaluate("silenced")
    page.locator(".faces .choice").last.click()
    page.wait_for_selector("#thanks")
    assert page.evaluate("silenced") > before
    # The wish for a reply is read with what it means.
    page.locator("#thanks").click()
    page.locator(".faces .choice").first.click()
    for part in (".options", ".typed"):
        expect(page.locator(part)).to_be_visible()
        page.get_by_role("button", name="Tiếp tục").click()
    expect(page.locator(".wish")).to_be_visible()
    button.click()
    heard = [text for text, *_ in page.evaluate(SPOKEN)][-4:]
    assert "có thể đoán ra" in heard[1]
    assert heard[2:] == ["Không, cảm ơn", "Tôi muốn được trả lời"]
