"""How many of the labelled spans are found, and how many found ones are labelled, by kind.

``python -m tests.masking.measure [FILE]`` prints it for a file of lines with two columns divided by
a tab: the line, and its spans as ``start:end:kind`` divided by blanks or commas, in signs of the
line.

A number counts as found where a number of any kind covers all its digits; whatever it is called, it
is masked. A name counts where it is found as what it is: a citizen's as a citizen's, for staff's
names stand before readers of comments. A label may have the honorific or the role with it, or not.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.masking.kinds import PERSONS, Kind, Span
from app.masking.letters import read
from app.masking.lists import phrases
from app.masking.masker import mask

LINES = Path(__file__).parent / "lines.tsv"
_LABEL = re.compile(r"(\d+):(\d+):(\w+)")


@dataclass(frozen=True)
class Line:
    """A line and what somebody says is in it."""

    text: str
    labels: Sequence[Span]


@dataclass
class Tally:
    """What was found of one kind, with the lines in which something went wrong."""

    labelled: int = 0
    recalled: int = 0
    found: int = 0
    right: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Of what is labelled, the part that was found."""
        return self.recalled / self.labelled if self.labelled else 1.0

    @property
    def precision(self) -> float:
        """Of what was found, the part that is labelled."""
        return self.right / self.found if self.found else 1.0


def lines_of(file: Path) -> list[Line]:
    """The lines of a file.

    Raises
    ------
    ValueError
        Where a span does not lie in its line or has a kind that there is not.
    """
    lines = []
    for number, row in enumerate(file.read_text("utf-8").splitlines(), 1):
        text, _, rest = row.partition("\t")
        if not text or text.startswith("#") or (number == 1 and text == "line"):
            continue
        labels = [Span(int(a), int(b), Kind(kind)) for a, b, kind in _LABEL.findall(rest)]
        if any(not 0 <= label.start < label.end <= len(text) for label in labels):
            raise ValueError(f"line {number}: a span lies outside of it")
        lines.append(Line(text, labels))
    return lines


def tally(lines: Iterable[Line]) -> dict[str, Tally]:
    """By kind, and for all numbers and all names together."""
    found: dict[str, Tally] = {}
    for line in lines:
        spans = mask(line.text).spans
        for label in line.labels:
            places = _told(line.text, label)
            same = [span for span in spans if _is_like(span.kind, label.kind)]
            there = bool(places) and all(any(s.start <= p < s.end for s in same) for p in places)
            for name in (label.kind.value, _group(label.kind)):
                each = found.setdefault(name, Tally())
                each.labelled += 1
                each.recalled += there
                if not there:
                    each.missed.append((line.text, line.text[label.start : label.end]))
        for span in spans:
            right = any(
                _is_like(span.kind, label.kind)
                and span.start < label.end
                and label.start < span.end
                for label in line.labels
            )
            for name in (span.kind.value, _group(span.kind)):
                each = found.setdefault(name, Tally())
                each.found += 1
                each.right += right
                if not right:
                    each.wrong.append((line.text, line.text[span.start : span.end]))
    return found


def _group(kind: Kind) -> str:
    return "names" if kind in PERSONS else "numbers"


def _is_like(one: Kind, other: Kind) -> bool:
    return one is other if one in PERSONS else other not in PERSONS


def _told(text: str, label: Span) -> list[int]:
    """The places of a label's signs that tell of somebody: of a number its letters and digits, of a
    name what is neither honorific nor role.
    """
    inside = range(label.start, label.end)
    if label.kind not in PERSONS:
        return [place for place in inside if text[place].isalnum()]
    letters = read(text[label.start : label.end])
    words, start = letters.words, 0
    for kind in ("family", "roles", "honorifics", "name_words", "honorifics"):
        start += phrases(kind).at(words, start, letters.unmarked)
    if start >= len(words):  # named by role alone
        return [place for place in inside if text[place].isalnum()]
    first = letters.origin[words[start].start] + label.start
    return [place for place in range(first, label.end) if text[place].isalnum()]


def main() -> None:
    """Print the table, and what went wrong."""
    counts = tally(lines_of(Path(sys.argv[1]) if len(sys.argv) > 1 else LINES))
    print(f"{'kind':10} {'labelled':>8} {'recall':>7} {'found':>6} {'precision':>9}")
    for name in sorted(counts):
        each = counts[name]
        print(
            f"{name:10} {each.labelled:8} {each.recall:7.3f} {each.found:6} {each.precision:9.3f}"
        )
    for name in sorted(counts):
        if name in ("names", "numbers"):
            for line, part in counts[name].missed:
                print(f"missed {name}: {part!r} in {line!r}")
            for line, part in counts[name].wrong:
                print(f"wrongly {name}: {part!r} in {line!r}")


if __name__ == "__main__":
    main()
