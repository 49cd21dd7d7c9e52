"""The labelled comments are whole: as many as promised, known labels, none twice."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

HEADER, *ROWS = (
    (Path(__file__).parent / "themes.tsv").read_text("utf-8").removesuffix("\n").split("\n")
)
THEMES = (
    *("waiting", "attitude", "procedure", "fees", "cleanliness", "facilities"),
    *("competence", "information", "online", "bribery", "nothing", "other"),
)
COMMENTS = [
    (item, text, themes.split(","), tone)
    for item, text, themes, tone in (row.split("\t") for row in ROWS)
]


def test_there_are_as_many_as_promised() -> None:
    assert HEADER == "item\ttext\tthemes\ttone"
    assert len(COMMENTS) == 300


def test_every_label_is_known_and_stands_in_one_place() -> None:
    assert {item for item, *_ in COMMENTS} == {"best", "improve", "other"}
    assert {tone for *_, tone in COMMENTS} == {"praise", "blame", "neutral"}
    for _, text, themes, _ in COMMENTS:
        assert set(themes) <= set(THEMES), text
        assert len(set(themes)) == len(themes), text


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_has_fifteen_comments(theme: str) -> None:
    assert sum(theme in themes for _, _, themes, _ in COMMENTS) >= 15


def test_nothing_is_blame_or_praise_by_its_question() -> None:
    tones = Counter((item, tone) for item, _, themes, tone in COMMENTS if "nothing" in themes)
    assert tones["best", "blame"] >= 5
    assert tones["improve", "praise"] >= 5
    assert tones["improve", "blame"] == 0


def test_no_comment_is_blank_or_stands_twice() -> None:
    assert all(text and text == text.strip() for _, text, *_ in COMMENTS)
    counts = Counter(
        (item, unicodedata.normalize("NFC", text).casefold()) for item, text, *_ in COMMENTS
    )
    assert [comment for comment, count in counts.items() if count > 1] == []
