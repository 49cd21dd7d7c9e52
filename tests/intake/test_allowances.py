"""What the true rates let pass: people of one hospital, and not a cheat; through the real intake.

The clock is the test's, so that an hour passes in seconds.
"""

import asyncio
import heapq
import random
import re
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from limits import parse
from sqlalchemy import func, select

from app.access import buckets
from app.access.buckets import Rate, draw, neighbourhood_of, network_of
from app.access.models import RateBucket, Right
from app.intake.models import Response
from app.intake.page_tokens import PageTokens
from app.main import create_app
from app.settings import Settings
from tests.small_province import body

HOSPITAL = "198.51.100.7"
LIMITS = (
    "public_rate", "pageless_rate", "page_rate", "page_age_s", "point_rate", "point_reserve",
    "device_rate", "key_rate",
)  # fmt: skip
#: What app/web/static/citizen.js adds to what the server says, at most.
SPREAD_S = 15


class Clock:
    """Moments that the test chooses, from some hour of tomorrow on."""

    def __init__(self):
        day = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
        self.began = day + timedelta(days=1)
        self.seconds = 0.0

    def __call__(self):
        return self.began + timedelta(seconds=self.seconds)


@pytest.fixture
def true_settings(database_url):
    """The rates as they are where nobody has set others."""
    true = {name: Settings.model_fields[name].default for name in LIMITS}
    return Settings(database_url=database_url, cache_s=0, **true)


@asynccontextmanager
async def running(settings, clock):
    app = create_app(settings, clock, lambda: clock.seconds)
    async with app.router.lifespan_context(app):
        yield app


def phone(app, address=HOSPITAL):
    transport = httpx.ASGITransport(app, client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def open_page(client, code):
    page = (await client.get(f"/q/{code}?new=1")).text
    return dict(re.findall(r'name="(id|opened|page)" value="([^"]*)"', page))


def send_form(client, code, fields):
    answers = {"a.A1": "5", "a.B1": "4"}
    headers = {"Accept": "application/json"}
    return client.post(f"/q/{code}", data=fields | answers, headers=headers)


def count(database):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Response))


# An hour's requests are many: a third of one on PostgreSQL shows that it draws the same.
@pytest.mark.parametrize(
    ("database_url", "within_s", "people"),
    [("postgresql", 5, 100), ("sqlite", 5, 300), ("sqlite", 60, 300)],
    ids=["postgresql-at once", "sqlite-at once", "sqlite-over a minute"],
    indirect=["database_url"],
)
def test_three_hundred_people_of_one_hospital_are_served_within_minutes(
    database, province, true_settings, within_s, people
):
    """Fifteen times in an hour twenty people press the button; who is refused waits as told."""
    chance, clock, code = random.Random(1), Clock(), province.points[("C1", "sipas-desk")]
    waits, tries = {}, Counter()

    async def hour():
        async with running(true_settings, clock) as app:
            events = []
            for person in range(people):
                presses = 120 + person // 20 * 240 + chance.uniform(0, within_s)
                heapq.heappush(events, (presses - chance.uniform(20, 100), person, presses, None))
            while events:
                clock.seconds, person, presses, fields = heapq.heappop(events)
                async with phone(app) as client:
                    if fields is None:
                        fields = await open_page(client, code)
                        heapq.heappush(events, (presses, person, presses, fields))
                        continue
                    answer = await send_form(client, code, fields)
                tries[person] += 1
                if answer.status_code == 201:
                    waits[person] = clock.seconds - presses
                    continue
                assert answer.status_code == 429
                again = int(answer.headers["retry-after"]) + chance.uniform(0, SPREAD_S)
                heapq.heappush(events, (clock.seconds + again, person, presses, fields))

    asyncio.run(hour())
    assert len(waits) == count(database) == people
    assert max(waits.values()) <= 300
    # Ten at once need not wait at all, and the form does not hammer the server.
    assert sum(wait == 0 for wait in waits.values()) >= people / 3
    assert sum(tries.values()) < people * 6


@pytest.mark.parametrize(
    ("database_url", "cheat"),
    [
        ("postgresql", "one phone, many pages"),
        ("sqlite", "one phone, many pages"),
        ("sqlite", "one /64"),
        ("sqlite", "one phone, no page"),
        ("sqlite", "one phone, one page"),
        ("sqlite", "one phone, pages of a moment"),
    ],
    indirect=["database_url"],
)
def test_of_two_hundred_answers_of_one_cheat_few_are_taken(
    database, province, true_settings, cheat
):
    """Sent within ten minutes; afterwards somebody from elsewhere is served at once."""
    clock, code = Clock(), province.points[("C1", "sipas-desk")]

    async def ten_minutes():
        async with running(true_settings, clock) as app:
            # Pages are opened beforehand where the cheat sends them.
            opened = {"many pages": 200, "/64": 200, "one page": 1}
            ahead = next((n for end, n in opened.items() if cheat.endswith(end)), 0)
            async with phone(app) as client:
                pages = [await open_page(client, code) for _ in range(ahead)]
            clock.seconds = 60
            for number in range(200):
                clock.seconds += 3
                address = f"2001:db8:1:2::{number + 1:x}" if cheat == "one /64" else HOSPITAL
                async with phone(app, address) as client:
                    if cheat.endswith("no page"):
                        await client.post("/api/v1/responses", json=body(code))
                    elif cheat.endswith("a moment"):
                        await send_form(client, code, await open_page(client, code))
                    else:
                        which = 0 if cheat.endswith("one page") else number
                        fields = pages[which] | {"id": body()["id"]}
                        await send_form(client, code, fields)
            taken = count(database)
            for other in ("203.0.113.4", "2001:db8:1:3::1"):
                async with phone(app, other) as client:
                    fields = await open_page(client, code)
                    assert (await send_form(client, code, fields)).status_code == 201
            return taken

    taken = asyncio.run(ten_minutes())
    most = {"no page": 25, "pages of a moment": 25, "one page": 6}.get(cheat.split(", ")[-1], 60)
    assert 3 <= taken <= most


def test_a_household_with_many_64s_leaves_half_of_the_point_to_others(
    database, province, true_settings
):
    clock, code = Clock(), province.points[("C1", "sipas-desk")]

    async def flood():
        async with running(true_settings, clock) as app:
            for number in range(200):
                async with phone(app, f"2001:db8:1:{number:x}::1") as client:
                    await client.post("/api/v1/responses", json=body(code))
            taken = count(database)
            # Without a page nothing passes for the moment, from wherever; with one people do.
            async with phone(app, "203.0.113.4") as client:
                fields = await open_page(client, code)
                clock.seconds += true_settings.page_age_s
                refused = await client.post("/api/v1/responses", json=body(code))
                return (
                    taken,
                    refused.status_code,
                    (await send_form(client, code, fields)).status_code,
                )

    assert asyncio.run(flood()) == (60, 429, 201)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("near", ["2001:db8:1:{:x}::1", "198.51.100.{:d}"], ids=["/48", "/24"])
def test_a_neighbourhood_leaves_half_of_the_point_to_others_though_it_opens_pages(
    database, province, true_settings, near
):
    clock, code = Clock(), province.points[("C1", "sipas-desk")]

    async def flood():
        async with running(true_settings, clock) as app:
            async with phone(app) as client:
                pages = [await open_page(client, code) for _ in range(100)]
            clock.seconds += true_settings.page_age_s
            for number, fields in enumerate(pages, start=1):
                async with phone(app, near.format(number)) as client:
                    await send_form(client, code, fields | {"id": body()["id"]})
            taken = count(database)
            async with phone(app, "203.0.113.4") as client:
                return taken, (
                    await send_form(client, code, await open_page(client, code))
                ).status_code

    assert asyncio.run(flood()) == (60, 201)


def test_a_stolen_device_cannot_fill_a_month_in_seconds(database, province, true_settings):
    """It sends in batches, dated back; the kiosk at the next desk is not kept out by it."""
    clock = Clock()
    stolen, next_desk = province.device("C1"), province.device("C1")
    key, importer = province.credential(Right.SUBMIT), province.importer()
    code = province.points[("C1", "sipas-desk")]

    def answers(count, ago=timedelta(days=20)):
        when = (clock() - ago).isoformat()
        return {"responses": [body(code, answered_at=when) for _ in range(count)]}

    async def send(client, headers, count):
        answer = await client.post("/api/v1/responses", json=answers(count), headers=headers)
        rows = answer.json()["responses"]
        assert all(row["problem"]["retry"] for row in rows if row["status"] == "refused")
        return sum(row["status"] == "accepted" for row in rows)

    async def night():
        async with running(true_settings, clock) as app, phone(app) as client:
            taken = [await send(client, stolen, 500) for _ in range(3)]
            assert taken == [300, 0, 0]
            assert await send(client, next_desk, 200) == 200
            assert await send(client, key, 500) == await send(client, importer, 500) == 500
            clock.seconds += 600
            assert await send(client, stolen, 500) == 50

    asyncio.run(night())


def test_a_response_keeps_the_credential_that_sent_it_and_a_form_none(
    database, province, true_settings
):
    clock, device = Clock(), province.device()
    code = province.points[("C1", "sipas-desk")]

    async def send():
        async with running(true_settings, clock) as app, phone(app) as client:
            sent = body(answered_at=clock().isoformat())
            await client.post("/api/v1/responses", json=sent, headers=device)
            form = await open_page(client, code)
            await send_form(client, code, form)
            return sent["id"], form["id"]

    by_device, by_form = asyncio.run(send())
    with database.reading() as session:
        assert session.get(Response, by_device).credential_id is not None
        assert session.get(Response, by_form).credential_id is None


def test_a_page_is_known_again_by_every_process_for_half_a_day_and_at_its_point_alone(database):
    now = datetime.now(UTC)
    page = PageTokens(database).new("/q/K7XQ2MD", now)
    other = PageTokens(database)
    assert other.read(page.token, "/q/K7XQ2MD", now + timedelta(hours=11)) == page
    assert other.read(page.token, "/q/K7XQ2MD", now + timedelta(hours=13)) is None
    assert other.read(page.token, "/q/K7XQ2MD", now - timedelta(minutes=1)) is None
    assert other.read(page.token, "/q/ANOTHER", now) is None
    earlier = re.sub(r"^\d+", str(page.opened - 60), page.token)
    for forged in (earlier, page.token[:-1] + "g", "", None, "²" * 40, page.token + "\n"):
        assert other.read(forged, "/q/K7XQ2MD", now) is None


def test_what_is_refused_draws_nothing_and_what_is_full_is_forgotten(database):
    at, rate, nine = 1_800_000_000_000_000, Rate.of(parse("2/minute")), Rate.of(parse("9/minute"))
    small, large = (lambda t: draw(rate, b"s", t)), (lambda t: draw(nine, b"l", t))
    with database.writing() as session:
        taken = buckets.take(session, [(small(at), large(at)) for _ in range(4)] + [(large(at),)])
        assert [each is None for each in taken] == [True, True, False, False, True]
        assert taken[2].retry_after(at) == 30
        # Of the larger one three are gone, not five.
        rest = buckets.take(session, [(large(at),)] * 9)
        assert sum(each is None for each in rest) == 6
        later = at + 30_000_000
        assert buckets.take(session, [(small(later),)] * 2)[0] is None
        buckets.tidy(session, later + 200_000_000)
        assert session.scalar(select(func.count()).select_from(RateBucket)) == 0


@pytest.mark.parametrize(
    ("address", "network", "neighbourhood"),
    [
        ("198.51.100.7", "198.51.100.7/32", "198.51.100.0/24"),
        ("::ffff:198.51.100.7", "198.51.100.7/32", "198.51.100.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("testclient", "testclient", "testclient"),
        ("", "", ""),
    ],
)
def test_an_address_stands_for_its_network(address, network, neighbourhood):
    assert (network_of(address), neighbourhood_of(address)) == (network, neighbourhood)
