"""Phrases with alternatives, other spellings and numbers, within bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.themes.phrases import MOST_FORMS, Entry, Phrases, Spellings, forms, hits

SPELLINGS = Spellings({"không": ["ko", "hông"], "cán bộ": ["cb"]})


def found(phrase, text):
    tree = Phrases(SPELLINGS)
    tree.add(phrase, Entry("filler"))
    return [(hit.start, hit.end) for hit in hits([tree], SPELLINGS.read(text))]


def test_brackets_hold_alternatives_and_an_empty_one_may_be_left_out():
    assert forms("(rất/quá/) chậm") == ["rất chậm", "quá chậm", "chậm"]
    assert forms("a (b/c d) e") == ["a b e", "a c d e"]
    assert forms("chậm") == ["chậm"]


@pytest.mark.parametrize("phrase", ["(a", "a)", "((a/b)/c)", "(a/b) " * 20])
def test_brackets_that_cannot_be_are_refused(phrase):
    with pytest.raises(ValueError, match="a"):
        forms(phrase)


@given(st.text("ab(/) ", max_size=30))
def test_any_phrase_has_forms_within_bounds_or_is_refused(phrase):
    try:
        assert 1 <= len(forms(phrase)) <= MOST_FORMS
    except ValueError:
        assert "(" in phrase or ")" in phrase


def test_spellings_and_numbers_are_what_they_mean():
    assert found("cán bộ không cười", "cb ko cười") == [(0, 4)]
    assert found("đi 2 lần", "đi 15 lần") == [(0, 3)]
    assert found("đi 2 lần", "đi 1 lần") == []
    assert found("đi 1 lần", "đi 1 lần") == [(0, 3)]
    assert found("2h", "chờ tới 11h") == [(2, 3)]


def test_the_longest_phrase_is_taken():
    assert found("chờ (lâu/)", "chờ lâu chờ") == [(0, 2), (2, 3)]
