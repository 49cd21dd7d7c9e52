"""A code that two units have over time: commands mean the one of a day, or say which there are."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.access.models import Credential
from app.clock import local_today
from app.messages import day
from app.registry.models import SurveyPoint, Unit
from app.registry.points import find_by_code
from app.settings import Settings
from app.webhooks.models import Webhook
from tests import changed_tree

TODAY = local_today(Settings().zone)
BEFORE, LONG_AGO, AHEAD = (TODAY + timedelta(days=days) for days in (-1, -9000, 30))
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def old(database, province):
    """The id of the unit that was C1 until yesterday; another one has the code from today on."""
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C1"])
        changed_tree.merge(session, [unit], "C1", TODAY, today=TODAY, points=False)
    return province.units["C1"]


def newest(database, model):
    with database.reading() as session:
        return session.scalars(select(model).order_by(model.id.desc())).first().unit_id


@pytest.mark.parametrize(
    ("command", "model"),
    [
        (("keys", "issue", "x", "--right", "figures:read", "--unit", "C1"), Credential),
        (("webhooks", "add", "https://x.vn/1", "--unit", "C1"), Webhook),
    ],
    ids=["keys", "webhooks"],
)
def test_the_unit_of_the_day_is_meant(hailong, database, old, command, model):
    hailong(*command, "--on", BEFORE)
    assert newest(database, model) == old
    hailong(*command)
    new = newest(database, model)
    assert new != old
    hailong(*command, "--on", AHEAD)
    assert newest(database, model) == new
    said = " ".join(hailong(*command, "--on", LONG_AGO, code=1).split())
    before, today = (day(each, "en") for each in (BEFORE, TODAY))
    assert f"On {LONG_AGO} no unit has code C1" in said
    assert f"to {before}" in said and f"from {today}" in said
    assert newest(database, model) == new
    assert "--on is not a day: soon" in hailong(*command, "--on", "soon", code=1)


def test_a_point_is_opened_at_the_unit_of_the_day_that_is_open(hailong, database, old):
    code = hailong("points", "add", "C1", "sipas-desk", "--on", TODAY).strip()
    with database.reading() as session:
        assert find_by_code(session, code).unit_id != old
    before = newest(database, SurveyPoint)
    said = " ".join(hailong("points", "add", "C1", "sipas-desk", "--on", BEFORE, code=1).split())
    assert "Its work is now done at" in said
    said = hailong("points", "add", "C1", "sipas-desk", "--on", LONG_AGO, code=1)
    assert "no unit has code C1" in said
    assert newest(database, SurveyPoint) == before


def test_posters_are_of_the_unit_of_the_day(hailong, old, tmp_path):
    hailong("points", "add", "C1", "sipas-desk")
    file = tmp_path / "code.svg"
    assert "1 survey points" in hailong("qr", "--unit", "C1", "--on", TODAY, "--out", file)
    assert file.exists()
    other = tmp_path / "old.svg"
    for on, sentence in ((BEFORE, "Its work is now done at"), (LONG_AGO, "no unit has code C1")):
        said = hailong("qr", "--unit", "C1", "--on", on, "--out", other, code=1)
        assert sentence in " ".join(said.split()) and not other.exists()


def test_a_code_of_nobody_is_refused_as_ever(hailong, old):
    said = hailong("keys", "issue", "x", "--right", "figures:read", "--unit", "X9", code=1)
    assert "no unit has the code X9" in said
