"""The codebook as CSV on the Web: beside a CSV file, what its columns and their types are."""

from __future__ import annotations

from pydantic_core import to_json

from app.export.arrow import pa
from app.export.codebook import Codebook
from app.export.columns import Described, Value
from app.export.formats import Format

_BASES = {"int8": "byte", "int16": "short", "int32": "int", "int64": "long"}


def csvw(book: Codebook) -> bytes:
    """The metadata document of the file, JSON in UTF-8."""
    vietnamese = book.format is Format.CSV_VI
    document = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": book.language}],
        "url": book.file,
        "dc:title": [{"@value": text, "@language": at} for at, text in book.title.items()],
        "dc:created": book.made_at.isoformat(timespec="seconds"),
        "dialect": {
            "encoding": "utf-8",
            "delimiter": ";" if vietnamese else ",",
            "header": True,
            "quoteChar": '"',
            "doubleQuote": True,
        },
        "tableSchema": {
            "columns": [_column(*each, vietnamese=vietnamese) for each in book.columns],
            **({"primaryKey": "response"} if "response" in book.schema.names else {}),
        },
    }
    return to_json(document, indent=1)


def _column(
    name: str, kind: pa.DataType, what: Described, *, vietnamese: bool
) -> dict[str, object]:
    return {
        "name": name,
        "titles": name,
        "datatype": _datatype(kind, what, vietnamese=vietnamese),
        "null": "",
        "required": name == "response",
        "dc:description": [{"@value": t, "@language": at} for at, t in what.label.items()],
        **({"skos:member": [_concept(each) for each in what.values]} if what.values else {}),
    }


def _concept(value: Value) -> dict[str, object]:
    """A value and what it says, as what CSVW lets anybody add: names with known prefixes."""
    said = [{"@value": text, "@language": at} for at, text in value.text.items()]
    return {"@type": "skos:Concept", "skos:notation": value.value, "skos:prefLabel": said}


def _datatype(kind: pa.DataType, what: Described, *, vietnamese: bool) -> dict[str, object]:
    if pa.types.is_string(kind):
        return {"base": "string"}
    if pa.types.is_date(kind):
        return {"base": "date", "format": "yyyy-MM-dd"}
    found: dict[str, object] = {"base": _BASES.get(str(kind), "double")}
    if pa.types.is_floating(kind) and vietnamese:
        found["format"] = {"decimalChar": ","}
    if what.values:
        found |= {
            "minimum": min(v.value for v in what.values),
            "maximum": max(v.value for v in what.values),
        }
    elif what.minimum is not None:
        found |= {"minimum": what.minimum, "maximum": what.maximum}
    return found
