"""What the form and the kiosk ask after a chain of conditions: one table for all of them."""

import json
import re

import pytest
from playwright.sync_api import expect

from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.questionnaires import publish
from tests.surveys.condition_cases import CASES, CHAIN
from tests.web.conftest import needs_browser
from tests.web.kiosk.device import queue_length, thanked, wait_for
from tests.web.pairing import pair
from tests.web.two_versions import stored_answers

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
CODED = {"A1", "q1", "q2", "q3", "days"}


@pytest.fixture
def point(database, province):
    """Opens a point that asks the chain of questions."""

    def make(channel):
        with database.writing() as session:
            publish(session, [CHAIN])
        with database.writing() as session:
            unit = session.get_one(Unit, province.units["C1"])
            return current_code(open_point(session, unit, CHAIN.code, channel, "x"))

    return make


def kept(answers, not_asked):
    return {code: a for code, a in answers.items() if code not in not_asked}


def test_without_script_answers_to_what_was_not_asked_are_left_out(client, point, database):
    code, expected = point(Channel.QR), []
    for answers, not_asked in CASES:
        page = client.get(f"/q/{code}?new=1").text
        data = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page))
        fields = {f"a.{c}": "none" if a is None else str(a) for c, a in answers.items()}
        answer = client.post(f"/q/{code}", data=data | fields | {"a.A1": "2"})
        assert answer.status_code == 303
        expected.append({"A1": 2} | kept(answers, not_asked))
    found = [answers for _, answers in stored_answers(database)]
    coded = [{c: a for c, a in each.items() if c in CODED} for each in expected]
    assert sorted(map(str, found)) == sorted(map(str, coded))


#: Puts answers on the form as a citizen who answered, went back and answered otherwise.
FILL = """answers => {
  const form = document.querySelector('form[data-code]');
  form.reset();
  for (const [code, answer] of Object.entries(answers)) {
    const fields = [...form.querySelectorAll(`[name="a.${code}"]`)];
    const chosen = fields.find(f => f.type === 'radio' && f.value === String(answer ?? 'none'));
    if (chosen) chosen.checked = true; else fields[0].value = answer;
  }
  form.querySelector('[name="a.A1"]').dispatchEvent(new Event('change', {bubbles: true}));
  return [[...document.querySelectorAll('.q')].filter(q => q.hidden).map(q => q.id.slice(2)),
          document.getElementById('count').textContent];
}"""


@needs_browser
def test_the_forms_script_hides_and_counts_by_the_same_table(browser, client, point, database):
    page = browser.new_page(base_url=str(client.base_url), locale="vi-VN")
    page.goto(f"/q/{point(Channel.QR)}")
    items = len(list(CHAIN.items))
    for answers, not_asked in CASES:
        found, count = page.evaluate(FILL, answers)
        assert set(found) == not_asked
        answered = len(kept(answers, not_asked))
        assert count == f"Đã trả lời {answered}/{items - len(not_asked)} câu"
    page.evaluate(FILL, CASES[6][0])
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_be_visible()
    page.close()
    assert [answers for _, answers in stored_answers(database)] == [{"q1": 3}]


#: What the kiosk would ask with these answers given, and what it would send.
ASKED = """([form, cases]) => import('/static/kiosk/respondent.js').then(({ Respondent }) =>
  cases.map(answers => {
    const respondent = new Respondent({ form, language: 'vi' });
    respondent.answers = answers;
    const hidden = respondent.items.filter(item => !respondent.applies(item));
    return [hidden.map(item => item.code), respondent.given()];
  }))"""


@needs_browser
def test_the_kiosks_script_asks_by_the_same_table(browser, client, province):
    page = browser.new_page(base_url=str(client.base_url))
    page.goto("/kiosk")
    form = json.loads(CHAIN.model_dump_json(by_alias=True))
    found = page.evaluate(ASKED, [form, [answers for answers, _ in CASES]])
    page.close()
    for (answers, not_asked), (hidden, given) in zip(CASES, found, strict=True):
        assert set(hidden) == not_asked and given == kept(answers, not_asked)


@needs_browser
def test_a_kiosk_asks_nothing_more_once_the_first_answer_is_changed(
    browser, client, point, database
):
    context = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
    page = context.new_page()
    pair(page, database, point(Channel.KIOSK))
    page.get_by_role("button", name="Bắt đầu").click()

    def tap(question, label):
        expect(page.locator("h1")).to_have_text(question)
        page.get_by_role("button", name=label, exact=True).click()

    tap("Hài lòng?", "Mức 2")
    for code in ("q1", "q2", "q3"):
        tap(code, f"{code} 1")
    expect(page.locator("h1")).to_have_text("Vì sao?")
    for code in ("q3", "q2", "q1"):
        page.get_by_role("button", name="Quay lại").click()
        expect(page.locator("h1")).to_have_text(code)
    tap("q1", "q1 3")
    # Neither q2 nor q3, nor what hung on q3.
    expect(page.locator("h1")).to_have_text("Ghi chú")
    page.get_by_role("button", name="Tiếp tục").click()
    thanked(page)
    wait_for(lambda: queue_length(page) == 0)
    context.close()
    assert [answers for _, answers in stored_answers(database)] == [{"A1": 2, "q1": 3}]
