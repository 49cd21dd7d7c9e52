"""An empty document in DOCX as official letters want it: paper, margins, styles and numbering.

Decree 30/2020/NĐ-CP, annex I: A4, margins of 20, 15, 20 and 30 mm (top, right, bottom, left), Times
New Roman at 13 to 14 points, the number of the page in the middle of its upper margin from the
second page on. What python-docx begins with is Word 2010's template of 2013, with a hundred styles
of tables and settings that the standard does not know; what no letter needs is taken out.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import date, datetime, time

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from docx.styles.style import ParagraphStyle

from app.messages import Language

FONT = "Times New Roman"
#: Paper and margins in millimetres, and what is left between these.
PAGE, TOP, RIGHT, BOTTOM, LEFT = (210, 297), 20, 15, 20, 30
WIDTH_MM = PAGE[0] - LEFT - RIGHT
#: Styles of ours, beside those that Word has for headings, titles, captions and lists.
TABLE_TEXT, TABLE_HEADING, LETTERHEAD, LARGE, NUMBER, DAY, SIGNATORY = (
    "Table Text", "Table Heading", "Letterhead", "Large Figure", "Letter Number", "Letter Day",
    "Signatory",
)  # fmt: skip
_KEPT = {
    "Normal", "Header", "Heading1", "Heading2", "DefaultParagraphFont", "TableNormal", "NoList",
    "Title", "Subtitle", "ListBullet", "ListNumber", "Caption", "TableGrid",
}  # fmt: skip
#: Most characters of a property.
_LONGEST = 255
_LANGUAGES = {"vi": "vi-VN", "en": "en-GB"}
_SEPARATORS = {"vi": (",", ";"), "en": (".", ",")}
#: Lists: dashes, as official letters have them; the numbers of headings; numbers of a list.
_NUMBERING = f"""<w:numbering {nsdecls("w")}>
<w:abstractNum w:abstractNumId="0"><w:multiLevelType w:val="singleLevel"/>
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="bullet"/><w:pStyle w:val="ListBullet"/>
<w:lvlText w:val="-"/><w:lvlJc w:val="left"/>
<w:pPr><w:ind w:left="340" w:hanging="340"/></w:pPr></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="1"><w:multiLevelType w:val="singleLevel"/>
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:pStyle w:val="Heading1"/>
<w:lvlText w:val="%1."/><w:lvlJc w:val="left"/>
<w:pPr><w:ind w:left="400" w:hanging="400"/></w:pPr></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="2"><w:multiLevelType w:val="singleLevel"/>
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:pStyle w:val="ListNumber"/>
<w:lvlText w:val="%1."/><w:lvlJc w:val="left"/>
<w:pPr><w:ind w:left="400" w:hanging="400"/></w:pPr></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="2"/></w:num>
</w:numbering>"""
_PAGE_NUMBER = f"""<w:fldSimple {nsdecls("w")} w:instr=" PAGE "><w:r><w:t>2</w:t></w:r>
</w:fldSimple>"""


def blank(language: Language, title: str, author: str, day: date) -> Document:
    """An empty letter; its properties say of which day it is, and nothing of the machine."""
    document = docx.Document()
    _without_leftovers(document)
    _defaults(document, _LANGUAGES[language])
    _styles(document)
    _numbering(document)
    _settings(document, language)
    _paper(document)
    properties, made = document.core_properties, datetime.combine(day, time())
    title, author = title[:_LONGEST], author[:_LONGEST]
    properties.title, properties.author, properties.language = title, author, _LANGUAGES[language]
    properties.created = properties.modified = made
    properties.last_modified_by, properties.comments, properties.revision = author, "", 1
    return document


def _without_leftovers(document: Document) -> None:
    """Drop the parts that only the template's own author needed, and the styles of nobody."""
    unused = {"thumbnail", "extended-properties", "stylesWithEffects", "customXml"}
    for holder in (document.part.package, document.part):
        for key, related in list(holder.rels.items()):
            if related.reltype.rpartition("/")[2] in unused:
                del holder.rels[key]
    styles = document.styles.element
    for style in styles.findall(qn("w:style")):
        if style.get(qn("w:styleId")) not in _KEPT:
            styles.remove(style)
            continue
        for link in style.findall(qn("w:link")):
            style.remove(link)


def _defaults(document: Document, language: str) -> None:
    defaults = document.styles.element.find(qn("w:docDefaults"))
    new = parse_xml(
        f"<w:docDefaults {nsdecls('w')}><w:rPrDefault><w:rPr>"
        f'<w:rFonts w:ascii="{FONT}" w:eastAsia="{FONT}" w:hAnsi="{FONT}" w:cs="{FONT}"/>'
        f'<w:sz w:val="26"/><w:szCs w:val="26"/>'
        f'<w:lang w:val="{language}" w:eastAsia="{language}" w:bidi="ar-SA"/>'
        f"</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>"
        f'<w:spacing w:after="120" w:line="264" w:lineRule="auto"/>'
        f"</w:pPr></w:pPrDefault></w:docDefaults>"
    )
    defaults.getparent().replace(defaults, new)


def _styles(document: Document) -> None:
    made = document.styles
    for name in (TABLE_TEXT, TABLE_HEADING, LETTERHEAD, LARGE, NUMBER, DAY, SIGNATORY):
        style = made.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = made["Normal"]
        style.quick_style = True
    centre, left, justify = (
        WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.JUSTIFY
    )  # fmt: skip
    #: Points, bold, alignment, room above and below in points, lines, and whether the next follows.
    for name, size, bold, placed, above, below, lines, follows in (
        ("Normal", 13, False, justify, 0, 6, 1.1, False),
        ("Heading 1", 13, True, left, 12, 6, 1.1, True),
        ("Heading 2", 13, True, left, 9, 4, 1.1, True),
        ("Title", 14, True, centre, 0, 0, 1.0, True),
        ("Subtitle", 14, True, centre, 0, 0, 1.0, True),
        ("Caption", 10.5, False, centre, 0, 8, 1.0, False),
        ("Header", 13, False, centre, 0, 0, 1.0, False),
        ("List Bullet", 13, False, justify, 0, 4, 1.1, False),
        ("List Number", 11, False, left, 0, 2, 1.0, False),
        (LETTERHEAD, 13, False, centre, 0, 0, 1.0, False),
        (NUMBER, 13, False, centre, 6, 0, 1.0, False),
        (DAY, 13, False, centre, 6, 0, 1.0, False),
        (SIGNATORY, 13, True, centre, 0, 0, 1.0, False),
        (LARGE, 24, True, centre, 0, 0, 1.0, True),
        (TABLE_TEXT, 9.5, False, left, 1, 1, 1.0, False),
        (TABLE_HEADING, 9.5, True, left, 1, 1, 1.0, True),
    ):
        _style(made[name])
        style, shape = made[name], made[name].paragraph_format
        style.font.size, style.font.bold = Pt(size), bold
        shape.alignment, shape.line_spacing, shape.keep_with_next = placed, lines, follows
        shape.space_before, shape.space_after = Pt(above), Pt(below)
    made[DAY].font.italic = True


def _style(style: ParagraphStyle) -> None:
    """Take out what the template says of a style, so that only what is said here holds."""
    element = style.element
    for name in ("w:pPr", "w:rPr", "w:semiHidden", "w:unhideWhenUsed"):
        for each in element.findall(qn(name)):
            kept = [x for x in each if x.tag in (qn("w:outlineLvl"),)]
            for child in list(each):
                if child not in kept:
                    each.remove(child)
            if not len(each):
                element.remove(each)


def _numbering(document: Document) -> None:
    element = document.part.numbering_part.element
    for child in list(element):
        element.remove(child)
    for child in list(parse_xml(_NUMBERING)):
        element.append(deepcopy(child))
    for name, number in (("List Bullet", 1), ("Heading 1", 2), ("List Number", 3)):
        shape = document.styles[name].element.get_or_add_pPr()
        shape.get_or_add_numPr().get_or_add_numId().val = number


def _settings(document: Document, language: Language) -> None:
    """What the standard knows, in its order; and nothing of who edited the template."""
    element = document.settings.element
    for child in list(element):
        element.remove(child)
    decimal, between = _SEPARATORS[language]
    said = parse_xml(
        f'<w:settings {nsdecls("w")}><w:zoom w:percent="100"/><w:defaultTabStop w:val="720"/>'
        f'<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting '
        f'w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
        f'</w:compat><w:themeFontLang w:val="{_LANGUAGES[language]}"/>'
        f'<w:decimalSymbol w:val="{decimal}"/><w:listSeparator w:val="{between}"/></w:settings>'
    )
    for child in list(said):
        element.append(deepcopy(child))


def _paper(document: Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(PAGE[0]), Mm(PAGE[1])
    section.top_margin, section.bottom_margin = Mm(TOP), Mm(BOTTOM)
    section.left_margin, section.right_margin = Mm(LEFT), Mm(RIGHT)
    section.header_distance = section.footer_distance = Mm(10)
    section.different_first_page_header_footer = True
    paragraph = section.header.paragraphs[0]
    paragraph.style = document.styles["Header"]
    paragraph._p.append(parse_xml(_PAGE_NUMBER))
