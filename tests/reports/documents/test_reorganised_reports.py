"""Reports across a reorganisation: in which tree they are, what changed, by which decision."""

import io
from datetime import date

import openpyxl
import pypdfium2 as pdfium
import pytest

from app.access.callers import owner
from app.figures.query import StructureOf
from app.reports.documents.contents import gather
from app.reports.documents.pdf import pdf
from app.reports.documents.workbook import workbook
from app.reports.views.context import Chosen
from app.settings import Settings
from tests.reorganised import DAY, DECISION, LAST, standing

QUARTER, HALF_YEAR = "2025-Q2", "2025"


@pytest.fixture(scope="module")
def session(templates, postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reorganised-reports")
    with standing("sqlite", templates, postgres, folder) as world, world[1].reading() as session:
        yield session


@pytest.fixture(scope="module")
def report(session):
    def made(period, structure=StructureOf.TODAY, language="vi", unit="77", **compared):
        chosen = Chosen(unit, "sipas-desk", period, None, structure)
        settings = Settings(least_respondents=1)
        return gather(session, owner("a test"), settings, chosen, language, **compared)

    return made


def text_of(content):
    document = pdfium.PdfDocument(content)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(text.replace("\u00a0", " ").split())


def codes(report):
    return {row.unit.code for row in report.compared.league.rows}


def test_rates_are_by_today_and_units_are_compared_as_they_were_then(report):
    found = report(QUARTER)
    assert found.about.structure > DAY and found.compared.structure == date(2025, 6, 30)
    assert {"P1", "P2", "P3", "P4"} <= codes(found) and "P5" not in codes(found)
    said = found.structure()
    assert "30/6/2025" in said[1] or "30/06/2025" in said[1]
    assert "Phường 3" in said[2]


def test_a_structure_that_is_named_is_that_of_the_whole_report(report):
    found = report(QUARTER, LAST, compared_in=LAST)
    assert found.about.structure == found.compared.structure == LAST
    assert len(found.structure()) == 1
    today = report(QUARTER, compared_in=StructureOf.TODAY)
    assert {"P5", "P6"} <= codes(today) and "P2" not in codes(today)


def test_a_code_that_was_another_unit_then_is_not_compared_as_that(report):
    found = report(QUARTER, unit="P1")
    assert found.about.unit.name.vi == "Phường Một"
    assert found.compared is None or found.compared.structure == found.about.structure


def test_units_that_changed_in_the_period_are_listed_with_the_decision_in_both_files(report):
    found = report(HALF_YEAR)
    assert [name for name, _ in found.changes()] == [
        "Phường Một", "Phường Ba", "Phường Bốn", "Phường Năm", "Phường Sáu",
    ]  # fmt: skip
    how = found.changes()[0][1]
    assert "Phường 1" in how and "Phường 2" in how and DECISION in how
    text = text_of(pdf(found))
    assert "Đơn vị được sắp xếp lại trong kỳ" in text and text.count(DECISION) == 5
    for sentence in found.structure():
        assert sentence in text
    book = openpyxl.load_workbook(io.BytesIO(workbook(found)))
    listed = list(book["Sắp xếp lại"].values)[1:]
    assert listed == found.changes()
    method = [row[0] for row in book["Phương pháp"].values]
    assert method[: len(found.structure())] == found.structure()


def test_a_period_without_a_change_lists_none(report):
    found = report("2025-Q1")
    assert not found.changes()
    assert "Sắp xếp lại" not in openpyxl.load_workbook(io.BytesIO(workbook(found))).sheetnames


def test_what_changed_on_the_first_day_of_a_period_is_listed(report):
    assert len(report("2025-Q3", language="en").changes()) == 5
