"""Citizens and patients are Ông/Bà, so written, and nobody is bạn, on all that we ship."""

import re
from pathlib import Path

import pytest

from app.messages import catalogue

ROOT = Path(__file__).parents[1]
#: Texts in files; the catalogue is looked through by sentences.
SHIPPED = sorted(
    file
    for folder, patterns in {
        "app": ("*.html", "*.svg", "*.typ", "*.js", "*.py"),
        "surveys": ("*.yaml", "*.py"),
    }.items()
    for pattern in patterns
    for file in (ROOT / folder).rglob(pattern)
)
#: bạn in a word of two syllables is no address: bạn đọc, bạn bè.
FAMILIAR = re.compile(r"\bbạn\b(?! (?:đọc|bè))", re.IGNORECASE)
#: Any way of writing it but the one; without marks in text messages.
OTHERWISE = re.compile(r"(?!(?-i:Ông/Bà|Ong/Ba))\b(?:ông|ong)\s*[/,]?\s*(?:bà|ba)\b", re.IGNORECASE)
OTHER_ADDRESSES = re.compile(r"\b(?:anh/chị|quý vị|quý khách|cô/chú)\b", re.IGNORECASE)


def wrong(text):
    return [
        found[0] for rule in (FAMILIAR, OTHERWISE, OTHER_ADDRESSES) for found in rule.finditer(text)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cảm ơn bạn!", ["bạn"]),
        ("Bạn đọc được gì", []),
        ("Ý kiến của Bạn", ["Bạn"]),
        ("Ông/bà có hài lòng không?", ["Ông/bà"]),
        ("của ông/bà", ["ông/bà"]),
        ("thưa ông bà", ["ông bà"]),
        ("Ho so cua ong/ba", ["ong/ba"]),
        ("Quý vị", ["Quý vị"]),
        ("Xin mời Ông/Bà. Ho so cua Ong/Ba", []),
    ],
)
def test_what_counts_as_another_address(text, found):
    assert wrong(text) == found


def test_the_catalogue_has_one_address():
    assert {key: wrong(text) for key, text in catalogue("vi").items() if wrong(text)} == {}
    assert any("Ông/Bà" in text for text in catalogue("vi").values())


def test_templates_scripts_and_forms_have_one_address():
    assert len({file.suffix for file in SHIPPED}) == 6
    texts = {file: wrong(file.read_text(encoding="utf-8")) for file in SHIPPED}
    assert {file.name: found for file, found in texts.items() if found} == {}
