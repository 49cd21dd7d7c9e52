"""The service as it was before a change, to be measured beside what it is: in a worktree of git."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _git(*what: str) -> str:
    ran = subprocess.run(
        ["git", "-C", str(ROOT), *what], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() if ran.returncode == 0 else ""


@contextmanager
def before(path: str) -> Iterator[Path | None]:
    """A checkout of the commit before the one that brought a file; None where git knows of none."""
    brought = _git("log", "--diff-filter=A", "--format=%H", "-1", "--", path)
    commit = _git("rev-parse", "--verify", "--quiet", f"{brought}^") if brought else ""
    if not commit:
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "before"
        _git("worktree", "add", "--quiet", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))
