"""Who sees which case, what is done about one, what a citizen's code opens, what is overdue."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.access.callers import Caller, grants_of, owner
from app.access.doors import RightMissing
from app.access.models import Account, Right
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.cases import citizens, handling, lists, shown
from app.cases import mailing as cases_mailing
from app.cases.batching import open_batches
from app.cases.finding import open_misconduct
from app.cases.handling import Act, CaseClosed, CaseNotYours, Change, HandlerUnnamed, NobodyReads
from app.cases.lists import CaseListInvalid, ListName
from app.cases.mailing import mail_news
from app.cases.models import Case, CaseState, CaseSubject, Origin
from app.cases.opening import open_wishes
from app.cases.overdue import escalate
from app.cases.reach import Reach
from app.cases.shown import Filters, HowMany, Shown, UnknownCase
from app.intake.models import Response
from app.mail import send_mail
from app.problems import InvalidFields
from app.registry.questionnaires import published
from app.registry.structures import read_units
from tests.cases.sent import (
    ELEVENTH,
    GOOD,
    LOW,
    MONTH,
    SETTINGS,
    all_cases,
    form,
    keep,
    new_code,
    sent,
)
from tests.integrity.mailbox import mailbox

BRIBE = "Cán bộ gợi ý đưa phong bì"
DAYS = timedelta(days=1)


def caller(database, *roles, province):
    """Somebody with roles, as their session or their own key has it."""
    somebody = province.person(*roles)
    with database.reading() as session:
        account = session.get_one(Account, somebody.account_id)
        return Caller(account.email, grants_of(account), account_id=account.id)


def seen(database, who, today=ELEVENTH, **filters):
    with database.reading() as session:
        reach = Reach.of_caller(session, who, today)
        rows, total = shown.listed(session, reach, Filters(**{"shown": Shown.ALL} | filters), today)
        assert total == len(rows)
        return {row.case.id for row in rows}


def do(database, who, id, act, today=ELEVENTH, **change):
    with database.writing(who.name) as session:
        return handling.handle(session, who, id, act, Change(**change), today)


def look(database, who, id, today=ELEVENTH):
    with database.reading() as session:
        return shown.shown(session, SETTINGS, Reach.of_caller(session, who, today), id, today)


@pytest.fixture
def codes(database, province):
    """A wish about C1, one about C1 that speaks of misconduct, and one about C2."""
    version, at = form(database), province.units
    codes = [new_code() for _ in range(3)]
    keep(
        database,
        [
            sent(version, at["C1"], answers=LOW, comment="Chờ ba tiếng", code=codes[0]),
            sent(version, at["C1"], comment=BRIBE, code=codes[1]),
            sent(version, at["C2"], code=codes[2]),
        ],
    )
    assert open_wishes(database, SETTINGS, MONTH) == 3
    return codes


def id_of(database, code):
    with database.reading() as session:
        return session.scalars(
            select(CaseSubject.case_id).where(
                CaseSubject.response_id == citizens.response_of(session, code)
            )
        ).one()


def test_each_sees_the_cases_of_their_units_but_for_what_is_kept_from_these(
    database, province, codes
):
    plain, secret, other = (id_of(database, code) for code in codes)

    def who(*roles):
        return caller(database, *roles, province=province)

    everything = {plain, secret, other}
    assert seen(database, who((Role.CARE_DESK, "C1"))) == {plain}
    assert seen(database, who((Role.UNIT_HEAD, "C1"))) == {plain}
    assert seen(database, who((Role.CARE_DESK, "D1"))) == {plain, other}
    # It was handed to the topmost unit: nobody was at D1 when it was opened.
    assert seen(database, who((Role.CARE_DESK, "77"))) == everything
    assert seen(database, who((Role.CARE_DESK, None))) == everything
    assert seen(database, who((Role.PROVINCIAL_ANALYST, None))) == everything
    assert seen(database, who((Role.AUDITOR, None))) == everything
    # Any role on the unit, or below it, keeps it from somebody who has another one above.
    assert seen(database, who((Role.CARE_DESK, "77"), (Role.DESK_STAFF, "C1"))) == {plain, other}
    assert seen(database, who((Role.CARE_DESK, None), (Role.AUDITOR, "C1"))) == {plain, other}
    for role in (Role.OPERATOR, Role.DESK_STAFF):
        nothing = who((role, "C1"))
        assert Right.READ_CASES not in nothing.rights and seen(database, nothing) == set()
    desk = who((Role.CARE_DESK, "C1"))
    with pytest.raises(UnknownCase):
        look(database, desk, secret)
    with pytest.raises(UnknownCase):
        do(database, desk, secret, Act.TAKE)
    # With the filters, too; whoever has the machine sees all.
    for which in Shown:
        assert secret not in seen(database, desk, shown=which)
    assert seen(database, owner("x")) == everything
    assert seen(database, who((Role.CARE_DESK, "77")), unit="C1") == {plain, secret}
    assert seen(database, desk, origin=Origin.BATCH) == set()


def test_a_case_is_taken_noted_answered_written_back_to_and_closed(database, province, codes):
    id = id_of(database, codes[0])
    desk = caller(database, (Role.CARE_DESK, "C1"), province=province)
    one = look(database, desk, id)
    assert [said for _, said in one.words] == [["Chờ ba tiếng"]]
    assert [(low.item, low.level.vi) for low in one.low] == [("A1", one.low[0].level.vi)]
    do(database, desk, id, Act.TAKE)
    assert seen(database, desk, shown=Shown.MINE) == {id}
    do(database, desk, id, Act.SET, due_day=ELEVENTH + DAYS, cause="waiting")
    do(database, desk, id, Act.NOTE, text="  Hỏi   lại\nbộ phận ")
    with pytest.raises(InvalidFields):
        do(database, desk, id, Act.SET, due_day=ELEVENTH - DAYS)
    with pytest.raises(InvalidFields):
        do(database, desk, id, Act.SET, cause="weather")
    for text in (" ", "x" * 2001):
        with pytest.raises(InvalidFields):
            do(database, desk, id, Act.REPLY, text=text)
    with database.reading() as session:
        assert not citizens.find(session, codes[0]).may_write
    do(database, desk, id, Act.REPLY, text="Đã mở thêm quầy.")
    spaced = "-".join(codes[0][at : at + 4] for at in range(0, 16, 4)).lower()
    with database.writing("citizen") as session:
        found = citizens.find(session, spaced)
        assert (found.state, found.may_write) == (CaseState.ANSWERED, True)
        assert [each.body for each in found.messages] == ["Đã mở thêm quầy."]
        citizens.write(session, SETTINGS, spaced, "Cảm ơn, vẫn chậm.", ELEVENTH)
    for text in ("Nữa", "Và nữa"):
        with pytest.raises(citizens.MessageSent), database.writing() as session:
            citizens.write(session, SETTINGS, codes[0], text, ELEVENTH)
    (case,) = (each for each in all_cases(database) if each.id == id)
    assert (case.state, case.news) == (CaseState.WORKING, "written")
    with pytest.raises(InvalidFields) as wrong:
        do(database, desk, id, Act.CLOSE, text="")
    assert [each.field for each in wrong.value.errors] == ["text"]
    do(database, desk, id, Act.CLOSE, text="Bổ sung người trực.")
    with pytest.raises(CaseClosed):
        do(database, desk, id, Act.REPLY, text="Còn gì nữa")
    do(database, desk, id, Act.NOTE, text="Theo dõi tiếp")
    one = look(database, desk, id)
    assert [note.body for note in one.notes] == ["Hỏi lại\nbộ phận", "Theo dõi tiếp"]
    assert (one.row.case.closed_day, one.row.cause.code) == (ELEVENTH, "waiting")
    # It is all in the log, by name, and nothing that anybody wrote.
    with database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == str(id))).all()
        acts = [json.loads(entry.details)["act"] for entry in entries]
        assert acts == ["take", "set", "note", "reply", "close", "note"]
        assert {entry.actor for entry in entries} == {desk.name}
        assert not any(word in str(e.details) for e in entries for word in ("quầy", "Hỏi", "chậm"))
        assert (
            session.scalar(
                select(func.count()).select_from(AuditEntry).where(AuditEntry.actor == "citizen")
            )
            == 0
        )


def test_what_is_not_ones_own_is_not_dealt_with(database, province, codes):
    id = id_of(database, codes[0])
    system = Caller("a system", caller(database, (Role.CARE_DESK, "C1"), province=province).grants)
    with pytest.raises(HandlerUnnamed):
        do(database, system, id, Act.TAKE)
    with pytest.raises(RightMissing):
        do(database, caller(database, (Role.AUDITOR, None), province=province), id, Act.TAKE)
    desk = caller(database, (Role.CARE_DESK, "C1"), province=province)
    above = caller(database, (Role.CARE_DESK, "D1"), province=province)
    for nothing in ("", " \n "):
        with pytest.raises(InvalidFields) as refused:
            do(database, desk, id, Act.HAND_ON, text=nothing)
        assert [each.field for each in refused.value.errors] == ["text"]
    assert look(database, desk, id).row.may_handle
    do(database, desk, id, Act.HAND_ON, text="Thuộc thẩm quyền cấp trên.")
    note = look(database, above, id).notes[-1]
    assert (note.body, note.made_by) == ("Thuộc thẩm quyền cấp trên.", "Người thứ 3")
    assert id in seen(database, desk) and not look(database, desk, id).row.may_handle
    with pytest.raises(CaseNotYours):
        do(database, desk, id, Act.TAKE)
    do(database, above, id, Act.TAKE)
    do(database, above, id, Act.HAND_ON, text="Việc của tỉnh.")
    with pytest.raises(CaseNotYours):
        do(database, above, id, Act.TAKE)
    everywhere = caller(database, (Role.CARE_DESK, None), province=province)
    with pytest.raises(handling.NothingAbove):
        do(database, everywhere, id, Act.HAND_ON)


def test_a_codes_case_is_hers_alone_and_every_other_code_is_answered_alike(
    database, province, codes
):
    with database.reading() as session:
        units = [citizens.find(session, code).unit.code for code in codes]
        assert units == ["C1", "C1", "C2"]
        told = set()
        for wrong in ("", "x", "0" * 15, "0" * 16, "0" * 400, new_code(), "ŨŨŨ" * 8, codes[0][:-1]):
            with pytest.raises(citizens.CodeOpensNothing) as refused:
                citizens.find(session, wrong)
            told.add(refused.value.detail("vi"))
        assert len(told) == 1
        assert citizens.response_of(session, codes[0])
    # Before it is opened it is known, and says so.
    keep(database, [sent(form(database), province.units["C1"], code=(fresh := new_code()))])
    with database.reading() as session:
        assert citizens.find(session, fresh).unit is None
        with pytest.raises(citizens.MessageSent):
            citizens.write(session, SETTINGS, fresh, "Xin chào", MONTH)
    assert citizens.as_typed("o0il-1 zz zz-zzzzzzzz") == "00111ZZZZZZZZZZZZ"[:17]


def test_what_she_writes_of_misconduct_is_a_case_above_and_the_unit_sees_nothing_change(
    database, province, codes
):
    """A case that vanished, or changed, would tell whoever had it that she wrote, and of what."""
    id = id_of(database, codes[0])
    desk = caller(database, (Role.CARE_DESK, "C1"), province=province)
    do(database, desk, id, Act.TAKE)
    do(database, desk, id, Act.REPLY, text="Xin nói rõ hơn.")
    (before,) = (each for each in all_cases(database) if each.id == id)
    with database.writing("citizen") as session:
        citizens.write(session, SETTINGS, codes[0], "Họ vòi tiền.", MONTH)
    (after,) = (each for each in all_cases(database) if each.id == id)
    columns = [column.name for column in Case.__table__.columns]
    assert all(getattr(after, name) == getattr(before, name) for name in columns)
    assert seen(database, desk) == {id}
    assert [each.body for each in look(database, desk, id).messages] == ["Xin nói rõ hơn."]
    above = caller(database, (Role.CARE_DESK, "77"), province=province)
    (new,) = (each for each in all_cases(database) if each.follows_id == id)
    assert new.id in seen(database, above) and new.confidential and new.low_items == "{}"
    one = look(database, above, new.id)
    assert [each.body for each in one.messages] == ["Họ vòi tiền."] and one.replies
    do(database, above, new.id, Act.REPLY, text="Chúng tôi đang xác minh.")
    do(database, above, new.id, Act.CLOSE, cause="other", text="Đã chấn chỉnh")
    with database.reading() as session:
        found = citizens.find(session, codes[0])
        assert [each.body for each in found.messages] == [
            "Xin nói rõ hơn.", "Họ vòi tiền.", "Chúng tôi đang xác minh.",
        ]  # fmt: skip
        assert found.closed == [(ELEVENTH, "Đã chấn chỉnh")] and not found.may_write


def test_a_batch_shows_what_they_said_and_numbers_that_tell_of_no_few(database, province):
    version, unit = form(database), province.units["C1"]
    answers = [{"A1": 1, "B1": 1 if n < 24 else 5, "C1": 1 if n < 3 else 4,
                "D1": 2 if n < 12 else 4} for n in range(30)]  # fmt: skip
    keep(
        database,
        [sent(version, unit, MONTH, each, comment=f"Ý kiến {n}") for n, each in enumerate(answers)],
    )
    assert open_batches(database, SETTINGS, ELEVENTH) == 1
    (case,) = all_cases(database)
    desk = caller(database, (Role.CARE_DESK, "C1"), province=province)
    one = look(database, desk, case.id)
    assert {each.item: (each.how_many, each.n) for each in one.low} == {
        "A1": (HowMany.NUMBER, 30),
        "B1": (HowMany.NEARLY_ALL, None),
        "C1": (HowMany.FEW, None),
        "D1": (HowMany.NUMBER, 12),
    }
    ((_, said),) = one.words
    written = [f"Ý kiến {n}" for n in range(30)]
    assert sorted(said) == sorted(written) and list(said) != written
    with pytest.raises(NobodyReads):
        do(database, desk, case.id, Act.REPLY, text="Ai đó?")
    # Where some were set aside since, so that few are left, nothing that they said is shown.
    with database.writing() as session:
        ids = session.scalars(select(Response.id).limit(21)).all()
        session.execute(
            update(Response).where(Response.id.in_(ids)).values(disposition="quarantined")
        )
    assert look(database, desk, case.id).withheld and not look(database, desk, case.id).words
    analyst = caller(database, (Role.PROVINCIAL_ANALYST, None), province=province)
    assert len(look(database, analyst, case.id).words[0][1]) == 9


def test_of_misconduct_without_a_wish_words_are_shown_where_ten_answered(database, province):
    version, at = form(database), province.units
    keep(database, [sent(version, at["C1"], MONTH, LOW, comment=BRIBE)])
    assert open_misconduct(database, SETTINGS, MONTH + 14 * DAYS) == 1
    (case,) = all_cases(database)
    desk = caller(database, (Role.CARE_DESK, "77"), province=province)
    analyst = caller(database, (Role.PROVINCIAL_ANALYST, None), province=province)
    one = look(database, desk, case.id)
    assert one.withheld and one.words == [] and one.low == []
    assert look(database, analyst, case.id).words[0][1] == [BRIBE]
    keep(database, [sent(version, at["C1"], MONTH, GOOD) for _ in range(9)])
    assert look(database, desk, case.id).words[0][1] == [BRIBE]
    with pytest.raises(NobodyReads):
        do(database, desk, case.id, Act.REPLY, text="Ai đó?")


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


def test_lists_have_versions_that_are_checked_and_logged(database):
    with database.reading() as session:
        shipped = lists.in_force(session, ListName.CAUSES)
        codes = [cause.code for cause in lists.causes(session)]
        assert shipped.version == 0 and {"waiting", "attitude", "other"} <= set(codes)
        # Each factor that a cause names is one of that questionnaire.
        forms = {version.form.code: version.form for version in published(session)}
        for cause in lists.causes(session):
            for code, factor in cause.factors.items():
                assert factor in {each.code for each in forms[code].factors}, cause.code
        assert lists.finder(session).find("nhận hối lộ")
    with database.writing("somebody") as session:
        done = lists.set_list(session, ListName.WORDS, "- cò mồi\n# thử\n", "Nguyễn A")
        assert (done.version, done.set_by) == (1, "Nguyễn A")
        assert lists.finder(session).find("nhận hối lộ") is None
        assert lists.finder(session).find("bọn co moi")
        lists.set_list(session, ListName.WORDS, "", "Nguyễn A")
        assert lists.finder(session).find("cò mồi") is None
    for name, wrong in (
        (ListName.WORDS, "hối lộ"), (ListName.WORDS, "- [a, b]"), (ListName.WORDS, "- 5"),
        (ListName.WORDS, "- '!!!'"), (ListName.WORDS, "- a b c d e f g"), (ListName.WORDS, "{"),
        (ListName.WORDS, "x" * 20_001), (ListName.CAUSES, ""), (ListName.CAUSES, "- code: a"),
        (ListName.CAUSES, "- {code: aa, vi: a, en: b}\n- {code: aa, vi: c, en: d}"),
    ):  # fmt: skip
        with pytest.raises(CaseListInvalid), database.writing() as session:
            lists.set_list(session, name, wrong, "x")
    with database.reading() as session:
        assert [each.version for each in lists.history(session, ListName.WORDS)] == [2, 1, 0]
        actions = session.scalars(select(AuditEntry.action)).all()
        assert actions.count("case.list") == 2
