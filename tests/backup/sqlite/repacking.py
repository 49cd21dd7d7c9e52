"""A set that somebody changed: opened, altered, and packed again."""

import json

from app.backup import sealing, sets


def repacked(file, key, tmp_path, change):
    """A set with its account of itself changed, whole under its new name."""
    copy = tmp_path / "repacked"
    copy.mkdir()
    names = sealing.unseal(file, copy, key)
    told = json.loads((copy / sets.CONTENTS).read_text())
    change(told, copy)
    (copy / sets.CONTENTS).write_text(json.dumps(told))
    new = tmp_path / "repacked.tar.zst"
    with new.open("wb") as stream:
        sealing.seal(copy, names, stream, ())
    return new
