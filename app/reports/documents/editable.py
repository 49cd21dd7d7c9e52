"""A report as DOCX: the same official letter as the PDF, to be edited, numbered and signed.

What nobody knows yet is a place to fill in. Headings are headings, so that a reader can go from one
to the next; tables are tables, whose headings come again on each page; charts are pictures that say
in words what they show. The same report is the same bytes.
"""

from __future__ import annotations

import io
import zipfile

from docx.document import Document
from docx.shared import Mm, Pt

from app.reports.charts import drawing
from app.reports.documents import docx_parts as parts
from app.reports.documents.contents import Report
from app.reports.documents.docx_parts import field, paragraph, run, side_by_side, table, underline
from app.reports.documents.docx_styles import WIDTH_MM, blank
from app.reports.documents.letter import Letter, Picture, letter

#: How wide charts are, in parts of the room, and shares of the columns of the tables under them.
_WIDE = {"factors": 0.82, "trend": 0.88, "funnel": 0.88, "map": 0.8, "drivers": 0.82, "items": 0.78}
_SHARES = {
    "factors": (1.85, 1.13, 1.37, 0.72, 1.23, 1.6, 0.78, 1.32),
    "trend": (1.95, 1.15, 1.35, 1.3, 1.0, 1.4, 1.8),
    "drivers": (2.3, 1.2, 1.4, 1.1, 1.3),
}
_UNITS = (0.5, 2.5, 0.9, 1.15, 1.35, 1.2, 0.95, 0.85)
#: The left column of the letterhead, and that of the recipients.
_ISSUER_MM, _RECIPIENTS_MM = 70.0, 66.0
#: The least that a zip's entry can say of its time.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def editable(report: Report) -> bytes:
    """The report as a document that can be edited."""
    said = letter(report)
    document = blank(
        said.words.language, parts.plain(said.title), parts.plain(said.issuer), said.day
    )
    parts.add(document, *_letterhead(said), *_begun(said))
    _results(document, said)
    parts.add(document, *_official(said), *_rest(said), *_signed(said), *_annex(said))
    return _packed(document)


def _letterhead(said: Letter) -> list[str]:
    """Who writes, under whom; the country and its motto; number, place and day; the title."""
    w = said.words
    left = []
    if said.above:
        above = f"{said.above} {said.above_place}".strip()
        left.append(_line(run(above, bold=said.one_name, points=12)))
    left += [_line(run(said.issuer, bold=True, points=12)),
             underline(20, _ISSUER_MM)]  # fmt: skip
    nation = WIDTH_MM - _ISSUER_MM
    right = [
        _line(run(said.heading("nation"), bold=True, points=12)),
        _line(run(said.heading("motto"), bold=True)),
        underline(54, nation),
    ]
    before, number, after = w("report.number", number=said.number).partition(said.number)
    numbered = run(before) + field(
        w("report.field_number"), "number", number, filled="…" not in number
    )
    before_place, _, day = said.dated.partition(said.place)
    dated = run(before_place) + field(
        w("report.field_place"), "place", said.place, filled=said.place != "…"
    )
    return [
        side_by_side(
            (_ISSUER_MM, nation),
            ("".join(left), "".join(right)),
            (
                paragraph(numbered, run(after), style="LetterNumber"),
                paragraph(dated, run(day), style="LetterDay"),
            ),
        ),
        paragraph(),
        paragraph(run(said.heading("kind")), style="Title"),
        paragraph(run(said.title), style="Subtitle"),
        underline(40, WIDTH_MM),
    ]


def _line(*inner: str) -> str:
    """A line in the middle, without room around it."""
    return paragraph(*inner, style="Letterhead")


def _begun(said: Letter) -> list[str]:
    """To whom, what must be known at first, the three figures, and the summary."""
    found = []
    if said.addressee:
        found.append(paragraph(run(said.addressee), placed="center"))
    if said.synthetic:
        found.append(parts.framed(said.synthetic))
    third = WIDTH_MM / len(said.headline)
    found.append(
        side_by_side(
            [third] * len(said.headline),
            [
                paragraph(run(figure), style="LargeFigure")
                + paragraph(run(label, points=10.5, colour=parts.SOFT), style="Letterhead")
                for figure, label in said.headline
            ],
        )
    )
    return [*found, _heading(said.heading("summary")), *_listed(said.summary)]


def _heading(text: str) -> str:
    return paragraph(run(text), style="Heading1")


def _listed(sentences: tuple[str, ...]) -> list[str]:
    return [paragraph(run(each), style="ListBullet") for each in sentences]


def _results(document: Document, said: Letter) -> None:
    """Factors, months, units and what to improve: charts with their tables."""
    for part, names in (
        ("factors", ("factors",)),
        ("trend", ("trend",)),
        ("compared", ("funnel", "map")),
        ("improve", ("drivers", "items")),
    ):
        found = [name for name in names if name in said.pictures]
        if not found:
            continue
        parts.add(document, _heading(said.heading(part)))
        for name in found:
            _drawn(document, said, name, said.pictures[name])


def _drawn(document: Document, said: Letter, name: str, picture: Picture) -> None:
    chart, w = picture.chart, said.words
    holder = document.add_paragraph(style="Letterhead")
    holder.paragraph_format.keep_with_next = True
    holder.paragraph_format.space_before = Pt(6)
    png = drawing.png(chart.printed, w.language)
    shape = holder.add_run().add_picture(io.BytesIO(png), width=Mm(WIDTH_MM * _WIDE[name]))
    properties = shape._inline.docPr
    properties.set("name", parts.plain(chart.title))
    properties.set("descr", parts.plain(chart.summary))
    parts.add(
        document,
        paragraph(
            run(f"{chart.title}. "), run(picture.note, points=9.5, colour=parts.SOFT),
            style="Caption",
        ),
    )  # fmt: skip
    if chart.numbered and name == "trend":
        label = paragraph(run(f"{w('chart.actions_list')}:", points=11), follows=True)
        numbers = [paragraph(run(each), style="ListNumber") for each in chart.numbered]
        parts.add(document, label, *numbers)
    if name in _SHARES:
        parts.add(document, table(picture.table, _SHARES[name], together=name != "trend"))


def _official(said: Letter) -> list[str]:
    """The form's own summary, question by question."""
    counts = len(said.levels.headings) - 5
    shares = (4.0, *[0.85] * counts, 1, 0.95, 1.25, 1.9)
    return [
        _heading(said.heading("official")),
        paragraph(run(said.levels_title, italic=True, points=11), follows=True),
        table(said.levels, shares),
        *_after_table(said.besides),
    ]


def _after_table(sentences: tuple[str, ...]) -> list[str]:
    """Sentences under a table, a little below it."""
    return [paragraph(style="Letterhead"), *_listed(sentences)] if sentences else []


def _rest(said: Letter) -> list[str]:
    """What came of cases, the units that changed, and the method."""
    w, found = said.words, []
    if said.cases:
        found += [_heading(w("case.figures_title")), *_listed(said.cases)]
    if said.cases_table:
        found.append(table(said.cases_table, (2.2, 1), together=True))
    if said.changes:
        found += [_heading(w("structure.report_changes")), table(said.changes, (1, 2.6), names=2)]
    *method, last = said.method
    found += [_heading(said.heading("method")), *_listed(tuple(method))]
    # The signature never stands on a page of its own.
    return [*found, paragraph(run(last), style="ListBullet", follows=True)]


def _signed(said: Letter) -> list[str]:
    """To whom it goes, and room to sign."""
    w = said.words
    to = paragraph(
        run(said.heading("recipients"), bold=True, italic=True, points=12), placed="left"
    )
    for each in said.recipients:
        to += paragraph(run(each, points=11), style="Letterhead", placed="left")
    if said.positioned:
        as_what = [run(each) for each in said.position]
    else:
        as_what = [field(w("report.field_position"), "position", " ".join(said.position))]
    name = field(w("report.field_signer"), "signer", said.signer or "…", filled=bool(said.signer))
    room = [""] * 4
    signed = "".join(paragraph(each, style="Signatory") for each in (*as_what, *room, name))
    return [
        paragraph(style="Letterhead", follows=True),
        side_by_side(
            (_RECIPIENTS_MM, WIDTH_MM - _RECIPIENTS_MM),
            (to, signed),
        ),
    ]


def _annex(said: Letter) -> list[str]:
    """Every unit by its number; a letter ends with a paragraph, as Word wants it."""
    if said.units is None:
        return [paragraph(style="Letterhead")]
    return [
        paragraph(run(said.heading("annex")), style="Heading1", breaks=True, unnumbered=True),
        table(said.units, _UNITS, names=2),
        paragraph(style="Letterhead"),
    ]


def _packed(document: Document) -> bytes:
    """The document's file, without the time at which it was made."""
    plain, packed = io.BytesIO(), io.BytesIO()
    document.save(plain)
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return packed.getvalue()
