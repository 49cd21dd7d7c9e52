"""What stands at the top of the tree: nothing that nobody named, no left-over of a test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = {
    *("app", "migrations", "surveys", "analysis", "tests", "docs", "findings"),
    *("alembic.ini", "pyproject.toml", "Makefile", "requirements.lock", "requirements-dev.lock"),
    *("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"),
}


def test_the_top_of_the_tree_holds_what_is_named() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("an exported tree has no list of its files")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    top = {path.split("/")[0] for path in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= NAMED


def test_no_database_is_kept() -> None:
    assert not [*ROOT.glob("tests/**/*.db"), *ROOT.glob("app/**/*.db")]
