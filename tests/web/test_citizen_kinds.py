"""Every kind of question on a phone: what it says, and what its fields do to each other."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.intake.models import Response
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.questionnaires import publish, published
from surveys.model import Questionnaire
from tests.web.conftest import needs_browser

pytestmark = [
    needs_browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])


def text(words):
    return {"vi": words, "en": words}


def item(code, kind, **more):
    return {"code": code, "kind": kind, "text": text(f"Câu {code}")} | more


NO_OPINION = {"no_opinion": {"text": text("Không muốn trả lời")}}
OPTIONS = {"options": [{"value": value, "text": text(f"Ý {value}")} for value in (1, 2)]}
MORE = [
    item("age", "number", minimum=0, maximum=120, required=True, **NO_OPINION),
    item("met", "percent", **NO_OPINION),
    item("room", "short_text", required=True),
    item("better", "multiple_choice", **OPTIONS),
    item("times", "single_choice", **OPTIONS),
]
FORM = {
    "code": "kinds",
    "version": 1,
    "title": text("Mọi loại câu hỏi"),
    "source": text("x"),
    "scales": {
        "two": {
            "levels": [{"value": value, "text": text(f"Mức {value}")} for value in (1, 2)],
            "satisfied": [2],
        }
    },
    "factors": [
        {
            "code": "A",
            "title": text("A"),
            "items": [{"code": "A1", "scale": "two", "text": text("Hài lòng?")}],
        }
    ],
    "more": MORE,
    "scoring": {"index": ["A"]},
}


@pytest.fixture
def opened(browser, client, database, province):
    """Opens the form on a small phone."""
    with database.writing() as session:
        publish(session, [Questionnaire.model_validate(FORM)])
        unit = session.get_one(Unit, province.units["C1"])
        path = f"/q/{current_code(open_point(session, unit, 'kinds', Channel.QR, 'x'))}"
    contexts = []

    def make(*, script=True):
        context = browser.new_context(
            base_url=str(client.base_url), locale="vi-VN", java_script_enabled=script,
            viewport={"width": 360, "height": 740},
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()


def none_box(page, code):
    return page.locator(f'input[name="a.{code}"][value="none"]')


def send(page):
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()


def stored(database):
    with database.reading() as session:
        row = session.scalars(select(Response)).one()
        version = next(v for v in published(session) if v.id == row.version_id)
        return version.sheet.unpack(row.packed)


def test_what_must_be_answered_says_so_and_so_does_where_several_may_be_chosen(opened):
    page = opened()
    for code, said in {"age": 1, "met": 0, "room": 1, "better": 0}.items():
        expect(page.locator(f"#q-{code} .ask", has_text="(cần trả lời)")).to_have_count(said)
    # A promise that anything may be left out would not be kept here.
    expect(page.locator("h1 + .hint")).to_contain_text("không ghi “cần trả lời”")
    expect(page.get_by_text("Có thể chọn nhiều câu trả lời")).to_have_count(1)
    expect(page.locator("#q-better")).to_contain_text("Có thể chọn nhiều câu trả lời")


@SCRIPT
def test_who_does_not_want_to_give_a_number_says_so(opened, database, script):
    page = opened(script=script)
    none_box(page, "age").check(force=True)
    page.fill("#i-met", "90")
    page.fill("#i-room", "none")
    send(page)
    assert stored(database) == {"age": None, "met": 90}


def test_a_number_and_not_wanting_to_give_it_exclude_each_other(opened):
    page = opened()
    page.fill("#i-age", "45")
    none_box(page, "age").check(force=True)
    expect(page.locator("#i-age")).to_have_value("")
    page.fill("#i-met", "9")
    expect(none_box(page, "age")).to_be_checked()
    page.locator("#i-age").press_sequentially("4")
    expect(none_box(page, "age")).not_to_be_checked()
    none_box(page, "age").check(force=True)
    page.fill("#i-room", "none")
    page.reload()
    # The draft knows a box that says "none" from a text that does.
    expect(none_box(page, "age")).to_be_checked()
    expect(page.locator("#i-age")).to_have_value("")
    expect(page.locator("#i-room")).to_have_value("none")


@pytest.mark.parametrize("sent", [False, True], ids=["filling in", "waiting to be sent"])
def test_without_a_network_the_language_waits_and_nothing_is_lost(opened, database, sent):
    page = opened()
    page.fill("#i-age", "45")
    page.fill("#i-room", "7")
    page.context.set_offline(True)
    if sent:
        page.get_by_role("button", name="Gửi ý kiến").click()
        expect(page.locator("#status")).to_contain_text("sẽ tự gửi lại")
    page.get_by_role("button", name="English").click()
    said = "sẽ tự gửi lại" if sent else "chưa đổi được ngôn ngữ"
    expect(page.locator("#status")).to_contain_text(said)
    expect(page.locator("#status")).to_be_in_viewport()
    expect(page.locator("#i-age")).to_have_value("45")
    page.context.set_offline(False)
    if sent:
        expect(page.locator(".end h1")).to_be_visible()
        assert stored(database) == {"age": 45}
    else:
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("button", name="Send")).to_be_visible()
        expect(page.locator("#i-age")).to_have_value("45")
