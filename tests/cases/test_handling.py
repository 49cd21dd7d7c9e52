"""Who sees which case, what is done about one, what a citizen's code opens, what is overdue."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.access.callers import Caller, owner
from app.access.doors import RightMissing
from app.access.models import Right
from app.access.roles import Role
from app.audit.models import AuditEntry
from app.cases import citizens, handling, lists
from app.cases.batching import open_batches
from app.cases.finding import open_misconduct
from app.cases.handling import Act, CaseClosed, CaseNotYours, HandlerUnnamed, NobodyReads
from app.cases.lists import CaseListInvalid, ListName
from app.cases.models import Case, CaseState, Origin
from app.cases.shown import HowMany, Shown, UnknownCase
from app.intake.models import Response
from app.problems import InvalidFields
from app.registry.questionnaires import published
from tests.cases.handlers import BRIBE, caller, do, id_of, look, seen
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

DAYS = timedelta(days=1)


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
