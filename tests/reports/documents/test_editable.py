"""The report as DOCX: the PDF's words and figures, sound for Word, and read by LibreOffice."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from xml.etree import ElementTree

import docx
import openpyxl
import pypdfium2 as pdfium
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from hypothesis import given
from hypothesis import strategies as st

from app.access.callers import owner
from app.reports.documents.contents import gather
from app.reports.documents.docx_parts import paragraph, plain, run
from app.reports.documents.editable import editable
from app.reports.documents.letter import letter
from app.reports.documents.letterhead import UNSIGNED, Signing
from app.reports.documents.pdf import pdf
from app.reports.documents.workbook import workbook
from app.reports.views.context import Chosen
from app.settings import Settings
from tests.figures.district import FORM
from tests.office import SHEETS, converted, needs_office, number

PERIOD = "2026-H1"
SIGNING = Signing("12", position=("KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"), name="Người Ký Thử")


@pytest.fixture(scope="module")
def report(world):
    asked = Settings(
        database_url=world.province.database.url.render_as_string(hide_password=False),
        report_signers="D1 = BC-UBND | CHỦ TỊCH | Chủ Tịch Thử",
    )
    chosen = Chosen("D1", FORM.code, PERIOD)
    with world.province.database.reading() as session:
        return gather(session, owner("a test"), asked, chosen, "vi", signing=SIGNING)


@pytest.fixture(scope="module")
def content(report):
    return editable(report)


@pytest.fixture(scope="module")
def document(content):
    return docx.Document(io.BytesIO(content))


@pytest.fixture(scope="module")
def printed(report):
    return words_of(pdf(report))


def words_of(content):
    found = pdfium.PdfDocument(content)
    text = "\n".join(page.get_textpage().get_text_range() for page in found)
    return " ".join(text.replace("\u00a0", " ").split())


def said_in(element):
    """The text of a part of a document, places to fill in as well."""
    said = {qn("w:t"): lambda x: x.text or "", qn("w:br"): lambda x: "\n"}
    return "".join(said[x.tag](x) for x in element.iter() if x.tag in said)


def paragraphs(document):
    """Every paragraph outside of tables and inside, in order, with the id of its style."""
    for each in document.element.body.iter(qn("w:p")):
        yield each.pPr.pStyle.val, said_in(each)


def tables(document):
    """The tables with headings, as rows of texts."""
    return [
        [tuple(said_in(cell) for cell in row.iter(qn("w:tc"))) for row in table.iter(qn("w:tr"))]
        for table in document.element.body.iter(qn("w:tbl"))
        if table.find(f".//{qn('w:tblHeader')}") is not None
    ]


def test_every_sentence_and_figure_is_that_of_the_letter_and_of_the_pdf(report, document, printed):
    said = letter(report)
    shown = [said.pictures[name].table for name in ("factors", "trend", "drivers")
             if name in said.pictures]  # fmt: skip
    wanted = [t for t in (*shown, said.levels, said.cases_table, said.changes, said.units) if t]
    assert len(wanted) >= 4
    assert tables(document) == [[t.headings, *t.rows] for t in wanted]
    listed = [text for style, text in paragraphs(document) if style == "ListBullet"]
    assert listed == [*said.summary, *said.besides, *said.cases, *said.method]
    alone = [text for _, text in paragraphs(document)]
    for figure, label in said.headline:
        assert alone[alone.index(figure) + 1] == label
    flat = printed.replace(" ", "")
    for text in (*listed, *(cell for t in wanted for row in t.rows for cell in row)):
        assert "".join(text.split()) in flat, text
    numbered = [text for style, text in paragraphs(document) if style == "ListNumber"]
    assert numbered == [*said.pictures["trend"].chart.numbered]


def test_the_figures_are_those_of_the_interface(world, report, document):
    asked = {"unit": "D1", "questionnaire": FORM.code, "period": PERIOD}
    view = {
        name: world.client.get(f"/api/v1/views/{name}", params=asked, headers=world.public).json()
        for name in ("unit", "levels", "units")
    }
    texts = [text for _, text in paragraphs(document)]
    index = view["unit"]["index"]
    assert f"{100 * index['rate']:.1f}%".replace(".", ",") in texts
    assert f"{index['respondents']:,}".replace(",", ".") in texts
    found = {table[0]: table for table in tables(document)}
    levels, units = (found[each.headings] for each in (letter(report).levels, letter(report).units))
    by_name = {row[0].partition(". ")[0]: row for row in levels[1:]}
    for section in view["levels"]["sections"]:
        for item in section["items"]:
            counts = by_name[item["item"]][1 : 1 + len(item["levels"])]
            assert [int(n.replace(".", "")) for n in counts] == item["levels"]
            assert f"{100 * item['rate']:.1f}%".replace(".", ",") in by_name[item["item"]]
    assert [row[1].split()[0] for row in units[1:]] == [
        row["unit"]["code"] for row in view["units"]["rows"]
    ]


def test_it_is_laid_out_as_the_decree_wants_it(document):
    (section,) = document.sections
    assert [round(side.mm) for side in (section.page_width, section.page_height)] == [210, 297]
    sides = section.top_margin, section.bottom_margin, section.left_margin, section.right_margin
    assert [round(side.mm) for side in sides] == [20, 20, 30, 15]
    assert section.different_first_page_header_footer
    counted = section.header._element.find(f".//{qn('w:fldSimple')}")
    assert counted.get(qn("w:instr")).split() == ["PAGE"]
    assert not said_in(section.first_page_header._element)
    defaults = document.styles.element.find(qn("w:docDefaults"))
    fonts, size, spoken = (next(defaults.iter(qn(f"w:{n}"))) for n in ("rFonts", "sz", "lang"))
    assert set(fonts.attrib.values()) == {"Times New Roman"} and size.get(qn("w:val")) == "26"
    assert spoken.get(qn("w:val")) == "vi-VN"
    texts = [text for _, text in paragraphs(document)]
    head = ["ỦY BAN NHÂN DÂN", "ĐƠN VỊ D1", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
            "Độc lập - Tự do - Hạnh phúc", "Số: 12/BC-UBND"]  # fmt: skip
    assert [text for text in texts if text in head] == head
    assert "Kính gửi: Ủy ban nhân dân Đơn vị 77." in texts and "Nơi nhận:" in texts
    end = [texts.index(each) for each in ("KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "Người Ký Thử")]
    assert end == sorted(end) and min(end) > texts.index("- Lưu: VT.")


def test_headings_pictures_and_properties_serve_who_cannot_see(report, document, content):
    said = letter(report)
    styles = [(style, text) for style, text in paragraphs(document)]
    assert [text for style, text in styles if style == "Title"] == ["BÁO CÁO"]
    assert [text for style, text in styles if style == "Subtitle"] == [said.title]
    headings = [text for style, text in styles if style == "Heading1"]
    parts = ["summary", "factors", "trend", "compared", "improve", "official", "method", "annex"]
    named = [said.heading(part) for part in parts]
    assert [each for each in headings if each in named] == named
    assert set(headings) - set(named) <= {"Phản ánh của người dân"}
    described = [each.get("descr") for each in document.element.body.iter(qn("wp:docPr"))]
    assert sorted(described) == sorted(each.chart.summary for each in said.pictures.values())
    assert all(described)
    ids = [each.get("id") for each in document.element.body.iter(qn("wp:docPr"))]
    assert len(set(ids)) == len(ids)
    properties = document.core_properties
    assert (properties.title, properties.author) == (said.title, said.issuer)
    assert properties.language == "vi-VN" and not properties.comments
    made = datetime.combine(report.made_on, datetime.min.time())
    assert {properties.created.replace(tzinfo=None), properties.modified.replace(tzinfo=None)} == {
        made
    }
    assert editable(report) == content, "the same report, other bytes"
    entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    assert {each.date_time for each in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_what_nobody_knows_is_a_place_to_fill_in(report):
    for language, numbered, position in (
        ("vi", "Số: …/BC-…", "QUYỀN HẠN, CHỨC VỤ CỦA NGƯỜI KÝ"),
        ("en", "No: …/BC-…", "POSITION OF THE SIGNATORY"),
    ):
        found = replace(report, words=replace(report.words, language=language), signing=UNSIGNED)
        document = docx.Document(io.BytesIO(editable(found)))
        texts = [text for _, text in paragraphs(document)]
        assert numbered in texts and position in texts
        places = {
            each.find(f".//{qn('w:tag')}").get(qn("w:val")): (
                said_in(each), each.find(f".//{qn('w:showingPlcHdr')}") is not None
            )
            for each in document.element.body.iter(qn("w:sdt"))
        }  # fmt: skip
        assert places == {
            "number": ("…/BC-…", True), "place": (found.head.place, found.head.place == "…"),
            "position": (position, True), "signer": ("…", True),
        }  # fmt: skip


def test_what_is_filled_in_stands_in_both_files(world, report):
    filled = {"number": "7/BC-VP", "position": "TL. CHỦ TỊCH / CHÁNH VĂN PHÒNG",
              "signer": "Chánh <Văn> & Phòng"}  # fmt: skip
    asked = {"unit": "K01", "questionnaire": FORM.code, "period": PERIOD, "format": "docx"}
    answer = world.client.get("/api/v1/reports", params=asked | filled, headers=world.analyst)
    assert answer.status_code == 200 and ".docx" in answer.headers["content-disposition"]
    assert answer.headers["content-type"].endswith("wordprocessingml.document")
    document = docx.Document(io.BytesIO(answer.content))
    of_docx = " ".join(text for _, text in paragraphs(document))
    position = ("TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG")
    signing = Signing(filled["number"], position=position, name=filled["signer"])
    of_pdf = words_of(pdf(replace(report, signing=signing)))
    for text in (of_docx, of_pdf):
        for words in ("Số: 7/BC-VP", " ".join(position), filled["signer"]):
            assert words in text, words
        assert "QUYỀN HẠN" not in text
    refused = world.client.get(
        "/api/v1/reports", params=asked | {"signer": "a\x0bb"}, headers=world.analyst
    )
    assert refused.status_code == 422 and "signer" in refused.text


@given(st.text(st.characters()))
def test_any_text_is_written_and_read_again(text):
    element = parse_xml(paragraph(run(text)).replace("<w:p>", f"<w:p {nsdecls('w')}>", 1))
    assert said_in(element) == plain(text).replace("\r", "\n")


#: The children of an element in the order of the schema (ECMA-376, part 1), as far as any is used.
ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr pBdr shd tabs "
    "spacing ind contextualSpacing jc textAlignment outlineLvl rPr sectPr",
    "rPr": "rStyle rFonts b bCs i iCs caps color spacing w kern position sz szCs highlight u lang",
    "tblPr": "tblStyle tblW jc tblInd tblBorders shd tblLayout tblCellMar tblLook",
    "tcPr": "tcW gridSpan vMerge tcBorders shd noWrap tcMar vAlign",
    "pBdr": "top left bottom right between bar",
    "tblBorders": "top left bottom right insideH insideV",
    "sdtPr": "rPr alias tag id lock placeholder temporary showingPlcHdr text",
    "sdt": "sdtPr sdtEndPr sdtContent",
    "tbl": "tblPr tblGrid tr",
    "tr": "tblPrEx trPr tc",
    "lvl": "start numFmt lvlRestart pStyle suff lvlText lvlJc pPr rPr",
    "abstractNum": "nsid multiLevelType tmpl name lvl",
    "numbering": "abstractNum num",
    "style": "name aliases basedOn next link uiPriority semiHidden unhideWhenUsed qFormat locked "
    "rsid pPr rPr tblPr",
    "settings": "zoom defaultTabStop characterSpacingControl compat rsids themeFontLang "
    "clrSchemeMapping decimalSymbol listSeparator",
    "sectPr": "headerReference footerReference type pgSz pgMar cols titlePg docGrid",
}
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def test_children_stand_in_the_order_of_the_schema_and_no_style_is_missing(content):
    package = zipfile.ZipFile(io.BytesIO(content))
    parts = [name for name in package.namelist() if re.match(r"word/\w+\.xml$", name)]
    roots = {name: ElementTree.fromstring(package.read(name)) for name in parts}
    met = set()
    for name, root in roots.items():
        for element in root.iter():
            kind = element.tag.removeprefix(WORD)
            if kind not in ORDER:
                continue
            met.add(kind)
            order = ORDER[kind].split()
            places = [order.index(child.tag.removeprefix(WORD)) for child in element]
            assert all(a <= b for a, b in pairwise(places)), (name, kind)
    assert met == set(ORDER)
    styles = {each.get(f"{WORD}styleId") for each in roots["word/styles.xml"].iter(f"{WORD}style")}
    numbers = {each.get(f"{WORD}numId") for each in roots["word/numbering.xml"].iter(f"{WORD}num")}
    for name, root in roots.items():
        for element in root.iter():
            if element.tag in (f"{WORD}pStyle", f"{WORD}tblStyle", f"{WORD}basedOn", f"{WORD}next"):
                assert element.get(f"{WORD}val") in styles, (name, element.get(f"{WORD}val"))
            if element.tag == f"{WORD}numId":
                assert element.get(f"{WORD}val") in {*numbers, "0"}
    for cell in roots["word/document.xml"].iter(f"{WORD}tc"):
        assert cell[-1].tag == f"{WORD}p", "a cell ends with a paragraph, or Word refuses the file"
    # Two tables that touch become one.
    body = [child.tag for child in roots["word/document.xml"][0]]
    assert (f"{WORD}tbl", f"{WORD}tbl") not in set(pairwise(body))
    assert body[-2:] == [f"{WORD}p", f"{WORD}sectPr"]


@pytest.fixture(scope="module")
def read_elsewhere(report, content, tmp_path_factory):
    """The letter and the workbook as LibreOffice prints them, and the sheets as it reads them."""
    folder = tmp_path_factory.mktemp("office")
    files = [folder / "letter.docx", folder / "figures.xlsx"]
    for file, each in zip(files, (content, workbook(report)), strict=True):
        file.write_bytes(each)
    printed = {file.stem: file for file in converted(files, "pdf", folder)}
    sheets = {file.stem.removeprefix("figures-"): file
              for file in converted(files[1:], SHEETS, folder)}  # fmt: skip
    return printed, sheets, openpyxl.load_workbook(files[1])


@needs_office
def test_libreoffice_prints_the_letter_with_the_same_figures(report, read_elsewhere, printed):
    file = read_elsewhere[0]["letter"]
    said, theirs = letter(report), words_of(file.read_bytes())
    flat = theirs.replace(" ", "")
    for text in (*said.summary, *said.method, said.title, *(f for f, _ in said.headline),
                 *(cell for row in said.levels.rows for cell in row)):  # fmt: skip
        assert "".join(text.split()) in flat, text
    pages = pdfium.PdfDocument(file)
    ours = len(pdfium.PdfDocument(pdf(report)))
    assert ours <= len(pages) <= ours + 2
    for place, page in enumerate(pages):
        assert (round(page.get_width()), round(page.get_height())) == (595, 842)
        first = page.get_textpage().get_text_range().split()[0]
        assert (first == str(place + 1)) == (place > 0), "its number, from the second page on"
    assert "PAGE" not in theirs and "Error" not in theirs


@needs_office
def test_libreoffice_reads_every_cell_of_the_workbook_as_it_was_written(read_elsewhere):
    printed, sheets, book = read_elsewhere
    assert set(sheets) == set(book.sheetnames)
    numbers = 0
    for name, file in sheets.items():
        with file.open(encoding="utf-8", newline="") as stream:
            theirs = list(csv.reader(stream))
        for line, right in zip(theirs, book[name].iter_rows(values_only=True), strict=True):
            assert len(line) == len(right)
            for cell, value in zip(line, right, strict=True):
                if isinstance(value, int | float):
                    numbers += 1
                    assert number(cell) == pytest.approx(value, rel=1e-12), (name, line)
                else:
                    assert cell == (value or ""), (name, line)
    assert numbers > 200
    assert "###" not in words_of(printed["figures"].read_bytes()), "a column is too narrow"
