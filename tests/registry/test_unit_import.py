"""Units from CSV: the whole country in one go, errors by line, all or nothing, safe to repeat."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.registry.models import Unit
from app.registry.queries import tree
from app.registry.unit_import import UnitFileError, add_units, read_units

DATA = Path(__file__).parents[1] / "data"
DAY = date(2020, 1, 1)
HEADER = "kind,code,name_vi,name_en,parent_code,valid_from,valid_to,latitude,longitude\n"
SOUND = HEADER + (
    "commune,C1,Xã Một,,D1,,,10.5,107.25\n"
    "district,D1,Huyện Một,District One,P,,,,\n"
    "province,P,Tỉnh,,,2019-01-01,,,\n"
)


def imported(database, file):
    with database.writing() as session:
        return add_units(session, read_units(file, DAY), file)


def test_the_whole_country_in_one_go(database):
    file = DATA / "communes_until_2025-06-30.csv"
    # 10,040 rows: five of them are island districts without communes.
    counts = {"province": 63, "district": 696, "commune": 10_035}
    assert imported(database, file) == (sum(counts.values()), 0)
    with database.reading() as session:
        query = select(Unit.kind, func.count()).group_by(Unit.kind)
        kinds = dict(map(tuple, session.execute(query).all()))
        assert kinds == counts
        units = tree(session, among=None)
        commune = units.find("26506")
        district = units.nodes[commune.parent_id]
        assert (commune.name_vi, district.code) == ("Phường 1", "747")
        assert units.nodes[district.parent_id].code == "77"
        assert len(units.below(units.find("77").id)) == 1 + 7 + 77
        assert session.scalar(select(func.count()).where(Unit.latitude.is_not(None))) > 10_000
    assert imported(database, file) == (0, 0)


def test_parents_may_stand_below_and_what_changed_is_changed(database, tmp_path):
    file = tmp_path / "units.csv"
    file.write_text(SOUND, encoding="utf-8")
    assert imported(database, file) == (3, 0)
    with database.reading() as session:
        units = {unit.code: unit for unit in session.scalars(select(Unit))}
        assert units["C1"].parent is units["D1"] and units["D1"].parent is units["P"]
        assert (units["C1"].latitude, units["C1"].name_en) == (10.5, "Xã Một")
        assert (units["P"].valid_from, units["D1"].valid_from) == (date(2019, 1, 1), DAY)
    file.write_text(SOUND.replace("Xã Một", "Xã Hai"), encoding="utf-8")
    assert imported(database, file) == (0, 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("commune,C2,Xã Hai,,D9,,,,", "5: no unit has the parent_code D9"),
        ("village,C2,Xã Hai,,D1,,,,", "5: kind 'village' is none of"),
        ("commune,,Xã Hai,,D1,,,,", "5: code is empty"),
        ("commune,C1,Xã Hai,,D1,,,,", "5: code C1 stands in line 2 already"),
        ("commune,C2,Xã Hai,,D1,24/11/2026,,,", "5: valid_from '24/11/2026' is not a day"),
        ("commune,C2,Xã Hai,,D1,2026-02-01,2026-01-01,,", "5: valid_to"),
        ("commune,C2,Xã Hai,,D1,,,91,1", "5: latitude 91 lies outside"),
        ("commune,C2,Xã Hai,,D1,,,ten,1", "5: latitude 'ten' is not a number"),
        ("commune,C2,Xã Hai", "5: 9 columns expected"),
        ('commune,C2,"Xã Hai,,D1,,,,', "unexpected end of data"),
        (f"commune,{'C' * 33},Xã Hai,,D1,,,,", "5: code is longer than 32"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(database, tmp_path, line, said):
    file = tmp_path / "units.csv"
    file.write_text(SOUND + line + "\n", encoding="utf-8")
    with pytest.raises(UnitFileError) as caught:
        imported(database, file)
    assert any(said in mistake and str(file) in mistake for mistake in caught.value.mistakes)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Unit)) == 0


def test_units_that_stand_above_themselves_are_refused(database, tmp_path):
    file = tmp_path / "units.csv"
    file.write_text(HEADER + "district,A,A,,B,,,,\ndistrict,B,B,,A,,,,\n", encoding="utf-8")
    with pytest.raises(UnitFileError, match="stands above itself"):
        imported(database, file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "column kind is missing"),
        (b"kind,code,name_vi\n", "no units"),
        (b"kind,code,name_vi,colour\nward,W,W,red\n", "'colour' is no column"),
        (b"kind;code;name_vi\nward;\xff;W\n", "not UTF-8"),
    ],
)
def test_what_is_no_table_of_units_is_refused(tmp_path, content, said):
    file = tmp_path / "units.csv"
    file.write_bytes(content)
    with pytest.raises(UnitFileError, match=said):
        read_units(file, DAY)


def test_semicolons_and_a_byte_order_mark_are_read(tmp_path):
    file = tmp_path / "units.csv"
    file.write_text("\ufeffkind;code;name_vi\nward;W;Khoa\n", encoding="utf-8")
    (unit,) = read_units(file, DAY)
    assert (unit.kind, unit.code, unit.name_vi) == ("ward", "W", "Khoa")
