"""Unpacks archives of backups, and nothing but files and folders below where they belong.

Python's own filters came with 3.11.4; Debian 12 runs 3.11.2.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: What others may do to an unpacked file is never more than to read it.
_MODE = 0o755


def unpack(archive: tarfile.TarFile, folder: Path, *, flat: bool = False) -> Iterator[str]:
    """Unpack one member after the other, as files of whoever runs this, and give its name.

    Raises
    ------
    tarfile.TarError
        For a member that is neither file nor folder, or lies outside; of a ``flat`` archive, for
        folders too.
    """
    # Where there is none, it is what Python did: what is let through here needs none.
    archive.extraction_filter = getattr(tarfile, "data_filter", None)
    for member in archive:
        name = PurePosixPath(member.name)
        usual = member.isfile() or (member.isdir() and not flat)
        below = not name.is_absolute() and ".." not in name.parts
        if not usual or not below or (flat and len(name.parts) != 1):
            raise tarfile.TarError(f"it holds {member.name}")
        member.mode &= _MODE
        member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
        archive.extract(member, folder, set_attrs=member.isfile())
        yield member.name
