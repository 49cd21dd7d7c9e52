"""What a digest says: one figure, what is real, what waits; nothing of few, nor of content."""

import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from app.access.callers import owner
from app.access.models import Account
from app.access.roles import Role
from app.digest.contents import gather, head_of
from app.digest.sending import reader
from app.digest.writing import html, message, subject, text
from app.integrity.models import State, SuspectBatch
from app.messages.words import Words
from app.registry.models import Unit
from app.reports.views.context import Chosen, ViewContext
from app.reports.views.unit import headline
from tests.cases.sent import case_about, form
from tests.changed_tree import merge
from tests.digest.conftest import ADDRESS, COMMENT, SEPTEMBER, answered

AUGUST = date(2026, 8, 1)


@pytest.fixture
def told(database, settings):
    """What a person's digest of a month says, as plain text."""

    def tell(who, month=SEPTEMBER, language="vi"):
        with database.reading() as session:
            account = session.get_one(Account, who.account_id)
            account.language = language
            found = gather(session, settings, reader(session, settings, account), month)
            session.rollback()
            return text(settings, found) if found.sections else None

    return tell


@pytest.fixture
def head(province):
    return province.person((Role.UNIT_HEAD, "C1"))


def test_a_head_reads_one_figure_what_is_real_what_waits_and_where(
    database, province, settings, told, head
):
    answered(database, province.units["C1"], AUGUST, 40, 10)
    answered(database, province.units["C1"], SEPTEMBER, 41, 9)
    for days, confidential in ((1, False), (60, False), (60, True)):
        case_about(
            database, province.units["C1"], due_day=date(2026, 1, days % 28 + 1)
            if days == 60 else date(2090, 1, 1), confidential=confidential,
            handed_to_id=province.units["D1" if confidential else "C1"],
        )  # fmt: skip
    said = told(head)
    with database.reading() as session:
        chosen = Chosen("C1", "sipas-desk", "2026-09")
        index = headline(ViewContext.of(session, owner("test"), settings, chosen)).index
    w = Words("vi")
    for each in (
        "ĐƠN VỊ C1", "tháng 9 năm 2026", f"{w.percent(index.rate)} hài lòng", w.percent(index.low),
        w.percent(index.high), "85%", "Không có thay đổi nào vượt quá ngẫu nhiên",
        "Chưa kết thúc: 2; trong đó quá hạn: 1.",
        f"{ADDRESS}/cases?unit=C1",
        f"{ADDRESS}/dashboard/comments?unit=C1&month=2026-09&questionnaire=sipas-desk",
        f"{ADDRESS}/dashboard/unit?unit=C1&period=2026-09", f"{ADDRESS}/profile",
    ):  # fmt: skip
        assert each in said, (each, said)
    # One rate, with its interval, and the target; never a word of anybody's.
    assert len(set(re.findall(r"[\d,]+%", said))) == 4
    assert COMMENT not in said
    # Above them the confidential case is seen in the list, and is in no number of a mail either.
    above = told(province.person((Role.UNIT_HEAD, "D1")))
    assert "Chưa kết thúc: 2; trong đó quá hạn: 1." in above
    english = told(head, language="en")
    for each in ("UNIT C1", "September 2026", "satisfied", "Nothing moved beyond chance",
                 "Not closed: 2; of these overdue: 1."):  # fmt: skip
        assert each in english, each


def test_a_change_that_is_real_is_said_and_what_to_do_first(database, province, told, head):
    answered(database, province.units["C1"], AUGUST, 90, 5)
    answered(database, province.units["C1"], SEPTEMBER, 40, 60)
    answered(database, province.units["C2"], AUGUST, 45, 5)
    answered(database, province.units["C2"], SEPTEMBER, 45, 5)
    said = told(head)
    assert "Không có thay đổi nào" not in said and "Giảm" in said.split("Nên làm gì")[0], said
    assert "Nên làm gì trước:" in said
    # Who watches the district is told which of its units it was, by name.
    above = told(province.person((Role.UNIT_HEAD, "D1")))
    assert "1 đơn vị giảm vượt quá ngẫu nhiên so với kỳ trước: Đơn vị C1" in above
    assert "Đơn vị C2" not in above


def test_of_nobody_and_of_few_no_figure_is_told_whoever_reads(database, province, told, head):
    answered(database, province.units["C2"], SEPTEMBER, 30, 5)
    said = told(head)
    assert "Có gì thay đổi thật" not in said and "%" not in said and "/comments" not in said
    assert "tháng 9 năm 2026" in said
    answered(database, province.units["C1"], SEPTEMBER, 4, 5)
    # Not to an analyst either, who sees them by signing in: a mail leaves the house.
    analyst = province.person((Role.PROVINCIAL_ANALYST, "C1"))
    for who in (head, analyst):
        said = told(who)
        assert "%" not in said and "hài lòng 4" not in said and "/comments" not in said
    # Nor does it follow from who heads both: C2 alone beside the two together.
    above = told(province.person((Role.UNIT_HEAD, "D1"), (Role.UNIT_HEAD, "C2")))
    assert above.count("hài lòng\n") <= 1


def test_a_unit_under_suspicion_is_nobodys_model(database, province, told, head):
    answered(database, province.units["C1"], AUGUST, 50, 50)
    answered(database, province.units["C1"], SEPTEMBER, 99, 1)
    assert "Tăng" in told(head) and "trên mục tiêu" in told(head)
    with database.writing() as session:
        session.add(
            SuspectBatch(
                unit_id=province.units["C1"], version_id=form(database).id, channel="qr",
                month=SEPTEMBER, credential_id=None, rule="stuffing", rule_version=1,
                probability=0.99, suspected=15.0, responses=60, reasons="[]",
                state=State.OPEN.value, found_at=datetime.now(UTC),
            )
        )  # fmt: skip
    said = told(head)
    assert "bị nghi không do người dân gửi" in said and "Xem lại các câu trả lời" in said
    assert "Tăng" not in said and "trên mục tiêu" not in said


def test_a_unit_that_ended_is_told_of_until_its_last_month(database, province, told):
    head = province.person((Role.UNIT_HEAD, "C1"))
    answered(database, province.units["C1"], SEPTEMBER, 30, 6)
    answered(database, province.units["C2"], SEPTEMBER, 30, 6)
    with database.writing() as session:
        found = session.scalars(select(Unit).where(Unit.code.in_(["C1", "C2"]))).all()
        new = merge(session, found, "N1", date(2026, 10, 1), today=date(2026, 11, 1), points=False)
        province.units["N1"] = new.id
    said = told(head)
    assert "ĐƠN VỊ C1" in said and "hài lòng" in said
    assert told(head, date(2026, 10, 1)) is None
    # Whoever heads what became of them has both.
    successor = told(province.person((Role.UNIT_HEAD, "N1")))
    assert successor is not None and "72" in successor


def test_two_units_are_one_mail_and_a_role_that_heads_none_has_no_digest(
    database, province, settings, told
):
    answered(database, province.units["C1"], SEPTEMBER, 30, 6)
    two = province.person((Role.UNIT_HEAD, "C1"), (Role.UNIT_HEAD, "C2"), (Role.CARE_DESK, "C1"))
    said = told(two)
    assert said.count("ĐƠN VỊ C1") == 1 and said.count("ĐƠN VỊ C2") == 1
    assert told(province.person((Role.CARE_DESK, "C1"), (Role.AUDITOR, None))) is None
    # Who watches all has the whole; who heads no unit that asks anything has none.
    assert "ĐƠN VỊ 77" in told(province.person((Role.PROVINCIAL_ANALYST, None)))


def test_text_and_html_say_the_same_and_the_subject_has_no_figure(database, province, settings):
    answered(database, province.units["C1"], SEPTEMBER, 30, 6)
    with database.writing() as session:
        session.scalars(select(Unit).where(Unit.code == "C1")).one().name_vi = "Xã <b>Một</b>"
    with database.reading() as session:
        found = gather(session, settings, head_of(session, "C1", Words("vi")), SEPTEMBER)
    assert subject(found) == "Hài Lòng tháng 9 năm 2026: Xã <b>Một</b>"
    page = html(settings, found)
    assert "Xã &lt;b&gt;Một&lt;/b&gt;" in page and "<b>" not in page
    assert not re.search(r"<(script|img|link|style)\b", page)
    for part in found.sections[0].parts:
        for line in part.lines:
            assert line.text in text(settings, found)
            assert line.text in page
    mail = message(settings, found, "an@tinh.vn", 7)
    assert mail["Message-ID"] == "<digest.2026-09.7@tinh.example.vn>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
