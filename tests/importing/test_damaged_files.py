"""Files that are locked, cut off, too large or hold no values: named, and never guessed at."""

from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from app.importing.headers import Headed
from app.tables import WrongTable
from tests.importing.exports import GOOGLE, write
from tests.importing.reading import imported, said


def test_cells_without_a_value_are_named_by_sheet_row_and_column(tmp_path):
    file = tmp_path / "a.xlsx"
    book = Workbook()
    book.active.title = "Phiếu"
    book.active.append(["Timestamp", "A1", "Ghi chú"])
    book.active.append(["2026-10-24 09:00", "=1+3", "=1/0"])
    book.save(file)
    (row,) = imported(file)
    (sentence,) = said(row)  # what is left out does not matter
    assert sentence.startswith(
        "Sheet “Phiếu”, Row 2, column “A1” (cell B2): the cell has a formula"
    )


def with_macros(file):
    write(file, GOOGLE)
    with ZipFile(file, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (with_macros, "macros"),
        (lambda f: f.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600
                                 + "EncryptedPackage".encode("utf-16-le")), "password"),
        (lambda f: f.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 600), "old Excel"),
        (lambda f: f.write_bytes(b"PK\x03\x04" + b"\0" * 90), "cannot be read as .xlsx"),
        (lambda f: f.write_bytes(b""), "cannot be read as .xlsx"),
    ],
)  # fmt: skip
def test_what_is_not_opened_is_refused_with_the_files_name(tmp_path, make, told):
    file = tmp_path / "Quý 3.xlsx"
    make(file)
    with pytest.raises(WrongTable) as wrong:
        Headed(file)
    assert told in wrong.value.detail("en") and "Quý 3.xlsx" in wrong.value.detail("en")


def test_rows_that_have_more_or_fewer_cells_than_the_header_are_refused(tmp_path):
    file = tmp_path / "a.csv"
    head = "Timestamp,A1,comment\n"
    file.write_text(f"{head}2026-10-24 09:00,4,tốt, nhanh\n2026-10-24,4\n2026-10-24,4,\n", "utf-8")
    wide, short, right = imported(file)
    assert said(wide) == [
        "Row 2, column “D” (cell D2): the cell holds “ nhanh” and its column has no title."
    ]
    assert said(short) == ["Row 3: 3 columns are expected, and this row has fewer."]
    assert right.body["answers"] == {"A1": 4}


def test_an_error_in_a_cell_is_no_unfinished_response(tmp_path):
    file = tmp_path / "a.xlsx"
    book = Workbook()
    for row in (["ResponseId", "EndDate", "Finished", "A1"], ["R_1", "2026-10-24", "=1/0", 4],
                ["R_2", "2026-10-24", "False", 4], ["R_3", "2026-10-24", True, 4]):  # fmt: skip
        book.active.append(row)
    book.save(file)
    wrong, unfinished, right = imported(file)
    assert "cell C2" in said(wrong)[0] and unfinished.unfinished and right.body


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path):
    file = write(tmp_path / "a.xlsx", GOOGLE)
    with pytest.raises(WrongTable) as wrong:
        Headed(file, most_unpacked=1000)
    assert "unpacks to" in wrong.value.detail("en")
