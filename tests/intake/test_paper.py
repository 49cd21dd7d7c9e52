"""Paper forms typed into CSV or XLSX, through the command and into both stores."""

import csv
import json
from datetime import date

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.intake.models import ResponseText
from app.intake.paper import read_rows
from app.intake.rollup_rebuild import verify
from app.settings import Settings
from app.tables import WrongTable
from app.text_keys import TextKeys
from surveys import AnswerSheet, load_directory
from tests.intake.paper_forms import ZONE, imported, stored, write

KEYS = TextKeys.of(Settings())
SHEET = AnswerSheet(load_directory()[("sipas-desk", 2)])


def rows_of(point):
    return [
        ["form_no", "Ngày", "điểm", "A1", "a2", "B1", "trips", "comment"],
        ["1", "24/10/2026", point, 4, 5, None, 1, "Tốt"],
        ["2", "2026-10-25", point, "3", "", "4", "2", None],
        ["", "2026-10-25", point, 5, 5, 5, "", ""],
        ["", "2026-10-25", point, 5, 5, 5, "", ""],
    ]


@pytest.mark.parametrize("name", ["forms.csv", "forms.xlsx"])
def test_a_file_is_previewed_imported_and_safe_to_run_twice(
    run, province, database, tmp_path, name
):
    file = tmp_path / name
    write(file, rows_of(province.points[("C2", "sipas-desk")]))
    arguments = (file, "--questionnaire", "sipas-desk")
    code, said = run(*arguments, "--preview")
    assert code == 0 and "4 right" in said and "nothing was stored" in said
    assert said.count(province.points[("C2", "sipas-desk")]) == 4  # by the code that is printed
    assert stored(database) == []
    code, said = run(*arguments)
    assert code == 0 and "4 accepted, 0 rows wrong" in said
    rows = stored(database)
    assert [row.day for row in rows] == [date(2026, 10, 24)] + [date(2026, 10, 25)] * 3
    assert {row.channel for row in rows} == {"paper"}
    assert SHEET.unpack(bytes(rows[0].packed)) == {"A1": 4, "A2": 5, "trips": 1}
    with database.reading() as session:
        assert [t.body for t in session.scalars(select(ResponseText))] == ["Tốt"]
    code, said = run(*arguments)
    assert code == 0 and "4 duplicate" in said
    assert len(stored(database)) == 4
    assert verify(database) == []
    assert not file.with_name(name + ".errors.csv").exists()


def test_wrong_rows_are_named_in_a_file_beside_it_and_the_right_ones_are_taken(
    run, province, database, tmp_path
):
    point = province.points[("C2", "sipas-desk")]
    file = tmp_path / "forms.csv"
    wrong = [
        ["5", "24/13/2026", point, 4, "", "", "", ""],
        ["6", "2026-10-24", point, 9, "x", "", "", ""],
        ["7", "2026-10-24", "NOPOINT", 4, "", "", "", ""],
        ["8", "2999-10-24", point, 4, "", "", "", ""],
        ["9", "2027-10-24", point, 4, "", "", "", ""],
        ["1", "2026-10-24", point, 1, "", "", "", ""],
    ]
    write(file, rows_of(point) + wrong)
    code, said = run(file, "--questionnaire", "sipas-desk")
    assert code == 1 and "6 rows have mistakes" in said and "4 accepted" in said
    with file.with_name("forms.csv.errors.csv").open(encoding="utf-8-sig", newline="") as stream:
        errors = list(csv.DictReader(stream))
    assert [(error["row"], error["column"]) for error in errors] == [
        ("6", "Ngày"),
        ("7", "a2"),
        ("8", "điểm"),
        ("9", "Ngày"),
        ("10", "Ngày"),
        ("11", "form_no"),
    ]
    assert "24/10/2026" in errors[-1]["vi"] and "Phiếu số 1 " in errors[-1]["vi"]
    assert "day 24/10/2026" in errors[-1]["en"] and f"point {point}" in errors[-1]["en"]
    assert all(error["vi"] and error["en"] for error in errors)
    assert len(stored(database)) == 4
    # Mended and run again: what was taken before is taken once.
    write(file, [*rows_of(point), ["5", "24/10/2026", point, 4, "", "", "", ""]])
    code, said = run(file, "--questionnaire", "sipas-desk")
    assert code == 0 and "1 accepted" in said and "4 duplicate" in said
    assert not file.with_name("forms.csv.errors.csv").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("date,point,A1\n", "no row of data"),
        ("date,point,A9\n1,2,3\n", "column “A9” (cell C1): no column is called so"),
        ("point,A1\n1,2\n", "The column date is missing"),
        ("date,A1\n2026-01-01,2\n", "The column point is missing"),
        ("date,point,A1,a1\n1,2,3,4\n", "(cell D1): the column A1 stands further left"),
        (b"date,point,A1\n\xff,2,3\n", "Line 2 of the file is not UTF-8"),
    ],
)
def test_what_is_no_table_of_forms_is_refused(run, province, tmp_path, content, said):
    file = tmp_path / "forms.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, output = run(file, "--questionnaire", "sipas-desk")
    assert code == 1 and said in output


def test_files_and_forms_that_are_not_there(run, province, tmp_path):
    assert run(tmp_path / "no.csv", "--questionnaire", "sipas-desk")[1].endswith("no such file")
    file = tmp_path / "forms.xlsx"
    file.write_text("no workbook")
    assert "cannot be read as .xlsx" in run(file, "--questionnaire", "sipas-desk")[1]
    assert "no questionnaire x" in run(file, "--questionnaire", "x")[1]
    assert (
        "version 9 is not published"
        in run(file, "--questionnaire", "sipas-desk", "--version", 9)[1]
    )


def test_the_point_may_be_given_for_the_whole_file(tmp_path):
    file = tmp_path / "forms.csv"
    file.write_text("date;A1\n24/10/2026 09:30;4\n", encoding="utf-8")
    (row,) = read_rows(file, SHEET, "ABCDEFG", ZONE, KEYS)
    assert row.body["point"] == "ABCDEFG"
    assert row.body["answered_at"] == "2026-10-24T09:30:00+07:00"
    with pytest.raises(WrongTable):
        list(read_rows(file, SHEET, None, ZONE, KEYS))


def test_a_cell_without_a_value_is_named_and_its_row_left_out(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    rows = [
        ["Số phiếu", "Ngày", "Điểm", "A1", "A2", "comment"],
        ["1", "24/10/2026", point, 4, "=1+3", ""],
        ["2", "24/10/2026", point, "#REF!", 4, "#N/A"],
        ["3", "24/10/2026", point, 4, 4, "", "bên lề"],
        ["4", "24/10/2026", point, 4, 4, ""],
        ["=5", "24/10/2026", point, 4, 4, ""],
    ]
    said, errors = imported(run, tmp_path / "forms.xlsx", rows)
    assert "1 accepted, 4 rows wrong" in said and len(stored(database)) == 1
    assert [(error["row"], error["column"]) for error in errors] == [
        ("2", "A2"),
        ("3", "A1"),
        ("3", "comment"),
        ("4", "G"),
        ("6", "Số phiếu"),
    ]
    assert "ô có công thức nhưng tệp không chứa kết quả" in errors[0]["vi"]
    assert "the error #REF!" in errors[1]["en"] and "the error #N/A" in errors[2]["en"]
    assert "“bên lề” and its column has no title" in errors[3]["en"]


def test_days_and_codes_as_clerks_write_them(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    days = ["24-10-2026", "24.10.2026", "24/10/2026", "2026-10-24", "24/10/2026 07:30"]
    rows = [[str(number), day, point.lower(), 4] for number, day in enumerate(days)]
    wrong = [["8", "", point, 4], ["9", "24.10.26", "", 4]]
    head, file = ["form_no", "Ngày", "Mã điểm", "A1"], tmp_path / "forms.csv"
    said, errors = imported(run, file, [head, *rows, *wrong])
    assert "5 accepted, 2 rows wrong" in said
    assert {row.day for row in stored(database)} == {date(2026, 10, 24)}
    assert [(error["row"], error["column"], error["en"]) for error in errors] == [
        ("7", "Ngày", "the cell is empty."),
        ("8", "Ngày", "Not a date: 24.10.26. Write 2026-11-24 or 24/11/2026."),
        ("8", "Mã điểm", "the cell is empty."),
    ]


def test_what_a_citizen_wrote_is_shown_as_it_stands(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    rows = [["date", "point", "A1", "comment"], ["2026-10-24", point, 4, "[/b] Tốt [red]"]]
    said, errors = imported(run, tmp_path / "forms [red].csv", rows)
    assert "[/b]" in said and "1 accepted" in said and errors == []


def test_what_stands_above_damage_is_taken_told_and_logged(
    run, province, database, tmp_path, monkeypatch
):
    point = province.points[("C2", "sipas-desk")]
    file = tmp_path / "forms.csv"
    monkeypatch.setattr("app.intake.commands._GROUP", 2)
    sound = "".join(f"{number},2026-10-24,{point},4,\n" for number in range(1, 4))
    head = "form_no,date,point,A1,comment\n"
    file.write_text(f'{head}{sound}4,2026-10-24,{point},4,"Tốt\n', encoding="utf-8")
    code, said = run(file, "--questionnaire", "sipas-desk")
    assert code == 1 and "3 accepted, 0 rows wrong" in said
    assert "Row 5: a quotation mark is opened and never closed." in said
    assert said.endswith("what stands below was not read: mend the file and run it again")
    assert len(stored(database)) == 3
    with database.reading() as session:
        begun, entry = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action.startswith("responses.import"))
            .order_by(AuditEntry.id)
        ).all()
        # One that is killed between two groups is told of, too.
        assert begun.action == "responses.import_begin"
        assert json.loads(entry.details)["accepted"] == 3
    file.write_text(f"{head}{sound}4,2026-10-24,{point},4,Tốt\n", encoding="utf-8")
    code, said = run(file, "--questionnaire", "sipas-desk")
    assert code == 0 and "3 duplicate, 1 accepted" in said


def test_every_column_that_nobody_knows_is_named(run, province, tmp_path):
    file = tmp_path / "forms.csv"
    file.write_text("date,point,A1,X1,X2,X3,X4,X5\n", encoding="utf-8")
    code, said = run(file, "--questionnaire", "sipas-desk")
    assert code == 1 and said.endswith("nothing was imported")
    for number, letter in enumerate("DEFGH", start=1):
        assert f"column “X{number}” (cell {letter}1): no column is called so" in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_forms_without_a_number_that_are_equal_to_earlier_ones_are_told_of(
    run, province, database, tmp_path
):
    point = province.points[("C2", "sipas-desk")]
    head = ["form_no", "date", "point", "A1"]
    first = [head, ["", "2026-10-24", point, 4], ["7", "2026-10-24", point, 5]]
    said, _ = imported(run, tmp_path / "a.csv", first)
    assert "2 accepted" in said and "number the sheets" not in said
    other = [head, ["", "2026-10-24", point, 4], ["7", "2026-10-24", point, 5]]
    said, _ = imported(run, tmp_path / "b.csv", other)
    assert "2 duplicate" in said and "equal to forms that came before: 1." in " ".join(said.split())
    numbered = [head, ["8", "2026-10-24", point, 4]]
    said, _ = imported(run, tmp_path / "b.csv", numbered)
    assert "1 accepted" in said and len(stored(database)) == 3
