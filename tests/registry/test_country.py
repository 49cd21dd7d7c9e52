"""The shipped plan of 1 July 2025: what it says, and the country and one province going through."""

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.clock import local_today
from app.registry.models import Channel, Unit, UnitKind
from app.registry.points import open_point
from app.registry.reorganisation import country
from app.registry.reorganisation.carrying_out import carry_out
from app.registry.reorganisation.country import DAY, NothingToReform, UnknownProvince
from app.registry.structures import UNDIVIDED, read_units
from app.registry.unit_import import UnitRow, add_units
from app.registry.unit_import import read_units as read_file
from app.settings import Settings
from app.tables import WrongTable

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EVE = DAY - timedelta(days=1)
SINCE = date(2024, 1, 1)
BEFORE = country.FOLDER / f"{EVE}-units.csv"
SHARED = Path(__file__).parents[3] / "shared/data"
needs_lists = pytest.mark.skipif(
    not (SHARED / "communes_from_2025-07-01.csv").is_file(), reason="the lists are not here"
)
LEVELS = (UnitKind.PROVINCE, UnitKind.DISTRICT, UnitKind.COMMUNE)


@pytest.fixture(scope="module")
def before():
    with BEFORE.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def listed(name):
    with (SHARED / name).open(encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def units_of(rows, keep=lambda code: True):
    parents = {row["code"]: row["parent"] for row in rows}

    def line(code):
        return [code, *line(parents[code])] if code else []

    return [
        UnitRow(
            line=number, kind=LEVELS[len(line(row["code"])) - 1], code=row["code"],
            name_vi=row["name"], name_en=row["name"], parent_code=row["parent"] or None,
            valid_from=SINCE, mistake=None,
        )
        for number, row in enumerate(rows)
        if keep(line(row["code"])[-1])
    ]  # fmt: skip


@pytest.fixture
def through(database, before):
    """Units before the day, and the registry after it; further units stand where they are told."""

    def go(keep=lambda code: True, further=(), province=None):

        rows = units_of(before, keep)
        with database.writing("operator") as session:
            add_units(session, rows, BEFORE)
            for code, kind, parent in further:
                above = session.scalars(select(Unit).where(Unit.code == parent)).one()
                unit = Unit(code=code, kind=kind, name_vi=code, name_en=code, parent=above,
                            valid_from=SINCE)  # fmt: skip
                session.add(unit)
                session.flush()
                open_point(session, unit, "sipas-desk", Channel.QR, code)
        with database.writing("operator") as session:
            found = country.selected(read_units(session), province)
            carry_out(
                session, found.plan, name=country.NAME, decision=country.DECISION,
                today=local_today(Settings().zone),
            )  # fmt: skip
        with database.reading() as session:
            return read_units(session), found

    return go


def kinds(structure):
    found = Counter(node.kind for node in structure.tree.nodes.values())
    found.pop(UNDIVIDED, None)
    return dict(found)


def test_the_country_goes_through(through):
    units, found = through()
    assert kinds(units.on(EVE)) == {"province": 63, "district": 696, "commune": 10035}
    assert kinds(units.on(DAY)) == {"province": 34, "commune": 3321}
    assert not found.other_names and not found.along
    today = units.on(DAY)
    # Every unit of the day before stands somewhere, and 444 that were divided in no commune.
    communes = [id for id, u in units.histories.items() if u.states[-1].kind == "commune"]
    divided = [id for id in communes if units.histories[id].valid_on(EVE)
               and today.tree.nodes[today.placements[id].whole].kind == UNDIVIDED]  # fmt: skip
    assert len(divided) == 444
    # Nobody's code has two units at a time.
    for day in (EVE, DAY):
        codes = Counter(u.code for u in units.histories.values() if u.valid_on(day))
        assert max(codes.values()) == 1


def test_a_province_goes_through_with_what_stands_below_it_besides(through):
    further = [("A-VT", "agency", "77"), ("H-VT", "hospital", "747"), ("D-1", "desk", "26506")]
    units, found = through(lambda code: code == "77", further)
    today = units.on(DAY)
    assert kinds(units.on(EVE)) == {
        "province": 1, "district": 7, "commune": 77, "agency": 1, "hospital": 1, "desk": 1,
    }  # fmt: skip
    above = {today.tree.nodes[n.parent_id].code if n.parent_id else "": n.code
             for n in today.tree.nodes.values() if n.kind == "province"}  # fmt: skip
    assert above == {"": "79"}
    stands = {n.code: today.tree.nodes[n.parent_id].code
              for n in today.tree.nodes.values() if n.code in ("A-VT", "H-VT", "D-1")}  # fmt: skip
    assert stands == {"A-VT": "79", "H-VT": "79", "D-1": "26506"}
    assert {line.code for line in found.along} == {"A-VT", "H-VT", "D-1"}
    # 26506 was Phường 1 and is Phường Vũng Tàu, of seven wards.
    vung_tau = today.tree.find("26506")
    assert vung_tau.name_vi == "Phường Vũng Tàu"
    held = {units.histories[id].code for id in today.held[vung_tau.id]}
    assert "26506" in held and len(held) >= 6


def test_the_province_that_was_named_with_those_that_became_one_with_it(through):
    units, _ = through(lambda code: code in ("77", "74", "46"), province="77")
    today = units.on(DAY)
    assert {n.code for n in today.tree.nodes.values() if n.kind == "province"} == {"46", "79"}
    # Huế was not named: it stands as before.
    assert {
        n.kind for n in today.tree.nodes.values() if n.parent_id == today.tree.find("46").id
    } >= {"district"}
    assert {units.histories[id].code for id in today.held[today.tree.find("79").id]} >= {"74", "77"}


def test_units_that_are_called_otherwise_are_named(database, before):

    with database.writing("operator") as session:
        session.add(Unit(code="77", kind=UnitKind.PROVINCE, name_vi="Tỉnh Khác", name_en="Other",
                         valid_from=SINCE))  # fmt: skip
    with database.reading() as session:
        (other,) = country.selected(read_units(session)).other_names
    assert (other.code, other.name) == ("77", "Tỉnh Khác")


def test_a_name_with_another_word_for_its_kind_counts_where_nothing_else_is_called_so(
    database, before, hailong
):
    def called(code, name):
        with database.writing("operator") as session:
            session.scalars(select(Unit).where(Unit.code == code)).one().name_vi = name
        with database.reading() as session:
            found = country.selected(read_units(session))
        return (
            [(each.code, each.name) for each in found.other_names],
            [(each.code, each.name, each.expected) for each in found.other_kinds],
        )

    with database.writing("operator") as session:
        add_units(session, units_of(before, lambda top: top == "77"), Path("77.csv"))
    listed_name = next(row["name"] for row in before if row["code"] == "26548")
    assert listed_name == "Phường Phước Hưng"
    assert called("26548", listed_name) == ([], [])
    # A commune of the province is called so as well, on one of the two sides of the day.
    assert called("26548", "Xã Phước Hưng") == ([("26548", "Xã Phước Hưng")], [])
    said = " ".join(hailong("reform", "2025-07-01", "--dry-run", code=1).split())
    assert "26548 is called Xã Phước Hưng here, Phường Phước Hưng in the list" in said
    # Nothing is a township of that name: accepted, and said.
    only = "Thị trấn Phước Hưng"
    assert called("26548", only) == ([], [("26548", only, listed_name)])
    said = " ".join(hailong("reform", "2025-07-01", "--dry-run").split())
    assert f"26548 is taken for {listed_name} of the list, though it is called {only} here" in said
    # The bare name claims no other kind.
    assert called("26548", "Phước Hưng") == ([], [])


@pytest.mark.parametrize("province", ["79", "00", "747"])
def test_a_province_that_is_not_here_is_refused(database, province):
    with database.reading() as session, pytest.raises(UnknownProvince):
        country.selected(read_units(session), province)


def test_a_registry_without_such_units_has_nothing_to_reform(database):
    with database.reading() as session, pytest.raises(NothingToReform):
        country.selected(read_units(session))


@needs_lists
def test_todays_list_is_imported_and_refused_in_a_province_of_yesterday(database, before):
    file = SHARED / "communes_from_2025-07-01.csv"
    rows = read_file(file, DAY)
    assert Counter(row.kind.value for row in rows) == {"province": 34, "commune": 3321}

    old = units_of(before, lambda code: code == "77")
    with database.writing("operator") as session:
        add_units(session, old, BEFORE)
    with pytest.raises(WrongTable) as refused, database.writing("operator") as session:
        add_units(session, rows, file)
    said = " ".join(error.detail("vi") for error in refused.value.errors)
    assert "26506" in said and "Phường Vũng Tàu" in said and "Phường 1" in said
    with database.writing("operator") as session:  # the same file again is no overlap
        assert add_units(session, old, BEFORE) == (0, 0)
