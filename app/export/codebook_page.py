"""The codebook as a page of HTML that needs nothing else, to be read and printed."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.export.codebook import Codebook
from app.export.formats import Format
from app.export.scripts import design_of
from app.messages import say

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
)
#: What is said of an anonymised export.
ANONYMOUS_NOTES = (
    "row", "missing", "anonymous_values", "anonymous_index", "weight", "sampling", "anonymous",
    "anonymous_fixed", "anonymous_not",
)  # fmt: skip
#: What is said of every other export.
NOTES = ("row", "missing", "index", "weight", "sampling", "withdrawn", "identity", "update")


def codebook_page(book: Codebook) -> bytes:
    """The page, UTF-8."""

    def t(key: str, **values: object) -> str:
        return say(key, book.language, **values)

    if book.anonymity is not None:
        named = ANONYMOUS_NOTES
        notes = [t(f"export.note.{each}", least=book.anonymity.least) for each in named]
    else:
        notes = [t(f"export.note.{each}") for each in NOTES]
        notes.append(t("export.note.aside" if book.aside else "export.note.counted"))
    if book.texts:
        notes.append(t("export.note.texts"))
    if book.format is Format.CSV_VI:
        notes.append(t("export.note.vietnamese"))
    html = _templates.get_template("codebook.html").render(
        book=book, t=t, notes=notes, design=design_of(book)
    )
    return html.encode()
