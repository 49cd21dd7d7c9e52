"""The country's 10,040 communes in one tree: every page of the dashboard stays usable.

How fast is the benchmark's to say; here, that every page answers, stays light, and shows a part of
what there is with a way to the rest.
"""

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from app.access.roles import Role
from app.db import Database
from app.registry.models import Channel, PointState, SurveyPoint, Unit
from app.registry.points import current_code, open_point
from app.registry.unit_import import add_units, read_units
from app.rollups.models import RollupCell
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite
from tests.small_province import SmallProvince, body

COMMUNES = Path(__file__).parents[1] / "data/communes_until_2025-06-30.csv"
LINK = "questionnaire=sipas-desk&period=2026-Q3"
ASKED = 60
TODAY = 3_321


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
            bodies = [
                body(code, answered_at=f"2026-08-{1 + n % 28:02}T09:00:00+07:00")
                for code in codes
                for n in range(12)
            ]
            province.send(client, bodies)
            client.headers["Cookie"] = province.person((Role.PROVINCIAL_ANALYST, None)).headers[
                "Cookie"
            ]
            client.url = url
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
    first = opened(country, f"/dashboard/units?{LINK}&kind=commune")
    assert "page=2" in first.text
    second = opened(country, f"/dashboard/units?{LINK}&kind=commune&page=2")
    assert "page=3" in second.text and 'rel="prev"' in second.text
    assert first.text != second.text


def test_the_communes_of_today_are_ranked(country):
    # As many as there are since July 2025, each with the answers of one of those asked.
    with closing(Database(country.url)) as database, database.writing() as session:
        known = session.scalars(select(RollupCell)).all()
        ids = session.scalars(select(Unit.id).where(Unit.kind == "commune").limit(TODAY)).all()
        for place, id in enumerate(ids):
            cell = known[place % len(known)]
            session.add(
                RollupCell(day=date(2026, 9, 30), unit_id=id, version_id=cell.version_id,
                           channel="paper", packed=cell.packed)
            )  # fmt: skip
    asked = "questionnaire=sipas-desk&kind=commune&from=2026-09-30&to=2026-09-30&best=100"
    answer = country.get(f"/api/v1/satisfaction/ranking?{asked}", timeout=300)
    assert answer.status_code == 200, answer.text[:1000]
    found = answer.json()
    ranked = [row for row in found["rows"] if row["rank"] is not None]
    assert found["units"] == len(ranked) == TODAY
    for row in ranked:
        assert row["rank_low_simultaneous"] <= row["rank_low"] <= row["rank"] <= row["rank_high"]
        assert row["rank_high"] <= row["rank_high_simultaneous"] <= TODAY


def test_a_province_within_it_is_looked_at_as_any_other(country):
    page = opened(country, f"/dashboard/overview?{LINK}&unit=01")
    assert "Thành phố Hà Nội" in page.text
