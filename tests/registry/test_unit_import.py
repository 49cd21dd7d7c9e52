"""Units from CSV and XLSX: the whole country, errors by row, all or nothing, safe to repeat."""

import unicodedata
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from app.registry.models import Unit
from app.registry.queries import tree
from app.registry.unit_import import add_units, read_units
from app.tables import WrongTable

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
        ("commune,C2,Xã Hai,,D9,,,,", "cell E5): no unit has the code D9"),
        ("village,C2,Xã Hai,,D1,,,,", "cell A5): “village” is no kind"),
        ("commune,,Xã Hai,,D1,,,,", "column “code” (cell B5): the cell is empty"),
        ("commune,C1,Xã Hai,,D1,,,,", "cell B5): the code C1 stands in row 2 already"),
        ("commune,C2,Xã Hai,,D1,31/02/2026,,,", "cell F5): “31/02/2026” is not a day"),
        ("commune,C2,Xã Hai,,D1,2026-02-01,2026-01-01,,", "cell G5): the last day lies before"),
        ("commune,C2,Xã Hai,,D1,,,91,1", "cell H5): 91 lies outside"),
        ("commune,C2,Xã Hai,,D1,,,ten,1", "cell H5): “ten” is not a number"),
        ("commune,C2,Xã Hai", "Row 5: 9 columns are expected"),
        ('commune,C2,"Xã Hai,,D1,,,,', "Row 5: a quotation mark is opened and never closed"),
        (f"commune,{'C' * 33},Xã Hai,,D1,,,,", "cell B5): it is longer than 32"),
        ('commune,C2,"Xã\nHai",,D1,,,,', "cell C5): it holds a sign that is not seen"),
        ("commune,C2,Xã\u202eHai,,D1,,,,", "cell C5): it holds a sign that is not seen"),
        ("commune,C\0,Xã Hai,,D1,,,,", "cell B5): it holds a sign that is not seen"),
        ("commune,../C2,Xã Hai,,D1,,,,", "cell B5): it must not hold ../"),
        ("commune,C2,=Xã Hai,,D1,,,,", "cell C5): it must not begin with ="),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(database, tmp_path, line, said):
    file = tmp_path / "units.csv"
    file.write_text(SOUND + line + "\n", encoding="utf-8")
    with pytest.raises(WrongTable) as caught:
        imported(database, file)
    assert [said in mistake.detail("en") for mistake in caught.value.errors] == [True]
    assert said in caught.value.detail("en") and "units.csv" in caught.value.detail("en")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Unit)) == 0


def test_units_that_stand_above_themselves_are_refused(database, tmp_path):
    file = tmp_path / "units.csv"
    file.write_text(HEADER + "district,A,A,,B,,,,\ndistrict,B,B,,A,,,,\n", encoding="utf-8")
    with pytest.raises(WrongTable) as caught:
        imported(database, file)
    assert "cell E2): unit A stands above itself" in caught.value.detail("en")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"kind,code,name_vi\n", "no row of data"),
        (b"kind,code,name_vi,colour\nward,W,W,red\n", "column “colour” (cell D1): no column"),
        (b"kind,code,name_vi,code\nward,W,W,W\n", "(cell D1): the column code stands further"),
        (b"kind,code\nward,W\n", "The column name_vi is missing"),
        (b"kind;code;name_vi\nward;\xff;W\n", "Line 2 of the file is not UTF-8"),
    ],
)
def test_what_is_no_table_of_units_is_refused(tmp_path, content, said):
    file = tmp_path / "units.csv"
    file.write_bytes(content)
    with pytest.raises(WrongTable) as caught:
        read_units(file, DAY)
    assert said in caught.value.detail("en")


def test_semicolons_and_a_byte_order_mark_are_read(tmp_path):
    file = tmp_path / "units.csv"
    file.write_text("\ufeffkind;code;name_vi\nward;W;Khoa\n", encoding="utf-8")
    (unit,) = read_units(file, DAY)
    assert (unit.kind, unit.code, unit.name_vi) == ("ward", "W", "Khoa")


def test_degrees_with_a_comma_and_columns_in_vietnamese_are_read(tmp_path):
    file = tmp_path / "units.csv"
    head = "Loại đơn vị;Mã đơn vị;Tên đơn vị;Từ ngày;Vĩ độ;Kinh độ"
    file.write_text(f"{head}\nward;W;Khoa;24/11/2026;10,762;106,66\n", encoding="utf-8")
    (unit,) = read_units(file, DAY)
    assert (unit.latitude, unit.longitude) == (10.762, 106.66)
    assert unit.valid_from == date(2026, 11, 24)


def test_cells_that_a_workbook_leaves_out_are_empty(tmp_path):
    workbook = Workbook()
    workbook.active.append(["kind", "code", "name_vi", "parent_code", "latitude"])
    workbook.active.append(["province", "01", "Tỉnh"])
    workbook.active.append(["ward", 7, unicodedata.normalize("NFD", "Khoa Một"), "01"])
    workbook.save(tmp_path / "units.xlsx")
    province, ward = read_units(tmp_path / "units.xlsx", DAY)
    assert (province.code, ward.code, ward.parent_code) == ("01", "7", "01")
    assert ward.name_vi == unicodedata.normalize("NFC", "Khoa Một")


def test_the_last_day_that_there_is_says_that_a_unit_has_no_end(database, tmp_path):
    file = tmp_path / "units.csv"
    file.write_text(HEADER + "province,P,Tỉnh,,,2019-01-01,9999-12-31,,\n", encoding="utf-8")
    imported(database, file)
    with database.reading() as session:
        assert session.scalars(select(Unit.valid_to)).all() == [None]
