"""Themes of comments: how many a list of words finds, and how many of those found are right."""

from __future__ import annotations

from pathlib import Path

from tests.comments.measuring import FILES, OWN, TUNED, Measured, Score, by_list, read_lines, scores
from tests.promises.promise import ROOT, Promise, Row

#: F1 of all themes together on the lines that were written beside the list.
OWN_F1 = 0.9
_KINDS = {OWN: "own", TUNED: "tuned"}


def measure(full: bool) -> list[Row]:
    """The word list on every set of lines; only on its own is anything promised.

    On the tuned ones the list was mended, on the unseen ones it is measured and never mended.

    Both forms are the same: it takes a second.
    """
    return [_row(file, each) for file in FILES for each in scores(read_lines(file), by_list())]


def _row(file: Path, score: Score) -> Row:
    world = f"{_KINDS.get(file, 'unseen')} lines, {score.lines}"
    if score.name == "tone":
        return Row("tone is right", world, "–", str(score.precision), held=True)
    promised = file == OWN and score.name == "all"
    return Row(
        f"{score.name}: F1",
        world,
        f"≥ {OWN_F1}" if promised else "–",
        f"{score.f1}; precision {_plain(score.precision)}, recall {_plain(score.recall)}",
        held=not promised or score.f1.value >= OWN_F1,
    )


def _plain(measured: Measured) -> str:
    return f"{measured.value:.2f}"


PROMISE = Promise(
    "themes",
    "Themes of comments found by the word list, with 95 % bootstrap intervals over lines",
    (),
    measure,
    ROOT / "docs/comments.md",
    (
        *("app/themes/finding.py", "app/themes/phrases.py", "app/themes/spelling.py"),
        "tests/comments/measuring.py",
    ),
)
