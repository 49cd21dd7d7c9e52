"""Statements that wait, and what is stored of them."""

from sqlalchemy import select

from app.access.models import RateBucket
from app.db.later import ask_later, do_later

PUT = "INSERT INTO rate_bucket (key, full_at) VALUES (%s, %s)"
A, B = b"a", b"b"


def put(session, key, full_at=1):
    """Store a bucket later; a key that is there is a failure."""
    do_later(session.connection(), PUT, (key, full_at))


def count(session):
    """How many buckets there are, asked later."""
    return ask_later(
        session.connection(), "SELECT count(*) FROM rate_bucket", (), lambda rows: rows[0][0]
    )


def stored(database):
    """When each bucket is full, by its key."""
    with database.reading() as session:
        return {bytes(row.key): row.full_at for row in session.scalars(select(RateBucket))}
