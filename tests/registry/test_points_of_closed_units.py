"""Points by command, poster and interface, where units end, begin anew and are renamed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.access.models import Right, RoleGrant
from app.access.roles import Role
from app.clock import local_today
from app.registry.models import PointCode, Succession, Unit
from app.registry.points import current_code, find_by_code, open_point
from app.settings import Settings
from tests import changed_tree

TODAY = local_today(Settings().zone)
BEFORE, LONG_AGO = TODAY - timedelta(days=1), TODAY - timedelta(days=900)

one_store = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def merged(database, province):
    """C1 begins anew today without its points: they are closed."""
    with database.writing() as session:
        old = session.get_one(Unit, province.units["C1"])
        changed_tree.merge(session, [old], "C1", TODAY, today=TODAY, points=False)


@one_store
def test_points_of_both_units_of_one_code_are_listed_and_closed_ones_said(
    hailong, province, database, merged
):
    old = province.points[("C1", "sipas-desk")]
    new = hailong("points", "add", "C1", "sipas-desk").strip()
    lines = hailong("points", "list", "--unit", "C1").split("\n")
    (closed,), (opened,) = ([line for line in lines if code in line] for code in (old, new))
    assert f"closed with its unit, {BEFORE}" in closed
    assert "closed" not in opened and "active" in opened
    yesterday = hailong("points", "list", "--unit", "C1", "--on", BEFORE)
    assert old in yesterday and new not in yesterday
    today = hailong("points", "list", "--unit", "C1", "--on", TODAY)
    assert new in today and old not in today
    assert "--on is not a day" in hailong("points", "list", "--on", "soon", code=1)
    assert "no unit" in hailong("points", "list", "--unit", "X", code=1)


@one_store
def test_nothing_is_opened_or_printed_of_a_closed_unit(
    hailong, client, province, database, tmp_path
):
    with database.writing() as session:
        old = session.get_one(Unit, province.units["C1"])
        changed_tree.merge(session, [old], "C9", TODAY, today=TODAY, points=False)
        # It went to two: where all of it went to one, a server that starts has its points follow.
        session.add(Succession(from_id=old.id, to_id=province.units["C2"], day=TODAY))
    code = province.points[("C1", "sipas-desk")]
    said = hailong("points", "add", "C1", "sipas-desk", code=1)
    assert "Its work is now done at Unit C2, New unit C9" in " ".join(said.split())
    file = tmp_path / "code.svg"
    for arguments in ((code,), ("--unit", "C1")):
        said = hailong("qr", *arguments, "--out", file, code=1)
        assert "New unit C9" in " ".join(said.split()) and not file.exists()
    key = province.credential(Right.READ_REGISTRY)
    for path in (
        f"/api/v1/posters?point={code}", "/api/v1/posters?unit=C1", f"/api/v1/posters/{code}.svg"
    ):  # fmt: skip
        answer = client.get(path, headers=key)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unit-closed")
    row = next(
        each
        for each in client.get("/api/v1/points?unit=C1", headers=key).json()["points"]
        if each["code"] == code
    )
    assert row["unit_last_day"] == str(BEFORE)
    head = province.person((Role.OPERATOR, None))
    page = client.get("/posters?unit=C1", headers=head.headers | {"Accept-Language": "vi"})
    assert "nay do Đơn vị C2, Đơn vị mới C9 thực hiện" in page.text
    assert code not in client.get("/posters", headers=head.headers).text
    devices = client.get("/devices", headers=head.headers)
    assert ">Đơn vị C2" in devices.text and "C1 sipas-desk" not in devices.text


@one_store
def test_a_point_that_had_its_units_name_follows_when_the_unit_is_renamed(
    hailong, database, province, tmp_path
):
    with database.writing() as session:
        unit = session.get_one(Unit, province.units["C1"])
        plain = current_code(open_point(session, unit, "sipas-desk", "qr", unit.name_vi))
    file = tmp_path / "units.csv"
    head = "kind,code,name_vi,name_en,parent_code,valid_from"
    file.write_text(f"{head}\ncommune,C1,Xã Mới,New,D1,2020-01-01\n", encoding="utf-8")
    assert "1 changed" in hailong("import", "units", file)
    with database.reading() as session:
        assert find_by_code(session, plain).name == "Xã Mới"
        own = find_by_code(session, province.points[("C1", "sipas-desk")])
        assert own.name == "C1 sipas-desk"
    assert "point.rename" in hailong("audit", "export")


@one_store
def test_a_code_that_two_units_have_is_granted_by_day(hailong, database, province, merged):
    hailong("accounts", "add", "a@tinh.vn", "--name", "A", "--role", "unit-head", "--unit", "C1")
    hailong(
        "accounts", "grant", "a@tinh.vn", "--role", "auditor", "--unit", "C1", "--on", BEFORE
    )  # fmt: skip
    with database.reading() as session:
        grants = dict(map(tuple, session.execute(select(RoleGrant.role, RoleGrant.unit_id))))
        old = province.units["C1"]
        assert grants["auditor"] == old and grants["unit-head"] not in (old, None)
    said = hailong(
        "accounts", "grant", "a@tinh.vn", "--role", "auditor", "--unit", "C1", "--on", "x", code=1
    )
    assert "--on is not a day" in said


@one_store
def test_posters_that_show_an_older_name_are_listed(hailong, database, province):
    with database.writing() as session:
        units = {code: session.get_one(Unit, id) for code, id in province.units.items()}
        for code in session.query(PointCode):
            code.issued_at = code.issued_at - timedelta(days=900)
        changed_tree.rename(session, units["C1"], "Mới", TODAY, today=TODAY)
        point = find_by_code(session, province.points[("D1", "sipas-desk")])
        changed_tree.move(session, point, units["C2"], TODAY, today=TODAY)
        fresh = current_code(open_point(session, units["C1"], "sipas-desk", "qr", "Quầy 2"))
    said = hailong("points", "list", "--outdated")
    assert province.points[("C1", "sipas-desk")] in said
    assert province.points[("D1", "sipas-desk")] in said
    # What was opened under the new name, and what nothing was changed of, needs no other poster.
    assert fresh not in said and province.points[("A1", "sipas-desk")] not in said
    hailong("points", "reprint", province.points[("C1", "sipas-desk")])
    assert "C1 sipas-desk" not in hailong("points", "list", "--outdated")
