"""The map of the house in docs/architecture.md: its rooms and who imports whom, read from the code.

A room is a package or module directly below ``app``, and ``surveys`` and ``analysis`` beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

#: The comments in the page between which the map stands.
BEGIN, END = "<!-- map: begin (make docs) -->", "<!-- map: end -->"
_BESIDE = ("surveys", "analysis")

Imports = Mapping[str, frozenset[str]]


def with_map(page: str, root: Path) -> str:
    """The page with the map drawn anew between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return "\n".join([before + BEGIN, *_drawn(root), END + after])


def _drawn(root: Path) -> Iterator[str]:
    imports = imports_of_rooms(root)
    yield "```mermaid"
    yield "flowchart TD"
    for room in in_order(imports):
        for imported in sorted(nearest(imports, room)):
            yield f"  {room} --> {imported}"
    yield "```"
    yield ""
    yield "| room | what it is |"
    yield "|---|---|"
    for room in in_order(imports):
        for place in _places(root, room):
            name = place.relative_to(root).as_posix() + ("/" if place.is_dir() else "")
            yield f"| `{name}` | {_first_line(place)} |"


def imports_of_rooms(root: Path) -> Imports:
    """For each room the other rooms that any of its modules imports."""
    rooms = {place.stem: place for place in (root / "app").iterdir() if _is_room(place)}
    rooms |= {name: root / name for name in _BESIDE}
    found = {}
    for room, place in rooms.items():
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        names = {name for file in files for name in _imported_rooms(file)}
        found[room] = frozenset(names & rooms.keys() - {room})
    return found


def nearest(imports: Imports, room: str) -> frozenset[str]:
    """The rooms that a room imports, less those that it reaches by way of another of them."""

    @cache
    def reached(room: str) -> frozenset[str]:
        return imports[room].union(*map(reached, imports[room]))

    return imports[room].difference(*map(reached, imports[room]))


def in_order(imports: Imports) -> list[str]:
    """The rooms from the roof down: each before all that it imports, alike high ones by name."""

    @cache
    def height(room: str) -> int:
        return max((1 + height(imported) for imported in imports[room]), default=0)

    return sorted(imports, key=lambda room: (-height(room), room))


def _imported_rooms(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _room_of(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield from _room_of(f"{node.module}.{alias.name}")


def _room_of(module: str) -> Iterator[str]:
    top, *below = module.split(".")
    if top in _BESIDE:
        yield top
    elif top == "app" and below:
        yield below[0]


def _is_room(place: Path) -> bool:
    if place.is_dir():
        return (place / "__init__.py").exists()
    return place.suffix == ".py" and place.stem != "__init__"


def _places(root: Path, room: str) -> list[Path]:
    """A room, and the packages within it."""
    above = root if room in _BESIDE else root / "app"
    place = above / room
    if not place.is_dir():
        return [place.with_suffix(".py")]
    return [
        place,
        *sorted(below for below in place.iterdir() if below.is_dir() and _is_room(below)),
    ]


def _first_line(place: Path) -> str:
    file = place / "__init__.py" if place.is_dir() else place
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n\n")[0].replace("\n", " ").replace("``", "`")
