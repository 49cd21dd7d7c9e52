"""A quarter waits until what comes of it has come."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.export import anonymising
from app.importing.models import ResponseImport
from app.intake.models import Response, WithdrawnResponse
from app.intake.received_days import first_id
from app.registry.models import SurveyPoint
from app.registry.points import current_code
from app.retention.withdrawing import Withdrawal, withdraw
from app.settings import Settings
from tests.export.test_anonymous import EARLIER, LATER, NOW, WARD, answered, rows_of
from tests.intake.test_store import Preparing
from tests.small_province import body


def given(database, province):
    """A response of the earlier quarter that is stored now."""
    prepare = Preparing(database)
    with database.reading() as session:
        point = current_code(session.scalars(select(SurveyPoint).where(
            SurveyPoint.unit_id == province.units["W1"])).first())  # fmt: skip
    one = prepare(body(point, {"A1": 5}, questionnaire=WARD,
                       answered_at=f"{EARLIER.first}T09:00:00+07:00"))  # fmt: skip
    prepare.store.append([one])
    return one


def the_earlier_quarter_comes_when_nothing_came_lately(database):
    rows, book = rows_of(database)
    assert book.anonymity.quarters == (LATER.name,) and len(rows) == 166
    with database.writing() as session:
        session.execute(update(Response).values(received_at=NOW - timedelta(days=2)))
    rows, book = rows_of(database)
    assert book.anonymity.quarters == (EARLIER.name, LATER.name) and len(rows) == 333


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_quarter_waits_until_what_is_imported_is_in(database, province):
    answered(database, province)
    given(database, province)
    with database.writing() as session:
        journal = ResponseImport(digest="a", source="a", batch="", name="a", begun_by="a",
                                 begun_at=NOW)  # fmt: skip
        session.add(journal)
    assert rows_of(database)[0] == []
    with database.writing() as session:
        session.execute(update(ResponseImport).values(ended_at=NOW))
    the_earlier_quarter_comes_when_nothing_came_lately(database)


def test_a_quarter_waits_for_what_a_withdrawal_left_as_for_what_came(database, province):
    """Its id begins on the day that it is of, and not on that of the one which was withdrawn."""
    answered(database, province)
    one = given(database, province)
    with database.writing("test") as session:
        assert withdraw(session, Settings(), one.row.id) is Withdrawal.DONE
    with database.reading() as session:
        left = session.scalar(select(WithdrawnResponse.response_id))
        assert left < first_id(session, NOW - anonymising.QUIET) < one.row.id
    the_earlier_quarter_comes_when_nothing_came_lately(database)
