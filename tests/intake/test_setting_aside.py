"""What a stolen device sent is set aside together, and counted again; cells are as recounted."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.audit.models import AuditEntry
from app.figures.late import LateResponse
from app.intake.models import Disposition, Response
from app.intake.rollup_rebuild import verify
from app.intake.setting_aside import ReasonMissingError, UnknownCredentialError, set_counted
from app.settings import Settings
from tests.small_province import body

ZONE = Settings().zone
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def set_aside(database, number, since, reason, actor="system"):
    with database.writing(actor) as session:
        return set_counted(session, ZONE, number, since, reason, counted=False)


def count_again(database, number, since, reason):
    with database.writing("system") as session:
        return set_counted(session, ZONE, number, since, reason, counted=True)


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
    for _ in range(4):
        send(client, stolen, answered_at=dated_back, answers={"A1": 1})
    send(client, stolen)
    for headers in (other, {}):
        send(client, headers, code)
    came_late = late(database)
    assert len(came_late) == 4
    number = number_of(database, before)

    moved = set_aside(database, number, theft, "  mất máy   ở quầy ", "quantri@tinh.vn")
    assert moved == 5 and dispositions(database) == {"counted": 3, "distrusted": 5}
    assert verify(database) == [] and late(database) == []
    assert respondents(client, province) == 3
    # Twice sets nothing aside twice.
    assert set_aside(database, number, theft, "again") == 0

    assert count_again(database, number, LONG_AGO, "tìm thấy máy") == 5
    assert dispositions(database) == {"counted": 8}
    assert verify(database) == [] and late(database) == came_late
    assert respondents(client, province) == 8
    with database.reading() as session:
        entry = session.scalar(select(AuditEntry).where(AuditEntry.action == "responses.set_aside"))
    assert (entry.actor, entry.subject) == ("quantri@tinh.vn", str(number))
    assert '"reason": "mất máy ở quầy"' in entry.details and '"responses": 5' in entry.details


def test_what_others_set_aside_is_not_counted_again_with_it(client, database, province):
    device = province.device()
    ids = [send(client, device) for _ in range(2)]
    with database.writing() as session:
        session.execute(
            update(Response)
            .where(Response.id == ids[0])
            .values(disposition=Disposition.QUARANTINED.value)
        )
    number = number_of(database, ids[0])
    assert set_aside(database, number, LONG_AGO, "x") == 1
    assert count_again(database, number, LONG_AGO, "x") == 1
    assert dispositions(database) == {"counted": 1, "quarantined": 1}


def test_a_reason_and_a_key_are_needed(database, province):
    province.device()
    with pytest.raises(ReasonMissingError):
        set_aside(database, 1, LONG_AGO, " ")
    with pytest.raises(UnknownCredentialError):
        set_aside(database, 99, LONG_AGO, "x")
