"""The country's 10,040 communes in one tree: every page of the dashboard stays usable.

How fast is the benchmark's to say; here, that every page answers, stays light, and shows a part of
what there is with a way to the rest.
"""

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from app.access.roles import Role
from app.db import Database
from app.registry.models import Channel, PointState, SurveyPoint, Unit
from app.registry.points import current_code, open_point
from app.registry.unit_import import add_units, read_units
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.small_province import SmallProvince, body

COMMUNES = Path(__file__).parents[1] / "data/communes_until_2025-06-30.csv"
LINK = "questionnaire=sipas-desk&period=2026-Q3"
ASKED = 60


@pytest.fixture(scope="module")
def country(templates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("country")
    url = address(copy_sqlite(templates("sqlite"), folder / "x.db"))
    with closing(Database(url)) as database:
        with database.writing() as session:
            add_units(session, read_units(COMMUNES, date(2020, 1, 1)), COMMUNES)
        codes = []
        with database.writing() as session:
            communes = session.query(Unit).filter_by(kind="commune").all()
            for unit in communes[:: len(communes) // ASKED]:
                point = open_point(session, unit, "sipas-desk", Channel.QR, unit.code)
                codes.append(current_code(point))
            # All the others have points, too, whose codes nobody needs here.
            session.execute(
                insert(SurveyPoint),
                [
                    {"unit_id": unit.id, "questionnaire": "sipas-desk", "channel": Channel.QR,
                     "name": unit.code, "state": PointState.ACTIVE,
                     "state_since": datetime.now(UTC)}
                    for unit in communes
                ],
            )  # fmt: skip
        province = SmallProvince(database)
        with serving(Settings(database_url=url)) as client:
            importer = province.importer()
            bodies = [
                body(code, answered_at=f"2026-08-{1 + n % 28:02}T09:00:00+07:00")
                for code in codes
                for n in range(12)
            ]
            for start in range(0, len(bodies), 400):
                sent = {"responses": bodies[start : start + 400]}
                answer = client.post("/api/v1/responses", json=sent, headers=importer)
                assert {r["status"] for r in answer.json()["responses"]} == {"accepted"}
            client.headers["Cookie"] = province.person((Role.PROVINCIAL_ANALYST, None)).headers[
                "Cookie"
            ]
            yield client


def opened(client, path):
    answer = client.get(path)
    if answer.status_code == 303:
        answer = client.get(answer.headers["location"])
    assert answer.status_code == 200, answer.text[:1000]
    assert len(answer.content) < 250_000, f"{path}: {len(answer.content):,} bytes"
    return answer


@pytest.mark.parametrize(
    "page", ["overview", "units", "unit", "comparison", "sections", "items", "quality"]
)
def test_every_page_opens_on_the_whole_country(country, page):
    opened(country, f"/dashboard/{page}?{LINK}")


def test_ten_thousand_units_are_paged(country):
    first = opened(country, f"/dashboard/units?{LINK}&level=commune")
    assert "start=150" in first.text
    second = opened(country, f"/dashboard/units?{LINK}&level=commune&start=150")
    assert "start=300" in second.text and "start=0" not in second.text
    assert first.text != second.text


def test_a_province_within_it_is_looked_at_as_any_other(country):
    page = opened(country, f"/dashboard/overview?{LINK}&unit=01")
    assert "Thành phố Hà Nội" in page.text
