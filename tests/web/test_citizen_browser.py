"""The citizen's form in a real browser: with and without script, by eye, by keyboard, offline."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from tests.conftest import serving
from tests.web.citizen import choose, stored
from tests.web.conftest import needs_browser
from tests.web.two_versions import SECOND, form, opened_point, publish_version, stored_answers

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SIZES = ((320, 640), (390, 844), (768, 1024), (1280, 800))
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@pytest.fixture
def phone(browser, client):
    """Opens a page in a browser of its own."""
    contexts = []

    def make(**options):
        context = browser.new_context(
            base_url=str(client.base_url), locale="vi-VN", viewport={"width": 390, "height": 844},
            **options,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                page.complaints.append(message.text)
                if message.type == "error" and "Failed to load" not in message.text
                else None
            ),
        )
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_form_is_filled_in(phone, code, database, script):
    page = phone(java_script_enabled=script)
    page.goto(f"/q/{code}")
    choose(page, "A1", 5)
    choose(page, "B1", "none")
    choose(page, "trips", 2)
    page.fill("#i-comment", "Cảm ơn")
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator("h1")).to_have_text("Cảm ơn ý kiến của Ông/Bà!")
    # With script the form has left the history; without, the back button finds it.
    if script:
        page.goto(f"/q/{code}")
    else:
        page.go_back()
        page.reload()
    expect(page.locator("h1")).to_contain_text("đã được ghi nhận")
    assert stored(database) == 1 and page.complaints == []


def test_it_looks_right_and_is_accessible_at_every_size(
    phone, province, database, screenshots, code
):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["W1"])
        inpatient = current_code(open_point(session, unit, "moh-inpatient", Channel.QR, "x"))
    page = phone()
    for name, path in (
        ("form", f"/q/{code}"),
        ("form_en", f"/q/{code}?lang=en"),
        ("form_face", f"/q/{province.points[('C1', 'kiosk-face')]}"),
        ("form_inpatient", f"/q/{inpatient}"),
        ("form_unknown", "/q/NOSUCH2"),
    ):
        page.goto(path)
        look(page, name, screenshots)
    page.goto(f"/q/{code}")
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator("#summary")).to_be_focused()
    look(page, "form_mistakes", screenshots)
    choose(page, "A1", 4)
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()
    look(page, "form_thanks", screenshots)


def test_faces_have_a_colour_besides_their_shape(phone, code):
    page = phone()
    page.goto(f"/q/{code}")
    colours = "faces => faces.map((face) => getComputedStyle(face).fill)"
    assert len(set(page.eval_on_selector_all("#q-A1 svg.face", colours))) == 5


def look(page, name, screenshots):
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} px wide on {width}"
        small = page.evaluate(
            "[...document.querySelectorAll('.box, button, .lang')].filter(e => e.offsetParent && "
            "(e.offsetHeight < 44 || e.offsetWidth < 44)).map(e => e.innerText)"
        )
        assert small == [], f"{name} at {width}: too small to touch: {small}"
        found = Axe().run(page, options=WCAG)
        assert not found.violations_count, f"{name}, {width}: {found.generate_report()}"
        page.screenshot(path=str(screenshots / f"{name}-{width}.png"), full_page=True)


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_text_at_200_per_cent_still_fits(phone, code, width):
    """As when the browser's own text size is doubled: rem and em follow it."""
    page = phone()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/q/{code}")
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        "[...document.querySelectorAll('.box')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.innerText)"
    )
    assert cut == []


def lines(page, selector):
    """Of each element, how many lines its words take, and the size of its letters."""
    return page.evaluate(
        """selector => [...document.querySelectorAll(selector)].map(e => {
          const range = document.createRange(); range.selectNodeContents(e);
          const tops = [...range.getClientRects()].map(r => Math.round(r.top / 6));
          return [new Set(tops).size, parseFloat(getComputedStyle(e).fontSize)];
        })""",
        selector,
    )


def test_old_eyes_read_the_answers_of_a_phone_and_of_a_tall_screen(phone, province, database):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["W1"])
        path = f"/q/{current_code(open_point(session, unit, 'moh-inpatient', Channel.QR, 'x'))}"
    page = phone()
    for width, height, letters in ((360, 740, 16), (412, 915, 16), (1080, 1920, 22)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path)
        levels = lines(page, ".levels .box > span")
        assert len(levels) > 50
        # Two lines on a phone, where “rất không hài lòng hoặc rất kém” once took six.
        assert max(count for count, _ in levels) <= (2 if width < 1000 else 4)
        assert min(size for _, size in levels) >= letters
        # “part 5/6” is not torn apart.
        assert {count for count, _ in lines(page, "h2 .hint")} == {1}
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_forced_colours_show_what_is_chosen(phone, code, screenshots):
    page = phone(forced_colors="active")
    page.goto(f"/q/{code}")
    choose(page, "A1", 5)
    box = page.locator('input[name="a.A1"][value="5"] + .box')
    other = page.locator('input[name="a.A1"][value="4"] + .box')
    assert box.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    assert other.evaluate("e => getComputedStyle(e).outlineStyle") == "none"
    assert "✓" in box.evaluate("e => getComputedStyle(e, '::after').content")
    page.screenshot(path=str(screenshots / "form_forced_colours.png"))


def test_by_keyboard_alone(phone, code, database):
    page = phone()
    page.goto(f"/q/{code}")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "a.A1":
            break
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('[name=\"a.A1\"]:checked').value") == "3"
    outline = page.locator('input[name="a.A1"]:checked + .box').evaluate(
        "e => getComputedStyle(e).outlineWidth"
    )
    assert outline == "3px"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".end h1")).to_be_visible()
    assert stored(database) == 1


def test_script_hides_what_does_not_apply_and_counts(phone, province):
    page = phone()
    page.goto(f"/q/{province.points[('C1', 'kiosk-face')]}")
    expect(page.locator("#q-reason")).to_be_hidden()
    # Nor does a heading stand over nothing.
    expect(page.get_by_role("heading", name="Thêm về lần phục vụ này")).to_be_hidden()
    choose(page, "S1", 2)
    expect(page.locator("#q-reason")).to_be_visible()
    expect(page.get_by_role("heading", name="Thêm về lần phục vụ này")).to_be_visible()
    expect(page.locator("#count")).to_have_text(re.compile("Đã trả lời 1/3"))
    choose(page, "S1", 5)
    expect(page.locator("#q-reason")).to_be_hidden()


def test_a_draft_survives_a_reload_and_is_gone_once_sent(phone, code, database):
    page = phone()
    page.goto(f"/q/{code}")
    choose(page, "A1", 2)
    page.fill("#i-comment", "đang viết")
    page.reload()
    assert page.locator('input[name="a.A1"][value="2"]').is_checked()
    assert page.input_value("#i-comment") == "đang viết"
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()
    page.goto(f"/q/{code}?new=1")
    assert page.input_value("#i-comment") == ""
    assert page.locator("input:checked").count() == 0
    assert stored(database) == 1


def test_without_a_network_it_waits_and_sends_by_itself_once(phone, code, database):
    page = phone()
    page.goto(f"/q/{code}")
    choose(page, "A1", 5)
    page.context.set_offline(True)
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator("#status")).to_contain_text("Mất mạng")
    page.get_by_role("button", name="Gửi ý kiến").click(force=True)  # impatient
    page.wait_for_timeout(1500)
    assert stored(database) == 0
    page.context.set_offline(False)
    expect(page.locator(".end h1")).to_be_visible()
    assert stored(database) == 1


def test_whoever_is_told_to_wait_has_nothing_to_fill_in_again_without_a_script(
    phone, settings, code, database
):
    """With the script the form sends by itself: test_citizen_obstacles."""
    few = settings.model_copy(update={"public_rate": "1 per 20 second"})
    with serving(few) as crowded:
        address = f"{str(crowded.base_url).rstrip('/')}/q/{code}"
        page = phone(java_script_enabled=False)
        page.goto(address)
        choose(page, "A1", 5)
        # Somebody else comes first.
        assert crowded.post(address, data={"a.A1": "4"}).status_code == 303
        page.get_by_role("button", name="Gửi ý kiến").click()
        expect(page.locator("#summary")).to_contain_text("gửi lại sau")
        while page.locator("#summary").count():
            page.wait_for_timeout(4000)
            page.get_by_role("button", name="Gửi ý kiến").click()
        expect(page.locator(".end h1")).to_be_visible()
    assert stored(database) == 2


def test_an_answer_that_never_arrived_is_asked_for_again_and_counted_once(phone, code, database):
    """The server has committed; the phone does not learn of it."""
    page = phone()
    cut = []

    def lose_the_first(route):
        if route.request.method == "POST" and not cut:
            cut.append(route.fetch())  # it reached the server …
            route.abort()  # … and its answer was lost
        else:
            route.continue_()

    page.route("**/q/**", lose_the_first)
    page.goto(f"/q/{code}")
    choose(page, "A1", 5)
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()
    assert len(cut) == 1 and stored(database) == 1


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_new_version_changes_nothing_for_whoever_has_the_form_open(
    phone, province, database, script
):
    code = opened_point(database, province)
    page = phone(java_script_enabled=script)
    page.goto(f"/q/{code}")
    publish_version(database, form(2, SECOND))
    choose(page, "again", 2)
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()
    assert stored_answers(database) == [(1, {"again": 2})] and page.complaints == []


def test_what_waits_for_the_network_is_sent_in_its_own_version(phone, province, database):
    code = opened_point(database, province)
    page = phone()
    page.goto(f"/q/{code}")
    choose(page, "again", 2)
    page.context.set_offline(True)
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator("#status")).to_contain_text("Mất mạng")
    publish_version(database, form(2, SECOND))
    page.context.set_offline(False)
    expect(page.locator(".end h1")).to_be_visible()
    assert stored_answers(database) == [(1, {"again": 2})]


def test_a_draft_of_one_version_is_not_put_into_another(phone, province, database):
    code = opened_point(database, province)
    page = phone()
    page.goto(f"/q/{code}")
    choose(page, "again", 2)
    page.reload()
    assert page.locator('input[name="a.again"][value="2"]').is_checked()
    publish_version(database, form(2, SECOND))
    page.reload()
    expect(page.locator("#q-again")).to_contain_text("Không bao giờ")
    assert page.locator("input:checked").count() == 0


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_form_that_is_too_old_comes_back_with_what_still_fits(
    browser, settings, province, database, script
):
    code = opened_point(database, province)
    with serving(settings.model_copy(update={"older_form_s": 0})) as client:
        context = browser.new_context(
            base_url=str(client.base_url), locale="vi-VN", java_script_enabled=script
        )
        page = context.new_page()
        page.goto(f"/q/{code}")
        publish_version(database, form(2, SECOND))
        choose(page, "again", 2)
        page.fill("#i-remark", "còn đây")
        page.get_by_role("button", name="Gửi ý kiến").click()
        expect(page.locator("#summary")).to_contain_text("Phiếu khảo sát đã thay đổi")
        # What was 2, “certainly”, is 1 here.
        assert page.locator('input[name="a.again"][value="1"]').is_checked()
        assert page.input_value("#i-remark") == "còn đây"
        assert stored_answers(database) == []
        page.get_by_role("button", name="Gửi ý kiến").click()
        expect(page.locator(".end h1")).to_be_visible()
        context.close()
    assert stored_answers(database) == [(2, {"again": 1})]
