"""LibreOffice, which reads our files as many offices do: a reader that we did not write."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

SOFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(
    SOFFICE is None and not os.environ.get("HAILONG_REQUIRE_ALL"),
    reason="LibreOffice (soffice) is not installed",
)
#: Every sheet by itself; values as they are and not as they are shown: per cents with their sign,
#: days as Americans type them.
SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,false,false,false,false,-1"


def converted(files: Sequence[Path], to: str, folder: Path) -> list[Path]:
    """What LibreOffice makes of some files, all in one start with a profile of its own."""
    assert SOFFICE is not None, "LibreOffice (soffice) is not installed"
    out = folder / f"as-{to[:3]}"
    ran = subprocess.run(
        [SOFFICE, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
         "--norestore", "--convert-to", to, "--outdir", str(out), *map(str, files)],
        env=os.environ | {"LC_ALL": "C.UTF-8"}, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    made = sorted(out.glob("*"))
    assert made, ran.stdout + ran.stderr
    return made


def number(cell: str) -> float:
    """A cell of such a sheet as a number."""
    return float(cell[:-1]) / 100 if cell.endswith("%") else float(cell)
