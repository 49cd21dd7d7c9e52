"""The pages under docs/ tell of every problem, setting, command and endpoint."""

import ast
import re
from pathlib import Path

import pytest
import typer.main

from app.cli import cli
from app.main import create_app
from app.settings import Settings
from app.web import commands as generated

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
EVERYTHING = "\n".join(
    file.read_text(encoding="utf-8") for file in [ROOT / "README.md", *DOCS.glob("*.md")]
)


@pytest.mark.parametrize("name", generated.PAGES)
def test_generated_pages_are_as_the_code_says(name):
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == generated.PAGES[name](), "run: make docs"


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
    for file in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8")):
            if not target.startswith(("http", "/")):
                assert (file.parent / target).exists(), f"{file.name}: {target}"


def headings(file):
    """The headings of a page as the ends of links name them."""
    found = re.findall(r"(?m)^#+ (.+)$", file.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in found}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_links_lead_to_headings_that_are_there(file):
    for page, heading in re.findall(r"\]\(([\w/.-]*)#([\w-]+)\)", file.read_text(encoding="utf-8")):
        assert heading in headings(file.parent / page if page else file), f"{page}#{heading}"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_modules_that_a_page_names_are_there_with_the_tests_named_beside_them(file):
    named = r"`(tests/[\w/]+\.py)`((?: `test_\w+`)*)"
    for module, tests in re.findall(named, file.read_text(encoding="utf-8")):
        source = ast.parse((ROOT / module).read_text(encoding="utf-8"))
        there = {node.name for node in source.body if isinstance(node, ast.FunctionDef)}
        assert set(re.findall(r"`(\w+)`", tests)) <= there, module


def test_the_operators_start_page_leads_to_every_page_of_theirs():
    start = (DOCS / "operator.md").read_text(encoding="utf-8")
    theirs = [file.name for file in PAGES if "](operator.md): " in file.read_text("utf-8")]
    assert theirs and all(f"]({name})" in start for name in theirs)


def test_promises_stand_in_one_table():
    assert EVERYTHING.count("| fault | what happens |") == 1
