"""Credentials: shown once, kept as a hash, ended when told."""

import pytest
from sqlalchemy import inspect, select

from app.access import credentials
from app.access.callers import Callers
from app.access.models import Credential, Right
from app.settings import Settings


def issued(database, **arguments):
    with database.writing() as session:
        return credentials.issue(session, "test", [Right.READ_FIGURES], **arguments)


def test_the_secret_stands_nowhere_in_the_database(database):
    secret = issued(database)
    with database.reading() as session:
        row = session.scalars(select(Credential)).one()
        values = [str(getattr(row, column.key)) for column in inspect(Credential).columns]
    assert not any(secret in value or secret.removeprefix("hl_") in value for value in values)
    assert len(secret) >= 40 and secret.startswith("hl_")


def test_it_opens_what_it_was_issued_for(database):
    secret = issued(database)
    callers = Callers(database, Settings(cache_s=60))
    assert callers.cached(secret) is None
    caller = callers.find(secret)
    assert caller.rights == {Right.READ_FIGURES}
    assert callers.cached(secret) == caller
    assert callers.find(secret + "x") is None
    assert callers.find("") is None
    assert callers.find("\ud800") is None


def test_a_revocation_holds_once_the_trust_is_over(database):
    secret = issued(database)
    trusting = Callers(database, Settings(cache_s=60))
    strict = Callers(database, Settings(cache_s=0))
    trusting.find(secret)
    strict.find(secret)
    with database.writing() as session:
        credentials.revoke(session, 1)
    assert trusting.cached(secret) is not None
    assert strict.cached(secret) is None and strict.find(secret) is None
    with pytest.raises(KeyError), database.writing() as session:
        credentials.revoke(session, 99)
