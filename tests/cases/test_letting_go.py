"""What a case loses when its citizen withdraws; that nobody sees by cases who did."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.access.roles import Role
from app.cases import batching, citizens, handling, shown
from app.cases.batching import open_batches
from app.cases.handling import Act, CaseClosed, Change
from app.cases.mailing import mail_news
from app.cases.models import CaseState
from app.cases.opening import open_wishes
from app.cases.own_response import own_response
from app.cases.quoting import CUT, without_quotations
from app.cases.reach import Reach
from app.clock import local_today
from app.db import Base
from app.figures.cases import figures
from app.figures.release import ReleaseRule
from app.intake.models import AsideResponse, Disposition, Response, WithdrawnResponse
from app.retention.deleting import delete_before
from app.retention.limits import Limits
from app.retention.withdrawing import Withdrawal, withdraw, withdraw_refused, withdraw_texts
from tests.cases.sent import (
    ELEVENTH,
    LOW,
    MONTH,
    SETTINGS,
    all_cases,
    form,
    hash_of_code,
    keep,
    new_code,
    sent,
)
from tests.integrity.mailbox import mailbox

BRIBE = "Cán bộ gợi ý đưa phong bì"
SAID = "Chờ ba tiếng ở quầy số bảy mà không ai gọi"
WROTE = "Con tôi ốm nên không thể quay lại lần nữa"
DAYS = timedelta(days=1)


@pytest.fixture
def who(province):
    return province.caller


def do(database, caller, id, act, **change):
    with database.writing(caller.name) as session:
        handling.handle(session, caller, id, act, Change(**change), ELEVENTH)


def look(database, caller, id):
    with database.reading() as session:
        reach = Reach.of_caller(session, caller, ELEVENTH)
        return shown.shown(session, SETTINGS, reach, id, ELEVENTH)


def take_back(database, code, *, words=False):
    """What the page does for her."""
    with database.writing("citizen") as session:
        id = citizens.response_of(session, code)
        done = withdraw_texts(session, id) if words else withdraw(session, SETTINGS, id)
        assert done is Withdrawal.DONE


def everything(database):
    """All that stands in any table, as one text without marks."""
    with database.reading() as session:
        rows = [
            str(row) for table in Base.metadata.sorted_tables
            for row in session.execute(table.select())
        ]  # fmt: skip
    return plain("\n".join(rows))


def plain(text):
    signs = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


def told_in_figures(database, caller):
    rule = ReleaseRule(1, local_today(SETTINGS.zone) + 90 * DAYS)
    with database.reading() as session:
        return figures(session, caller, "2026-Q3", "C1", rule)


@pytest.fixture
def wished(database, province, who):
    """A wish that was replied to, noted, written to, and once more of misconduct; who has it."""
    code, desk = new_code(), who((Role.CARE_DESK, "C1"))
    unit = province.units["C1"]
    made = sent(form(database), unit, answers=LOW, comment=SAID, code=code)
    (response_id,) = keep(database, [made])
    assert open_wishes(database, SETTINGS, MONTH) == 1
    (case,) = all_cases(database)
    do(database, desk, case.id, Act.TAKE)
    do(
        database,
        desk,
        case.id,
        Act.NOTE,
        text="Bà viết: «cho ba tieng o quay so bay ma không ai gọi». Đã hỏi tổ trưởng.",
    )
    do(database, desk, case.id, Act.REPLY, text="Xin lỗi việc chờ ba tiếng ở quầy số bảy.")
    return code, desk, case.id, response_id


def test_a_withdrawal_takes_every_word_off_a_case_and_closes_it(database, wished, who):
    code, desk, id, response_id = wished
    with database.writing("citizen") as session:
        citizens.write(session, SETTINGS, code, f"{WROTE}. Họ vòi tiền.", MONTH)
    above = who((Role.CARE_DESK, "77"))
    (further,) = (case.id for case in all_cases(database) if case.follows_id == id)
    do(database, above, further, Act.NOTE, text=f"Xác minh việc {WROTE.lower()}")
    before = told_in_figures(database, desk)
    assert plain(SAID) in everything(database) and plain(WROTE) in everything(database)
    take_back(database, code)

    left = everything(database)
    for trace in (SAID, WROTE, "ba tieng", "vòi tiền", response_id, response_id.replace("-", ""),
                  hash_of_code(code), code):  # fmt: skip
        assert plain(trace) not in left, trace
    for each in (id, further):
        one = look(database, above, each)
        case = one.row.case
        assert (case.state, case.withdrawn, case.low_items) == (CaseState.CLOSED, True, "{}")
        assert case.closed_day == local_today(SETTINGS.zone)
        assert (one.low, one.words, one.messages) == ([], [], [])
    assert [note.body for note in look(database, desk, id).notes] == [
        f"Bà viết: «{CUT}». Đã hỏi tổ trưởng."
    ]
    with pytest.raises(CaseClosed):
        do(database, desk, id, Act.REPLY, text="Còn đó không?")
    # The code opens nothing, as one that never was.
    with database.reading() as session:
        for wrong in (code, new_code()):
            with pytest.raises(citizens.CodeOpensNothing):
                citizens.find(session, wrong)
            with pytest.raises(citizens.CodeOpensNothing):
                own_response(session, wrong)
    # To figures it is as if somebody had closed it that day.
    after = told_in_figures(database, desk)
    assert after.cases == before.cases and after.causes == before.causes
    assert after.closed_late.n + after.closed_in_time.n == 1
    with mailbox() as box:
        mailing = SETTINGS.model_copy(
            update={"mail_server": box.server, "public_url": "https://hailong.example.vn"}
        )
        # Its owner; nobody had taken the other.
        assert mail_news(database, mailing) == 1
        text = box.mails[0]["Subject"] + box.mails[0].get_content()
        assert box.mails[0]["To"] == desk.name and str(id) in text and "rút lại" in text
        for word in ("Chờ", "quầy", "C1", "tháng"):
            assert word not in text, word


def test_words_go_alone_and_the_case_goes_on_with_its_marks(database, wished):
    code, desk, id, response_id = wished
    with database.writing("citizen") as session:
        citizens.write(session, SETTINGS, code, WROTE, MONTH)
        assert citizens.find(session, code).wrote
        mine = own_response(session, code)
        assert mine.day == MONTH and [said for _, said in mine.written] == [SAID]
        assert [one.vi for each in mine.given for one in each.chosen] == [
            "Rất không hài lòng",
            "Rất hài lòng",
        ]
    take_back(database, code, words=True)
    assert plain(SAID) not in everything(database) and plain(WROTE) not in everything(database)
    one = look(database, desk, id)
    assert (one.row.case.state, one.row.case.withdrawn) == (CaseState.WORKING, False)
    assert [each.item for each in one.low] == ["A1"] and one.words == []
    assert [each.body for each in one.messages] == [f"Xin lỗi việc {CUT}.", ""]
    with database.reading() as session:
        found = citizens.find(session, code)
        # That she wrote is known still: she may do so a single time, whatever she withdrew.
        assert (found.wrote, found.may_write, len(found.messages)) == (False, False, 2)
        with pytest.raises(citizens.MessageSent):
            citizens.write(session, SETTINGS, code, "Lại nữa", MONTH)
        assert own_response(session, code).written == []
        assert session.get(Response, response_id) is not None


def test_batches_are_as_before_whoever_withdraws_until_ten_leave(database, province, who):
    """Of who wants a reply and speaks of misconduct the unit knows nothing: she is in the batch."""
    version, unit = form(database), province.units["C1"]
    secret, plain_wish = new_code(), new_code()
    late = ELEVENTH + DAYS
    keep(
        database,
        [
            *(sent(version, unit, MONTH, LOW, comment=f"Ý {n}") for n in range(9)),
            sent(version, unit, MONTH, LOW, comment=BRIBE, code=secret),
            sent(version, unit, MONTH, LOW, comment=SAID, code=plain_wish),
            *(sent(version, unit, MONTH, LOW, comment=f"Muộn {n}", received=late)
              for n in range(10)),
        ],
    )  # fmt: skip
    (gone_late,) = keep(database, [sent(version, unit, MONTH, LOW, received=late, comment=WROTE)])
    assert open_wishes(database, SETTINGS, MONTH) == 2
    assert open_batches(database, SETTINGS, ELEVENTH) == 1
    assert open_batches(database, SETTINGS, ELEVENTH + 40 * DAYS) == 1
    first, second = sorted(
        (case for case in all_cases(database) if case.came_before), key=lambda c: c.came_before
    )
    assert (first.responses, second.responses) == (10, 11)

    def sizes():
        with database.reading() as session:
            return [len(batching.members(session, SETTINGS, each, version))
                    for each in (first, second)]  # fmt: skip

    assert sizes() == [10, 11]
    desk, above = who((Role.CARE_DESK, "C1")), who((Role.CARE_DESK, "77"))
    one = look(database, desk, first.id)
    assert [each.n for each in one.low] == [10]
    assert sorted(one.words[0][1]) == sorted(f"Ý {n}" for n in range(9))
    # Who knows the marks of one of the ten is told nothing of the nine.
    other = look(database, above, first.id)
    assert other.withheld and other.low == [] and other.words == []
    for code in (secret, plain_wish):
        take_back(database, code)
    with database.writing("test") as session:
        assert withdraw(session, SETTINGS, gone_late) is Withdrawal.DONE
        waiting = session.scalars(select(WithdrawnResponse.nameless)).all()
        assert sorted(waiting) == [False, True, True]
    assert sizes() == [10, 11]
    again = look(database, desk, first.id)
    assert (again.low, again.words, again.withheld) == (one.low, one.words, False)
    assert WROTE not in str(look(database, desk, second.id).words)


def test_a_code_does_not_tell_whether_its_response_is_set_aside(database, wished):
    code, *_, response_id = wished
    with database.reading() as session:
        before = citizens.find(session, code), own_response(session, code)
        messages = [each.body for each in before[0].messages]
    with database.writing("test") as session:
        row = session.get_one(Response, response_id)
        row.disposition, row.aside_rule = Disposition.QUARANTINED.value, "stuffing"
    with database.reading() as session:
        after = citizens.find(session, code), own_response(session, code)
        assert [each.body for each in after[0].messages] == messages
        assert after[1] == before[1]
        for name in ("state", "unit", "due_day", "closed", "may_write", "wrote", "refused"):
            assert getattr(after[0], name) == getattr(before[0], name), name


def test_what_was_refused_says_so_by_its_code_and_may_be_withdrawn(database, province):
    code, other = new_code(), new_code()
    ids = keep(database, [sent(form(database), province.units["C1"])])
    with database.writing("test") as session:
        for name, hash in ((ids[0], hash_of_code(code)), ("x.7f", hash_of_code(other))):
            session.add(
                AsideResponse(
                    credential_id=7, response_id=name, point_id=1, unit_id=province.units["C1"],
                    rule="point-closed", body="{}", received_at=datetime.now(UTC), code_hash=hash,
                )
            )  # fmt: skip
    with database.writing("citizen") as session:
        found = citizens.find(session, code)
        assert (found.refused, found.unit.code, found.messages) == ("point-closed", "C1", ())
        assert not found.may_write and not found.wrote
        for wrong in (citizens.response_of, own_response):
            with pytest.raises(citizens.CodeOpensNothing):
                wrong(session, code)
        assert withdraw_refused(session, citizens.refused_of(session, code)) is Withdrawal.DONE
        with pytest.raises(citizens.CodeOpensNothing):
            citizens.find(session, code)
        # Another response that has its id is nobody's to withdraw by it.
        assert withdraw(session, SETTINGS, ids[0]) is Withdrawal.DONE
        assert citizens.find(session, other).refused == "point-closed"


def test_rules_delete_talk_with_texts_and_marks_with_responses(database, wished):
    _, desk, id, _ = wished
    far = MONTH + 400 * DAYS
    limits = replace(Limits.of(SETTINGS, datetime.now(UTC)), texts=far)
    delete_before(database, SETTINGS, limits, "test")
    one = look(database, desk, id)
    assert one.messages == [] and one.words == [] and one.low
    delete_before(database, SETTINGS, replace(limits, responses=far), "test")
    assert look(database, desk, id).low == []


WORDS = st.lists(st.sampled_from(["một", "hai", "ba", "bốn", "năm", "sáu"]), max_size=12)


@given(hers=WORDS, staff=WORDS)
def test_of_what_is_left_no_four_words_are_hers(hers, staff):
    left = without_quotations(" ".join(staff), [" ".join(hers)])
    size = min(4, len(hers))
    parts = [part.split() for part in left.split(CUT)]
    rows = {tuple(hers[at : at + size]) for at in range(len(hers) - size + 1)} if size > 1 else ()
    for part in parts:
        assert not any(tuple(part[at : at + size]) in rows for at in range(len(part)))
    assert [word for part in parts for word in part] == staff or CUT in left


def test_a_quotation_is_found_whatever_its_marks():
    note = "Bà nói: “CHO BA TIENG, ở quầy số bảy”; tôi đã gặp tổ trưởng quầy."
    assert without_quotations(note, [SAID]) == f"Bà nói: “{CUT}”; tôi đã gặp tổ trưởng quầy."
    assert without_quotations(note, ["Tốt"]) == note
    assert without_quotations("Rất kém, bà viết", ["rất kém"]) == f"{CUT}, bà viết"
