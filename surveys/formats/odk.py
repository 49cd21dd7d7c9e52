"""Asks ODK Validate, which checks forms as ODK Collect does, what it thinks of one; where Java is.

pyxform ships it: a program in Java, whose sentences are English. It is given little time and
memory, nothing of our environment, and a folder of its own; and no text that could have it read
another file.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from pyxform.validators.error_cleaner import ErrorCleaner
from pyxform.validators.odk_validate import ODK_VALIDATE_PATH

from surveys.formats.findings import Findings, Place

#: Seconds that a check may take, and that one may wait for those before it.
TIMEOUT_S = 20.0
#: Seconds of a processor that it may take: where whoever waits is killed, it ends all the same. Of
#: its output no more bytes go to the disk.
_MOST_CPU_S, _MOST_WRITTEN = 60, 1024 * 1024
#: Of what it says: bytes that are read, and characters that are passed on.
_MOST_READ, _LONGEST = 64 * 1024, 500
_MACHINE = (
    "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
    "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8", "-Djdk.xml.entityExpansionLimit=1",
    "-Djavax.xml.accessExternalDTD=", "-Djavax.xml.accessExternalSchema=",
)  # fmt: skip
#: What opens an XForm to other files; in one that pyxform wrote it stands in no case.
_OPENING = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
#: What it says in any case, and of every form that it refuses.
_IDLE = re.compile(
    r"^\s*(?:(?:\tat |\.\.\. \d+ more|Caused by|>> |Result: |Validating: |SLF4J)|"
    r"The following files failed|\[Fatal Error\]|[\w./${}-]*\.xml$|$)"
)
#: The class of an error in Java, of which pyxform takes out some names.
_CLASS = re.compile(r"^(?:[\w.$]+(?:Exception|Error))?\s*[:;]\s*")
_one_at_a_time = Lock()


def command(files: Sequence[Path], folder: Path) -> list[str] | None:
    """The command that checks some XForms in one go; None where there is no Java here."""
    java = shutil.which("java")
    if java is None or not Path(ODK_VALIDATE_PATH).is_file():
        return None
    own = f"-Djava.io.tmpdir={folder}"
    return [java, *_MACHINE, own, "-jar", ODK_VALIDATE_PATH, *map(str, files)]


def check(xform: str, findings: Findings, timeout_s: float = TIMEOUT_S) -> None:
    """Note what ODK Validate complains of; nothing where Java is not installed.

    Takes seconds, and waits for whoever checks one at the moment: not for a loop of events.
    """
    with tempfile.TemporaryDirectory(prefix="hailong-odk-") as name:
        folder = Path(name)
        file = folder / "xform.xml"
        line = command([file], folder)
        if line is None:
            return
        if _OPENING.search(xform) or not _one_at_a_time.acquire(timeout=timeout_s):
            findings.add(Place(), "formats.odk_unchecked")
            return
        try:
            file.write_text(xform, encoding="utf-8")
            ended_well, said = _run(line, folder, timeout_s)
        # It took too long; or Java is there and does not start, or the disk is full.
        except (subprocess.TimeoutExpired, OSError):
            findings.add(Place(), "formats.odk_unchecked")
            return
        finally:
            _one_at_a_time.release()
    if complaint := complaint_in(said):
        findings.add(Place(), "formats.odk", said=complaint)
    elif not ended_well:
        findings.add(Place(), "formats.odk_unchecked")


def complaint_in(said: str) -> str:
    """What it says of a form, in what ODK Validate printed on its standard error; empty if nothing.

    Without the names and places of its own code; questions are named as in the workbook.
    """
    lines = [_CLASS.sub("", line) for line in ErrorCleaner.odk_validate(said).splitlines()]
    kept = dict.fromkeys(" ".join(line.split()) for line in lines if not _IDLE.match(line))
    return " ".join(filter(None, kept))[:_LONGEST]


def _run(line: Sequence[str], folder: Path, timeout_s: float) -> tuple[bool, str]:
    with (
        (folder / "said").open("w+b") as said,
        subprocess.Popen(
            line, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
            env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
        ) as running,
    ):  # fmt: skip
        try:
            with suppress(ProcessLookupError):  # it may have ended
                for limit, most in (
                    (resource.RLIMIT_CPU, _MOST_CPU_S), (resource.RLIMIT_FSIZE, _MOST_WRITTEN),
                ):  # fmt: skip
                    resource.prlimit(running.pid, limit, (most, most))
            ended_well = running.wait(timeout_s) == 0
        except BaseException:
            running.kill()
            raise
        said.seek(0)
        return ended_well, said.read(_MOST_READ).decode("utf-8", "replace")
