"""The wish for a reply at the kiosk: a code that the device draws, shows and forgets."""

import io
import json
import random
from urllib.parse import urlsplit

import numpy as np
import pytest
import segno
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from app.access.tokens import hash_of
from app.cases.citizens import SIGNS, as_typed, new_code
from app.cases.marks import low_codes
from app.cases.opening import open_wishes
from app.clock import local_today
from app.registry.questionnaires import published
from tests.cases.sent import SETTINGS
from tests.conftest import serving
from tests.web.citizen import stored
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import (
    COUNTDOWN_MS,
    IDLE_MS,
    LONG,
    device,
    installed,
    look,
    pair,
    queue_length,
    thanked,
    wait_for,
)  # fmt: skip
from tests.web.kiosk.test_kiosk import at_work
from tests.web.test_wishes import codes

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("kiosk"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
YES, NO, NEXT = "Tôi muốn được trả lời", "Không, cảm ơn", "Tiếp tục"
SCREENS = {"upright": (1080, 1920), "lying": (1280, 800), "phone": (390, 844)}
#: All that the device keeps.
KEPT = """async () => JSON.stringify(await new Promise((done) => {
  indexedDB.open("hailong-kiosk").onsuccess = async ({target: {result: base}}) => {
    const all = (name) => new Promise((found) => {
      const request = base.transaction(name).objectStore(name).getAll();
      request.onsuccess = () => found(request.result);
    });
    done(await Promise.all([...base.objectStoreNames].map(all)));
  };
})) + JSON.stringify({...localStorage, ...sessionStorage}) + location.href"""


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def complain(page, text="", level=1):
    """Answer the five faces up to the wish for a reply."""
    page.locator(".faces .choice").nth(level - 1).click()
    expect(page.locator(".options")).to_be_visible()
    press(page, NEXT)
    if text:
        page.locator(".typed input").fill(text)
    press(page, NEXT)


def shown(page):
    page.wait_for_selector(".receipt")
    return as_typed(page.locator("#reply-code").inner_text())


def scanned(page, selector=".qr"):
    """What a phone's camera reads from the screen."""
    picture = Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("L")
    (found,) = zxingcpp.read_barcodes(np.ascontiguousarray(picture))
    return found.text


def test_offline_a_visitor_takes_the_code_along_that_opens_her_case_later(
    playwright, client, database, pairing, tmp_path, screenshots
):
    with device(playwright, tmp_path / "p", client.base_url) as page:
        pair(page, pairing().code)
        installed(page)
        page.reload()
        expect(page.locator(".faces")).to_be_visible()
        page.context.set_offline(True)
        complain(page, "Chờ lâu")
        expect(page.locator("h1")).to_have_text("Ông/Bà có muốn được trả lời không?")
        look(page, "kiosk_wish", screenshots)
        see(page, "kiosk_wish", screenshots)
        press(page, "English")
        expect(page.locator("h1")).to_have_text("Would you like a reply?")
        see(page, "kiosk_wish_en", screenshots)
        press(page, "← Back")
        expect(page.locator(".typed input")).to_have_value("Chờ lâu")
        press(page, "Tiếng Việt")
        press(page, NEXT)
        press(page, YES)
        mine = shown(page)
        address = scanned(page)
        assert address == f"{str(client.base_url).rstrip('/')}/c#{mine}"
        see(page, "kiosk_code", screenshots)
        assert scanned(page) == address
        press(page, "English")
        expect(page.locator(".receipt h2")).to_have_text("Your code for the reply")
        assert shown(page) == mine and scanned(page) == address
        see(page, "kiosk_code_en", screenshots)
        # A touch by the way ends nothing, nor do staff get at it.
        page.locator(".receipt h1").click()
        assert shown(page) == mine
        kept = page.evaluate(KEPT)
        assert hash_of(mine) in kept and mine not in kept and mine[:8] not in kept
        # What waits on the device opens nothing yet, and the page says why that may be.
        early = client.post("/c", data={"code": mine})
        assert early.status_code == 404 and "máy khảo sát không có mạng" in early.text
        press(page, "I have kept the code")
        expect(page.locator(".faces")).to_be_visible()
        assert mine not in page.content() and stored(database) == 0
        page.context.set_offline(False)
        wait_for(lambda: queue_length(page) == 0)
        assert list(codes(database)) == [hash_of(mine)] and stored(database) == 1
        open_wishes(database, SETTINGS, local_today(SETTINGS.zone))
        page.goto(f"{client.base_url}/c#{urlsplit(address).fragment}")
        expect(page.locator("main")).to_contain_text("Đơn vị C1")
        assert mine not in page.url and page.complaints == []


def see(page, name, screenshots):
    """At the sizes of kiosks all is on the screen, without scrolling."""
    for size, (width, height) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        wide, high = page.evaluate(
            "document.querySelector('#screen').dataset.shift = '0', "
            "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert wide <= width and (size == "phone" or high <= height), f"{name}: {wide} × {high}"
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
        assert not found.violations_count, f"{name}, {width}: {found.generate_report()}"
        page.screenshot(path=str(screenshots / f"{name}-{width}.png"))
    page.set_viewport_size({"width": 1024, "height": 768})


def test_who_wants_none_is_asked_briefly_and_nothing_is_left_of_who_wants_one(
    playwright, settings, database, pairing, tmp_path
):
    longer = LONG | {"public_url": "https://hailong.tinh.vn", "kiosk_code_s": 90}
    with (
        serving(settings.model_copy(update=longer)) as client,
        device(playwright, tmp_path / "p", client.base_url) as page,
    ):
        pair(page, pairing().code)
        at_work(page)

        def begin_again():
            page.clock.run_for(7_000)
            expect(page.locator(".faces")).to_be_visible()

        def tap(level):
            page.locator(".faces .choice").nth(level - 1).click()
            page.clock.run_for(300)

        def came(number):
            page.clock.run_for(1000)
            wait_for(lambda: (page.clock.run_for(500), stored(database) == number)[1])

        # Content, or with nothing to reply to: thanked at a touch, as ever.
        tap(5)
        thanked_at_a_touch = page.wait_for_selector("#thanks, .wish")
        assert thanked_at_a_touch.get_attribute("id") == "thanks"
        begin_again()
        tap(3)
        press(page, NEXT)
        press(page, NEXT)
        assert page.wait_for_selector("#thanks, .wish").get_attribute("id") == "thanks"
        begin_again()
        # Words alone, or a low mark alone: the wish is offered, and need not be taken.
        tap(3)
        press(page, NEXT)
        page.locator(".typed input").fill("Ghế ít")
        press(page, NEXT)
        thanked(page)
        begin_again()
        tap(2)
        press(page, NEXT)
        press(page, NEXT)
        expect(page.get_by_role("button", name=YES)).to_be_visible()
        # Who walks away from the question has answered all the same, and wants no reply.
        page.clock.run_for(IDLE_MS)
        expect(page.locator(".countdown")).to_be_visible()
        page.clock.run_for(COUNTDOWN_MS)
        expect(page.locator(".faces")).to_be_visible()
        came(4)
        assert codes(database) == {}

        # Its code is somebody else's: another is shown, and the response counted once, with that.
        taken = []

        def refuse(route):
            sent = json.loads(route.request.post_data)["responses"]
            taken.append(sent[0]["reply_code_hash"])
            if len(taken) > 1:
                route.continue_()
                return
            problem = {"type": "/problems/reply-code-taken", "status": 409, "retry": False}
            refused = [{"id": each["id"], "status": "refused", "problem": problem} for each in sent]
            route.fulfill(json={"responses": refused})

        page.context.route("**/api/v1/responses", refuse)
        tap(1)
        press(page, NEXT)
        press(page, NEXT)
        press(page, YES)
        came(5)
        page.context.unroute("**/api/v1/responses")
        mine = shown(page)
        assert taken[0] != taken[1] == hash_of(mine) and list(codes(database)) == taken[1:]
        # Phones are told the name by which they reach the service.
        assert scanned(page) == f"https://hailong.tinh.vn/c#{mine}"
        # It stays as long as it says, longer if that is wanted, and is gone for the next visitor.
        left = page.locator(".left")
        page.clock.run_for(60_000)
        number = int("".join(filter(str.isdigit, left.inner_text())))
        assert 0 < number <= 30
        press(page, "Thêm thời gian")
        page.clock.run_for(75_000)
        assert shown(page) == mine
        page.clock.run_for(16_000)
        expect(page.locator(".faces")).to_be_visible()
        assert mine not in page.content() and mine not in page.evaluate(KEPT)

        # Refused for good while she stands there: the code is not left to her.
        page.context.route(
            "**/api/v1/responses",
            lambda route: route.fulfill(json={"responses": [{
                "id": "x", "status": "refused",
                "problem": {"type": "/problems/point-closed", "status": 422, "retry": False},
            }]}),
        )  # fmt: skip
        tap(1)
        press(page, NEXT)
        press(page, NEXT)
        press(page, YES)
        expect(page.locator("#not-kept")).to_contain_text("Mã vừa hiện không dùng được")
        assert page.locator(".code").count() == 0
        page.clock.run_for(30_000)
        expect(page.locator(".faces")).to_be_visible()
        assert page.complaints == [] and stored(database) == 5


def test_what_the_device_draws_is_what_the_standard_and_the_server_say(
    browser, client, database, screenshots
):
    """The encoder, the code and the low marks, each beside another one's."""
    drawn = random.Random(20261129)
    # Before its padding Segno puts a zero codeword, which readers skip: so texts that need none.
    full = ["".join(drawn.choices("abc/#:.0123", k=n)) for n in (14, 26, 42, 62, 84, 106) * 3]
    hosts = ["".join(drawn.choices("abcdefgh-.", k=n)) for n in range(4, 80, 5)]
    addresses = [f"https://{host}/c#{new_code()}" for host in hosts]
    page = browser.new_page()
    page.goto(f"{client.base_url}/kiosk")
    with database.reading() as session:
        versions = list(published(session))
    forms = [version.form.model_dump(mode="json", by_alias=True) for version in versions]
    encoded, none, many, marks = page.evaluate(
        """async ([texts, forms]) => {
          const { encoded } = await import("/static/kiosk/qr.js");
          const { grouped, hashOf, newCode } = await import("/static/kiosk/codes.js");
          const { anyLow } = await import("/static/kiosk/wish.js");
          const made = Array.from({ length: 300 }, newCode);
          const lowOf = (form) => form.factors.flatMap(({ items }) => items).concat(form.more)
            .filter(({ kind }) => kind === "rated")
            .flatMap(({ code, scale }) => form.scales[scale].levels
              .filter(({ value }) => anyLow(form, { [code]: value }))
              .map(({ value }) => [code, value]));
          const codes = made.map(async (code) => [code, grouped(code), await hashOf(code)]);
          return [texts.map((text) => encoded(text)), encoded("x".repeat(107)),
            await Promise.all(codes), forms.map(lowOf)];
        }""",
        [full + addresses, forms],
    )
    page.close()
    for text, each in zip(full, encoded, strict=False):
        twin = segno.make(
            text, mode="byte", error="m", micro=False, boost_error=False, mask=each["mask"]
        )
        assert [list(map(bool, row)) for row in twin.matrix] == each["modules"]
    for text, each in zip(full + addresses, encoded, strict=True):
        modules = np.pad(~np.array(each["modules"]), 4, constant_values=True)
        picture = np.kron(modules, np.ones((4, 4))).astype(np.uint8) * 255
        assert [found.text for found in zxingcpp.read_barcodes(picture)] == [text]
    assert none is None and len({each["mask"] for each in encoded}) > 4
    # 80 bits: 16 signs, each as often as the others, and none twice.
    assert len({code for code, _, _ in many}) == 300
    assert set("".join(code for code, _, _ in many)) == set(SIGNS)
    for code, typed, hash in many:
        assert len(code) == 16 and as_typed(typed) == code and hash_of(code) == hash
    for version, found in zip(versions, marks, strict=True):
        low = {
            (item, level)
            for item, packed in low_codes(version).items()
            for column in version.sheet.columns
            if column.item.code == item
            for level, packed_as in column.codes.items()
            if packed_as in packed
        }
        assert {tuple(each) for each in found} == low, version.form.code
