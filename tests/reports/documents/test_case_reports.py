"""What came of cases on the unit's page and in its report: for whom, and what of few is hidden."""

import io
from datetime import date

import openpyxl
import pypdfium2 as pdfium
import pytest

from app.access.roles import Role
from app.cases.models import Case
from tests.cases.sent import GOOD, form, keep, sent
from tests.figures.test_case_figures import made

#: What is counted, tests/figures/test_case_figures.py tries on both stores.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

IN_TIME, LATE = date(2026, 9, 20), date(2026, 9, 28)
PERIOD = {"unit": "C1", "questionnaire": "sipas-desk", "period": "2026-Q3"}
TITLE = "Phản ánh của người dân"


@pytest.fixture
def cases(database, province):
    """Forty of C1, of which 28 were closed in time; four of C2; five that are confidential."""
    at = province.units["C1"]
    keep(database, [sent(form(database), at, date(2026, 9, day), GOOD) for day in range(1, 16)])
    made(database, at, 12, IN_TIME, cause="waiting")
    made(database, at, 16, IN_TIME, cause="attitude")
    made(database, at, 12, LATE, cause="result")
    made(database, at, 5, confidential=True, handed_to_id=province.units["D1"])


def page_of(client, who, **changes):
    answer = client.get("/dashboard/unit", params=PERIOD | changes, headers=who.headers,
                        follow_redirects=True)  # fmt: skip
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def report_of(client, who, kind, **changes):
    asked = PERIOD | {"format": kind} | changes
    answer = client.get("/api/v1/reports", params=asked, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def text_of(content):
    document = pdfium.PdfDocument(content)
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(text.replace("\u00a0", " ").split())


def test_page_pdf_and_workbook_tell_the_same_and_only_to_who_may_see_cases(
    client, database, province, cases
):
    said = (
        "Trong 40 phản ánh của quý 3 năm 2026: kết thúc đúng hạn 28, kết thúc sau hạn 12, "
        "chưa kết thúc 0."
    )
    for role in (Role.UNIT_HEAD, Role.CARE_DESK, Role.AUDITOR):
        who = province.person((role, "C1" if role != Role.AUDITOR else None))
        page = page_of(client, who)
        assert said in page
        assert 'href="/cases?show=all&amp;unit=C1"' in page
    head = province.person((Role.UNIT_HEAD, "C1"))
    text = text_of(report_of(client, head, "pdf"))
    assert said in text and "Một nửa số phản ánh kết thúc trong 6 ngày" in text
    assert TITLE in text
    book = openpyxl.load_workbook(io.BytesIO(report_of(client, head, "xlsx")))
    rows = {row[0].value: row[1].value for row in book["Phản ánh"].iter_rows(min_row=2)}
    assert rows["Tất cả phản ánh trong kỳ"] == 40 and rows["Kết thúc đúng hạn"] == 28
    assert rows["Số ngày để một nửa kết thúc"] == 6
    assert sorted(n for what, n in rows.items() if what.startswith("Nguyên nhân")) == [12, 12, 16]
    # Who may see rates and no cases is not told that there are any.
    desk, operator = (
        province.person((Role.DESK_STAFF, "C1")),
        province.person((Role.OPERATOR, None)),
    )
    for who in (desk, operator):
        assert 'id="cases"' not in page_of(client, who)
    book = openpyxl.load_workbook(io.BytesIO(report_of(client, desk, "xlsx")))
    assert "Phản ánh" not in book.sheetnames
    assert TITLE not in text_of(report_of(client, desk, "pdf"))
    other = province.person((Role.UNIT_HEAD, "C2"))
    answer = client.get("/api/v1/reports", params=PERIOD, headers=other.headers)
    assert answer.status_code == 404


def test_a_report_hides_few_whoever_makes_it(client, database, province, cases):
    # Three more are not closed: "late" goes, too, as they are what is left.
    made(database, province.units["C1"], 3)
    analyst = province.person((Role.PROVINCIAL_ANALYST, None))
    assert "kết thúc sau hạn 12, chưa kết thúc 3." in page_of(client, analyst)
    text = text_of(report_of(client, analyst, "pdf"))
    hidden = "không nêu"
    assert f"kết thúc đúng hạn 28, kết thúc sau hạn {hidden}, chưa kết thúc {hidden}." in text
    book = openpyxl.load_workbook(io.BytesIO(report_of(client, analyst, "xlsx")))
    rows = {row[0].value: row[1].value for row in book["Phản ánh"].iter_rows(min_row=2)}
    assert rows["Kết thúc sau hạn"] is None and rows["Chưa kết thúc"] is None
    assert rows["Số ngày để một nửa kết thúc"] is None
    # Of one unit's few nothing, nor of the period that runs.
    made(database, province.units["C2"], 4)
    few = report_of(client, analyst, "pdf", unit="C2", questionnaire="sipas-desk")
    assert "Không nêu số phản ánh" in text_of(few)
    book = openpyxl.load_workbook(io.BytesIO(report_of(client, analyst, "xlsx", unit="C2")))
    assert "4" not in str([cell.value for row in book["Phản ánh"] for cell in row])
    head = province.person((Role.UNIT_HEAD, "C2"))
    assert "Không nêu số phản ánh" in page_of(client, head, unit="C2")
    with database.reading() as session:
        assert session.query(Case).count() == 52


def test_the_list_tells_of_the_quarters_that_are_over(client, database, province, cases):
    head = province.person((Role.UNIT_HEAD, "C1"))
    page = " ".join(client.get("/cases", headers=head.headers).text.split())
    assert 'id="summary"' in page and "Trong 45" not in page
