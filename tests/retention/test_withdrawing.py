"""A withdrawn response is erased at once, and leaves the figures with nine others or not at all."""

import json
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.intake.ids import ms_of, new_id
from app.intake.models import (
    AsideResponse,
    Disposition,
    LateResponse,
    Response,
    WithdrawnResponse,
)
from app.intake.prepared import Outcome
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import Together, change_dispositions
from app.integrity.reading import Hours, names, read
from app.retention.withdrawing import Withdrawal, settle, withdraw_texts
from tests.retention.history import SETTINGS, ZONE, days_ago, months_ago

MONTH = months_ago(2)
SAID = "Chữ ký của tôi bị trả lại ba lần"


def test_at_once_nothing_is_left_by_which_it_could_be_known(history):
    (one,) = history.came(MONTH, 1, text=SAID)
    others = history.came(MONTH, 20)
    before = history.cells()
    assert history.withdraw([one.row.id]) == [Withdrawal.DONE]
    assert history.texts() == [] and one.row.id not in history.ids()
    with history.database.reading() as session:
        (left,) = session.scalars(
            select(Response).where(Response.id.not_in([o.row.id for o in others]))
        )
        assert (left.credential_id, left.texts_hash, left.point_id) == (None, None, 0)
        moments = {left.answered_at, left.claimed_at, left.received_at}
        assert {m.astimezone(ZONE).time() for m in moments} == {time()}
        begins = datetime.fromtimestamp(ms_of(left.id) / 1000, ZONE)
        assert (begins.date(), begins.time()) == (left.day, time())
        # All that sums are made of, and all that the figures of single responses read.
        kept = ("unit_id", "version_id", "channel", "day", "duration_s", "language", "packed")
        assert [getattr(left, name) for name in kept] == [getattr(one.row, name) for name in kept]
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (
            entry.action == "response.withdraw" and one.row.id not in entry.subject + entry.details
        )
    assert history.cells() == before and verify(history.database) == []
    assert history.withdraw([one.row.id, new_id()]) == [Withdrawal.GONE, Withdrawal.UNKNOWN]


def test_ten_of_a_month_leave_together_and_nine_wait(history):
    ids = [each.row.id for day in (0, 3, 9) for each in history.came(MONTH + timedelta(day), 5)]
    before = history.cells()
    history.withdraw(ids[:9])
    assert history.cells() == before and history.waiting() == 9
    history.withdraw(ids[9:10])
    assert sum(map(history.respondents, history.cells().values())) == 5
    assert history.waiting() == 0 and history.count(Response) == 5
    assert verify(history.database) == []
    assert history.actions()[-2:] == ["withdrawn.leave", "response.withdraw"]


def test_of_the_running_month_days_count_alone_until_it_is_over(history, monkeypatch):
    def live_on(today):
        monkeypatch.setattr(Together, "of", classmethod(lambda cls, s: cls(10, today)))

    live_on(MONTH + timedelta(9))
    made = history.came(MONTH + timedelta(9), 6) + history.came(MONTH, 6)
    history.withdraw([each.row.id for each in made])
    assert history.waiting() == 12
    live_on(MONTH + timedelta(40))
    with history.database.writing() as session:
        assert settle(session, SETTINGS) == 12
    assert not history.cells() and verify(history.database) == []


def test_sent_again_it_does_not_come_back(history):
    made = history.came(MONTH, 12, text=SAID)
    history.withdraw([made[0].row.id])
    before = history.cells()
    assert set(history.store.append(made)) == {Outcome.DUPLICATE}
    changed = made[0]._replace(row=made[0].row._replace(duration_s=1))
    assert history.store.append([changed, changed]) == [Outcome.DUPLICATE] * 2
    assert history.cells() == before and history.count(Response) == 12


def test_what_is_set_aside_leaves_so_that_none_or_ten_stay_aside(history):
    made = [each.row.id for each in history.came(MONTH, 25)]
    with history.database.writing() as session:
        change_dispositions(
            session, Together.of(SETTINGS), Disposition.COUNTED, Disposition.QUARANTINED,
            "stuffing", Response.id.in_(made[:21]),
        )  # fmt: skip
    before = history.cells()
    history.withdraw(made[:10])
    # Ten may leave: eleven stay set aside.
    assert history.waiting() == 0 and sorted(
        map(history.respondents, history.cells().values())
    ) == [4, 11]
    before = history.cells()
    history.withdraw(made[10:20])
    # Ten more would leave one.
    assert history.waiting() == 10 and history.cells() == before
    history.withdraw(made[20:21])
    assert history.waiting() == 0 and list(map(history.respondents, history.cells().values())) == [
        4
    ]
    assert verify(history.database) == []


def test_what_waits_is_moved_with_others_and_examined_no_more(history):
    made = [each.row.id for each in history.came(MONTH, 12, late=days_ago(0))]
    history.withdraw(made[:2])
    assert history.count(LateResponse) == 12
    with history.database.reading() as session:
        found = read(session, ZONE, history.version, MONTH, hours=Hours())
        assert set(names(found.id)) == set(made[2:])
    with history.database.writing() as session:
        changed = change_dispositions(
            session, Together.of(SETTINGS), Disposition.COUNTED, Disposition.REJECTED, "stuffing",
            Response.unit_id == 1,
        )  # fmt: skip
    assert changed.moved == 12 and verify(history.database) == []


def test_words_alone_and_what_a_device_was_refused(history):
    (one,) = history.came(MONTH, 1, text=SAID)
    with history.database.writing() as session:
        assert withdraw_texts(session, one.row.id) is Withdrawal.DONE
        assert withdraw_texts(session, new_id()) is Withdrawal.UNKNOWN
    assert history.texts() == [] and one.row.id in history.ids()
    assert history.store.append([one]) == [Outcome.DUPLICATE]
    refused = new_id()
    with history.database.writing() as session:
        for id in (refused, f"{refused}.ab12", "x"):
            session.add(
                AsideResponse(
                    credential_id=7, response_id=id, point_id=1, unit_id=1, rule="point-closed",
                    body=json.dumps({"id": id}), received_at=one.row.received_at,
                )
            )  # fmt: skip
    assert history.withdraw([refused, refused]) == [Withdrawal.DONE, Withdrawal.GONE]
    assert history.count(AsideResponse) == 1 and history.count(WithdrawnResponse) == 1 - 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_file_holds_no_byte_of_it_any_more(history):
    (one,) = history.came(MONTH, 1, text=SAID)
    history.came(MONTH, 11)
    history.withdraw([one.row.id])
    with history.database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    content = Path(history.database.url.database).read_bytes()
    assert SAID.encode() not in content and one.row.id.replace("-", "").encode() not in content
