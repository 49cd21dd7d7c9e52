"""What a stolen device sent is set aside together, and counted again; cells are as recounted."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from app.access.models import Credential
from app.audit.models import AuditEntry
from app.figures.late import LateResponse
from app.intake.ids import new_id
from app.intake.models import Disposition, Response
from app.intake.rollup_rebuild import rebuild, verify
from app.intake.setting_aside import (
    DISTRUSTED,
    Changed,
    ReasonMissingError,
    Together,
    UnknownCredentialError,
    _pieces,
    _Row,
    change_dispositions,
    set_counted,
)
from app.rollups.measure_counts import moved_together
from app.rollups.models import AsideCell
from app.settings import Settings
from tests.retention.history import History, days_ago
from tests.small_province import body

TOGETHER = Together.of(Settings())
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def set_aside(database, number, since, reason, actor="system"):
    with database.writing(actor) as session:
        return set_counted(session, TOGETHER, number, since, reason, counted=False)


def count_again(database, number, since, reason):
    with database.writing("system") as session:
        return set_counted(session, TOGETHER, number, since, reason, counted=True)


def send(client, headers, point=None, **changes):
    sent = body(point, **changes)
    answer = client.post("/api/v1/responses", json=sent, headers=headers)
    assert answer.status_code == 201, answer.text
    return sent["id"]


def respondents(client, province):
    parameters = {"questionnaire": "sipas-desk", "unit": "C1"}
    answer = client.get("/api/v1/satisfaction", params=parameters, headers=province.reader())
    (row,) = answer.json()["rows"]
    return row["respondents"]


def number_of(database, id):
    with database.reading() as session:
        return session.get(Response, id).credential_id


def late(database):
    with database.reading() as session:
        rows = session.execute(select(LateResponse.__table__).order_by(LateResponse.response_id))
        return [tuple(row) for row in rows]


def dispositions(database):
    with database.reading() as session:
        return dict(
            session.execute(
                select(Response.disposition, func.count()).group_by(Response.disposition)
            ).all()
        )


def test_what_a_device_sent_is_set_aside_and_counted_again(client, database, province):
    stolen, other = province.device(), province.device()
    code = province.points[("C1", "sipas-desk")]
    before = send(client, stolen)
    with database.writing() as session:
        early = datetime.now(UTC) - timedelta(hours=2)
        session.execute(update(Response).values(received_at=early))
    theft = datetime.now(UTC) - timedelta(hours=1)
    dated_back = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    for _ in range(11):
        send(client, stolen, answered_at=dated_back, answers={"A1": 1})
    for _ in range(10):
        send(client, stolen)
    for headers in (other, {}):
        send(client, headers, code)
    came_late = late(database)
    assert len(came_late) == 11
    number = number_of(database, before)

    changed = set_aside(database, number, theft, "  mất máy   ở quầy ", "quantri@tinh.vn")
    assert changed == Changed(21, 0) and dispositions(database) == {"counted": 3, "distrusted": 21}
    assert verify(database) == []
    assert respondents(client, province) == 3
    # Twice sets nothing aside twice.
    assert set_aside(database, number, theft, "again") == Changed(0, 0)

    assert count_again(database, number, LONG_AGO, "tìm thấy máy") == Changed(21, 0)
    assert dispositions(database) == {"counted": 24}
    assert verify(database) == [] and late(database) == came_late
    assert respondents(client, province) == 24
    with database.reading() as session:
        entry = session.scalar(select(AuditEntry).where(AuditEntry.action == "responses.set_aside"))
    assert (entry.actor, entry.subject) == ("quantri@tinh.vn", str(number))
    assert '"reason": "mất máy ở quầy"' in entry.details and '"responses": 21' in entry.details


def test_fewer_than_ten_stay_so_that_no_difference_says_what_they_said(client, database, province):
    device = province.device()
    ids = [send(client, device, answers={"A1": 5}) for _ in range(9)]
    number = number_of(database, ids[0])
    assert set_aside(database, number, LONG_AGO, "x") == Changed(0, 9)
    # Of eleven, two answer what nobody else of them does: too few of that question move.
    for _ in range(2):
        send(client, device, answers={"A1": 5, "C1": 2})
    assert set_aside(database, number, LONG_AGO, "x") == Changed(0, 11)
    send(client, device, answers={"A1": 5})
    assert set_aside(database, number, LONG_AGO, "x") == Changed(10, 2)
    assert dispositions(database) == {"counted": 2, "distrusted": 10} and verify(database) == []


def test_what_came_since_is_set_aside_however_old_its_ids_are(client, database, province):
    """A stolen device sends what it says to have kept; what came before the theft stays."""
    device, now = province.device(), datetime.now(UTC)
    ids = [
        send(client, device, answers={"A1": 5}, id=new_id(now - timedelta(days=days)))
        for days in (0, 1, 2, 3, 40, 90, 200, 400, 900, 3000, 9000)
    ]
    number = number_of(database, ids[0])
    assert set_aside(database, number, now + timedelta(hours=1), "x") == Changed(0, 0)
    assert set_aside(database, number, now - timedelta(minutes=1), "x") == Changed(11, 0)
    assert verify(database) == []


def test_what_came_at_the_very_moment_is_set_aside_and_nothing_that_came_before(database, province):
    """Days ago, and with ids that were older then."""
    province.device()
    with database.reading() as session:
        number = session.scalars(select(Credential.id)).one()
    history, moment = History(database), datetime.now(UTC) - timedelta(days=5)
    groups = [[history.one(days_ago(days)) for _ in range(10)] for days in (40, 90)]
    for group, at in zip(groups, (moment, moment - timedelta(microseconds=1)), strict=True):
        history.store.append(
            [
                each._replace(row=each.row._replace(received_at=at, credential_id=number))
                for each in group
            ]
        )
    assert set_aside(database, number, moment + timedelta(microseconds=1), "x") == Changed(0, 0)
    assert set_aside(database, number, moment, "x") == Changed(10, 0)
    with database.reading() as session:
        aside = select(Response.id).where(Response.disposition != Disposition.COUNTED.value)
        assert set(session.scalars(aside)) == {each.id for each in groups[0]}
    assert set_aside(database, number, moment - timedelta(days=9), "x") == Changed(10, 0)
    assert verify(database) == []


@pytest.mark.parametrize(("stay", "moved"), [(1, 0), (9, 0), (10, 10)])
def test_few_of_an_earlier_day_of_the_month_are_not_left_set_aside(database, province, stay, moved):
    history = History(database)
    month = days_ago(60).replace(day=1)
    earlier = history.came(month + timedelta(days=2), stay)
    later = history.came(month + timedelta(days=20), 10)

    def change(made, *dispositions, rule):
        with database.writing() as session:
            which = Response.id.in_([each.id for each in made])
            return change_dispositions(session, TOGETHER, *dispositions, rule, which)

    counted, aside = Disposition.COUNTED, Disposition.DISTRUSTED
    assert change(earlier + later, counted, aside, rule=DISTRUSTED).moved == stay + 10
    assert change(later, aside, counted, rule=None) == Changed(moved, 10 - moved)
    assert verify(database) == []


def test_who_cannot_be_counted_again_with_others_is_not_left_among_few(database, province):
    """Two of twelve answered what no other did; they came aside when two were enough."""
    history, day = History(database), days_ago(60)
    packed = history.version.sheet.pack({"A1": 4, "A2": 4, "B1": 3, "C1": 2}, partial=True)[0]
    two = [history.one(day) for _ in range(2)]
    history.store.append([each._replace(row=each.row._replace(packed=packed)) for each in two])
    ids = [each.id for each in two + history.came(day, 10)]
    counted, aside = Disposition.COUNTED, Disposition.DISTRUSTED
    with database.writing() as session:
        enough, which = Together(2, TOGETHER.today), Response.id.in_(ids)
        done = change_dispositions(session, enough, counted, aside, DISTRUSTED, which)
        assert done == Changed(12, 0)
        assert change_dispositions(session, TOGETHER, aside, counted, None, which) == Changed(0, 12)
        assert change_dispositions(session, enough, aside, counted, None, which) == Changed(12, 0)
    assert verify(database) == []


def test_what_is_set_aside_already_may_change_its_rule_alone(client, database, province):
    device = province.device()
    ids = [send(client, device) for _ in range(10)]
    number = number_of(database, ids[0])
    set_aside(database, number, LONG_AGO, "x")
    with database.writing() as session:
        changed = change_dispositions(
            session, TOGETHER, Disposition.DISTRUSTED, Disposition.REJECTED, "stuffing",
            Response.id == ids[0],
        )  # fmt: skip
    assert changed == Changed(1, 0) and verify(database) == []
    with database.reading() as session:
        rules = select(AsideCell.rule, func.count()).group_by(AsideCell.rule)
        assert dict(session.execute(rules).all()) == {"distrusted": 1, "stuffing": 1}
    with database.writing() as session, pytest.raises(ValueError, match="by a rule"):
        change_dispositions(session, TOGETHER, Disposition.REJECTED, Disposition.COUNTED, "x")


def test_what_others_set_aside_is_not_counted_again_with_it(client, database, province):
    device = province.device()
    ids = [send(client, device) for _ in range(21)]
    with database.writing() as session:
        change_dispositions(
            session, TOGETHER, Disposition.COUNTED, Disposition.QUARANTINED, "stuffing",
            Response.id.in_(ids[:11]),
        )  # fmt: skip
    number = number_of(database, ids[0])
    assert set_aside(database, number, LONG_AGO, "x") == Changed(10, 0)
    assert count_again(database, number, LONG_AGO, "x") == Changed(10, 0)
    assert dispositions(database) == {"counted": 10, "quarantined": 11}
    database_before = verify(database)
    rebuild(database)
    assert database_before == [] == verify(database)


def test_no_few_are_left_set_aside_when_others_are_counted_again(client, database, province):
    device = province.device()
    ids = [send(client, device) for _ in range(15)]
    number = number_of(database, ids[0])
    with database.writing() as session:
        early = datetime.now(UTC) - timedelta(hours=2)
        session.execute(update(Response).where(Response.id.in_(ids[:3])).values(received_at=early))
    assert set_aside(database, number, LONG_AGO, "x") == Changed(15, 0)
    found = datetime.now(UTC) - timedelta(hours=1)
    # Figures with and without would differ by the three that were left.
    assert count_again(database, number, found, "x") == Changed(0, 12)
    assert dispositions(database) == {"distrusted": 15} and verify(database) == []
    assert count_again(database, number, LONG_AGO, "x") == Changed(15, 0)


def test_what_came_late_moves_apart(client, database, province):
    device = province.device()
    dated_back = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    ids = [send(client, device, answered_at=dated_back) for _ in range(12)]
    with database.writing() as session:
        # Nine are as if they had come on their day.
        session.execute(delete(LateResponse).where(LateResponse.response_id.in_(ids[:9])))
    number = number_of(database, ids[0])
    assert set_aside(database, number, LONG_AGO, "x") == Changed(0, 12)


@given(
    days=st.lists(st.tuples(st.integers(0, 70), st.integers(0, 7)), min_size=1, max_size=120),
    least=st.integers(2, 10),
)
@settings(max_examples=60, deadline=None)
def test_no_piece_moves_a_measure_by_few(days, least):
    """Of each month that is over, and each day of the running one, none or enough move."""
    today = date(2026, 3, 12)
    answered = np.array([[1, *(which >> bit & 1 for bit in range(3))] for _, which in days])
    moves = moved_together(answered, least)
    n = answered[moves].sum(axis=0)
    assert ((n == 0) | (n >= least)).all()
    rows = [
        _Row(str(i), today - timedelta(days=ago), 1, 1, "kiosk", None, b"", None, False, "vi")
        for i, (ago, _) in enumerate(days)
    ]
    for (_, _, _, when, _), piece in _pieces(rows, today).items():
        same = [row.day == when or row.day.replace(day=1) == when < date(2026, 3, 1)
                for row in piece]  # fmt: skip
        assert all(same)


def test_a_reason_and_a_key_are_needed(database, province):
    province.device()
    with pytest.raises(ReasonMissingError):
        set_aside(database, 1, LONG_AGO, " ")
    with pytest.raises(UnknownCredentialError):
        set_aside(database, 99, LONG_AGO, "x")
