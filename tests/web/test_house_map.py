"""The map of the house is the code's, and the ways on the page lead through what is there."""

import ast
import re
from pathlib import Path

import pytest

from app.web.house_map import BEGIN, END, imports_of_rooms, in_order, nearest, with_map

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


@pytest.fixture
def house(tmp_path):
    """A small house: a roof over two floors, one of which has a package within."""
    files = {
        "surveys/__init__.py": '"""Forms."""',
        "analysis/__init__.py": '"""Arrays,\nand no more.\n\nThe rest."""',
        "app/__init__.py": "import app.ground",
        "app/ground.py": '"""What ``all`` stand on."""\nimport os\n',
        "app/floor/__init__.py": '"""A floor."""\nfrom app import ground\n',
        "app/floor/corner/__init__.py": '"""A corner."""\nimport analysis.rates\n',
        "app/roof/__init__.py": '"""The roof."""\n',
        "app/roof/tiles.py": "def f():\n    from app.floor.corner import x\nimport app.ground\n",
        "app/no_room/notes.txt": "",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_rooms_import_what_any_of_their_modules_does_at_any_place(house):
    assert imports_of_rooms(house) == {
        "roof": {"floor", "ground"},
        "floor": {"ground", "analysis"},
        "ground": frozenset(),
        "surveys": frozenset(),
        "analysis": frozenset(),
    }


def test_an_arrow_is_left_out_where_a_longer_way_leads_there(house):
    imports = imports_of_rooms(house)
    assert nearest(imports, "roof") == {"floor"}
    assert nearest(imports, "floor") == {"analysis", "ground"}


def test_rooms_stand_from_the_roof_down(house):
    assert in_order(imports_of_rooms(house)) == ["roof", "floor", "analysis", "ground", "surveys"]


def test_the_page_keeps_what_stands_around_the_map(house):
    page = with_map(f"before\n{BEGIN}\nold\n{END}\nafter\n", house)
    assert page.startswith(f"before\n{BEGIN}\n```mermaid\nflowchart TD\n  roof --> floor\n")
    assert page.endswith(f"{END}\nafter\n") and "old" not in page
    assert "| `app/floor/corner/` | A corner. |" in page
    assert "| `app/ground.py` | What `all` stand on. |" in page
    assert "| `analysis/` | Arrays, and no more. |" in page
    assert with_map(page, house) == page


@pytest.mark.parametrize("way", ["The way of one answer", "The way of one figure"])
def test_the_ways_lead_through_files_and_functions_that_are_there(way):
    (section,) = re.findall(rf"^## {way}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    names: set[str] = set()
    passed = 0
    for name in re.findall(r"`([^`]+)`", section):
        if name.endswith(".py"):
            names = set(defined(ast.parse((ROOT / name).read_text(encoding="utf-8"))))
        else:
            assert name in names, f"{name} is not in the file that stands before it"
            passed += 1
    assert passed >= 10


def defined(tree):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for name in defined(node))


def test_every_file_that_the_page_names_is_there():
    for name in re.findall(r"`((?:app|analysis|surveys|tests)/[^` ]*)`", PAGE):
        assert (ROOT / name).exists(), name
