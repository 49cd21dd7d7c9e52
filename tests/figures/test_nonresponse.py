"""Those who did not answer: over HTTP and on the page, against a recount."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from app.access.roles import Role
from app.invitations.models import Invitation
from app.messages.words import Words
from app.registry.models import Channel, Unit
from app.registry.points import current_code, open_point
from tests.figures.mixed import FORM, ITEMS, serve, standing, sums
from tests.small_province import body

#: Month, invited, answered, of these satisfied.
MONTHS = ((7, 100, 40, 36), (8, 200, 20, 12), (9, 50, 0, 0))
SERVED = {"C1": 1000, "C2": 800}
DAYS = {"questionnaire": FORM, "from": "2026-07-01", "to": "2026-09-30"}
ASKED = {"questionnaire": FORM, "period": "2026-Q3"}


@pytest.fixture(scope="module")
def world(templates, tmp_path_factory):
    opened = {}

    def prepare(session, province):
        commune = session.get_one(Unit, province.units["C1"])
        point = open_point(session, commune, FORM, Channel.INVITATION, "by invitation")
        session.flush()
        opened["code"] = current_code(point)
        for month, invited, answered, _ in MONTHS:
            for place in range(invited):
                mark = f"{month}-{place}"
                session.add(
                    Invitation(
                        number=mark, token_hash=mark, case_hash=mark, unit_id=commune.id,
                        point_id=point.id, finished_on=date(2026, month, 1 + place % 28),
                        expires_at=datetime(2027, 1, 1, tzinfo=UTC), answered=place < answered,
                    )
                )  # fmt: skip
        serve(session, SERVED)

    with standing(templates, tmp_path_factory.mktemp("silent"), prepare) as (client, province):
        bodies = [
            body(
                opened["code"],
                dict.fromkeys(ITEMS, 5 if place < satisfied else 2),
                answered_at=f"2026-{month:02}-{1 + place % 28:02}T10:00:00+07:00",
            )
            for month, _, answered, satisfied in MONTHS
            for place in range(answered)
        ]
        answer = client.post(
            "/api/v1/responses", json={"responses": bodies}, headers=province.importer()
        )
        assert {r["status"] for r in answer.json()["responses"]} == {"accepted"}, answer.text
        yield client, province


def ask(world, headers=None, **more):
    client, province = world
    answer = client.get(
        "/api/v1/satisfaction/non-response",
        params=DAYS | {"unit": "C1"} | more,
        headers=headers or province.reader(),
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def test_the_rate_would_move_by_the_share_of_the_silent(world):
    (row,) = ask(world)
    found = row["by_invitations"]
    invited, answered, satisfied = (sum(month[i] for month in MONTHS) for i in (1, 2, 3))
    assert (found["reached"], found["answered"]) == (invited, answered)
    rate = satisfied / answered
    assert found["rate"] == pytest.approx(rate)
    assert found["response_rate"] == pytest.approx(answered / invited)
    assert [each["difference"] for each in found["moved"]] == [0.05, 0.1, 0.2]
    for each in found["moved"]:
        silent = 1 - answered / invited
        assert each["low"] == pytest.approx(rate - silent * each["difference"])
        assert each["high"] == pytest.approx(rate + silent * min(each["difference"], 1 - rate))


def test_volumes_say_how_many_of_those_served_were_not_heard(world):
    (row,) = ask(world, unit="D1")
    found = row["by_volumes"]
    heard = sum(sums(unit, 1)[1] for unit in SERVED) // len(ITEMS) + sum(m[2] for m in MONTHS)
    served = sum(3 * (cases // 4) for cases in SERVED.values())
    assert (found["reached"], found["answered"]) == (served, heard)
    assert found["moved"][0]["low"] == pytest.approx(found["rate"] - 0.05 * (1 - heard / served))
    # Of the agency nothing is known.
    (row,) = ask(world, unit="77")
    assert row["by_volumes"] is None


def test_answers_to_invitations_are_weighted_by_unit_and_month(world):
    (row,) = ask(world)
    found = row["weighted"]
    y, weights = [], []
    for _, invited, answered, satisfied in MONTHS[:2]:
        y += [1] * satisfied + [0] * (answered - satisfied)
        weights += [invited / answered] * answered
    assert found["rate"] == pytest.approx(DescrStatsW(np.array(y), np.array(weights)).mean)
    assert found["unweighted"] == pytest.approx(np.mean(y)) and found["unweighted"] > found["rate"]
    assert found["low"] < found["rate"] < found["high"]
    assert found["covered"] == pytest.approx(300 / 350)  # of September nobody answered
    (other,) = ask(world, unit="C2")
    assert other["weighted"] is None and other["by_invitations"] is None


def test_whoever_may_not_see_few_is_told_nothing_of_few(world):
    _, province = world
    (row,) = ask(world, province.public_reader(), **{"from": "2026-09-01"})
    assert row["weighted"] is None
    found = row["by_invitations"]
    assert found is None or found["rate"] is None


@pytest.mark.parametrize("language", ["vi", "en"])
def test_pages_say_it_once(world, language):
    client, province = world
    words = Words(language, "C1")
    person = province.person((Role.PROVINCIAL_ANALYST, None))
    headers = {"Cookie": f"{person.headers['Cookie']}; language={language}"}
    page = client.get("/dashboard/unit", params=ASKED | {"unit": "C1"}, headers=headers)
    assert page.status_code == 200
    assert page.text.count(words("view.chose_to_answer")) == 1
    section = page.text.partition('id="silent"')[2].partition("</section>")[0]
    (row,) = ask(world)
    for found in (row["by_invitations"], row["by_volumes"]):
        assert words.between(found["moved"][2]["low"], found["moved"][2]["high"]) in section
    assert words.percent(row["weighted"]["rate"]) in section
    # Where nothing is known of the others the page says so.
    other = client.get(
        "/dashboard/unit", params=ASKED | {"unit": "C2", "period": "2026-Q2"}, headers=headers
    )
    assert words("tell.silent_unknown") in other.text
    overview = client.get(
        "/dashboard/overview", params=ASKED | {"unit": "D1", "kind": "commune"}, headers=headers
    )
    assert overview.text.count(words("view.chose_to_answer")) == 1
