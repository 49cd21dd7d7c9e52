"""Mails to reviewers: one a person, of what is new, waits, and is theirs to decide."""

from datetime import UTC, datetime, timedelta

import pytest

from app.access.roles import Role
from app.integrity.mailing import MOST_LISTED, Mailed, mail_reviewers
from app.integrity.models import State
from app.settings import Settings
from tests.integrity.mailbox import mailbox
from tests.integrity.suspected import batch_of

NOW = datetime.now(UTC)


@pytest.fixture
def box():
    with mailbox() as box:
        box.settings = Settings(mail_server=box.server, public_url="https://hailong.example.vn")
        yield box


def mail(database, box, since=NOW - timedelta(days=1)):
    box.mails.clear()
    with database.reading() as session:
        mailed = mail_reviewers(session, box.settings, since)
    assert mailed.taken == len(box.mails)
    return {each["To"]: each for each in box.mails}


def test_each_reviewer_has_one_mail_of_what_is_new_and_theirs(database, province, box):
    at = province.units
    here, there = batch_of(database, at["C1"], []), batch_of(database, at["W1"], [])
    batch_of(database, at["C1"], [], found_at=NOW - timedelta(days=3))
    batch_of(database, at["C1"], [], state=State.REJECTED)
    everywhere = province.person((Role.PROVINCIAL_ANALYST, None))
    district = province.person((Role.PROVINCIAL_ANALYST, "D1"))
    also_desk = province.person((Role.PROVINCIAL_ANALYST, "D1"), (Role.DESK_STAFF, "C1"))
    for role, unit in ((Role.UNIT_HEAD, "C1"), (Role.AUDITOR, None), (Role.OPERATOR, None)):
        province.person((role, unit))
    mails = mail(database, box)
    assert set(mails) == {everywhere.email, district.email} and also_desk.email not in mails
    of_all, of_one = (mails[who.email].get_content() for who in (everywhere, district))
    assert mails[everywhere.email]["Subject"] == "2 lô phiếu nghi vấn đang chờ xem xét"
    for id in (here, there):
        assert f"https://hailong.example.vn/integrity/{id}" in of_all
    assert f"/integrity/{here}" in of_one and f"/integrity/{there}" not in of_one
    assert "Đơn vị C1 (C1), tháng 9 năm 2026, mã QR: 99,9%" in of_one
    assert mail(database, box, since=NOW + timedelta(hours=1)) == {}


def test_an_address_that_is_refused_holds_up_no_other(database, province, box):
    batch_of(database, province.units["C1"], [])
    gone = province.person((Role.PROVINCIAL_ANALYST, None))
    good = province.person((Role.PROVINCIAL_ANALYST, "77"))
    box.refuses.add(gone.email)
    assert set(mail(database, box)) == {good.email}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mail_lists_not_without_end(database, province, box):
    for _ in range(MOST_LISTED + 5):
        batch_of(database, province.units["C1"], [])
    who = province.person((Role.PROVINCIAL_ANALYST, None))
    said = mail(database, box)[who.email].get_content()
    assert said.count("/integrity/") == MOST_LISTED and f"Có {MOST_LISTED + 5} lô" in said


def test_without_a_mail_server_nothing_is_sent(database, province):
    batch_of(database, province.units["C1"], [])
    province.person((Role.PROVINCIAL_ANALYST, None))
    with database.reading() as session:
        assert mail_reviewers(session, Settings(), NOW - timedelta(days=1)) == Mailed(0, 0)
