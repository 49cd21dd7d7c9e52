"""Pieces of a document in DOCX: runs, paragraphs, tables, places to fill in, horizontal lines.

They are written as WordprocessingML (ECMA-376), the children of an element in the order that its
schema has: Word refuses files in which they stand in another one. Cell by cell, python-docx takes
more than ten times as long for a table of a thousand rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from app.reports.documents.docx_styles import WIDTH_MM
from app.reports.documents.letter import Table

#: What XML 1.0 cannot hold, however it is written.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Twentieths of a point, in which Word measures.
_PER_MM = 1440 / 25.4
SOFT, WARNING = "44504D", "9C3D00"
_LINE, _SHADE = "8A9693", "E8F4F0"


def plain(text: str) -> str:
    """A text without what XML cannot hold."""
    return _NO_XML.sub("", text)


def run(
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    points: float | None = None,
    colour: str | None = None,
) -> str:
    """Some words that look alike; a new line in them is one in the document."""
    looks = "".join(
        (
            "<w:b/><w:bCs/>" if bold else "",
            "<w:i/><w:iCs/>" if italic else "",
            f'<w:color w:val="{colour}"/>' if colour else "",
            f'<w:sz w:val="{round(2 * points)}"/><w:szCs w:val="{round(2 * points)}"/>'
            if points
            else "",
        )
    )
    if not text:
        return ""
    lines = plain(text).split("\n")
    words = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in lines)
    return f"<w:r>{f'<w:rPr>{looks}</w:rPr>' if looks else ''}{words}</w:r>"


def field(name: str, tag: str, text: str, *, filled: bool = False) -> str:
    """A place to fill in: a content control with its name, which a click selects whole.

    Where it is ``filled`` already it can be changed like any words. It looks as its paragraph does:
    LibreOffice passes over looks of its own.
    """
    dotted = "" if filled else "<w:showingPlcHdr/>"
    return (
        f"<w:sdt><w:sdtPr><w:alias w:val={quoteattr(name)}/><w:tag w:val={quoteattr(tag)}/>"
        f"{dotted}<w:text/></w:sdtPr><w:sdtContent>{run(text)}</w:sdtContent></w:sdt>"
    )


def paragraph(
    *inner: str, style: str = "Normal", follows: bool = False, breaks: bool = False,
    placed: str | None = None, unnumbered: bool = False,
) -> str:  # fmt: skip
    """A paragraph; ``follows`` keeps the next one on its page, ``breaks`` begins a page with it."""
    shape = "".join(
        (
            f'<w:pStyle w:val="{style}"/>',
            "<w:keepNext/>" if follows else "",
            "<w:pageBreakBefore/>" if breaks else "",
            '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="0"/></w:numPr>' if unnumbered else "",
            '<w:ind w:left="0" w:firstLine="0"/>' if unnumbered else "",
            f'<w:jc w:val="{placed}"/>' if placed else "",
        )
    )
    return f"<w:p><w:pPr>{shape}</w:pPr>{''.join(inner)}</w:p>"


def underline(width_mm: float, room_mm: float) -> str:
    """A horizontal line in the middle of so much room: the upper border of an empty paragraph."""
    beside = round((room_mm - width_mm) / 2 * _PER_MM)
    return (
        '<w:p><w:pPr><w:pStyle w:val="Letterhead"/>'
        '<w:pBdr><w:top w:val="single" w:sz="6" w:space="1" w:color="auto"/></w:pBdr>'
        '<w:spacing w:before="80" w:after="0" w:line="120" w:lineRule="exact"/>'
        f'<w:ind w:left="{beside}" w:right="{beside}"/></w:pPr></w:p>'
    )


def framed(text: str) -> str:
    """A warning in a frame."""
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="8" w:space="4" w:color="{WARNING}"/>'
        for side in ("top", "left", "bottom", "right")
    )
    return (
        f'<w:p><w:pPr><w:pStyle w:val="Normal"/><w:pBdr>{sides}</w:pBdr></w:pPr>'
        f"{run(text, bold=True, colour=WARNING)}</w:p>"
    )


def side_by_side(widths_mm: Sequence[float], *rows: Sequence[str]) -> str:
    """Columns without borders, each row on one page; a cell is one or several paragraphs."""
    widths = [round(width * _PER_MM) for width in widths_mm]
    lines = "".join(
        "<w:tr><w:trPr><w:cantSplit/></w:trPr>"
        + "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{cell}</w:tc>'
            for width, cell in zip(widths, row, strict=True)
        )
        + "</w:tr>"
        for row in rows
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{lines}</w:tbl>"
    )


def table(shown: Table, shares: Sequence[float], *, names: int = 1, together: bool = False) -> str:
    """A table over the width of the page, whose headings come again on every page.

    Columns have their ``shares`` of the width; the first ``names`` are words, the others figures.
    A row is never divided, and one that heads others stands on their page; ``together`` keeps the
    whole table on one.
    """
    shares = [*shares, *[1.0] * (len(shown.headings) - len(shares))][: len(shown.headings)]
    widths = [round(WIDTH_MM * _PER_MM * share / sum(shares)) for share in shares]
    lines = [_row(shown.headings, widths, names, heading=True)]
    last = len(shown.rows) - 1
    for place, row in enumerate(shown.rows):
        strong = place in shown.strong
        kept = place < last and (strong or together)
        lines.append(_row(row, widths, names, strong=strong, follows=kept))
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        '<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/>'
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{_BORDERS}</w:tblBorders>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="70" w:type="dxa"/>'
        '<w:right w:w="70" w:type="dxa"/></w:tblCellMar>'
        '<w:tblLook w:val="0020" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" '
        'w:noHBand="1" w:noVBand="1"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(lines)}</w:tbl>"
    )


_BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{_LINE}"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)


def _row(
    cells: Sequence[str], widths: Sequence[int], names: int, *, heading: bool = False,
    strong: bool = False, follows: bool = False,
) -> str:  # fmt: skip
    spanned = len(widths) - len(cells) + 1
    style = "TableHeading" if heading else "TableText"
    written = []
    for place, text in enumerate(cells):
        over = spanned if place == len(cells) - 1 else 1
        width = sum(widths[place : place + over])
        shape = f'<w:tcW w:w="{width}" w:type="dxa"/>'
        if over > 1:
            shape += f'<w:gridSpan w:val="{over}"/>'
        if heading:
            shape += f'<w:shd w:val="clear" w:color="auto" w:fill="{_SHADE}"/>'
        placed = None if place < names or over > 1 else "right"
        words = run(text, bold=strong, italic=over > 1) if text else ""
        content = paragraph(words, style=style, follows=follows or heading, placed=placed)
        written.append(f"<w:tc><w:tcPr>{shape}</w:tcPr>{content}</w:tc>")
    again = "<w:tblHeader/>" if heading else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{again}</w:trPr>{''.join(written)}</w:tr>"


def add(document: Document, *pieces: str) -> None:
    """Append pieces to a document, before what says its paper."""
    end = document.element.body.sectPr
    for piece in pieces:
        name = piece[1 : piece.index(">")]
        end.addprevious(parse_xml(piece.replace(name, f"{name} {nsdecls('w')}", 1)))
