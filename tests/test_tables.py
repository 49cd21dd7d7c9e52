"""Tables as people have them: what is mended, what is refused, and by which words."""

import re
import subprocess
import sys
import unicodedata
from datetime import date, datetime
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

from app import tables
from app.tables import Table, WrongTable, day_of, text, unfit_sign

CELLS = [["mã", "tên"], ["C1", "Phường Một"], ["C2", "Phường Hai"]]


def read(file):
    table = Table(file)
    return table.titles, [(row.number, [text(cell) for cell in row.cells]) for row in table]


def told(file, language="en"):
    with pytest.raises(WrongTable) as caught:
        read(file)
    return caught.value.detail(language)


def book(tmp_path, rows, name="table.xlsx"):
    workbook = Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(tmp_path / name)
    return tmp_path / name


def rewritten(file, part, old, new):
    """The same workbook with other content in one part, as another program may write it."""
    with ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    # As openpyxl writes with lxml and without.
    parts[part] = parts[part].replace(b" />", b"/>").replace(b"<v></v>", b"<v/>")
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_codings_and_signs_between_cells_that_programs_write(tmp_path, sign, encoding, end):
    file = tmp_path / "table.csv"
    lines = end.join(sign.join(row) for row in CELLS)
    file.write_bytes((lines + end).encode(encoding))
    assert read(file) == (CELLS[0], [(2, CELLS[1]), (3, CELLS[2])])


def test_the_hint_for_excel_is_no_row(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("sep=;\nmã;tên, viết đủ\nC1;Một\n", encoding="utf-8")
    assert read(file) == (["mã", "tên, viết đủ"], [(2, ["C1", "Một"])])


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("windows-1258", unicodedata.normalize("NFC", "mã;tên\nC1;đơn vị Hải Âu\n")),
        ("windows-1252", "mã;tên\nC1;Đông\n".replace("Đ", "Ð")),
    ],
)
def test_old_codings_are_refused_by_line_and_with_a_way_out(tmp_path, encoding, written):
    file = tmp_path / "table.csv"
    if encoding == "windows-1258":  # which has letters and tone marks apart
        parts = unicodedata.normalize("NFD", "ị ả Â")
        written = "ma;ten\nC1;" + "".join(sign for sign in parts if sign not in "\u0302")
    file.write_bytes(written.encode(encoding))
    line = 2 if encoding == "windows-1258" else 1
    assert f"Line {line} of the file is not UTF-8" in told(file)
    assert "“CSV UTF-8”" in told(file, "vi")


def test_utf_16_without_its_mark_is_named(tmp_path):
    file = tmp_path / "table.csv"
    file.write_bytes("mã;tên\nC1;Một\n".encode("utf-16-le"))
    assert "UTF-16" in told(file)


@pytest.mark.parametrize("name", ["table.csv", "table.xlsx"])
def test_what_nobody_sees_is_mended(tmp_path, name):
    apart = unicodedata.normalize("NFD", "tên")
    rows = [
        ["mã", apart, None, None],
        [None, None, None, None],
        [" C1 ", unicodedata.normalize("NFD", "Một"), None, ""],
        ["C2", "Dòng một\nDòng hai", None, None],
        ["", "  ", None, None],
        [None, None, None, None],
    ]
    if name.endswith("xlsx"):
        file = book(tmp_path, rows)
    else:
        file = tmp_path / name
        lines = [",".join(f'"{cell}"' if cell else "" for cell in row) for row in rows]
        file.write_text("\n".join(lines), encoding="utf-8")
    assert read(file) == (["mã", "tên"], [(3, ["C1", "Một"]), (4, ["C2", "Dòng một\nDòng hai"])])


def test_a_chart_and_a_hidden_sheet_before_the_table(tmp_path):
    workbook = Workbook()
    for row in [["mã", "số"], ["C1", 4]]:
        workbook.active.append(row)
    chart = BarChart()
    chart.add_data(Reference(workbook.active, min_col=2, min_row=1, max_row=2))
    workbook.create_chartsheet("Biểu đồ", 0).add_chart(chart)
    hidden = workbook.create_sheet("Danh mục", 1)
    hidden.append(["khác"])
    hidden.sheet_state = "hidden"
    workbook.save(tmp_path / "table.xlsx")
    assert read(tmp_path / "table.xlsx") == (["mã", "số"], [(2, ["C1", "4"])])


def test_cells_keep_their_kind_and_the_zeros_that_are_shown(tmp_path):
    workbook = Workbook()
    sheet = workbook.active
    sheet.append(["mã", "ngày", "số", "đúng"])
    sheet.append([7, datetime(2026, 11, 24), 4.0, True])
    sheet["A2"].number_format = "00000"
    workbook.save(tmp_path / "table.xlsx")
    (row,) = Table(tmp_path / "table.xlsx")
    assert row.cells == ["00007", datetime(2026, 11, 24), 4, True]
    assert (day_of(row.cells[1]), text(row.cells[1]), text(4.0)) == (
        date(2026, 11, 24),
        "2026-11-24",
        "4",
    )


def faults(file, language="en"):
    table = Table(file)
    return [mistake.detail(language) for row in table for mistake in table.faults(row)]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!", "#VALUE!", "#NAME?"])
def test_an_error_cell_is_named(tmp_path, error):
    file = book(tmp_path, [["mã", "số"], ["C1", error]])
    assert faults(file) == [
        f"Row 2, column “số” (cell B2): the cell shows the error {error}. "
        "Mend the formula, or type the value."
    ]
    assert faults(file, "vi")[0].startswith(f"Dòng 2, cột “số” (ô B2): ô báo lỗi {error}")


def test_a_formula_without_its_result_is_named_and_one_with_it_is_read(tmp_path):
    file = book(tmp_path, [["mã", "số", "thêm"], ["C1", "=1+3", "=B2"], ["C2", "=2+3", None]])
    part = "xl/worksheets/sheet1.xml"
    assert [re.search(r"cell (\w+)", said)[1] for said in faults(file)] == ["B2", "C2", "B3"]
    assert "does not hold its result" in faults(file)[0]
    # As Excel and LibreOffice save it: with the result, which may be an empty text.
    rewritten(file, part, b"<f>1+3</f><v/>", b"<f>1+3</f><v>4</v>")
    rewritten(file, part, b"<f>2+3</f><v/>", b'<f t="shared" ref="B3" si="0">2+3</f><v>5</v>')
    rewritten(file, part, b'r="C2"><f>B2</f><v/>', b'r="C2" t="str"><f>B2</f><v></v>')
    assert faults(file) == []
    assert [cells for _, cells in read(file)[1]] == [["C1", "4", ""], ["C2", "5", ""]]


def test_a_formula_of_any_kind_without_its_result_is_named(tmp_path):
    file = book(tmp_path, [["mã", "số"], ["C1", "=1=1"]])
    rewritten(
        file, "xl/worksheets/sheet1.xml", b'r="B2"><f>1=1</f><v/>', b'r="B2" t="b"><f>1=1</f>'
    )
    (said,) = faults(file)
    assert "(cell B2): the cell has a formula" in said


def test_what_excel_writes_for_signs_that_xml_has_not_is_undone(tmp_path):
    file = book(tmp_path, [["mã", "tên"], ["C1", "Một_x000D_\nHai_x005F_x000D_"]])
    (row,) = Table(file)
    assert row.cells[1] == "Một\r\nHai_x000D_"
    assert unfit_sign(text(row.cells[1])) == "table.hidden_sign"


def test_rows_out_of_order_are_refused_and_not_dropped(tmp_path):
    file, part = book(tmp_path, CELLS), "xl/worksheets/sheet1.xml"
    rewritten(file, part, b'<row r="3"', b'<row r="2"')
    assert "In the file row 2 stands after row 2." in told(file)
    assert "dòng 2 đứng sau dòng 2" in told(file, "vi")
    # A row without its number is the next one.
    rewritten(file, part, b'<row r="2"', b"<row")
    rewritten(file, part, b' r="A2"', b"")
    rewritten(file, part, b' r="B2"', b"")
    rewritten(file, part, b' r="A3"', b"")
    rewritten(file, part, b' r="B3"', b"")
    assert read(file) == (["mã", "tên"], [(2, CELLS[1]), (3, CELLS[2])])


def test_a_formula_is_found_wherever_a_sheet_is_cut_into_blocks(tmp_path):
    file = book(tmp_path, [["mã", "số"], ["C1", "=1+3"]])
    part = "xl/worksheets/sheet1.xml"
    with ZipFile(file) as archive:
        place = archive.read(part).index(b"<f>")
    for shift in range(4):
        filling = b" " * ((1 << 20) - place - shift)
        padded = rewritten(
            book(tmp_path, [["mã", "số"], ["C1", "=1+3"]]),
            part,
            b"<sheetData>",
            filling + b"<sheetData>",
        )
        assert len(faults(padded)) == 1


def test_a_value_in_a_column_without_a_title_is_not_dropped(tmp_path):
    file = book(tmp_path, [["mã", None, "tên"], ["C1", 5, "Một", None, "ghi chú"]])
    assert [re.search(r"cell (\w+)\): (.*)", said).groups() for said in faults(file)] == [
        ("B2", "the cell holds “5” and its column has no title."),
        ("E2", "the cell holds “ghi chú” and its column has no title."),
    ]


def test_columns_are_known_by_any_of_their_names(tmp_path):
    file = book(tmp_path, [["MÃ ĐƠN VỊ", unicodedata.normalize("NFD", "Tên"), "khác"]])
    known = {"code": ("mã đơn vị",), "name": ("tên",)}
    assert Table(file).columns(known, ["code"], further=True) == ["code", "name", ""]
    with pytest.raises(WrongTable) as caught:
        Table(file).columns(known | {"day": ()}, ["day"])
    assert [error.detail("en") for error in caught.value.errors] == [
        "Row 1, column “khác” (cell C1): no column is called so; known are code, name, day.",
        "The column day is missing.",
    ]
    assert caught.value.document("vi")["errors"][0]["field"] == "C1"
    assert caught.value.document("vi")["status"] == 422


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"\n\n;;\n", "The file is empty"),
        (b'a,b\n1,"2\n3,4\n', "Row 2: a quotation mark is opened and never closed"),
        (b'a,b\n1,"2"3\n', "Row 2: a quotation mark stands where it must not"),
        (b"a,b\n1," + b"x" * 140_000, "Row 2: a cell is too long"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old Excel, or one with a password"),
        (b"PK\x03\x04 and then nothing", "cannot be read as .xlsx"),
    ],
)
def test_what_is_no_table_says_why(tmp_path, content, said):
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    assert said in told(file)
    assert told(file, "vi") != told(file)


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b"</sheet"),
        ("xl/worksheets/sheet1.xml", b'r="A2"', b'r="?"'),
        ("xl/workbook.xml", b"<sheets>", b"<sheets"),
        ("xl/styles.xml", b"<cellXfs", b"<cellXf"),
    ],
)
def test_a_damaged_workbook_is_refused(tmp_path, part, old, new):
    file = rewritten(book(tmp_path, CELLS), part, old, new)
    assert "cannot be read as .xlsx" in told(file)


def test_a_workbook_of_charts_one_of_libreoffice_and_one_that_fills_the_memory(
    tmp_path, monkeypatch
):
    workbook = Workbook()
    workbook.create_chartsheet("Biểu đồ").add_chart(BarChart())
    workbook.remove(workbook.worksheets[0])
    workbook.save(tmp_path / "charts.xlsx")
    assert "only charts" in told(tmp_path / "charts.xlsx")
    with ZipFile(tmp_path / "table.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert "(.ods)" in told(tmp_path / "table.ods")
    file = book(tmp_path, CELLS)
    monkeypatch.setattr(tables, "UNPACKED_LIMIT", 2**10)
    assert "unpacks to" in told(file)


def test_a_workbook_says_little_of_its_size_and_is_read_whole(tmp_path):
    file = book(tmp_path, CELLS)
    rewritten(file, "xl/worksheets/sheet1.xml", b'<dimension ref="A1:B3"', b'<dimension ref="A1"')
    assert read(file) == (CELLS[0], [(2, CELLS[1]), (3, CELLS[2])])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Phường 1", None),
        ("BV01-N", None),
        ("a.b/c", None),
        ("Xã\0", "hidden_sign"),
        ("Xã\nMột", "hidden_sign"),
        ("Xã\u202eMột", "hidden_sign"),
        ("Xã\u2066Một", "hidden_sign"),
        ("Xã\u200bMột", "hidden_sign"),
        ("=1+1", "like_formula"),
        ("@x", "like_formula"),
        ("../x", "like_path"),
        ("..\\x", "like_path"),
        ("..", "like_path"),
    ],
)
def test_names_and_codes_that_do_harm_elsewhere(name, reason):
    assert unfit_sign(name) == (reason and f"table.{reason}")


def test_a_workbook_with_what_openpyxl_does_not_know_is_read_without_a_word(tmp_path):
    file = book(tmp_path, CELLS)
    rule = b'</sheetData><extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" /></extLst>'
    rewritten(file, "xl/worksheets/sheet1.xml", b"</sheetData>", rule)
    program = (
        "import pathlib, sys; from app.tables import Table;"
        "print(len(list(Table(pathlib.Path(sys.argv[1])))))"
    )
    # In a process of its own: the runner of tests has filters for warnings, too.
    ran = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True
    )
    assert (ran.stdout.strip(), ran.stderr) == ("2", "")


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_file_that_was_cut_within_a_letter_is_refused(tmp_path, cut):
    file = tmp_path / "table.csv"
    content = "mã;tên\nC1;Hậ".encode()
    file.write_bytes(content[: len(content) - cut])
    if cut == 3:
        assert read(file)[1] == [(2, ["C1", "H"])]
    else:
        assert "Line 2 of the file is not UTF-8" in told(file)
