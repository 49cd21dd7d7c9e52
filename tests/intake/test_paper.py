"""Paper forms typed into CSV or XLSX, through the command and into both stores."""

import csv
import json
from datetime import date, datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook
from sqlalchemy import select
from typer.testing import CliRunner

from app.audit.models import AuditEntry
from app.cli import cli
from app.commands import Refused
from app.intake.ids import made_uuid7
from app.intake.models import Response, ResponseText
from app.intake.paper import read_rows
from app.intake.rollup_rebuild import verify
from app.registry.points import find_by_code, reprint
from app.tables import WrongTable
from surveys import AnswerSheet, load_directory

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SHEET = AnswerSheet(load_directory()[("sipas-desk", 2)])


@pytest.fixture
def run(database_url, monkeypatch):
    """Runs the command; its exit code and what it printed."""
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)

    def command(*arguments):
        result = CliRunner().invoke(cli, ["import", "responses", *map(str, arguments)])
        if isinstance(result.exception, Refused):
            return 1, result.output + str(result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, result.output

    return command


def stored(database):
    with database.reading() as session:
        rows = session.scalars(select(Response).order_by(Response.answered_at, Response.id)).all()
        session.expunge_all()
        return rows


def rows_of(point):
    return [
        ["form_no", "Ngày", "điểm", "A1", "a2", "B1", "trips", "comment"],
        ["1", "24/10/2026", point, 4, 5, None, 1, "Tốt"],
        ["2", "2026-10-25", point, "3", "", "4", "2", None],
        ["", "2026-10-25", point, 5, 5, 5, "", ""],
        ["", "2026-10-25", point, 5, 5, 5, "", ""],
    ]


def write(file, rows):
    if file.suffix == ".xlsx":
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.active["B2"] = datetime(2026, 10, 24)
        book.save(file)
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(["" if c is None else c for c in row] for row in rows)


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
    (row,) = read_rows(file, SHEET, "ABCDEFG", ZONE)
    assert row.body["point"] == "ABCDEFG"
    assert row.body["answered_at"] == "2026-10-24T09:30:00+07:00"
    with pytest.raises(WrongTable):
        list(read_rows(file, SHEET, None, ZONE))


def imported(run, file, rows, *arguments):
    """The file with these rows, run through the command: what it said, and the mistakes named."""
    write(file, rows)
    _, said = run(file, "--questionnaire", "sipas-desk", *arguments)
    errors = file.with_name(file.name + ".errors.csv")
    if not errors.exists():
        return said, []
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        return said, list(csv.DictReader(stream))


def test_forms_numbered_anew_in_each_round_are_other_forms(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["số phiếu", "đợt", "date", "point", "A1"], tmp_path / "forms.csv"
    first = ["1", "Đợt 1/2026", "2026-10-01", point, 4]
    second = ["1", "Đợt 2/2026", "2026-11-02", point, 2]
    said, errors = imported(run, file, [head, first, second])
    assert ("2 accepted, 0 rows wrong" in said, errors) == (True, [])
    # The name of a round is one however it is written; a corrected form does not count twice.
    corrected = ["01", " đợt  2/2026 ", "2026-11-03", point, 2]
    said, (error,) = imported(run, file, [head, first, second, corrected])
    assert "2 duplicate, 1 conflict" in said
    assert (error["row"], error["column"]) == ("4", "số phiếu")
    for words in ("Phiếu số 1 ", f"điểm {point}", "đợt “đợt 2/2026”", "02/11/2026"):
        assert words in error["vi"]
    for words in ("Form 1 ", f"point {point}", "round “đợt 2/2026”", "02/11/2026"):
        assert words in error["en"]
    assert len(stored(database)) == 2
    # The round may be given for the whole file.
    bare = [[cell for place, cell in enumerate(row) if place != 1] for row in (head, second)]
    assert "1 duplicate" in imported(run, file, bare, "--round", "Đợt 2/2026")[0]
    assert "1 accepted" in imported(run, file, bare, "--round", "Đợt 3/2026")[0]


def test_a_form_is_the_same_under_the_code_of_a_new_poster(run, province, database, tmp_path):
    """With a number and without: the clerk puts the new code into the old file."""
    code = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "round", "date", "point", "A1"], tmp_path / "forms.csv"

    def rows(code):
        numbers = (("7", ""), ("7", "2"), ("", ""))
        return [head, *([*named, "2026-10-24", code, 4] for named in numbers)]

    assert "3 accepted" in imported(run, file, rows(code))[0]
    with database.writing() as session:
        new = reprint(session, find_by_code(session, code))
    assert "3 duplicate" in imported(run, file, rows(new))[0]
    with database.writing() as session:
        newer = reprint(session, find_by_code(session, new))
    assert "3 duplicate" in imported(run, file, rows(newer))[0]
    assert len(stored(database)) == 3


def test_a_number_is_one_however_it_is_typed(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "date", "point", "A1"], tmp_path / "forms.xlsx"
    day = datetime(2026, 10, 24)
    rows = [[number, day, point, 4] for number in ("7", "07", "7,0", "7.0", 7, 7.0, "007")]
    rows += [["A7", day, point, 4], ["A07", day, point, 4], ["70", day, point, 4]]
    said, errors = imported(run, file, [head, *rows])
    assert ("4 accepted, 6 duplicate" in said, errors) == (True, [])
    assert len(stored(database)) == 4


def test_forms_entered_before_there_were_rounds_are_known_again(
    run, province, database, tmp_path, monkeypatch
):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "date", "point", "A1"], tmp_path / "forms.csv"
    rows = [["07", "2026-10-24", point, 4], ["8", "2026-10-24", point, 3]]
    # As ids were made then: of the point and of the number as it was typed.
    with monkeypatch.context() as then:
        then.setattr("app.intake.paper._spellings", lambda typed, form_no: [typed])
        assert "2 accepted" in imported(run, file, [head, *rows])[0]
    old = made_uuid7(
        datetime(2000, 1, 1, tzinfo=ZONE),
        blake2b(f'["{point}", "07"]'.encode(), digest_size=10).digest(),
    )
    assert str(old) in {row.id for row in stored(database)}
    for number in ("07", "7", "7,0"):
        rows[0][0] = number
        assert "2 duplicate, 0 rows wrong" in imported(run, file, [head, *rows])[0]
    # Whoever names the round afterwards does not count the same sheets again …
    assert "2 duplicate" in imported(run, file, [head, *rows], "--round", "2026")[0]
    # … and other sheets with the same numbers are of the new round.
    rows[0][1] = rows[1][1] = "2026-11-24"
    said, errors = imported(run, file, [head, *rows])
    assert "2 conflict" in said and "đợt chưa đặt tên" in errors[0]["vi"]
    assert "the round without a name" in errors[0]["en"] and "24/10/2026" in errors[0]["en"]
    assert "2 accepted, 0 rows wrong" in imported(run, file, [head, *rows], "--round", "2026")[0]
    assert verify(database) == []


def test_a_preview_tells_what_would_be_a_duplicate_or_a_conflict(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "date", "point", "A1"], tmp_path / "forms.csv"
    one, same, other = (["1", "2026-10-24", point, rate] for rate in (4, 4, 5))
    said, (error,) = imported(run, file, [head, one, same, other], "--preview")
    assert "1 right, 1 duplicate, 1 conflict" in said and error["row"] == "4"
    assert stored(database) == []
    assert "1 accepted" in imported(run, file, [head, one])[0]
    assert "1 duplicate, 0 rows wrong" in imported(run, file, [head, one], "--preview")[0]
    said, (error,) = imported(run, file, [head, other], "--preview")
    assert "1 conflict" in said and "24/10/2026" in error["vi"]


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


def test_numbers_and_rounds_that_do_harm_elsewhere_are_refused(run, province, database, tmp_path):
    point = province.points[("C2", "sipas-desk")]
    head, file = ["form_no", "round", "date", "point", "A1"], tmp_path / "forms.csv"
    rows = [
        ["1\u202e2", "", "2026-10-24", point, 4],
        ["=1", "", "2026-10-24", point, 4],
        ["1", "../2026", "2026-10-24", point, 4],
        ["1", "x" * 65, "2026-10-24", point, 4],
    ]
    said, errors = imported(run, file, [head, *rows])
    assert "none right, 4 rows wrong" in said and stored(database) == []
    assert [error["column"] for error in errors] == ["form_no", "form_no", "round", "round"]
    assert "longer than 64 characters" in errors[3]["en"]


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


def test_rows_without_a_number_are_known_though_their_texts_had_spaces_once(
    run, province, database, tmp_path, monkeypatch
):
    point = province.points[("C2", "sipas-desk")]
    file = tmp_path / "forms.csv"
    rows = [["date", "point", "A1", "comment"], ["2026-10-24", point, 4, " Tốt  "]]
    body = {
        "questionnaire": "sipas-desk",
        "version": 2,
        "point": point,
        "answered_at": "2026-10-24T00:00:00+07:00",
        "language": "vi",
        "answers": {"A1": 4, "comment": " Tốt  "},
    }
    # As the id was made then: of the body as it was typed, and of how many like it came before.
    key = json.dumps(body, sort_keys=True, ensure_ascii=False).encode()
    digest = blake2b(key, digest_size=10).digest()
    digest = blake2b(digest + b"1", digest_size=10).digest()
    old = str(made_uuid7(datetime(2026, 10, 24, tzinfo=ZONE), digest))
    with monkeypatch.context() as then:
        then.setattr("app.intake.paper._Reader._ids_by_content", lambda *_: [old])
        assert "1 accepted" in imported(run, file, rows)[0]
    assert [row.id for row in stored(database)] == [old]
    assert "1 duplicate, 0 rows wrong" in imported(run, file, rows)[0]
    rows[1][3] = "Tốt"
    assert "1 accepted" in imported(run, file, rows)[0]  # nobody says that it is the same sheet


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
        (entry,) = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "responses.import")
        ).all()
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
