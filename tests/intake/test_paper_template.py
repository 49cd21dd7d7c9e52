"""The workbook into which paper forms are typed: written, filled in, read back."""

import io
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from app.cli import cli
from app.intake.paper import read_rows
from app.intake.paper_template import template
from app.settings import Settings
from app.tables import Table
from app.text_keys import TextKeys
from surveys import AnswerSheet, load_directory
from surveys.model import LongTextItem, MultipleChoiceItem, ShortTextItem

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KEYS = TextKeys.of(Settings())
SHEETS = [AnswerSheet(form) for form in load_directory().values()]
DESK = next(sheet for sheet in SHEETS if sheet.form.code == "sipas-desk")


def filled(path, sheet, rows, language="vi", point=""):
    """A template into which somebody typed rows."""
    book = load_workbook(io.BytesIO(template(sheet, language, point)))
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row, start=1):
            book.worksheets[0].cell(number, column, value)
    book.save(path)
    return path


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda s: f"{s.form.code}-{s.form.version}")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_template_is_read_back(tmp_path, sheet, language):
    file = filled(tmp_path / "forms.xlsx", sheet, [], language)
    assert list(read_rows(file, sheet, None, ZONE, KEYS)) == []
    titles = Table(file).titles
    assert titles[4:] == [item.code for item in sheet.form.items]
    book = load_workbook(file)
    key = {row[0]: row[1:] for row in book.worksheets[1].iter_rows(min_row=5, values_only=True)}
    assert set(key) == set(titles)
    for item in sheet.form.items:
        asked, typed = key[item.code]
        assert asked == item.text.in_language(language)
        assert typed or isinstance(item, ShortTextItem | LongTextItem)


def test_what_is_typed_into_a_template_is_what_is_read(tmp_path):
    sheet = next(s for s in SHEETS if any(isinstance(i, MultipleChoiceItem) for i in s.form.items))
    codes = [item.code for item in sheet.form.items]
    many = next(i for i in sheet.form.items if isinstance(i, MultipleChoiceItem))
    row = ["07", "Đợt 1", datetime(2026, 10, 24), *[None] * len(codes)]
    row[3 + codes.index(many.code)] = "1;2"
    file = filled(tmp_path / "forms.xlsx", sheet, [row], point="ABCDEFG")
    (read,) = read_rows(file, sheet, "ABCDEFG", ZONE, KEYS)
    assert read.errors == () and (read.form_no, read.round) == ("7", "Đợt 1")
    assert read.body["answers"] == {many.code: [1, 2]}


def test_no_opinion_is_an_answer_and_an_empty_cell_is_none(tmp_path):
    code = min(DESK.with_no_opinion)
    place = 4 + [item.code for item in DESK.form.items].index(code)
    rows = [
        ["1", "", "24/10/2026", "ABCDEFG", *[None] * len(list(DESK.form.items))] for _ in range(3)
    ]
    rows[0][place], rows[1][place] = "-", "–"
    file = filled(tmp_path / "forms.xlsx", DESK, rows)
    answers = [row.body["answers"] for row in read_rows(file, DESK, None, ZONE, KEYS)]
    assert answers == [{code: None}, {code: None}, {}]
    assert DESK.pack({code: None}) != DESK.pack({})


def test_a_clerk_fills_in_mistakes_and_mends(province, database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)

    def run(*arguments):
        return CliRunner().invoke(cli, ["import", *map(str, arguments)])

    point = province.points[("C2", "sipas-desk")]
    file = tmp_path / "phiếu.xlsx"
    assert run("template", "sipas-desk", "--out", file).exit_code == 0
    book = load_workbook(file)
    codes = [cell.value for cell in book.worksheets[0][1]]
    assert codes[:4] == ["Số phiếu", "Đợt khảo sát", "Ngày trả lời", "Mã điểm"]
    for number, rate in enumerate((4, "x", 5), start=1):
        book.worksheets[0].append([number, "Đợt 1", datetime(2026, 10, 24), point, rate])
    book.save(file)
    result = run("responses", file, "--questionnaire", "sipas-desk")
    assert "2 accepted, 1 rows wrong" in result.output
    errors = (tmp_path / "phiếu.xlsx.errors.csv").read_text(encoding="utf-8-sig")
    assert f"3,{codes[4]},Không phải số: x." in errors
    book.worksheets[0].cell(3, 5, 3)
    book.save(file)
    result = run("responses", file, "--questionnaire", "sipas-desk")
    assert "1 accepted" in result.output and "2 duplicate" in result.output
    assert not (tmp_path / "phiếu.xlsx.errors.csv").exists()


def test_a_template_of_nothing_is_refused(province, database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)
    for arguments, said in (
        (["x"], "no questionnaire x"),
        (["sipas-desk", "--version", "99"], "version 99 is not published"),
        (["sipas-desk", "--language", "km"], "language km"),
    ):
        out = ["--out", str(tmp_path / "no.xlsx")]
        result = CliRunner().invoke(cli, ["import", "template", *arguments, *out])
        assert said in str(result.exception)
    result = CliRunner().invoke(
        cli, ["import", "template", "sipas-desk", "--out", str(tmp_path / "no" / "no.xlsx")]
    )
    assert "No such file" in str(result.exception)
