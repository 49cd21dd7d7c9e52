"""The labelled lines are whole: as many as promised, every span on words of its line."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

HEADER, *ROWS = (
    (Path(__file__).parent / "lines.tsv").read_text("utf-8").removesuffix("\n").split("\n")
)
LEAST = {
    "phone": 25,
    "identity": 25,
    "insurance": 12,
    "bank": 12,
    "plate": 12,
    "email": 12,
    "dossier": 12,
    "citizen": 90,
    "staff": 80,
}


def spans_of(field: str) -> list[tuple[int, int, str]]:
    """``"3:8:staff"`` as numbers and a kind, in the order of the file."""
    parts = [span.split(":") for span in field.split()]
    return [(int(start), int(end), kind) for start, end, kind in parts]


LINES = [(line, spans_of(field)) for line, field in (row.split("\t") for row in ROWS)]


def goes_on(character: str) -> bool:
    """Whether a word goes on with it; a mark of its own belongs to the letter before."""
    return character.isalnum() or unicodedata.category(character) == "Mn"


def test_there_are_as_many_as_promised() -> None:
    assert HEADER == "line\tspans"
    assert len(LINES) == 400
    kinds = Counter(kind for _, spans in LINES for *_, kind in spans)
    assert kinds.keys() == LEAST.keys()
    assert {kind: kinds[kind] for kind in LEAST if kinds[kind] < LEAST[kind]} == {}
    assert 0.4 <= sum(not spans for _, spans in LINES) / len(LINES) <= 0.5


def test_no_line_stands_twice() -> None:
    counts = Counter(unicodedata.normalize("NFC", line).casefold() for line, _ in LINES)
    assert [line for line, count in counts.items() if count > 1] == []


def test_some_lines_are_decomposed() -> None:
    assert any(not unicodedata.is_normalized("NFC", line) for line, _ in LINES)


@pytest.mark.parametrize("kind", LEAST)
def test_every_span_covers_whole_words(kind: str) -> None:
    for line, spans in LINES:
        for start, end, name in spans:
            if name != kind:
                continue
            assert 0 <= start < end <= len(line), line
            covered = line[start:end]
            assert covered == covered.strip(), line
            assert not (goes_on(line[start]) and goes_on(line[start - 1 : start] or " ")), line
            assert not (end < len(line) and goes_on(line[end])), line


def test_spans_do_not_overlap() -> None:
    for line, spans in LINES:
        edges = [edge for start, end, _ in spans for edge in (start, end)]
        assert edges == sorted(edges), line
