"""What the dashboard shows to whom: their own units, nobody's few, and comments by right."""

import re
from datetime import date

from sqlalchemy import func, select

from app.access.roles import Role
from app.audit.models import AuditEntry
from app.registry.models import Unit
from tests.figures.district import FELL, FORM, SMALL
from tests.web.dashboard.words import LINK, OF_FELL, shown, words_of


def test_a_head_lands_on_the_last_whole_quarter_on_pages_and_on_the_wall(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    api = world.client.get("/api/v1/views/overview", headers=head.headers).json()
    assert api["index"]["rate"] is not None
    landed = open_page("/dashboard", person=head)
    assert landed.url.params["period"] == api["period"] == "2026-Q2"
    assert shown(api["index"])[0] in words_of(landed)
    wall = words_of(open_page(f"/wall/{FELL}", person=head))
    assert "quý 2 năm 2026" in wall and shown(api["index"])[0] in wall


def test_somebody_sees_their_own_units_and_few_respondents_are_hidden(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    text = words_of(open_page("/dashboard", head))
    assert "Xã K01" in text and "Xã K02" not in text
    open_page(f"/dashboard/unit?unit=K02&questionnaire={FORM.code}&period=2026-H1", head, 404)
    of_small = world.province.person((Role.UNIT_HEAD, SMALL))
    page = f"/dashboard/unit?unit={SMALL}&questionnaire={FORM.code}&period=2025-H1"
    text = words_of(open_page(page, of_small))
    assert "quá ít nên không nêu tỷ lệ" in text and "n = –" not in text
    assert not re.search(r"\d+,\d% – ", text)


def test_a_page_that_is_refused_leads_back_to_itself(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    page = "/dashboard/unit?period=2026-01-05..2026-01-20"
    refused = open_page(page, head, 422, accept="text/html")
    assert "tháng" in words_of(refused)
    assert '<a class="button" href="/dashboard/unit">' in refused.text
    assert open_page("/dashboard/unit", head).status_code == 200
    # Where the address itself is wrong, no page is offered again.
    lost = open_page("/dashboard/none?period=2026", head, 404, accept="text/html")
    assert 'href="/dashboard/none"' not in lost.text and 'class="button" href="/"' in lost.text


def test_a_page_says_no_alerts_only_where_some_were_looked_for(world, open_page):
    text = words_of(open_page(f"/dashboard/overview?{OF_FELL}"))
    assert "Cảnh báo" in text and "Mức đã dịch chuyển" in text and "Ai cần giúp" not in text
    silent = "/dashboard/overview?unit=H1&questionnaire=moh-inpatient&period=2026-H1"
    text = words_of(open_page(silent))
    assert "Không có cảnh báo" not in text and "Chưa xét được cảnh báo" in text


def test_a_form_that_a_unit_does_not_use_is_not_to_be_collected(open_page):
    used = "Còn phải thu bao nhiêu phiếu"
    assert used in words_of(open_page(f"/dashboard/unit?{OF_FELL}"))
    other = f"/dashboard/unit?unit=W1&questionnaire={FORM.code}&period=2026-H1"
    assert used not in words_of(open_page(other))


def test_a_head_without_survey_points_is_told_so(world, open_page):
    head = world.province.person((Role.UNIT_HEAD, "H1"), (Role.UNIT_HEAD, "A1"))
    assert open_page("/dashboard", head).status_code == 200
    with world.province.database.writing() as session:
        unit = Unit(code="NEW", kind="commune", name_vi="Xã mới", name_en="New",
                    valid_from=date(2026, 1, 1))  # fmt: skip
        session.add(unit)
        session.flush()
        world.province.units["NEW"] = unit.id
    lonely = world.province.person((Role.UNIT_HEAD, "NEW"))
    assert "Chưa có điểm khảo sát nào" in words_of(open_page("/dashboard", lonely))


def test_reading_comments_is_logged_and_bound_to_the_right(world, open_page):
    def readings():
        with world.province.database.reading() as session:
            return session.scalar(select(func.count()).where(AuditEntry.action == "comments.read"))

    before = readings()
    page = "/dashboard/comments?unit=D1&month=2026-05"
    assert "được ghi vào nhật ký" in words_of(open_page(page))
    assert readings() == before + 1
    desk = world.province.person((Role.DESK_STAFF, "D1"))
    open_page(page, desk, 403)
    assert "/dashboard/comments" not in open_page(f"/dashboard/unit?{LINK}", desk).text
    assert readings() == before + 1


def test_comments_open_with_the_last_month_that_has_answers_and_offer_others(open_page):
    """Nobody wrote: of the months with answers it is the last (tests/figures has comments)."""
    page = open_page("/dashboard/comments?unit=K03")
    offered = re.findall(
        r'<option value="(20\d\d-\d\d)"( selected)?>', page.text.split('id="to"')[0]
    )
    months = [month for month, _ in offered]
    assert [month for month, chosen in offered if chosen] == months[:1]
    assert (
        months == sorted(months, reverse=True) and "2026-06" in months and "2021-02" not in months
    )
    old = open_page("/dashboard/comments?unit=K03&month=2021-02")
    assert '<option value="2021-02" selected>' in old.text
    open_page("/dashboard/comments?unit=K03&month=2026", status=422)


def test_comments_name_the_unit_and_open_with_the_month_of_the_page(world, open_page):
    page = open_page(f"/dashboard/unit?unit=K03&questionnaire={FORM.code}&period=2026-Q1")
    link = "/dashboard/comments?unit=K03&amp;month=2026-03"
    assert link in page.text
    heading = words_of(open_page(link.replace("&amp;", "&")))
    assert "Xã K03" in heading and "tháng 3 năm 2026" in heading.lower()


def test_an_alert_that_a_rate_fell_leads_to_what_people_say_since(world, open_page):
    page = open_page(f"/dashboard/overview?{LINK}")
    (since,) = set(re.findall(rf'comments\?unit={FELL}&amp;since=([\w-]+)#risen"', page.text))
    assert 'id="risen"' in open_page(f"/dashboard/comments?unit={FELL}&since={since}").text
    desk = world.province.person((Role.DESK_STAFF, "D1"))
    assert "#risen" not in open_page(f"/dashboard/overview?{LINK}", desk).text
