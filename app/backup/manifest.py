"""Whether a base backup is what the server sent, by the manifest that came with it.

``pg_verifybackup`` does the same; but not every machine has one that runs (PostgreSQL's Python
packages ship a broken one), and a backup that cannot be proven is none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAME = "backup_manifest"
#: What the server leaves out of the manifest: it writes these anew, or they prove themselves.
_OUTSIDE = ("pg_wal/", NAME, "postgresql.auto.conf", "recovery.signal", "standby.signal")
_LAST = re.compile(rb'"Manifest-Checksum": "([0-9a-f]+)"\}\s*$')
_BLOCK = 1 << 20


def faults(data: Path) -> Iterator[str]:
    """In words, what differs between unpacked data and their manifest; nothing if all is right."""
    content = (data / NAME).read_bytes()
    last = _LAST.search(content)
    if last is None:
        yield "the manifest has no end"
        return
    # The sum is over all lines before the last one.
    before = content[: content.rindex(b"\n", 0, last.start() + 1) + 1]
    if hashlib.sha256(before).hexdigest() != last[1].decode():
        yield "the manifest itself was changed"
        return
    listed: dict[str, dict[str, Any]] = {}
    for file in json.loads(content)["Files"]:
        name = file.get("Path") or bytes.fromhex(file["Encoded-Path"]).decode(errors="replace")
        listed[name] = file
    for name, file in listed.items():
        yield from _differs(data / name, name, file)
    for path in data.rglob("*"):
        name = path.relative_to(data).as_posix()
        if path.is_file() and name not in listed and not name.startswith(_OUTSIDE):
            yield f"{name} does not belong to it"


def _differs(path: Path, name: str, told: dict[str, Any]) -> Iterator[str]:
    try:
        if path.stat().st_size != told["Size"]:
            yield f"{name} has another size"
            return
        digest = hashlib.new(told["Checksum-Algorithm"].lower())
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        yield f"{name} cannot be read: {error.strerror}"
        return
    if digest.hexdigest() != told["Checksum"]:
        yield f"{name} was changed"
