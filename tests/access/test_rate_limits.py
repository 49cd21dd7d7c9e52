"""Limits that are shared through the database: exact over processes, and silent about addresses."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from sqlalchemy import func, select, update

from app.access.models import DailySalt, RateCount
from app.access.rate_limits import Hit, RateLimits, count
from app.access.tidying import tidy
from tests.conftest import serving
from tests.small_province import body

RATE = parse("30 per 1 hour")


def test_threads_of_several_processes_together_get_as_many_as_allowed(database):
    processes = [RateLimits(database) for _ in range(3)]

    def use(number):
        limits = processes[number % 3]
        if not limits.ready:
            limits.prepare()
        with database.writing() as session:
            return count(session, [limits.hit(RATE, "door", "198.51.100.7")])[0]

    with ThreadPoolExecutor(6) as pool:
        allowed = list(pool.map(use, range(60)))
    assert sum(allowed) == 30


@given(
    groups=st.lists(st.lists(st.integers(0, 3), max_size=12), max_size=8),
    amount=st.integers(0, 6),
)
def test_groups_count_as_one_by_one_would(own_database, groups, amount):
    key = time.time_ns()  # its own windows for each example
    seen = [0, 0, 0, 0]
    for group in groups:
        hits = [Hit(f"{key}{which}".encode()[-16:], 2**40, amount) for which in group]
        expected = []
        for which in group:
            seen[which] += 1
            expected.append(seen[which] <= amount)
        with own_database.writing() as session:
            assert count(session, hits) == expected


def test_an_address_stands_nowhere_and_its_hash_is_gone_the_next_day(database):
    limits = RateLimits(database)
    limits.prepare()
    hit = limits.hit(RATE, "door", "198.51.100.7")
    with database.writing() as session:
        count(session, [hit])
    with database.reading() as session:
        rows = [repr(tuple(row)) for row in session.execute(select(RateCount.__table__))]
        assert rows and not any("198.51" in row for row in rows)
        salt = bytes(session.scalars(select(DailySalt.salt)).one())
    # Another process has the same salt today, so that both count the same key …
    other = RateLimits(database)
    other.prepare()
    assert other.hit(RATE, "door", "198.51.100.7").key == hit.key
    # … and tomorrow it is another one; what is over is removed within minutes.
    with database.writing() as session:
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        session.execute(update(DailySalt).values(day=yesterday))
        session.execute(update(RateCount).values(until=int(time.time()) - 120))
        tidy(session, datetime.now(UTC))
        assert session.scalar(select(func.count()).select_from(RateCount)) == 0
        assert session.scalar(select(func.count()).select_from(DailySalt)) == 0
    fresh = RateLimits(database)
    fresh.prepare()
    with database.reading() as session:
        assert bytes(session.scalars(select(DailySalt.salt)).one()) != salt
    assert fresh.hit(RATE, "door", "198.51.100.7").key != hit.key


def test_whoever_has_the_salt_alone_finds_no_address_by_trying_them_all(database):
    made = [RateLimits(database, key_outside=lambda key=key: key) for key in (b"", b"1", b"1")]
    for each in made:
        each.prepare()
    keys = [each.key(RATE, "point", 1, "198.51.100.7/32") for each in made]
    assert keys[0] != keys[1] == keys[2]


def test_two_servers_let_a_public_code_pass_as_often_as_one(province, settings):
    limited = settings.model_copy(update={"public_rate": "7 per 1 hour"})
    code = province.points[("C1", "sipas-desk")]
    with serving(limited) as one, serving(limited) as other:
        answers = [
            (one if n % 2 else other).post("/api/v1/responses", json=body(code)).status_code
            for n in range(12)
        ]
        assert answers == [201] * 7 + [429] * 5
        # Another address at the same point is let in, and another point too.
        from_elsewhere = {"X-Forwarded-For": "203.0.113.4"}
        again = one.post("/api/v1/responses", json=body(code), headers=from_elsewhere)
        assert again.status_code == 201
        elsewhere = body(province.points[("A1", "sipas-desk")])
        assert other.post("/api/v1/responses", json=elsewhere).status_code == 201


def test_a_batch_is_cut_where_the_limit_is(province, settings):
    limited = settings.model_copy(update={"public_rate": "3 per 1 hour"})
    code = province.points[("C1", "sipas-desk")]
    with serving(limited) as client:
        batch = {"responses": [body(code) for _ in range(5)]}
        rows = client.post("/api/v1/responses", json=batch).json()["responses"]
    assert [row["status"] for row in rows] == ["accepted"] * 3 + ["refused"] * 2
    assert rows[3]["problem"]["retry"] is True


def test_a_point_has_a_limit_of_its_own_over_all_addresses(province, settings):
    limited = settings.model_copy(update={"point_rate": "4 per 1 hour"})
    code = province.points[("C1", "sipas-desk")]
    with serving(limited) as client:
        answers = [
            client.post(
                "/api/v1/responses", json=body(code), headers={"X-Forwarded-For": f"203.0.113.{n}"}
            ).status_code
            for n in range(6)
        ]
    assert answers == [201] * 4 + [429] * 2
