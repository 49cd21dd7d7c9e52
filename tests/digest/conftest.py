"""Two communes that answered in August and September 2026, and accounts older than the digest."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from app.access.models import Account
from app.settings import Settings
from tests.cases.sent import form, keep, sent
from tests.integrity.mailbox import mailbox

#: When the digest of September is due.
NOW = datetime(2026, 10, 12, 2, tzinfo=UTC)
SEPTEMBER = date(2026, 9, 1)
COMMENT = "Chờ lâu ở quầy số 3"
ADDRESS = "https://hailong.example.vn"


def answered(database, unit, month, good, bad):
    """So many who were satisfied with everything, and with nothing."""
    version = form(database)
    rated = [item.code for f in version.form.index_factors for item in version.form.index_items(f)]
    kept = [
        sent(version, unit, month + timedelta(days=n % 28), dict.fromkeys(rated, level),
             comment=COMMENT)
        for n, level in enumerate([5] * good + [2] * bad)
    ]  # fmt: skip
    keep(database, kept)


@pytest.fixture
def old(database):
    """Have all accounts be older than the digest's day."""

    def make():
        with database.writing() as session:
            session.execute(update(Account).values(created_at=datetime(2026, 1, 1, tzinfo=UTC)))

    return make


@pytest.fixture
def box():
    with mailbox() as box:
        yield box


@pytest.fixture
def settings(database_url, box):
    return Settings(
        database_url=database_url, cache_s=0, mail_server=box.server, public_url=ADDRESS,
        mail_from="hailong@tinh.example.vn", target_rate="0.85",
    )  # fmt: skip
