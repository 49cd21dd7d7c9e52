"""Forms as they are opened, made ready once: all but what is a page's own.

What differs between two pages of one version in one language is the point's path and its unit's
name, and what is drawn for each page. The rest is filled in once, and compressed once: a stream of
gzip may consist of pieces that know nothing of one another, with what is a page's own between them
as it is.
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from threading import Lock
from typing import NamedTuple
from zlib import crc32

from cachetools import LRUCache
from markupsafe import escape

from app.dependencies import Shared
from app.intake.page_tokens import OpenedPage
from app.registry.questionnaires import Published
from app.web.citizen.form_fields import FormFields
from app.web.citizen.shown import FormPage, Survey
from app.web.citizen.wishes import Wish
from app.web.pages import fill

#: Forms that are kept ready, of some 50 KB each: far more than one service asks at a time.
_MOST = 64
_BEGIN = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # of gzip: no name, no time, any system
_END = b"\x01\x00\x00\xff\xff"  # the last piece, which is empty
#: Pieces that are shorter are not worth compressing: they stand with the own parts around them.
_SHORT = 64

#: A piece that is not compressed: its kind, its length and, to check that, its complement.
_STORED = struct.Struct("<BHH").pack
_CHECKS = struct.Struct("<II").pack

#: A piece's own check, and what each byte of the check before becomes by it.
_Check = tuple[int, Sequence[int], Sequence[int], Sequence[int], Sequence[int]]
_Key = tuple[Published, str, bool, bool]


@dataclass(frozen=True)
class ReadyForm:
    """A form's page in pieces; between two of them stands what a page has of its own, by name."""

    pieces: tuple[bytes, ...]
    names: tuple[str, ...]

    @classmethod
    def cut(cls, html: str, marks: Mapping[str, str]) -> ReadyForm:
        """Cut a page where marks stand; each has its name."""
        named = {mark: name for name, mark in marks.items()}
        pattern = re.compile("|".join(map(re.escape, named)))
        return cls(
            tuple(piece.encode() for piece in pattern.split(html)),
            tuple(named[mark] for mark in pattern.findall(html)),
        )

    def filled(self, own: Mapping[str, bytes]) -> bytes:
        """The page with its own parts."""
        out = [self.pieces[0]]
        for name, piece in zip(self.names, self.pieces[1:], strict=True):
            out += own[name], piece
        return b"".join(out)

    def packed(self, own: Mapping[str, bytes]) -> bytes:
        """The same as a stream of gzip (RFC 1952), whose own parts are not compressed."""
        return self._stream.packed(own)

    def begun(self, own: Mapping[str, bytes]) -> Stream:
        """The stream as far as these own parts lead: what all pages of a point begin with."""
        return self._stream.led_on(own)

    @cached_property
    def _stream(self) -> Stream:
        first, *others = self.pieces
        size, gaps = len(first), []
        names: list[str] = []
        template = b""
        for name, piece in zip(self.names, others, strict=True):
            names.append(name)
            template += b"%b"
            if len(piece) < _SHORT:
                template += piece.replace(b"%", b"%%")
                continue
            gaps.append(_Gap(tuple(names), template, _deflate(piece), _check_of(piece)))
            size += len(piece)
            names, template = [], b""
        if names:
            gaps.append(_Gap(tuple(names), template, b"", _check_of(b"")))
        return Stream(_BEGIN + _deflate(first), crc32(first), size, gaps)


class _Gap(NamedTuple):
    """Own parts with no more than a few signs between them, and the piece after them."""

    names: tuple[str, ...]
    #: What they are put into.
    template: bytes
    #: The piece as it stands in the stream, and how it goes into the check.
    deflated: bytes
    check: _Check


class Stream(NamedTuple):
    """A page's stream of gzip as far as it is known, and the gaps that are still to be filled."""

    begin: bytes
    #: The check of what is known.
    crc: int
    #: How many bytes the page has without its own parts, as far as these are to come.
    size: int
    gaps: Sequence[_Gap]

    def packed(self, own: Mapping[str, bytes]) -> bytes:
        """The whole stream, with the parts that are still missing."""
        out, crc, size = self._filled(self.gaps, own)
        out += _END, _CHECKS(crc, size & 0xFFFFFFFF)
        return b"".join(out)

    def led_on(self, own: Mapping[str, bytes]) -> Stream:
        """The stream as far as these parts lead."""
        led = list(takewhile(lambda gap: own.keys() >= set(gap.names), self.gaps))
        out, crc, size = self._filled(led, own)
        return Stream(b"".join(out), crc, size, self.gaps[len(led) :])

    def _filled(
        self, gaps: Sequence[_Gap], own: Mapping[str, bytes]
    ) -> tuple[list[bytes], int, int]:
        out, crc, size = [self.begin], self.crc, self.size
        for names, template, deflated, (check, low, second, third, high) in gaps:
            part = template % tuple([own[name] for name in names])
            out += _STORED(0, len(part), len(part) ^ 0xFFFF), part, deflated
            crc = crc32(part, crc)
            # What follows the piece's own check from what is before it, by its bytes.
            crc = (
                check
                ^ low[crc & 255]
                ^ second[crc >> 8 & 255]
                ^ third[crc >> 16 & 255]
                ^ high[crc >> 24]
            )
            size += len(part)
        return out, crc, size


def _check_of(piece: bytes) -> _Check:
    """How a piece goes into the check of what ends with it, without being read again.

    CRC-32 is linear: the check of a text that goes on by a piece is the piece's own, and by each
    byte of the check before, what that becomes over as many zeros as the piece has bytes.
    """
    zeros = bytes(len(piece))
    of_zeros = crc32(zeros)
    low, second, third, high = (
        array("I", (crc32(zeros, value << shift) ^ of_zeros for value in range(256)))
        for shift in (0, 8, 16, 24)
    )
    return crc32(piece), low, second, third, high


def _deflate(piece: bytes) -> bytes:
    """A piece of a stream that refers to nothing before it and ends with a whole byte."""
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflating.compress(piece) + deflating.flush(zlib.Z_FULL_FLUSH)


class ReadyForms:
    """The forms of a server process that were opened of late."""

    def __init__(self) -> None:
        self._forms: LRUCache[_Key, ReadyForm] = LRUCache(_MOST)
        self._lock = Lock()
        #: Drawn anew by each process: no name of a unit has them.
        self._marks = {
            name: secrets.token_hex(16) for name in ("path", "unit", "id", "token", "code")
        } | {"opened": str(10**30 + secrets.randbelow(10**30))}

    def find(self, survey: Survey, language: str, *, anew: bool) -> ReadyForm | None:
        """The form that stands ready for a survey, if it does."""
        with self._lock:
            return self._forms.get((survey.version, language, anew, survey.synthetic))

    def make(self, survey: Survey, language: str, *, anew: bool) -> ReadyForm:
        """Fill a form in once, that nobody has answered yet, and keep it ready."""
        marks = self._marks
        marked = replace(survey, path=marks["path"], name_vi=marks["unit"], name_en=marks["unit"])
        page = FormPage(
            marked, FormFields(survey.version.form), marks["id"], int(marks["opened"]),
            marks["token"], {}, {}, anew=anew, wish=Wish(code=marks["code"]),
        )  # fmt: skip
        ready = ReadyForm.cut(fill("citizen/form.html", language, page), marks)
        with self._lock:
            self._forms[survey.version, language, anew, survey.synthetic] = ready
        return ready


def own_parts(
    survey: Survey, language: str, id: str, page: OpenedPage, code: str
) -> Mapping[str, bytes]:
    """What a page has of its own; ``code`` is the one that was drawn for a reply."""
    return {**parts_of_point(survey, language), **parts_of_page(id, page, code)}


def parts_of_point(survey: Survey, language: str) -> Mapping[str, bytes]:
    """What all pages of a point have of their own."""
    return {
        "path": survey.path.encode(),
        "unit": str(escape(survey.name(language))).encode(),
    }


def parts_of_page(id: str, page: OpenedPage, code: str) -> Mapping[str, bytes]:
    """What is drawn for each page."""
    return {
        "id": id.encode(),
        "opened": b"%d" % page.opened,
        "token": page.token.encode(),
        "code": code.encode(),
    }


READY_FORMS = Shared[ReadyForms]("ready_forms")
