"""How many of the labelled spans are found, and how many found ones are labelled, by kind.

``python -m tests.masking.measure [FILE]`` prints it for a file of lines with two columns divided by
a tab: the line, and its spans as ``start:end:kind`` divided by blanks or commas, in signs of the
line. Without a file it is ``unseen_lines.tsv``, where that is there, and ``lines.tsv``.

The rule, by letters and digits:

- A label is found where spans cover all of it: of a number, spans of numbers of any kind; of a
  name, spans of names, a citizen's or staff's, but for an honorific or a role that the label begins
  with.
- A span is right where all that it covers is labelled, of numbers as a number, of names as a name,
  but for honorifics and roles before a name (``Bà Huỳnh Thị Nguyệt`` where ``Huỳnh Thị Nguyệt`` is
  labelled): nothing is lost with them, and nobody is shown. One other word makes it wrong.
- Whose a found name is, a citizen's or staff's, is counted by itself (``whose``), for staff's names
  stand before readers of comments.
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

#: On these the rules were tuned.
LINES = Path(__file__).parent / "lines.tsv"
#: And on these, which whoever made the rules has not seen, they are measured.
UNSEEN = Path(__file__).parent / "unseen_lines.tsv"
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
    """By kind, for all numbers and all names together, and whose the found names are."""
    counts: dict[str, Tally] = {}
    for line in lines:
        spans = mask(line.text).spans
        for label in line.labels:
            _count_label(counts, line, label, spans)
        for span in spans:
            _count_span(counts, line, span)
    return counts


def _count_label(counts: dict[str, Tally], line: Line, label: Span, spans: Sequence[Span]) -> None:
    places = _told(line.text, label)
    same = [span for span in spans if _group(span.kind) == _group(label.kind)]
    there = _cover(same, places)
    named = [label.kind.value, _group(label.kind)]
    if there and label.kind in PERSONS:
        named.append(f"whose {label.kind}")
    for name in named:
        recalled = there
        if name.startswith("whose"):
            recalled = _cover([span for span in same if span.kind is label.kind], places)
        each = counts.setdefault(name, Tally())
        each.labelled += 1
        each.recalled += recalled
        if not recalled:
            each.missed.append((line.text, line.text[label.start : label.end]))


def _count_span(counts: dict[str, Tally], line: Line, span: Span) -> None:
    same = [label for label in line.labels if _group(span.kind) == _group(label.kind)]
    right = any(label.start < span.end and span.start < label.end for label in same) and _cover(
        same, _told(line.text, span)
    )
    named = [span.kind.value, _group(span.kind)]
    if right and span.kind in PERSONS:
        named.append(f"whose {span.kind}")
    for name in named:
        so = right
        if name.startswith("whose"):
            so = _cover(
                [label for label in same if label.kind is span.kind], _told(line.text, span)
            )
        each = counts.setdefault(name, Tally())
        each.found += 1
        each.right += so
        if not so:
            each.wrong.append((line.text, line.text[span.start : span.end]))


def _group(kind: Kind) -> str:
    return "names" if kind in PERSONS else "numbers"


def _cover(spans: Sequence[Span], places: Sequence[int]) -> bool:
    return bool(places) and all(any(s.start <= p < s.end for s in spans) for p in places)


def _told(text: str, span: Span) -> list[int]:
    """The places of the signs in a span that tell of somebody: of a number its letters and digits,
    of a name what is neither honorific nor role.
    """
    inside = range(span.start, span.end)
    if span.kind not in PERSONS:
        return [place for place in inside if text[place].isalnum()]
    letters = read(text[span.start : span.end])
    words, start = letters.words, 0
    for kind in ("family", "roles", *["qualifiers"] * 5, "honorifics", "name_words", "honorifics"):
        # A single Bảy or Bà stays: of the name something must be left.
        length = phrases(kind).at(words, start, letters.unmarked)
        start += length if start + length < len(words) else 0
    if len(words) == start:  # none but digits
        return [place for place in inside if text[place].isalnum()]
    first = letters.origin[words[start].start] + span.start
    return [place for place in range(first, span.end) if text[place].isalnum()]


def main() -> None:
    """Print the table, and what went wrong, of each file."""
    files = [Path(sys.argv[1])] if len(sys.argv) > 1 else [UNSEEN, LINES]
    for file in files:
        if file.exists():
            print(file.name)
            _print(tally(lines_of(file)))


def _print(counts: dict[str, Tally]) -> None:
    print(f"{'kind':14} {'labelled':>8} {'recall':>7} {'found':>6} {'precision':>9}")
    for name, each in sorted(counts.items()):
        print(
            f"{name:14} {each.labelled:8} {each.recall:7.3f} {each.found:6} {each.precision:9.3f}"
        )
    for name, each in sorted(counts.items()):
        if name not in set(Kind):
            for line, part in each.missed:
                print(f"missed {name}: {part!r} in {line!r}")
            for line, part in each.wrong:
                print(f"wrongly {name}: {part!r} in {line!r}")


if __name__ == "__main__":
    main()
