"""Precision, recall and F1 of themes on labelled lines, with bootstrap intervals over lines."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.themes.finding import Finder, Finding
from app.themes.model import OTHER
from app.themes.reading import first_list

HERE = Path(__file__).parent
#: Lines that were written beside the list, those that it was mended by, and those of somebody who
#: had not seen it and that nobody has looked at since.
OWN, TUNED, UNSEEN = (HERE / f"{name}.tsv" for name in ("own_lines", "themes", "unseen_themes"))
FILES = tuple(filter(Path.exists, (OWN, TUNED, UNSEEN)))
CODES = (
    "waiting", "attitude", "procedure", "fees", "cleanliness", "facilities", "competence",
    "information", "online", "bribery", "nothing", OTHER,
)  # fmt: skip
TONES = ("praise", "blame", "neutral")
SAMPLES, SEED = 2_000, 22
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A line with what it is about, as a person says."""

    item: str
    text: str
    themes: frozenset[str]
    tone: str


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval; NaN where it has no denominator."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True)
class Score:
    """How well one theme, or all together, were found."""

    name: str
    lines: int
    precision: Measured
    recall: Measured
    f1: Measured


def read_lines(file: Path) -> list[Line]:
    """The lines of a table with the columns item, text, themes and tone.

    Raises
    ------
    ValueError
        Where a theme or a tone is none that is known; with the number of its line.
    """
    lines = []
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        for number, row in enumerate(rows, start=2):
            themes = frozenset(each.strip() for each in row["themes"].split(",") if each.strip())
            if not themes or not themes <= set(CODES) or row["tone"].strip() not in TONES:
                raise ValueError(f"{file.name}:{number}: {row['themes']!r}, {row['tone']!r}")
            lines.append(Line(row["item"].strip(), row["text"], themes, row["tone"].strip()))
    return lines


def by_list() -> Callable[[Line], Finding]:
    """The word list that comes with the software."""
    finder = Finder(first_list())
    return lambda line: finder.find("", line.item, line.text)


def themes_of(finding: Finding) -> frozenset[str]:
    """The themes of a finding among those that lines are labelled by: general praise is none."""
    found = {each.theme for each in finding.themes} & set(CODES)
    return frozenset(found or {OTHER})


def scores(lines: Sequence[Line], find: Callable[[Line], Finding]) -> list[Score]:
    """Each theme's score, then ``all`` (micro), and ``tone``, whose precision is its accuracy."""
    findings = [find(line) for line in lines]
    truth = np.array([[code in line.themes for code in CODES] for line in lines])
    found = np.array([[code in themes_of(each) for code in CODES] for each in findings])
    draws = np.random.default_rng(SEED).integers(len(lines), size=(SAMPLES, len(lines)))
    result = [
        _score(code, truth[:, [i]], found[:, [i]], draws) for i, code in enumerate(CODES)
    ]  # fmt: skip
    result.append(_score("all", truth, found, draws))
    tones = np.array([line.tone for line in lines])[:, None] == np.array(TONES)
    heard = np.array([each.tone.value for each in findings])[:, None] == np.array(TONES)
    result.append(_score("tone", tones, heard, draws))
    return result


def _score(
    name: str, truth: NDArray[np.bool_], found: NDArray[np.bool_], draws: NDArray[np.int64]
) -> Score:
    hit, said, true = (
        each.sum(axis=1).astype(np.float64) for each in (truth & found, found, truth)
    )

    def figures(h: Floats, s: Floats, t: Floats) -> tuple[Floats, Floats, Floats]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return h / s, h / t, 2 * h / (s + t)

    values = figures(*(each.sum(keepdims=True) for each in (hit, said, true)))
    drawn = figures(*(each[draws].sum(axis=1) for each in (hit, said, true)))
    measured = []
    for value, sample in zip(values, drawn, strict=True):
        known = sample[np.isfinite(sample)]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        measured.append(Measured(float(value[0]), float(low), float(high)))
    return Score(name, int(true.sum()), *measured)
