"""Buckets that several groups draw from at once, which none of them has drawn from before."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, current_thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import parse

from app.access import buckets
from app.db import bulk

AT, RATE = 1_800_000_000_000_000, buckets.Rate.of(parse("9 per 1 minute"))
A, B = (buckets.draw(RATE, key, AT) for key in (b"a", b"b"))


def draw_from(database, *wanted):
    with database.writing() as session:
        return buckets.take(session, wanted)


RATES = [buckets.Rate.of(parse(text)) for text in ("1 per 1 minute", "3 per 1 hour", "20/second")]


@given(
    people=st.lists(
        st.tuples(
            st.lists(st.sampled_from(range(3)), unique=True, max_size=3),
            st.integers(0, 90),
            st.integers(1, 6),
        ),
        max_size=8,
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_group_draws_as_its_members_would_one_after_the_other(database, people):
    """People draw from some buckets at some second, each so many times: by one object, or not."""
    with database.writing() as session:
        session.query(buckets.RateBucket).delete()
    wanted = []
    for which, second, times in people:
        draws = tuple(buckets.draw(RATES[n], bytes([n]), AT + second * 1_000_000) for n in which)
        wanted += [draws] * times
    together = draw_from(database, *wanted)
    with database.writing() as session:
        full = {bytes(row.key): row.full_at for row in session.query(buckets.RateBucket)}
        session.query(buckets.RateBucket).delete()
    alone = [each for draws in wanted for each in draw_from(database, draws)]
    with database.reading() as session:
        assert {bytes(r.key): r.full_at for r in session.query(buckets.RateBucket)} == full
    assert alone == together


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_groups_that_draw_first_from_the_same_wait_in_no_ring(database, monkeypatch):
    """One looks, a second puts one of two there, a third finds that one: then all three go on.

    Where what is found is locked before what is missing is put there, the third holds what the
    first wants, and wants what the first has put there: PostgreSQL ends one of them.
    """
    looked, may_put, found, put = Event(), Event(), Event(), Event()
    insert_missing = bulk.insert_missing

    def staged(connection, table, columns, rows):
        if not rows:
            return insert_missing(connection, table, columns, rows)
        if current_thread().name.startswith("first"):
            looked.set()
            assert may_put.wait(30)
            there = insert_missing(connection, table, columns, rows)
            put.set()
            return there
        if current_thread().name.startswith("third"):
            found.set()
            assert put.wait(30)
        return insert_missing(connection, table, columns, rows)

    monkeypatch.setattr(bulk, "insert_missing", staged)
    with (
        ThreadPoolExecutor(1, thread_name_prefix="first") as one,
        ThreadPoolExecutor(1, thread_name_prefix="third") as three,
    ):
        first = one.submit(draw_from, database, (A, B))
        assert looked.wait(30)
        assert draw_from(database, (B,)) == [None]
        third = three.submit(draw_from, database, (A, B))
        assert found.wait(30)
        may_put.set()
        assert (first.result(), third.result()) == ([None], [None])
    # All of the draws were counted.
    assert draw_from(database, (B,)) == [None]
    with database.reading() as session:
        full = {bytes(row.key): row.full_at for row in session.query(buckets.RateBucket)}
    assert [(full[key] - AT) // A.interval for key in (b"a", b"b")] == [2, 4]
