"""Mails about cases: to whom, once, and nobody forgotten, whatever breaks."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.access.roles import Role
from app.cases import mailing as cases_mailing
from app.cases.handling import Act
from app.cases.mailing import mail_news
from app.cases.models import Case
from app.cases.overdue import escalate
from app.cases.shown import Shown
from app.mail import send_mail
from app.registry.structures import read_units
from tests.cases.handlers import caller, do, id_of, look, seen
from tests.cases.sent import (
    MONTH,
    SETTINGS,
    all_cases,
)
from tests.integrity.mailbox import mailbox

DAYS = timedelta(days=1)


def mailed_to(box):
    """How many mails each had, with their numbers."""
    return sorted((mail["To"], mail["Subject"].split()[-1]) for mail in box.mails)


def overdue(database, province, codes):
    """Two cases that became overdue, with an owner of the first, and who hears of both."""
    plain, _, _ = (id_of(database, code) for code in codes)
    desk = caller(database, (Role.CARE_DESK, "C1"), province=province)
    do(database, desk, plain, Act.TAKE, today=MONTH)
    above = caller(database, (Role.CARE_DESK, "D1"), province=province)
    escalate(database, MONTH + 40 * DAYS)
    return desk.name, above.name


def test_whom_the_mail_server_refuses_is_told_later_also_where_others_were_told(
    database, province, codes
):
    desk, above = overdue(database, province, codes)
    with mailbox() as box:
        mailing = SETTINGS.model_copy(update={"mail_server": box.server})
        box.refuses.add(above)
        assert mail_news(database, mailing) == 1 and mailed_to(box) == [(desk, "1")]
        assert mail_news(database, mailing) == 0
        box.refuses.clear()
        assert mail_news(database, mailing) == 1 and mail_news(database, mailing) == 0
        # Of the case whose owner had been told, too.
        assert mailed_to(box) == sorted([(desk, "1"), (above, "2")])


def test_a_mail_server_that_is_away_is_tried_once_a_round_and_nobody_is_forgotten(
    database, province, codes, monkeypatch
):
    desk, above = overdue(database, province, codes)
    mailing = SETTINGS.model_copy(update={"mail_server": "smtp://127.0.0.1:1"})
    tried = []

    def away(_, message, timeout_s):
        tried.append((message["To"], timeout_s))
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(cases_mailing, "send_mail", away)
        for rounds in (1, 2):
            assert mail_news(database, mailing) == 0
            assert len(tried) == rounds and tried[-1][1] <= 15
    with mailbox() as box:
        mailing = SETTINGS.model_copy(update={"mail_server": box.server})
        assert mail_news(database, mailing) == 2
        assert mailed_to(box) == sorted([(desk, "1"), (above, "2")])


class Killed(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("mails", [0, 1])
def test_a_process_that_is_killed_between_mails_forgets_nobody(
    database, province, codes, monkeypatch, mails
):
    desk, above = overdue(database, province, codes)
    with mailbox() as box:
        mailing = SETTINGS.model_copy(update={"mail_server": box.server})

        def dying(*arguments):
            if len(box.mails) == mails:
                raise Killed
            send_mail(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(cases_mailing, "send_mail", dying)
            with pytest.raises(Killed):
                mail_news(database, mailing)
        later = datetime.now(UTC) + cases_mailing.IN_HAND
        mail_news(database, mailing, lambda: later)
        assert mailed_to(box) == sorted([(desk, "1"), (above, "2")])


def test_nothing_is_written_where_no_news_wait(database, monkeypatch):
    mailing = SETTINGS.model_copy(update={"mail_server": "smtp://127.0.0.1:1"})
    monkeypatch.setattr(database, "writing", None)
    for settings in (SETTINGS, mailing):
        assert mail_news(database, settings) == 0


def test_units_are_read_once_for_all_that_is_confidential(database, province, codes, monkeypatch):
    overdue(database, province, codes)
    with database.writing() as session:
        session.execute(update(Case).values(confidential=True))
    reads = []

    def reading(session):
        reads.append(session)
        return read_units(session)

    monkeypatch.setattr(cases_mailing, "read_units", reading)
    with mailbox() as box:
        mail_news(database, SETTINGS.model_copy(update={"mail_server": box.server}))
    assert len(reads) == 1


def test_what_is_overdue_is_handed_on_and_mailed_once_without_a_word_of_it(
    database, province, codes
):
    plain, secret, _ = (id_of(database, code) for code in codes)
    desk = caller(database, (Role.CARE_DESK, "C1"), province=province)
    above = caller(database, (Role.CARE_DESK, "D1"), province=province)
    do(database, desk, plain, Act.TAKE, today=MONTH)
    assert escalate(database, MONTH + 10 * DAYS) == 0
    # The server was down for a month.
    late = MONTH + 40 * DAYS
    assert escalate(database, late) == 3 and escalate(database, late + DAYS) == 0
    by_id = {case.id: case for case in all_cases(database)}
    at = province.units
    assert by_id[plain].handed_to_id == at["D1"] and by_id[secret].handed_to_id == at["77"]
    assert {case.escalated_day for case in by_id.values()} == {late}
    assert plain in seen(database, desk, shown=Shown.OVERDUE)
    assert look(database, above, plain).row.may_handle
    with mailbox() as box:
        mailing = SETTINGS.model_copy(
            update={"mail_server": box.server, "public_url": "https://hailong.example.vn"}
        )
        box.refuses.update({desk.name, above.name})
        assert mail_news(database, mailing) == 0 and box.mails == []
        box.refuses.clear()
        assert mail_news(database, mailing) == 2 and mail_news(database, mailing) == 0
        # One mail to each: its owner of one, and of both those where they were handed on to.
        told = {mail["To"]: mail["Subject"] for mail in box.mails}
        assert told == {desk.name: "Số phản ánh mới quá hạn: 1",
                        above.name: "Số phản ánh mới quá hạn: 2"}  # fmt: skip
        for mail in box.mails:
            text = mail["Subject"] + mail.get_content()
            assert "https://hailong.example.vn/cases?show=overdue" in text
            for word in ("Chờ", "C1", "C2", "waiting", "tháng", str(plain), str(secret)):
                assert word not in text, word
    do(database, above, plain, Act.CLOSE, cause="other", text="Xong")
    with database.reading() as session:
        assert session.scalars(select(Case.news).where(Case.news.is_not(None))).all() == []
