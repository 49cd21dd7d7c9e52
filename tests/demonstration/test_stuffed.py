"""The stuffed boxes of the demonstration are found by the rule as it comes, and no honest unit."""

from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.access import credentials
from app.access.models import Right
from app.audit.log import SYSTEM
from app.db import Database
from app.demonstration import draw, province
from app.demonstration.reform import reorganise
from app.intake.models import Response
from app.intake.rollup_rebuild import verify
from app.integrity.batches import batches
from app.integrity.models import State
from app.integrity.passes import latest_months, run
from app.integrity.rules import first_rules, set_rule
from app.registry.models import Unit
from app.registry.questionnaires import newest, published
from app.settings import Settings
from tests.conftest import serving
from tests.databases import address, copy_sqlite

UNTIL = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
SIZE = 12_000


@pytest.fixture(scope="module", params=list(province.PROVINCES.values()), ids=lambda of: of.word)
def of(request):
    return request.param


@pytest.fixture(scope="module")
def settings(of, templates, tmp_path_factory):
    file = tmp_path_factory.mktemp("stuffed") / "x.db"
    return Settings(database_url=address(copy_sqlite(templates("sqlite"), file)), cache_s=0)


@pytest.fixture(scope="module")
def planted(of, settings):
    """The database with all answers sent over HTTP, and which units were stuffed."""
    with closing(Database(settings.database_url)) as database:
        with database.writing() as session:
            province.found(session, of)
            reorganise(session, UNTIL.date(), of)
        with database.reading() as session:
            points = province.points(session)
            sheets = {code: each.sheet for code, each in newest(published(session)).items()}
        with database.writing() as session:
            key = credentials.issue(session, "loader", [Right.IMPORT_HISTORY])
        headers = {"Authorization": f"Bearer {key}"}
        bodies = list(
            draw.responses(
                points, sheets, size=SIZE, seed=2020, until=UNTIL,
                first=of.first_day(UNTIL.date()),
            )
        )  # fmt: skip
        with serving(settings) as client:
            for start in range(0, len(bodies), 500):
                sent = client.post(
                    "/api/v1/responses", json={"responses": bodies[start : start + 500]},
                    headers=headers,
                )  # fmt: skip
                assert {each["status"] for each in sent.json()["responses"]} == {"accepted"}
        yield database, draw.plant(points, 2020, UNTIL.date()).stuffed


def test_the_stuffed_boxes_are_found_and_nobody_else(planted, settings):
    database, stuffed = planted
    with database.writing(SYSTEM) as session:
        set_rule(session, "stuffing", first_rules()["stuffing"], active=True, by="test")
    run(database, settings, latest_months(UNTIL.date(), 12))
    with database.reading() as session:
        found = batches(session)
        codes = {session.get(Unit, each.unit_id).code for each in found}
        assert codes == set(stuffed) and len(found) == len(stuffed)
        assert {each.state for each in found} == {State.QUARANTINED}
        assert min(each.probability for each in found) > 0.95
        aside = select(Response.duration_s).where(Response.disposition == "quarantined")
        durations = list(session.scalars(aside))
        # Every press lasted eight seconds; honest forms of so many questions take longer.
        assert len(durations) == 2 * max(20, SIZE // 800) and set(durations) == {8}
    assert verify(database) == []
