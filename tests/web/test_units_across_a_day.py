"""A form and a kiosk are called by the unit of the day, and a closed desk says who goes on."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from app.access.models import Right
from app.clock import local_today
from app.intake.refusals import PointClosed
from app.registry.models import Channel, PointState, Succession, Unit
from app.registry.points import change_state, current_code, find_by_code, open_point
from app.settings import Settings
from app.web.citizen import routes
from tests import changed_tree
from tests.conftest import serving
from tests.web.citizen import choose, stored
from tests.web.conftest import needs_browser

TODAY = local_today(Settings().zone)
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)


@pytest.fixture
def code(province):
    return province.points[("C1", "sipas-desk")]


@pytest.fixture
def change(database, province):
    """Changes C1 by a function of the session and the unit."""

    def made(how):
        with database.writing() as session:
            how(session, session.get_one(Unit, province.units["C1"]))

    return made


def kiosk(client, province):
    answer = client.get("/api/v1/kiosk", headers=province.device())
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_closed_desk_names_who_does_its_work(client, province, database, code, change):
    def merge(session, unit):
        changed_tree.merge(session, [unit], "C9", TODAY, today=TODAY, points=False)

    form = client.get(f"/q/{code}")
    assert form.status_code == 200
    change(merge)
    page = client.get(f"/q/{code}", headers={"Accept-Language": "vi"})
    assert page.status_code == 410
    assert "Bàn tiếp nhận này đã đóng" in page.text and "Đơn vị mới C9" in page.text
    assert "<form" not in page.text
    english = client.get(f"/q/{code}?lang=en").text
    assert "This desk is closed" in english and "now done at New unit C9" in english
    told = kiosk(client, province)
    assert told["closed"] and not told["open"]
    assert told["now_at"] == {"vi": "Đơn vị mới C9", "en": "New unit C9"}
    assert told["unit"]["vi"] == "Đơn vị C1"


def test_a_desk_that_nobody_followed_is_closed_without_a_name(client, province, code, change):
    change(lambda session, unit: changed_tree.end(unit, TODAY))
    page = client.get(f"/q/{code}")
    assert page.status_code == 410 and "nay do" not in page.text
    assert kiosk(client, province)["now_at"] == {"vi": "", "en": ""}


def test_what_lies_ahead_changes_nothing_before_its_day(client, province, code, change):
    def plan(session, unit):
        changed_tree.rename(session, unit, "Mới", TOMORROW, today=TODAY)
        changed_tree.end(unit, TOMORROW + timedelta(days=1))

    change(plan)
    page = client.get(f"/q/{code}")
    assert page.status_code == 200 and "Đơn vị C1" in page.text and "Mới" not in page.text
    told = kiosk(client, province)
    assert told["unit"]["vi"] == "Đơn vị C1" and told["open"] and not told["closed"]


def test_a_form_and_a_kiosk_are_called_by_the_unit_of_today(
    client, province, database, code, change
):
    """By the days of the changes, though no row of today was brought up to date."""
    before = kiosk(client, province)["hash"]
    change(lambda session, unit: changed_tree.rename(session, unit, "Mới", TODAY, today=YESTERDAY))
    assert "Mới vi" in client.get(f"/q/{code}").text
    assert kiosk(client, province)["unit"] == {"vi": "Mới vi", "en": "Mới en"}
    assert kiosk(client, province)["hash"] != before
    with database.writing() as session:
        point = find_by_code(session, code)
        to = session.get_one(Unit, province.units["C2"])
        changed_tree.move(session, point, to, TODAY, today=YESTERDAY)
    assert "Đơn vị C2" in client.get(f"/q/{code}").text
    device = province.credential(Right.SUBMIT, point=code)
    assert client.get("/api/v1/kiosk", headers=device).json()["unit"]["vi"] == "Đơn vị C2"


def test_a_unit_that_is_not_there_yet_is_early(client, province, code, change):
    def later(session, unit):
        unit.valid_from = TOMORROW

    change(later)
    page = client.get(f"/q/{code}")
    assert page.status_code == 403 and "chưa mở" in page.text
    told = kiosk(client, province)
    assert not told["open"] and not told["closed"]


def onward(session, unit, code, day=TODAY):
    """A unit that another one became, with a poster of its own; the code of that."""
    new = changed_tree.merge(session, [unit], code, day, today=TODAY, points=False)
    open_point(session, new, "kiosk-face", Channel.QR, "other questions")
    open_point(session, new, "sipas-desk", Channel.KIOSK, "kiosk")
    return current_code(open_point(session, new, "sipas-desk", Channel.QR, "poster"))


def sent(page):
    """What the browser sends of a form, with an answer to the first question."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {**hidden, "a.A1": "4"}


def test_a_form_that_was_open_when_its_unit_ended_leads_to_the_next_ones(
    client, province, database, code, change
):
    page = client.get(f"/q/{code}")
    change(lambda session, unit: onward(session, unit, "C9"))
    answer = client.post(f"/q/{code}", data=sent(page))
    assert answer.status_code == 410 and "Đơn vị mới C9" in answer.text
    (form,) = re.findall(r'href="(/q/[^"]+)"', answer.text)
    assert form.endswith(f"?from=%2Fq%2F{code}&amp;lang=vi")
    there = client.get(form.replace("&amp;", "&"))
    assert (
        there.status_code == 200 and "Đơn vị mới C9" in there.text and 'name="a.A1"' in there.text
    )
    assert stored(database) == 0
    assert "/public" not in answer.text  # nothing is published here


def test_where_the_unit_ends_between_the_form_and_the_intake_it_is_not_called_paused(
    client, province, database, code, change, monkeypatch
):
    """Found a moment before midnight, refused by the intake a moment after."""
    page = client.get(f"/q/{code}")
    submit = routes._submit

    async def late(*about):
        change(lambda session, unit: onward(session, unit, "C9"))
        return await submit(*about)

    monkeypatch.setattr(routes, "_submit", late)
    answer = client.post(f"/q/{code}", data=sent(page))
    assert answer.status_code == 410 and "Đơn vị mới C9" in answer.text
    assert "tạm nghỉ" not in answer.text


def test_a_point_that_pauses_between_the_form_and_the_intake_is_paused(
    client, province, code, monkeypatch
):
    async def paused(*about):
        return PointClosed(field="point")

    page = client.get(f"/q/{code}")
    monkeypatch.setattr(routes, "_submit", paused)
    answer = client.post(f"/q/{code}", data=sent(page))
    assert answer.status_code == 403 and "tạm nghỉ" in answer.text


def test_an_invitation_leads_on_though_its_point_was_closed_with_its_unit(
    client, database, province, code, change
):
    issuer = province.credential(Right.INVITE, unit="C1")
    case = {"case": "HS-1", "unit": "C1", "point": code, "finished_at": f"{datetime.now(UTC)}"}
    link = client.post("/api/v1/invitations", json=case, headers=issuer).json()["link"]
    token = link.rsplit("/", 1)[1]
    page = client.get(f"/i/{token}")
    assert page.status_code == 200

    def end(session, unit):
        onward(session, unit, "C9")
        change_state(session, find_by_code(session, code), PointState.PAUSED)

    change(end)
    for answer in (client.get(f"/i/{token}"), client.post(f"/i/{token}", data=sent(page))):
        assert answer.status_code == 410 and "Đơn vị mới C9" in answer.text
        assert 'href="/q/' in answer.text


def test_figures_of_the_next_units_are_linked_where_they_are_published(
    settings, province, code, change
):
    """Only of those that were there in the period that is published last."""
    parts = province.units["C2"], province.units["A1"]
    long_ago = TODAY - timedelta(days=400)

    def divide(session, unit):
        changed_tree.end(unit, long_ago)
        for part in parts:
            session.add(Succession(from_id=unit.id, to_id=part, day=long_ago))
        session.get_one(Unit, parts[1]).valid_from = TODAY

    change(divide)
    with serving(settings.model_copy(update={"public_page": True})) as client:
        page = client.get(f"/q/{code}").text
        assert "Đơn vị C2" in page and "Đơn vị A1" in page
        public = re.findall(r'href="(/public[^"]*)"', page)
        assert public == ["/public?questionnaire=sipas-desk&amp;kind=commune&amp;find=C2"]


@needs_browser
@pytest.mark.xdist_group("browser")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_typed_goes_along_to_the_next_units_form(
    browser, client, province, database, code, change
):
    context = browser.new_context(base_url=str(client.base_url), locale="vi-VN")
    page = context.new_page()
    page.goto(f"/q/{code}")
    expect(page.locator("#progress")).to_be_visible()
    choose(page, "A1", 2)
    page.fill("#i-comment", "đang viết")
    change(lambda session, unit: onward(session, unit, "C9"))
    page.get_by_role("button", name="Gửi ý kiến").click()
    page.get_by_role("link", name="Góp ý về Đơn vị mới C9").click()
    expect(page.locator("#i-comment")).to_have_value("đang viết")
    expect(page.locator('input[name="a.A1"][value="2"]')).to_be_checked()
    page.get_by_role("button", name="Gửi ý kiến").click()
    expect(page.locator(".end h1")).to_contain_text("Cảm ơn")
    assert stored(database) == 1
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft'))") == []
    context.close()
