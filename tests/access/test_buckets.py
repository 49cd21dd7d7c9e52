"""Buckets that several groups draw from at once, which none of them has drawn from before."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError, Event, current_thread

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


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("there", [False, True])
def test_two_that_draw_at_the_same_time_both_count(database, monkeypatch, there):
    """The second waits for the first, whether their bucket is there or is put there now."""
    if there:
        draw_from(database, (A,))
    both, find = Barrier(2), bulk.find_by_key

    def together(connection, table, keys, columns, **how):
        if not how.get("lock"):
            both.wait(30)
        return find(connection, table, keys, columns, **how)

    def replacing(*given):
        with contextlib.suppress(BrokenBarrierError):
            both.wait(1)
        return replace(*given)

    replace = bulk.replace
    monkeypatch.setattr(bulk, "find_by_key", together)
    monkeypatch.setattr(bulk, "replace", replacing)
    with ThreadPoolExecutor(2) as threads:
        drawing = [threads.submit(draw_from, database, (A,)) for _ in range(2)]
        assert [each.result() for each in drawing] == [[None], [None]]
    with database.reading() as session:
        (full,) = [row.full_at for row in session.query(buckets.RateBucket)]
    assert (full - AT) // A.interval == 2 + there


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_a_bucket_that_is_tidied_away_at_the_moment_no_draw_is_lost(database):
    """It is looked for, found and gone, while the other one of the same draw is there."""
    draw_from(database, (A, B))
    later = AT + 10**12
    draws = tuple(each._replace(at=later) for each in (A, B))
    with database.writing() as session:
        session.query(buckets.RateBucket).filter_by(key=b"b").update({"full_at": later})
    with ThreadPoolExecutor(2) as threads:
        with database.writing() as session:
            buckets.tidy(session, later)
            session.flush()
            drawing = [threads.submit(draw_from, database, draws) for _ in range(2)]
            time.sleep(0.5)
        assert [each.result() for each in drawing] == [[None], [None]]
    with database.reading() as session:
        full = {bytes(row.key): row.full_at for row in session.query(buckets.RateBucket)}
    assert {(full[each.key] - later) // each.interval for each in draws} == {2}
