"""The mix of channels, held fixed over time and adjusted for: over HTTP, against a recount."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from app.access.roles import Role
from app.messages.words import Words
from tests.figures.mixed import FORM, ITEMS, SENT, mixed, sums

DAYS = {"from": "2026-04-01", "to": "2026-09-30", "questionnaire": FORM}
PARTS = ("C1.qr", "C2.paper", "C2.kiosk")


world = mixed()


def ask(world, path, headers=None, **asked):
    client, province = world
    answer = client.get(path, params=asked, headers=headers or province.reader())
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_trend_has_each_period_with_the_same_channels(world):
    path = "/api/v1/satisfaction/trend"
    (row,) = ask(world, path, unit="D1", step="quarter", standardise="channel", **DAYS)["rows"]
    counts = np.array([[sums(part, quarter) for part in PARTS] for quarter in (0, 1)], dtype=float)
    a, m = counts[..., 0], counts[..., 1]
    mix = m.sum(axis=0) / m.sum()
    for point, rates, pooled in zip(
        row["points"], a / m, a.sum(axis=1) / m.sum(axis=1), strict=True
    ):
        held = point["fixed_channels"]
        assert held["rate"] == pytest.approx(mix @ rates) and held["covered"] == 1
        assert held["low"] < held["rate"] < held["high"]
        assert point["rate"] == pytest.approx(pooled)
    first, second = (point["fixed_channels"]["rate"] for point in row["points"])
    crude = row["points"][1]["rate"] - row["points"][0]["rate"]
    assert abs(second - first) < abs(crude)
    (plain,) = ask(world, path, unit="D1", step="quarter", **DAYS)["rows"]
    assert all(point["fixed_channels"] is None for point in plain["points"])


def test_a_channel_that_is_not_shown_is_left_out_and_said_so(world):
    _, province = world
    (row,) = ask(
        world, "/api/v1/satisfaction/trend", province.public_reader(),
        unit="D1", step="quarter", standardise="channel", **DAYS,
    )["rows"]  # fmt: skip
    assert row["points"][0]["fixed_channels"]["covered"] < 1


def test_the_channel_is_an_adjuster_of_case_mix(world):
    found = ask(
        world,
        "/api/v1/satisfaction/casemix",
        unit="D1",
        expand="children",
        adjust="channel",
        **DAYS,
    )
    people = [(unit, channel, np.mean(list(given.values()))) for unit, channel, *_, given in SENT]
    people = [each for each in people if each[0] != "A1"]
    units = sorted({unit for unit, *_ in people})
    effects = np.array([[unit == each for each in units] for unit, *_ in people], dtype=float)
    names = [adjuster["adjuster"] for adjuster in found["adjusters"]]
    channels = [name.removeprefix("channel=") for name in names]
    # The first commune answers by QR code alone: that cannot be told from the commune.
    (channel,) = channels
    assert channel in ("kiosk", "paper")
    here = np.array([each == channel for _, each, _ in people], dtype=float)
    theirs = OLS(np.array([mean for *_, mean in people]), np.column_stack([effects, here])).fit()
    assert found["adjusters"][0]["coefficient"] == pytest.approx(theirs.params[-1])
    assert len(ITEMS) == 3 and found["respondents"] == len(people)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_of_a_unit_says_that_its_channels_moved(world, language):
    client, province = world
    asked = {"unit": "D1", "questionnaire": FORM, "period": "2026-Q3"}
    mix = ask(world, "/api/v1/views/unit", **asked)["channel_mix"]
    answers = np.array([[sums(part, q)[1] for part in PARTS] for q in (0, 1)], dtype=float)
    shares = answers / answers.sum(axis=1, keepdims=True)
    moves = np.abs(shares[1] - shares[0])
    assert mix["moved"] and mix["largest_move"] == pytest.approx(moves.max())
    by_channel = {row["channel"]: row for row in mix["shares"]}
    assert by_channel["qr"]["share_before"] == pytest.approx(shares[0, 0])
    assert mix["points"] and all(row["rate"] is not None for row in mix["points"])
    words = Words(language)
    person = province.person((Role.PROVINCIAL_ANALYST, None))
    headers = {"Cookie": f"{person.headers['Cookie']}; language={language}"}
    page = client.get("/dashboard/unit", params=asked, headers=headers).text
    assert 'id="channels-moved"' in page and words("view.fixed_channels") in page
    # Where no channel moved by ten points nothing is said of them.
    other = client.get("/dashboard/unit", params=asked | {"unit": "C1"}, headers=headers).text
    assert 'id="channels-moved"' not in other
