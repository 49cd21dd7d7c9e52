"""Codes of other programs as ours may be: each a single time, and the same for the same."""

from __future__ import annotations

import re
import unicodedata

from surveys.formats.findings import Findings, Place

LONGEST = 32


def plain(written: str) -> str:
    """Letters without marks, digits, ``_`` and ``.``; other signs become ``_``."""
    bare = unicodedata.normalize("NFD", written.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return re.sub(r"[^A-Za-z0-9_.]+", "_", bare).strip("_.")


def form_code(written: str) -> str:
    """A code of a form: small letters, digits and hyphens; ``form`` where nothing is left."""
    bare = re.sub(r"[^a-z0-9]+", "-", plain(written).lower()).strip("-")
    bare = re.sub(r"^[^a-z]+", "", bare)[:48].strip("-")
    return bare if len(bare) >= 2 else "form"


class Codes:
    """Gives each thing of a form a code of its own, and says where it had to be another one."""

    def __init__(self, findings: Findings, prefix: str, longest: int = LONGEST) -> None:
        self._findings, self._prefix, self._longest = findings, prefix, longest
        self._taken: set[str] = set()

    def new(self, written: str, place: Place) -> str:
        """A code that nobody has yet, as like to the written one as may be."""
        code = written
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", code) or len(code) > self._longest:
            code = plain(written)
            if not code[:1].isalpha():
                code = f"{self._prefix}{code}"
            code = code[: self._longest].rstrip("_.") or self._prefix
        base, number = code, 1
        while code in self._taken:
            number += 1
            end = f"_{number}"
            code = base[: self._longest - len(end)] + end
        self._taken.add(code)
        if code != written and written:
            self._findings.add(place, "formats.renamed", old=written, new=code)
        return code
