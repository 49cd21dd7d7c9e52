"""A promise, how it was measured, and whether the measurement is of the code as it stands."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Row:
    """One line of the table: what is promised in which world, and what was found there.

    ``before`` is what the build before (commit 0a84201) gave in the same world, "–" where it
    could not do this at all. A promise that could not be held says ``why``.
    """

    promise: str
    world: str
    promised: str
    found: str
    held: bool
    before: str = "–"
    why: str = ""


@dataclass(frozen=True)
class Promise:
    """What one part of the statistics promises.

    ``code`` names the modules of ``analysis`` that the promise speaks of (``clustered``), and
    ``besides`` other files by patterns; what measures it (``tests/promises/NAME*.py``) is always
    among what the table must not be older than. ``measure(full)`` gives the rows: all samples if
    ``full``, else a small form for ``make test``, with fixed seeds. Its table stands in ``page``.
    Where there is a ``part``, it measures those worlds alone of whose names a word is a part.
    """

    name: str
    title: str
    code: tuple[str, ...]
    measure: Callable[[bool], Sequence[Row]]
    page: Path = ROOT / "docs/methods.md"
    besides: tuple[str, ...] = ()
    part: Callable[[str], Sequence[Row]] | None = None

    @property
    def fingerprint(self) -> str:
        """Twelve digits that change with the code, and not with its comments and docstrings."""
        files = [ROOT / "analysis" / f"{name}.py" for name in sorted(self.code)]
        for pattern in (f"tests/promises/{self.name}*.py", *self.besides):
            files += sorted(ROOT.glob(pattern))
        digest = hashlib.sha256()
        for file in files:
            digest.update(bare(file.read_text("utf-8")).encode())
        return digest.hexdigest()[:12]


def bare(source: str) -> str:
    """A module's source without comments, docstrings and empty lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for row in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def spread(function: Callable[[T], U], arguments: Iterable[T], *, full: bool) -> list[U]:
    """Apply a module's function to each argument, in the full form over all processors."""
    if not full:
        return [function(each) for each in arguments]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, arguments))


def per_cent(share: float, error: float | None = None, digits: int = 1) -> str:
    """A share, with its Monte Carlo standard error where given: ``4.9 ± 0.3 %``."""
    about = "" if error is None else f" ± {100 * error:.{digits}f}"
    return f"{100 * share:.{digits}f}{about} %"
