"""The command ``hailong docs``: pages under docs/ that are made from the code, whole or in part."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import typer

import app
from app.messages import LANGUAGES
from app.problems import Problem
from app.settings import AREAS
from app.web.house_map import with_map

_ROOT = Path(__file__).parents[2]


def docs() -> None:
    """Write docs/problems.md, docs/settings.md and the map in docs/architecture.md anew."""
    for name, write in PAGES.items():
        (_ROOT / "docs" / name).write_text(write(), encoding="utf-8")
        typer.echo(f"docs/{name}")


def _architecture() -> str:
    return with_map((_ROOT / "docs/architecture.md").read_text(encoding="utf-8"), _ROOT)


def _problems() -> str:
    for module in walk_packages(app.__path__, "app."):
        import_module(module.name)  # a problem is known once its module is
    lines = [
        "# Problems",
        "",
        "Every refusal of the server, in the format of RFC 9457. `retry` says whether the same",
        "request may succeed later. Made by `make docs`.",
        "",
        "| type | status | retry | title (vi / en) | meaning |",
        "|---|---|---|---|---|",
    ]
    for code, problem in sorted(Problem.catalogue.items()):
        titles = " / ".join(problem.title(language) for language in LANGUAGES)
        meaning = " ".join((problem.__doc__ or "").split())
        retry = "yes" if problem.passing else "no"
        lines.append(f"| `/problems/{code}` | {problem.status} | {retry} | {titles} | {meaning} |")
    return "\n".join(lines) + "\n"


def _settings() -> str:
    lines = [
        "# Settings",
        "",
        "Read from the environment or from a `.env` file. Made by `make docs`.",
    ]
    for area in AREAS:
        title = (area.__doc__ or "").strip().rstrip(".")
        lines += ["", f"## {title}", "", "| variable | default | meaning |", "|---|---|---|"]
        for name, field in area.model_fields.items():
            default = "" if field.default is None else f"`{field.default}`"
            lines.append(f"| `HAILONG_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


#: What writes each generated page, by name; a test compares them with what stands under docs/.
PAGES: dict[str, Callable[[], str]] = {
    "architecture.md": _architecture,
    "problems.md": _problems,
    "settings.md": _settings,
}
