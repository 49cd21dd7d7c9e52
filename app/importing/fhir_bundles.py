"""Bundles and files of FHIR: which QuestionnaireResponses they hold, and how each is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.importing.fhir import NAME
from app.problems import FieldError, InvalidFields, MalformedBody

#: Bundles whose entries are each taken by themselves. A transaction is all or nothing, which the
#: intake is not: a response that is there already with other content is found as it is stored.
TAKEN = ("batch", "collection", "message", "searchset", "document")


@dataclass(frozen=True)
class Entry:
    """A resource of a bundle: where it stands, its address, what it is, how it is to be taken."""

    path: str
    resource: object
    full_url: str = ""
    method: str = "POST"

    @property
    def is_response(self) -> bool:
        """Whether it is a QuestionnaireResponse."""
        return isinstance(self.resource, dict) and self.resource.get("resourceType") == NAME


def parsed(content: bytes) -> object:
    """A document of JSON.

    Raises
    ------
    MalformedBody
        Where it is none; with line and column.
    """
    try:
        found = json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
        json.dumps(found, ensure_ascii=False).encode()  # half a sign is none
        return found
    except json.JSONDecodeError as error:
        reason = f"{error.msg}: line {error.lineno} column {error.colno}"
        raise MalformedBody(reason=reason) from error
    except (ValueError, RecursionError) as error:
        raise MalformedBody(reason=" ".join(str(error).split())[:200]) from error


def is_bundle(document: object) -> bool:
    """Whether a document is a Bundle."""
    return isinstance(document, dict) and document.get("resourceType") == "Bundle"


def entries_of(document: object) -> Sequence[Entry]:
    """The entries of a Bundle, or the one resource that a document is.

    Raises
    ------
    InvalidFields
        For a Bundle of a sort that is not taken.
    """
    if not isinstance(document, dict) or not is_bundle(document):
        return [Entry(NAME, document)]
    if document.get("type") not in TAKEN:
        values = {"value": str(document.get("type"))[:100], "taken": ", ".join(TAKEN)}
        error = FieldError("Bundle.type", "importing.fhir_bundle", values)
        raise InvalidFields(errors=[error], count=1)
    given = document.get("entry")
    return [_entry(n, each) for n, each in enumerate(given if isinstance(given, list) else [])]


def of_file(content: bytes) -> Iterator[Entry]:
    """The resources of a file: one document, or one a line (NDJSON).

    Raises
    ------
    MalformedBody, InvalidFields
        Where it is neither, or a Bundle that is not taken.
    """
    lines = content.splitlines()
    if len(lines) > 1 and all(line.strip().startswith(b"{") for line in lines if line.strip()):
        try:
            for n, line in enumerate(lines):
                if line.strip():
                    yield Entry(f"[{n + 1}]", parsed(line))
            return
        except MalformedBody:
            if n:  # the first line was a document of its own
                raise
    yield from entries_of(parsed(content))


def _entry(n: int, each: object) -> Entry:
    node = each if isinstance(each, dict) else {}
    request = node.get("request")
    method = request.get("method") if isinstance(request, dict) else None
    url = node.get("fullUrl")
    return Entry(
        f"Bundle.entry[{n}]",
        node.get("resource"),
        url if isinstance(url, str) else "",
        method if isinstance(method, str) else "POST",
    )


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
