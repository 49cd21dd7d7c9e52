"""A small province whose units have heads, keys and webhooks."""

import pytest

from app.access.credentials import issue
from app.access.models import Right
from app.access.roles import Role
from app.registry.models import Unit
from app.webhooks.service import add_webhook


@pytest.fixture
def people(province):
    """Heads of H1 and of C1, and a key and a webhook of each."""
    province.person((Role.UNIT_HEAD, "H1"), email="h1@example.vn")
    province.person((Role.UNIT_HEAD, "C1"), email="c1@example.vn")
    with province.database.writing() as session:
        hospital = session.get_one(Unit, province.units["H1"])
        issue(session, "HIS", frozenset({Right.INVITE}), unit=hospital)
        add_webhook(session, "https://his.example.vn/told", hospital)
    return province
