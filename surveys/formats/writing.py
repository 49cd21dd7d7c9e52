"""Reads a form of whatever format from bytes, writes one of ours in a format, and YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import yaml

from surveys.formats.cells import text_content
from surveys.formats.drafting import Draft, draft
from surveys.formats.fhir_in import read_fhir
from surveys.formats.fhir_out import unshown, write_fhir
from surveys.formats.findings import Findings, FormUnreadable, NotCarried, Place
from surveys.formats.limesurvey_in import read_limesurvey
from surveys.formats.limesurvey_out import write_limesurvey
from surveys.formats.outline import Outline
from surveys.formats.outlining import outline_of
from surveys.formats.surveyjs_in import read_surveyjs
from surveys.formats.surveyjs_out import write_surveyjs
from surveys.formats.xlsform_in import read_xlsform
from surveys.formats.xlsform_out import write_xlsform
from surveys.model import Questionnaire
from surveys.reading import UnreadableError, parsed, text_of


class Format(StrEnum):
    """What a form can be written as."""

    XLSFORM = "xlsform"
    LIMESURVEY = "limesurvey"
    FHIR_R4 = "fhir-r4"
    FHIR_R5 = "fhir-r5"
    SURVEYJS = "surveyjs"

    @property
    def suffix(self) -> str:
        """How the name of such a file ends."""
        return {Format.XLSFORM: ".xlsx", Format.LIMESURVEY: ".lss"}.get(self, ".json")


@dataclass(frozen=True)
class Written:
    """A form in a format, and what programs that read it will not show or count."""

    content: bytes
    not_carried: tuple[NotCarried, ...]


_Reader = Callable[[bytes, Findings], Outline]


def read_form(content: bytes, name: str, code: str = "", *, odk: bool = False) -> Draft:
    """Draft one of our forms from a file; what the file is its content says, not its name.

    With ``odk`` an XLSForm is checked by ODK Validate, too, where Java is: that takes seconds.

    Raises
    ------
    FormUnreadable
        Where nothing can be made of it; the reason is a key of the message catalogue.
    """
    findings = Findings()
    reader = _reader(content)
    if reader is read_xlsform:
        reader = partial(read_xlsform, odk=odk)
    found = draft(reader(content, findings), findings, name=name, code=code)
    try:
        parsed(text_of(as_yaml(found.document).encode()))
    except UnreadableError as error:
        # Somebody has to cut it, and sees in the draft what there is to cut.
        beyond = NotCarried(Place(), "formats.beyond", {"said": error.said})
        return Draft(found.document, None, (*found.not_carried, beyond))
    return found


def write_form(form: Questionnaire, written_as: Format) -> Written:
    """One of our forms in a format."""
    findings = Findings()
    outline = outline_of(form, findings)
    match written_as:
        case Format.XLSFORM:
            content = write_xlsform(outline, findings)
        case Format.LIMESURVEY:
            content = write_limesurvey(outline, findings)
        case Format.FHIR_R4:
            content = write_fhir(outline, findings, "R4")
        case Format.FHIR_R5:
            content = write_fhir(outline, findings, "R5")
        case Format.SURVEYJS:
            content = write_surveyjs(outline, findings)
    unshown(outline, findings)
    return Written(content, findings.all())


def as_yaml(document: Mapping[str, object]) -> str:
    """A drafted form as the YAML that ``hailong questionnaires check`` reads."""
    written: str = yaml.dump(
        dict(document), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100
    )
    return written


class _Dumper(yaml.SafeDumper):
    """Writes everything out: who reads a form does not look for what an alias stands for."""

    def ignore_aliases(self, data: object) -> bool:
        """Always."""
        return True


def _reader(content: bytes) -> _Reader:
    if not content.strip():
        raise FormUnreadable("formats.empty")
    start = content[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.replace(b"\0", b"").lstrip(b"\xff\xfe").startswith(b"<"):
        if re.search(rb"<(?:\w+:)?html[\s>]", start):
            raise FormUnreadable("formats.xform")
        return read_limesurvey
    if start.startswith((b"{", b"[")):
        return _reader_of_json(content)
    first = start.split(b"\n", 1)[0]
    if b"\t" in first and b"type/scale" in first:
        raise FormUnreadable("formats.limesurvey_tab")
    return read_xlsform


def _reader_of_json(content: bytes) -> _Reader:
    try:
        document = json.loads(text_content(content))
    except (ValueError, RecursionError):
        return read_surveyjs  # which says where it is wrong
    if isinstance(document, dict):
        if "resourceType" in document:
            return read_fhir
        inner = document.get("content", document)
        if isinstance(inner, dict) and isinstance(inner.get("survey"), list):
            return read_xlsform
    return read_surveyjs
