"""What is installed is all that the repository has: forms, plans, catalogues, templates, fonts."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("app", "surveys", "analysis", "migrations")
#: Of each sort at least one must be among the files, or this test looks at nothing.
NEEDED = (
    "app/registry/reorganisation/data/2025-07-01.csv",
    "app/registry/reorganisation/data/2025-06-30-units.csv",
    "app/messages/vi.yaml",
    "app/messages/en.figures.yaml",
    "app/reports/documents/report.typ",
    "app/web/templates/base.html",
    "app/web/static/dashboard.css",
)


@pytest.fixture(scope="module")
def kept():
    """The files of the repository that are there, by name."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone of the repository: it has no .git")
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True)
    names = listed.stdout.decode().split("\0")
    return {name for name in names if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(kept, tmp_path_factory):
    """What a wheel has that is built, without a network, as an installation builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    # Of a copy: a build leaves folders where it is made.
    for name in kept:
        if name.split("/")[0] in (*ROOMS, "README.md", "LICENSE", "pyproject.toml"):
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--disable-pip-version-check", "--wheel-dir", folder, folder / "source"],
        check=True, timeout=300,
    )  # fmt: skip
    (built,) = folder.glob("hailong-*.whl")
    with zipfile.ZipFile(built) as archive:
        return {name: archive.getinfo(name).file_size for name in archive.namelist()}


def test_every_file_of_the_rooms_is_in_the_wheel(kept, wheel):
    files = {name for name in kept if name.split("/")[0] in ROOMS}
    assert files >= set(NEEDED)
    assert sorted(files - wheel.keys()) == []
    assert [name for name in sorted(files) if wheel[name] != (ROOT / name).stat().st_size] == []


def test_nothing_else_is_in_the_wheel(wheel):
    strange = {name.split("/")[0] for name in wheel} - set(ROOMS)
    assert all(name.startswith("hailong-") and name.endswith(".dist-info") for name in strange)
    assert not any(name.endswith((".pyc", ".db", ".sqlite")) for name in wheel)
