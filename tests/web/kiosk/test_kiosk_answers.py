"""A respondent at the kiosk, question by question: nobody is trapped, nothing is dropped."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from app.access import devices
from app.intake.models import Response, ResponseText
from app.registry.models import Channel, Unit
from app.registry.points import open_point
from app.registry.questionnaires import publish, published
from surveys.loader import load_file
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import queue_length, thanked, wait_for

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
FORM = """
code: every-kind
version: 1
title: {{ vi: Mọi loại câu, en: Every kind }}
source: {{ vi: Thử, en: Test }}
scales:
  s:
    levels:
      - {{ value: 1, text: {{ vi: Kém, en: Poor }} }}
      - {{ value: 2, text: {{ vi: Tốt, en: Good }} }}
    satisfied: [2]
factors:
  - code: A
    title: {{ vi: A, en: A }}
    items:
      - {{ code: A1, scale: s, text: {{ vi: Thế nào, en: How was it }} }}
more:
{more}
scoring: {{ index: [A] }}
"""
OPTIONS = (
    "options: [{ value: 1, text: { vi: Một, en: One } }, { value: 2, text: { vi: Hai, en: Two } }]"
)
NO_OPINION = "no_opinion: { text: { vi: Không có ý kiến, en: No opinion } }"
NEXT, END = "Tiếp tục", "Kết thúc và gửi phần đã trả lời"


@pytest.fixture
def begin(browser, client, database, province, tmp_path):
    """Opens a kiosk with further items, begun, with its first question answered."""
    contexts = []

    def make(*items, viewport=(1024, 768)):
        lines = "\n".join(f"  - {{ text: {{ vi: Câu, en: Item }}, {item} }}" for item in items)
        file = tmp_path / "every-kind.yaml"
        file.write_text(FORM.format(more=lines), "utf-8")
        with database.writing() as session:
            publish(session, [load_file(file)])
            unit = session.get_one(Unit, province.units["C1"])
            point = open_point(session, unit, "every-kind", Channel.KIOSK, "Quầy")
            session.flush()
            code = devices.new_code(session, point, "Ki-ốt").code
        width, height = viewport
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", service_workers="block"
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{client.base_url}/kiosk")
        page.fill("#code", code)
        press(page, "Ghép máy")
        press(page, "Bắt đầu")
        page.locator(".choice").last.click()
        return page

    yield make
    for context in contexts:
        context.close()


def press(page, name, **options):
    page.get_by_role("button", name=name, exact=True, **options).click()


def stored(page, database):
    """The one response, once the device has sent it."""
    thanked(page)
    wait_for(lambda: queue_length(page) == 0)
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        version = next(v for v in published(session) if v.id == row.version_id)
        texts = {text.item: text.body for text in session.scalars(select(ResponseText))}
        return version.sheet.unpack(row.packed) | texts, row.partial


def test_a_required_multiple_choice_is_answered_or_asks_to_be(begin, database):
    page = begin(f"code: m, kind: multiple_choice, required: true, {OPTIONS}")
    press(page, NEXT)
    expect(page.get_by_role("alert")).to_have_text("Xin chọn ít nhất một ý.")
    press(page, "Hai")
    expect(page.get_by_role("alert")).to_have_text("")
    page.locator(".choice", has_text="Hai").click()  # taken back
    press(page, NEXT)
    expect(page.get_by_role("alert")).to_have_text("Xin chọn ít nhất một ý.")
    press(page, "Một")
    press(page, NEXT)
    assert stored(page, database) == ({"A1": 2, "m": [1]}, False)


@pytest.mark.parametrize(
    "item",
    [
        f"code: x, kind: multiple_choice, required: true, {OPTIONS}, {NO_OPINION}",
        f"code: x, kind: number, minimum: 0, maximum: 9, required: true, {NO_OPINION}",
        f"code: x, kind: percent, required: true, {NO_OPINION}",
    ],
    ids=["multiple choice", "number", "percent"],
)
def test_who_has_no_opinion_says_so_even_where_an_answer_is_required(begin, database, item):
    page = begin(item)
    press(page, NEXT)
    expect(page.get_by_role("alert")).not_to_have_text("")
    press(page, "Không có ý kiến")
    assert stored(page, database) == ({"A1": 2, "x": None}, False)


@pytest.mark.parametrize("kind", ["short_text", "long_text"])
def test_a_required_text_is_asked_for_and_an_optional_one_may_be_left_out(begin, database, kind):
    page = begin(f"code: t, kind: {kind}, required: true", f"code: u, kind: {kind}")
    press(page, NEXT)
    expect(page.get_by_role("alert")).to_have_text("Xin trả lời câu này để tiếp tục.")
    page.locator(".typed > *").fill("vâng")
    press(page, NEXT)
    expect(page.locator(".typed > *")).to_have_value("")
    press(page, NEXT)
    assert stored(page, database) == ({"A1": 2, "t": "vâng"}, False)


@pytest.mark.parametrize("required", ["true", "false"])
def test_a_wrong_number_is_named_and_stays_until_it_is_right(begin, database, required):
    page = begin(f"code: n, kind: number, minimum: 1, maximum: 120, required: {required}")
    for wrong in ("0", "121", "1.000", "1,5", "ba", "1e2"):
        whole = "Chỉ nhận số nguyên." if wrong == "1,5" else "Chỉ nhận số từ 1 đến 120."
        page.locator(".typed input").fill(wrong)
        press(page, NEXT)
        expect(page.get_by_role("alert")).to_have_text(whole)
        expect(page.locator(".typed input")).to_have_value(wrong)
        expect(page.locator(".typed input")).to_have_attribute("aria-invalid", "true")
    # Nor does it go where the respondent looks back, or at the other language.
    press(page, "← Quay lại")
    page.locator(".choice").last.click()
    expect(page.locator(".typed input")).to_have_value("1e2")
    press(page, "English")
    press(page, "Next")
    expect(page.get_by_role("alert")).to_have_text("Takes a number from 1 to 120.")
    page.locator(".typed input").fill("42")
    press(page, "Next")
    assert stored(page, database) == ({"A1": 2, "n": 42}, False)


def test_numbers_are_typed_on_the_screen_with_comma_and_sign(begin, database):
    page = begin("code: n, kind: number, minimum: -5, maximum: 50, decimals: 1")
    assert page.locator(".typed input").get_attribute("inputmode") == "none"
    for key in ("1", "2", "3"):
        press(page, key)
    press(page, "Xóa")
    page.keyboard.press("Home")  # a keyboard that is plugged in works on the same field
    press(page, "-")
    page.keyboard.press("End")
    press(page, ",")
    press(page, "5")
    press(page, NEXT)
    expect(page.get_by_role("alert")).to_have_text("Chỉ nhận số từ −5,0 đến 50,0.")
    page.keyboard.press("Home")
    page.keyboard.press("Delete")
    press(page, NEXT)
    assert stored(page, database) == ({"A1": 2, "n": 12.5}, False)


def test_vietnamese_is_typed_on_the_screen(begin, database):
    page = begin("code: t, kind: long_text")
    press(page, "Chữ hoa")
    for key in ("B", "a", "c", "sắc", "Dấu cách", "s", "i", "ngã", "Dấu cách"):
        press(page, key)
    for key in ("đ", "ô", "g", "Xóa", "c", "nặng", "Xuống dòng", "Số và dấu câu", "1", "?"):
        press(page, key)
    press(page, "Chữ cái")
    press(page, "ư")
    expect(page.locator("textarea")).to_have_value("Bác sĩ độc\n1?ư")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert not found.violations_count, found.generate_report()
    press(page, NEXT)
    assert stored(page, database)[0]["t"] == "Bác sĩ độc\n1?ư"


def test_the_keyboard_types_no_more_than_fits_and_a_phone_keeps_its_own(begin):
    page = begin("code: t, kind: short_text, max_length: 3")
    for key in ("a", "b", "c", "d"):
        press(page, key)
    expect(page.locator(".typed input")).to_have_value("abc")
    page.set_viewport_size({"width": 360, "height": 700})
    press(page, "English")  # asks again
    expect(page.locator(".keyboard")).to_have_count(0)
    assert page.locator(".typed input").get_attribute("inputmode") is None


def test_a_tone_stands_where_vietnamese_writes_it(begin):
    page = begin("code: t, kind: short_text")
    syllables = {
        "toan sắc": "toán", "hoa huyền": "hòa", "thuy sắc": "thúy", "qua huyền": "quà",
        "quy sắc": "quý", "gia huyền": "già", "gi huyền": "gì", "giưa ngã": "giữa",
        "ngoai huyền": "ngoài", "khuyu hỏi": "khuỷu", "chuyên nặng": "chuyện",
        "nươc sắc": "nước", "nghi hỏi": "nghỉ", "mua huyền": "mùa", "thuơ hỏi": "thuở",
        "HÔI nặng": "HỘI", "tiêng sắc": "tiếng", "rượu huyền": "rườu", "má sắc": "ma",
        "xin cam hỏi": "xin cảm", "12 sắc": "12", "đ sắc": "đ", " sắc": "",
    }  # fmt: skip
    written = page.evaluate(
        """async (given) => {
            const { TONES, toned } = await import('/static/kiosk/tones.js');
            const tones = Object.fromEntries(TONES);
            return given.map((each) => {
                const [, text, tone] = each.match(/^(.*) (\\S+)$/);
                return toned(text, tones[tone]);
            });
        }""",
        list(syllables),
    )
    assert dict(zip(syllables, written, strict=True)) == syllables


def test_a_long_form_may_be_ended_early_with_what_was_given(begin, database):
    page = begin("code: n, kind: number, minimum: 0, maximum: 9", "code: t, kind: short_text")
    page.locator(".typed input").fill("77")
    press(page, END)
    # Not even so is a wrong number dropped without a word.
    expect(page.get_by_role("alert")).to_have_text("Chỉ nhận số từ 0 đến 9.")
    page.locator(".typed input").fill("7")
    press(page, END)
    assert stored(page, database) == ({"A1": 2, "n": 7}, True)


def test_it_may_not_be_ended_before_what_is_required(begin, database):
    page = begin("code: u, kind: short_text", "code: t, kind: short_text, required: true")
    expect(page.locator(".typed")).to_be_visible()
    expect(page.get_by_role("button", name=END)).to_have_count(0)
    press(page, NEXT)
    page.locator(".typed input").fill("xong")
    press(page, NEXT)
    assert stored(page, database) == ({"A1": 2, "t": "xong"}, False)


def test_faces_have_colours_of_their_own(begin):
    page = begin("code: n, kind: number, minimum: 0, maximum: 9")
    press(page, "← Quay lại")
    fills = page.eval_on_selector_all(".face", "all => all.map(one => getComputedStyle(one).fill)")
    assert len(fills) == len(set(fills)) == 2 and "none" not in fills


@pytest.mark.parametrize("place", ["rated", "text"])
def test_a_high_screen_is_filled_and_nothing_lies_outside(begin, place):
    page = begin("code: t, kind: long_text", viewport=(1080, 1920))
    if place == "rated":
        press(page, "← Quay lại")
    expect(page.locator(f".question.{place}, .question.long_{place}")).to_be_visible()
    lowest, highest, inside = page.evaluate(
        """() => {
            const all = [...document.querySelectorAll('main button, main textarea')]
                .map((each) => each.getBoundingClientRect());
            const own = [...document.querySelectorAll('.faces .choice, .keyboard, textarea')]
                .map((each) => each.getBoundingClientRect());
            return [Math.max(...own.map(b => b.bottom)), Math.min(...own.map(b => b.top)),
                all.every(b => b.top >= 0 && b.bottom <= innerHeight && b.right <= innerWidth)];
        }"""
    )
    assert inside
    assert lowest - highest > 1920 * 0.5
