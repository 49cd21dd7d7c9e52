"""No combination of filters tells a stranger to small cells more of a writer than ten share."""

import itertools
from collections import Counter, defaultdict

import httpx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.access.roles import Role
from app.figures.comment_classes import classes, contentments
from app.figures.comment_results import Contentment
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from app.registry.questionnaires import newest, published
from app.settings import Settings
from tests.conftest import serving
from tests.small_province import SmallProvince, body

LEAST = 10
CHANNELS = ("qr", "kiosk", "paper")
LEVELS = (*Contentment, None)
KINDS = list(itertools.product(CHANNELS, LEVELS))
FILTERS = [
    (channel, level)
    for channel in (None, *CHANNELS)
    for level in (None, *Contentment)
    if channel or level
]


def told(found, kind):
    """What all filters together say of somebody who is of a kind: an answer a filter."""
    said = []
    for channel, level in FILTERS:
        try:
            said.append(found.among(kind, channel, level))
        except LookupError:
            said.append(None)
    return tuple(said)


@given(st.dictionaries(st.sampled_from(KINDS), st.integers(0, 25)))
@example({("qr", Contentment.LOW): 10, ("kiosk", Contentment.LOW): 9, ("qr", None): 1})
@example({("qr", Contentment.HIGH): 30, ("qr", Contentment.LOW): 3})
def test_whoever_is_told_alike_are_none_or_ten(people):
    if 0 < sum(people.values()) < LEAST:
        return  # withheld as a whole
    found = classes(people, LEAST)
    alike = Counter()
    for kind, n in people.items():
        alike[told(found, kind)] += n
    assert all(n == 0 or n >= LEAST for n in alike.values())


def test_filters_tell_as_much_as_they_may():
    low, high = ("qr", Contentment.LOW), ("qr", Contentment.HIGH)
    apart = classes({low: 10, high: 12}, LEAST)
    assert apart.among(low, "qr", Contentment.LOW) and not apart.among(high, None, Contentment.LOW)
    by_level = classes({low: 10, high: 12, ("paper", Contentment.HIGH): 1}, LEAST)
    assert by_level.among(low, None, Contentment.LOW)
    with pytest.raises(LookupError):
        by_level.among(low, "qr", None)
    by_channel = classes({low: 3, high: 12, ("paper", Contentment.HIGH): 1}, LEAST)
    assert not by_channel.contentments and not by_channel.channels


def test_contentment_is_the_mean_of_low_neutral_and_high(own_database):
    with own_database.reading() as session:
        desk = newest(published(session))["sipas-desk"]
        face = newest(published(session))["kiosk-face"]
    records = [
        desk.sheet.pack(answers)[0]
        for answers in ({"A1": 5, "A2": 4, "A3": 1}, {"A1": 5, "A2": 1}, {"A1": 3}, {"A1": 2}, {},
                        {"A1": None, "A2": 4})
    ]  # fmt: skip
    assert contentments(desk, records) == ["neutral", "neutral", "neutral", "low", None, "high"]
    faces = [face.sheet.pack({"S1": value})[0] for value in range(1, 6)]
    assert contentments(face, faces) == ["low", "low", "neutral", "high", "high"]


@pytest.fixture(scope="module")
def world(own_database):
    """Two units and two months with few of some channels and levels."""
    province = SmallProvince.found(own_database)
    points = {}
    with own_database.writing() as session:
        for unit, channel in itertools.product(("C1", "D1"), (Channel.QR, Channel.WEB)):
            at = session.get_one(Unit, province.units[unit])
            point = open_point(session, at, "sipas-desk", channel, f"{unit} by {channel}")
            points[unit, channel.value] = current_code(point)
    rng = np.random.default_rng(8)
    bodies, truth = [], {}
    url = own_database.url.render_as_string(hide_password=False)
    with serving(Settings(database_url=url, cache_s=0)) as client:
        for month, unit, n in (
            ("2026-02", "C1", 45), ("2026-03", "C1", 28),
            ("2026-03", "D1", 9), ("2026-02", "D1", 13),
        ):  # fmt: skip
            for number in range(n):
                level = int(rng.choice([1, 3, 5], p=[0.3, 0.25, 0.45]))
                channel = str(rng.choice(["qr", "web"], p=[0.7, 0.3]))
                text = f"{unit} {month} số {number}"
                bodies.append(
                    body(
                        points[unit, channel],
                        answers={"A1": level, "comment": text},
                        answered_at=f"{month}-{number % 20 + 1:02}T09:00:00+07:00",
                    )
                )
                content = {1: "low", 3: "neutral", 5: "high"}[level]
                truth[text] = (unit, month, channel, content)
        province.send(client, bodies)
        yield client, province, truth


def ask(client: httpx.Client, person, **query):
    found, page = [], 1
    while True:
        answer = client.get(
            "/api/v1/comments", params=query | {"page": page}, headers=person.headers
        )
        assert answer.status_code == 200, answer.text
        found += [each["body"] for each in answer.json()["comments"]]
        if page >= answer.json()["pages"]:
            return found, answer.json()
        page += 1


def test_a_head_who_asks_for_all_combinations_learns_of_nobody(world):
    client, province, truth = world
    head = province.person((Role.UNIT_HEAD, "D1"))
    said = defaultdict(list)
    for unit, (month, to), channel, level in itertools.product(
        ("D1", "C1"), (("2026-02", None), ("2026-03", None), ("2026-02", "2026-03")),
        (None, "qr", "web"), (None, "low", "neutral", "high"),
    ):  # fmt: skip
        query = {"unit": unit, "month": month, "to": to, "channel": channel, "level": level}
        found, _ = ask(client, head, **{k: v for k, v in query.items() if v})
        for text in truth:
            said[text].append(text in found)
    alike = Counter((truth[text][:2], tuple(answers)) for text, answers in said.items())
    shown = {text for text, answers in said.items() if any(answers)}
    assert {truth[text][:2] for text in shown} == {
        ("C1", "2026-02"), ("C1", "2026-03"), ("D1", "2026-02"),
    }  # fmt: skip
    assert all(n >= LEAST for (_, answers), n in alike.items() if any(answers))
    assert len(alike) > 4  # filters tell something where they may


def test_whoever_may_see_few_is_told_by_every_filter(world):
    client, province, truth = world
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    for channel, level in (("qr", "low"), ("web", None), (None, "high")):
        query = {"month": "2026-02", "to": "2026-03", "channel": channel, "level": level}
        found, answer = ask(client, analyst, **{k: v for k, v in query.items() if v})
        assert sorted(found) == sorted(
            text for text, (_, _, theirs, content) in truth.items()
            if channel in (None, theirs) and level in (None, content)
        )  # fmt: skip
        assert answer["indistinct"] == answer["few"] == 0
