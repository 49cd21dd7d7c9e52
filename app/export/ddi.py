"""The codebook as DDI-Codebook 2.5, which archives and data catalogues read."""

from __future__ import annotations

from xml.etree import ElementTree

from app.export.arrow import pa
from app.export.codebook import Codebook
from app.export.columns import Measure, Role
from app.messages import LANGUAGES, say
from surveys.numbers import plain

NAMESPACE = "ddi:codebook:2_5"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_FILE = "F1"


def ddi(book: Codebook) -> bytes:
    """The document, UTF-8 with its declaration."""
    ElementTree.register_namespace("", NAMESPACE)
    root = ElementTree.Element(
        _tag("codeBook"), {"version": "2.5", "ID": f"hailong-{book.questionnaire}",
                           _LANG: book.language}
    )  # fmt: skip
    _study(_under(root, "stdyDscr"), book)
    _file(_under(root, "fileDscr", ID=_FILE), book)
    data = _under(root, "dataDscr")
    for number, (name, kind, _) in enumerate(book.columns, start=1):
        _variable(data, book, number, name, kind)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _study(study: ElementTree.Element, book: Codebook) -> None:
    citation = _under(study, "citation")
    titles = _under(citation, "titlStmt")
    _under(titles, "titl", book.title[book.language], lang=book.language)
    for at in LANGUAGES:
        if at != book.language:
            _under(titles, "parTitl", book.title[at], lang=at)
    made = _under(citation, "prodStmt")
    _under(made, "prodDate", f"{book.made_at:%Y-%m-%d}", date=f"{book.made_at:%Y-%m-%d}")
    _under(made, "software", "Hài Lòng", version=book.release)
    about = _under(study, "stdyInfo")
    _under(about, "abstract", book.source[book.language], lang=book.language)
    summary = _under(about, "sumDscr")
    for day, event in ((book.first, "start"), (book.last, "end")):
        if day is not None:
            _under(summary, "timePrd", day.isoformat(), date=day.isoformat(), event=event)
    _under(summary, "geogCover", ", ".join(book.units) or say("export.all_units", book.language))
    _under(summary, "anlyUnit", say("export.analysis_unit", book.language))
    collected = _under(_under(study, "method"), "dataColl")
    _under(collected, "sampProc", say("export.note.sampling", book.language))
    _under(collected, "weight", say("export.note.weight", book.language))
    use = "export.note.anonymous_use" if book.anonymity else "export.note.confidential"
    access = _under(_under(study, "dataAccs"), "useStmt")
    _under(access, "restrctn", say(use, book.language))
    if book.synthetic:
        _under(study, "notes", say("synthetic.notice", book.language))


def _file(part: ElementTree.Element, book: Codebook) -> None:
    text = _under(part, "fileTxt")
    _under(text, "fileName", book.file)
    size = _under(text, "dimensns")
    if book.rows is not None:
        _under(size, "caseQnty", str(book.rows))
    _under(size, "varQnty", str(len(book.schema)))
    _under(text, "fileType", book.format.value, charset="UTF-8")


def _variable(
    data: ElementTree.Element, book: Codebook, number: int, name: str, kind: pa.DataType
) -> None:
    what = book.columns[number - 1][2]
    more = {"wgt": "wgt"} if name == "weight" else {}
    var = _under(
        data, "var", ID=f"V{number}", name=name, files=_FILE,
        intrvl="contin" if what.measure is Measure.SCALE else "discrete",
        nature={Measure.NOMINAL: "nominal", Measure.ORDINAL: "ordinal"}.get(what.measure, "ratio"),
        **more,
    )  # fmt: skip
    for at in _languages(book):
        _under(var, "labl", what.label[at], lang=at)
    if what.role in (Role.ITEM, Role.OPTION, Role.TEXT):
        question = _under(var, "qstn")
        for at in _languages(book):
            _under(question, "qstnLit", what.label[at], lang=at)
    if what.minimum is not None and what.maximum is not None:
        least, most = plain(what.minimum), plain(what.maximum)
        _under(_under(var, "valrng"), "range", min=least, max=most)
    if what.versions:
        versions = ", ".join(map(str, what.versions))
        _under(var, "txt", say("export.note.versions", book.language, versions=versions))
    for value in what.values:
        category = _under(var, "catgry")
        _under(category, "catValu", str(value.value))
        for at in _languages(book):
            _under(category, "labl", value.text[at], lang=at)
    is_text = pa.types.is_string(kind)
    _under(
        var, "varFormat", type="character" if is_text else "numeric", schema="other",
        **({"category": "date"} if pa.types.is_date(kind) else {}),
    )  # fmt: skip


def _languages(book: Codebook) -> list[str]:
    return [book.language, *(each for each in LANGUAGES if each != book.language)]


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _under(
    parent: ElementTree.Element, tag: str, text: str | None = None, /, *,
    lang: str | None = None, **attributes: str,
) -> ElementTree.Element:  # fmt: skip
    made = ElementTree.SubElement(parent, _tag(tag), attributes)
    made.text = text
    if lang is not None:
        made.set(_LANG, lang)
    return made
