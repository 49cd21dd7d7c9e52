"""Reports as they leave the house: read again from the file, compared with the API's figures."""

import ctypes
import io
import re
from dataclasses import dataclass
from datetime import datetime

import openpyxl
import pypdfium2 as pdfium
import pytest

from app.access.callers import owner
from app.access.models import Right
from app.access.roles import Role
from app.figures.periods import Length, name_of
from app.reports.documents.contents import Report, gather
from app.reports.documents.pdf import pdf
from app.reports.views.context import Chosen
from app.settings import Settings
from tests.figures.district import COMMUNES, FELL, FORM, SMALL

PERIOD = "2026-H1"


@pytest.fixture
def fetch(world):
    def get(**parameters):
        asked = {"unit": "D1", "questionnaire": FORM.code, "period": PERIOD} | parameters
        if repr(asked) in world.fetched:
            return world.fetched[repr(asked)]
        answer = world.client.get("/api/v1/reports", params=asked, headers=world.analyst)
        assert answer.status_code == 200, answer.text
        world.fetched[repr(asked)] = answer.content
        return answer.content

    return get


@pytest.fixture
def view(world):
    def get(name, headers=None, **parameters):
        asked = {"unit": "D1", "questionnaire": FORM.code, "period": PERIOD} | parameters
        return world.client.get(
            f"/api/v1/views/{name}", params=asked, headers=headers or world.public
        ).json()

    return get


def text_of(content):
    document = pdfium.PdfDocument(content)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    return " ".join(text.replace("\u00a0", " ").split())


def is_tagged(content):
    document = pdfium.PdfDocument(content)
    return bool(
        pdfium.raw.FPDFCatalog_IsTagged(ctypes.cast(document.raw, pdfium.raw.FPDF_DOCUMENT))
    )


def test_the_pdf_says_what_the_figures_say_and_can_be_searched(fetch, view):
    content = fetch()
    text = text_of(content)
    for words in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "BÁO CÁO",
                  "Phương pháp", "Phụ lục", "6 tháng đầu năm 2026", "ĐƠN VỊ D1"):  # fmt: skip
        assert words in text, words
    index = view("unit")["index"]
    assert f"{100 * index['rate']:.1f}%".replace(".", ",") in text
    assert f"{index['respondents']:,}".replace(",", ".") in text
    for row in view("units")["rows"]:
        assert row["unit"]["code"] in text  # the annex has every unit
    annex = text[text.index("Phụ lục") :]
    for number, row in enumerate(view("units")["rows"], 1):  # by number, as charts name them
        assert re.search(rf"(?<!\d){number} {row['unit']['code']}\b", annex), row["unit"]
    for section in view("levels")["sections"]:
        for item in section["items"]:
            assert f"{item['item']}." in text
    assert is_tagged(content)


def test_what_was_done_stands_in_both_files(world, fetch):
    noter = world.province.credential(Right.READ_FIGURES, Right.NOTE_ACTIONS)
    before = text_of(fetch(unit="K03"))
    made = world.client.post(
        "/api/v1/satisfaction/action-notes",
        json={"unit": "K03", "day": "2026-02-03", "text": "Mở thêm quầy 3"},
        headers=noter,
    ).json()
    world.fetched.clear()
    text = text_of(fetch(unit="K03"))
    said = f"03/02/2026: Mở thêm quầy 3 ({made['recorded_by']} ghi)"
    assert said in text and said not in before
    assert "Việc đã làm, theo số trên biểu đồ" in text
    book = openpyxl.load_workbook(io.BytesIO(fetch(unit="K03", format="xlsx")))
    assert rows_of(book, "Việc đã làm") == [
        {"Ngày": "03/02/2026", "Việc đã làm": "Mở thêm quầy 3", "Người ghi": made["recorded_by"]}
    ]
    path = f"/api/v1/satisfaction/action-notes/{made['id']}"
    assert world.client.delete(path, headers=noter).status_code == 204
    world.fetched.clear()


def test_english_is_an_option(fetch):
    text = text_of(fetch(language="en", unit=FELL))
    assert "SOCIALIST REPUBLIC OF VIETNAM" in text and "first half of 2026" in text
    assert "Fell against" in text and "not distinguishable" not in text.split("Annex")[0][:200]


def test_the_letterhead_names_the_committee_and_the_addressee(fetch):
    text = text_of(fetch())
    assert "ỦY BAN NHÂN DÂN ĐƠN VỊ D1" in text
    assert "Kính gửi: Ủy ban nhân dân Đơn vị 77." in text and "- Như trên;" in text
    whole = text_of(fetch(unit="77"))
    assert "ỦY BAN NHÂN DÂN ĐƠN VỊ 77" in whole  # nobody above: no "as above" either
    assert "Kính gửi" not in whole and "Như trên" not in whole and "- Lưu: VT." in whole
    english = text_of(fetch(language="en"))
    assert "PEOPLE'S COMMITTEE OF UNIT D1" in english
    assert "To: People's Committee of Unit 77." in english and "- As above;" in english


def test_a_ward_whose_head_sees_no_other_unit_still_belongs_to_its_hospital(world):
    head = world.province.person((Role.UNIT_HEAD, "W1"))
    answer = world.client.get(
        "/api/v1/reports", params={"unit": "W1", "period": PERIOD}, headers=head.headers
    )
    text = text_of(answer.content)
    assert "ĐƠN VỊ H1 ĐƠN VỊ W1" in text and "Kính gửi: Ban Giám đốc Đơn vị H1." in text
    assert "đối với Đơn vị W1, Đơn vị H1" in text


@dataclass(frozen=True)
class Longer(Report):
    """A report with some sentences more, and as many rows in its last table."""

    more: int = 0

    @classmethod
    def of(cls, report, more):
        first, *others = report.levels.sections
        items = [*first.items, *first.items[:1] * more]
        sections = [first.model_copy(update={"items": items}), *others]
        levels = report.levels.model_copy(update={"sections": sections})
        return cls(**vars(report) | {"levels": levels}, more=more)

    def summary(self):
        return [*super().summary(), *["Một câu nữa."] * self.more]


def lines_of(page):
    text = page.get_textpage().get_text_range().replace("\u00a0", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("unit", "period", "language", "step"),
    [("77", "2025-H2", "en", 5), ("D1", PERIOD, "vi", 4), (FELL, "2026-Q1", "vi", 1)],
)
def test_no_heading_ends_a_page_wherever_pages_end(world, unit, period, language, step):
    settings = Settings(database_url=str(world.province.database.url))
    chosen = Chosen(unit, FORM.code, period)
    with world.province.database.reading() as session:
        report = gather(session, owner("test"), settings, chosen, language)
    words, view = report.words, report.levels
    parts = ("summary", "factors", "trend", "compared", "improve", "official", "method", "annex")
    headings = {words(f"report.{part}") for part in parts}
    source = f"{words.name(view.title)} – {words.name(view.source)}"
    sections = tuple(f"{s.factor}. {words.name(s.name)} " for s in view.sections)
    ends = set()
    for more in range(0, 40, step):
        document = pdfium.PdfDocument(pdf(Longer.of(report, more)))
        pages = [lines_of(page) for page in document]
        assert any(line.endswith(words("report.official")) for page in pages for line in page)
        for page in pages:
            last = page[-1]
            ends.add(last)
            assert re.sub(r"^\d+\. ", "", last) not in headings, (more, last)
            assert not source.endswith(last), (more, last)
            assert not last.startswith(sections), (more, last)
        # Its number, "recipients" and room to sign: a signature without what is signed.
        to = words("report.recipients_to_above" if report.head.addressee
                   else "report.recipients_to_others").splitlines()[0]  # fmt: skip
        assert not [page for page in pages if to in page and page.index(to) < 3], more
    assert len(ends) > 10, "page ends did not move"


def test_every_page_of_the_pdf_can_be_drawn(fetch):
    document = pdfium.PdfDocument(fetch())
    for page in document:
        picture = page.render(scale=0.5).to_pil().convert("L")
        dark = sum(picture.histogram()[:128])
        assert dark > 100, "an empty page"


def test_a_report_calls_no_factor_influential_without_an_overall_question(fetch, view):
    for code in COMMUNES[:4]:
        shown = view("unit", unit=code)
        assert shown["no_drivers"] == "outcome-needed" and shown["drivers"] is None
        rows = shown["lowest"]["rows"]
        book = openpyxl.load_workbook(io.BytesIO(fetch(unit=code, format="xlsx", language="en")))
        summary = [str(cell) for line in book["Summary"].values for cell in line if cell]
        for text in (text_of(fetch(unit=code, language="en")), " ".join(summary)):
            assert "Improve first" not in text and "much effect" not in text
            assert ("No factor is clearly lower" in text) == (not any(row["below"] for row in rows))
            for row in rows:
                told = re.escape(f"{row['factor']}. {row['name']['en']}: ")
                found = re.search(rf"{told}(\S+) percentage points against the mean", text)
                assert (found is not None) == row["below"]
                if found:
                    assert found[1] == f"−{-100 * row['difference']:.1f}"
        # Who has the highest rate is told to lie below by nobody.
        assert not max(rows, key=lambda row: row["rate"])["below"]
        assert all(row["below"] == (row["high"] < 0) for row in rows)


def rows_of(book, name):
    heading, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def test_the_workbook_has_the_views_figures_as_numbers(fetch, view):
    book = openpyxl.load_workbook(io.BytesIO(fetch(format="xlsx")))
    assert book.sheetnames == ["Tóm tắt", "Yếu tố", "Câu hỏi", "Diễn biến", "Đơn vị", "Tổng hợp",
                               "Phương pháp"]  # fmt: skip
    shown = view("unit")
    for sheet, kind, code in (("Yếu tố", "factors", "factor"), ("Câu hỏi", "items", "item")):
        rows = rows_of(book, sheet)
        assert [row["Mã"] for row in rows] == [row[code] for row in shown[kind]]
        for row, right in zip(rows, shown[kind], strict=True):
            assert row["Tỷ lệ hài lòng"] == pytest.approx(right["rate"])
            assert row["Cận dưới 95%"] == pytest.approx(right["low"])
            assert row["Người trả lời"] == right["respondents"]
            assert row["Thay đổi (điểm %)"] == pytest.approx(100 * right["change"]["estimate"])
    units = {row["unit"]["code"]: row for row in view("units")["rows"]}
    for row in rows_of(book, "Đơn vị"):
        right = units[row["Mã"]]
        if right["rate"] is None:
            assert row["Tỷ lệ hài lòng"] is None
        else:
            assert row["Tỷ lệ hài lòng"] == pytest.approx(right["rate"])
    for name in ("Yếu tố", "Câu hỏi", "Đơn vị", "Tổng hợp"):
        assert book[name].freeze_panes == "C2"
    assert book["Yếu tố"]["C2"].number_format == "0.0%"
    levels = view("levels")
    by_code = {row["Mã"]: row for row in rows_of(book, "Tổng hợp") if row["Mã"]}
    for section in levels["sections"]:
        for item in section["items"]:
            found = by_code[item["item"]]
            assert [found[f"Mức {v}"] for v in levels["values"]] == item["levels"]


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        ("vi", ["p so với mục tiêu (xét riêng)", "p hiệu chỉnh so với mục tiêu (xét cùng nhau)",
                "p của thay đổi (xét riêng)", "p hiệu chỉnh của thay đổi (xét cùng các đơn vị)"]),
        ("en", ["p against the target (alone)", "Adjusted p against the target (all together)",
                "p of the change (alone)", "Adjusted p of the change (all units)"]),
    ],
)  # fmt: skip
def test_each_p_of_the_workbook_stands_under_its_own_name(fetch, view, language, headings):
    book = openpyxl.load_workbook(io.BytesIO(fetch(format="xlsx", language=language)))
    target, target_adjusted, own, adjusted = headings
    names = {"vi": ("Đơn vị", "Yếu tố", "Câu hỏi"), "en": ("Units", "Factors", "Questions")}
    units, factors, items = (rows_of(book, name) for name in names[language])
    code = {"vi": "Mã", "en": "Code"}[language]
    right = {row["unit"]["code"]: row for row in view("units")["rows"]}
    for row in units:
        of_view = right[row[code]]
        change = of_view["change"] or {"p": None, "adjusted_p": None}
        assert row[own] == pytest.approx(change["p"])
        assert row[adjusted] == pytest.approx(change["adjusted_p"])
        assert row[target] == pytest.approx(of_view["target_p"])
        assert row[target_adjusted] == pytest.approx(of_view["target_adjusted_p"])
    assert any(row[own] is not None and row[own] < row[adjusted] for row in units)
    assert any(row[target] is not None and row[target] < row[target_adjusted] for row in units)
    # Changes of factors and items are looked at alone, and nothing there is called adjusted.
    for rows, name in ((factors, "factors"), (items, "items")):
        for row, of_view in zip(rows, view("unit")[name], strict=True):
            assert adjusted not in row
            assert row[own] == pytest.approx(of_view["change"]["p"])
            assert row[target_adjusted] == pytest.approx(of_view["target_adjusted_p"])
    for sheet in names[language]:
        assert "p" not in [cell.value for cell in book[sheet][1]]


def test_a_report_hides_small_cells_whoever_makes_it(fetch):
    """In the first half of 2025 K16 has four respondents; an analyst may see them, a reader not."""
    book = openpyxl.load_workbook(io.BytesIO(fetch(format="xlsx", period="2025-H1")))
    (small,) = [row for row in rows_of(book, "Đơn vị") if row["Mã"] == SMALL]
    assert small["Tỷ lệ hài lòng"] is small["Người trả lời"] is None
    assert "quá ít" in small["So với mục tiêu"]
    own = openpyxl.load_workbook(io.BytesIO(fetch(format="xlsx", unit=SMALL, period="2025-H1")))
    assert all(row["Tỷ lệ hài lòng"] is None for row in rows_of(own, "Câu hỏi"))
    assert all(row["Mức 5"] is None for row in rows_of(own, "Tổng hợp"))
    assert "Có người trả lời nhưng quá ít" in text_of(fetch(unit=SMALL, period="2025-H1"))


def test_a_head_gets_her_units_report_and_no_other(world):
    head = world.province.person((Role.UNIT_HEAD, FELL))
    for unit, status in ((FELL, 200), ("K02", 404), ("D1", 404)):
        answer = world.client.get(
            "/api/v1/reports",
            params={"unit": unit, "period": PERIOD, "format": "xlsx"},
            headers=head.headers,
        )
        assert answer.status_code == status
    assert "attachment" in world.client.get(
        "/api/v1/reports", params={"format": "xlsx", "period": PERIOD}, headers=head.headers
    ).headers["content-disposition"]  # fmt: skip


def test_a_report_about_a_running_period_says_up_to_which_day(fetch):
    today = datetime.now(Settings().zone).date()
    period = name_of(today, Length.HALF)
    text = text_of(fetch(period=period))
    assert "đang diễn ra" in text
    book = openpyxl.load_workbook(io.BytesIO(fetch(period=period, format="xlsx")))
    assert "đang diễn ra" in str(book.worksheets[0]["A1"].value)
