"""The pages under docs/ tell of every problem, setting, command and endpoint."""

from pathlib import Path

import pytest
import typer.main

from app.cli import cli
from app.main import create_app
from app.settings import Settings
from app.web.commands import pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
EVERYTHING = "\n".join(
    file.read_text(encoding="utf-8") for file in [ROOT / "README.md", *DOCS.glob("*.md")]
)


@pytest.mark.parametrize("name", pages())
def test_generated_pages_are_as_the_code_says(name):
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run: make docs"


def commands(group, prefix="hailong"):
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


COMMANDS = dict(commands(typer.main.get_command(cli)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_is_documented(name):
    assert COMMANDS[name].help
    assert f"`{name}" in EVERYTHING


def test_every_endpoint_is_documented(tmp_path):
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    for path in app.openapi()["paths"]:
        assert path in EVERYTHING


def test_links_lead_to_pages_that_are_there():
    import re

    for file in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8")):
            if not target.startswith(("http", "/")):
                assert (file.parent / target).exists(), f"{file.name}: {target}"
