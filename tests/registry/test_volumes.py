"""How many were served, from files as people have them: all of a file, or nothing."""

from datetime import date, datetime

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.cli import cli
from app.commands import Refused
from app.registry.models import ServiceVolume, Unit
from app.registry.queries import find_unit
from app.registry.volumes import keep_volumes, read_volumes
from app.tables import WrongTable

UNITS = {"C1", "C2"}
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def written(tmp_path, content):
    file = tmp_path / "volumes.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@pytest.mark.parametrize(
    "content",
    [
        "unit,month,cases\nC1,2026-10,5\nC2,2026-11,70\n",
        "\ufeffunit;month;cases;;\r\nC1;2026-10;5;;\r\nC2;2026-11;70;;\r\n;;;;\r\n",
        "Mã đơn vị\tTháng\tSố hồ sơ\tGhi chú\nC1\t10/2026\t5\t\nC2\t01/11/2026\t70\tđủ\n",
        'ghi chú,unit,month,cases\n"hai\ndòng",C1,2026-10,5\n,C2,2026-11-01,70\n',
        "unit,month,cases\nC1,2026-10,5\nC2,2026-11,70\n".encode("utf-16"),
        "unit,month,cases\nC1,2026-10,05\nC2,2026-11,70\n",
    ],
)
def test_volumes_are_read_however_a_program_wrote_them(tmp_path, content):
    expected = [("C1", OCTOBER, 5), ("C2", NOVEMBER, 70)]
    assert read_volumes(written(tmp_path, content), UNITS) == expected


def test_months_of_a_workbook_are_the_days_that_it_makes_of_them(tmp_path):
    workbook = Workbook()
    for row in [
        ["unit", "month", "cases"],
        ["C1", datetime(2026, 10, 1), 5],
        ["C2", "11/2026", "7.000"],
    ]:
        workbook.active.append(row)
    workbook.save(tmp_path / "volumes.xlsx")
    assert read_volumes(tmp_path / "volumes.xlsx", UNITS) == [
        ("C1", OCTOBER, 5),
        ("C2", NOVEMBER, 7000),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("C9,2026-10,5", "Row 3, column “unit” (cell A3): no unit has the code C9."),
        (",2026-10,5", "Row 3, column “unit” (cell A3): the cell is empty."),
        ("=C1,2026-10,5", "Row 3, column “unit” (cell A3): it must not begin with ="),
        ("C2,2026-13,5", "Row 3, column “month” (cell B3): “2026-13” is not a month"),
        ("C2,15/10/2026,5", "Row 3, column “month” (cell B3): “15/10/2026” is not a month"),
        ("C2,2026-10,-5", "Row 3, column “cases” (cell C3): “-5” is not a whole number"),
        ("C2,2026-10,5.5", "Row 3, column “cases” (cell C3): “5.5” is not a whole number"),
        ("C2,2026-10,", "Row 3, column “cases” (cell C3): “” is not a whole number"),
        ('C2,2026-10,"50,000"', "(cell C3): “50,000” may be two numbers"),
        ("C2,2026-10,1e3", "(cell C3): “1e3” is not a whole number"),
        ("C1,2026-10,6", "Row 3: C1 has the month 2026-10 in row 2 already."),
        ("C2,2026-10", "Row 3: 3 columns are expected, and this row has fewer."),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, said):
    with pytest.raises(WrongTable) as caught:
        read_volumes(written(tmp_path, f"unit,month,cases\nC1,2026-10,5\n{row}\n"), UNITS)
    assert [said in error.detail("en") for error in caught.value.errors] == [True]
    assert "Dòng 3" in caught.value.detail("vi")


def test_the_command_keeps_all_or_nothing(province, database, database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)

    def kept():
        with database.reading() as session:
            return session.scalar(select(func.count()).select_from(ServiceVolume))

    file = written(tmp_path, "unit;month;cases\nC2;2026-10;5\nC9;2026-10;[/x]\n")
    result = CliRunner().invoke(cli, ["import", "volumes", str(file)])
    assert isinstance(result.exception, Refused) and kept() == 0
    assert "(cell C3): “[/x]” is not a whole number" in result.output
    file = written(tmp_path, "unit;month;cases\nC2;2026-10;5\n")
    result = CliRunner().invoke(cli, ["import", "volumes", str(file)])
    assert result.exit_code == 0 and kept() == 1


def test_cells_that_are_numbers_are_taken_as_they_are(tmp_path):
    workbook = Workbook()
    for row in [["unit", "month", "cases"], ["C1", "2026-10", 5.125], ["C2", "2026-10", True]]:
        workbook.active.append(row)
    workbook.save(tmp_path / "volumes.xlsx")
    with pytest.raises(WrongTable) as caught:
        read_volumes(tmp_path / "volumes.xlsx", UNITS)
    assert ["“5.125” is not" in caught.value.errors[0].detail("en"), len(caught.value.errors)] == [
        True,
        2,
    ]


def test_a_code_names_the_unit_that_had_it_when_the_month_began(province, database):
    with database.writing() as session:
        old = find_unit(session, "C2")
        old.valid_to = date(2026, 10, 31)
        new = Unit(
            code="C2", kind="commune", name_vi="Mới", name_en="New",
            parent_id=old.parent_id, valid_from=NOVEMBER,
        )  # fmt: skip
        session.add(new)
        session.flush()
        long_ago = date(1900, 1, 1)
        keep_volumes(session, [("C2", OCTOBER, 5), ("C2", NOVEMBER, 7), ("C2", long_ago, 9)], "x")
        rows = session.execute(
            select(ServiceVolume.month, ServiceVolume.unit_id).order_by(ServiceVolume.month)
        )
        # What nobody was then is the latest one's, as before.
        assert [tuple(row) for row in rows] == [
            (long_ago, new.id), (OCTOBER, old.id), (NOVEMBER, new.id),
        ]  # fmt: skip
