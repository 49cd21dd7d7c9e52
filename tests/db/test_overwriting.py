"""What was deleted stands neither in SQLite's file nor in its journal."""

from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update

from app.db.overwriting import empty_journal
from app.invitations.models import SmsMessage

PHONE = "+84987650001"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_number_is_gone_once_its_row_is(database):
    file = Path(database.url.database)
    journal = file.with_name(file.name + "-wal")

    def places():
        return [each.name for each in (file, journal) if PHONE.encode() in each.read_bytes()]

    with database.writing() as session:
        session.add_all(SmsMessage(phone=PHONE, body="x" * 300) for _ in range(40))
    assert empty_journal(database) and places() == [file.name]
    with database.writing() as session:
        # Longer than before, it is put elsewhere in its page.
        session.execute(update(SmsMessage).values(reason="y" * 150))
    with database.writing() as session:
        session.execute(delete(SmsMessage))
    with database.reading() as session:
        # Who reads is not made to wait, and neither is whoever empties the journal.
        session.execute(select(SmsMessage.id)).all()
        with database.writing() as other:
            other.execute(text("UPDATE daily_salt SET day = day"))
            assert not empty_journal(database)
    assert empty_journal(database) and places() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_keeps_its_journal_itself(database):
    assert empty_journal(database)
