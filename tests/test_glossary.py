"""docs/glossary.md and the names of modules, classes and columns say the same."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

import app.web.commands  # noqa: F401 - with it all tables are known
from app.db import Base

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/glossary.md").read_text("utf-8")
ROOMS = ("app", "surveys", "analysis")


def table(heading: str) -> list[list[str]]:
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return rows[1:]


TERMS = [
    row
    for heading in (
        "Surveys", "Who is asked, and where", "What comes in", "What comes out", "Who may",
    )
    for row in table(heading)
]  # fmt: skip


def words_of(name: str) -> list[str]:
    """``SurveyPoint`` and ``survey_point`` as survey, point; plurals as their singular."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return [part.lower() for part in parts]


def names() -> list[tuple[str, str]]:
    """Where a name stands, and the name: modules, public classes and columns."""
    found = []
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found.append((module, file.stem))
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found.append((module, node.name))
    for mapper in Base.registry.mappers:
        where = mapper.class_.__module__
        found += [(where, column.name) for column in mapper.local_table.columns]
        found.append((where, mapper.local_table.name))
    return found


def has(name: str, phrase: str) -> bool:
    wanted, words = phrase.split(), words_of(name)
    forms = [{each, f"{each}s"} for each in wanted]
    return any(
        all(words[at + i] in form for i, form in enumerate(forms))
        for at in range(len(words) - len(wanted) + 1)
    )


def test_each_term_has_one_line_in_both_languages_and_one_meaning():
    terms = [row[0] for row in TERMS]
    assert len(terms) == len(set(terms)) > 50
    for term, vietnamese, meaning, code in TERMS:
        assert term and vietnamese and len(meaning) > 10 and code.startswith("`"), term


@pytest.mark.parametrize("row", TERMS, ids=lambda row: row[0])
def test_what_the_glossary_points_to_is_there(row):
    for path in re.findall(r"`([\w.]+)`", row[3]):
        module, _, name = path.rpartition(".")
        if name[:1].isupper():
            assert hasattr(importlib.import_module(module), name), path
        else:
            importlib.import_module(path)


@pytest.mark.parametrize("row", table("Words that are not used in names"), ids=lambda row: row[0])
def test_words_that_mislead_are_in_no_name(row):
    terms = [row[0] for row in TERMS]
    found = [(where, name) for where, name in names() if has(name, row[0])]
    assert [each for each in found if not any(has(each[1], term) for term in terms)] == []


@pytest.mark.parametrize(
    "row", table("Words that belong to some rooms alone"), ids=lambda row: row[0]
)
def test_words_of_some_rooms_stay_there(row):
    rooms = tuple(row[1].split(", "))
    strays = [
        (where, name)
        for where, name in names()
        if has(name, row[0]) and not any(f"{where}.".startswith(f"{room}.") for room in rooms)
    ]
    assert strays == []
