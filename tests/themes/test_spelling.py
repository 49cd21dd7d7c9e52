"""Words are compared with marks or without, in any form of Unicode and placement of tones."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.themes.spelling import MOST_WORDS, Search, words_of

VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ "
)


@pytest.mark.parametrize(
    ("one", "other"), [("hoà", "hòa"), ("thuỷ", "thủy"), ("HOÁ", "hóa"), ("đúng", "dúng")]
)
def test_two_spellings_are_one_word(one, other):
    assert words_of(one) == words_of(other)


@given(st.text(VIETNAMESE, max_size=60))
def test_every_form_of_unicode_is_the_same_and_marks_may_be_left_out(text):
    forms = [words_of(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC")]
    assert forms[0] == forms[1] == forms[2]
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    assert [word.plain for word in forms[0]] == [word.plain for word in words_of(bare)]
    assert Search.of(text).finds(text)
    assert Search.of(bare).finds(text)
    assert Search.of(text).finds(bare)


def test_another_mark_is_another_word():
    assert not Search.of("chợ").finds("chờ lâu")
    assert not Search.of("chờ").finds("cho tôi hỏi")  # typed with marks elsewhere
    assert Search.of("chờ").finds("cho lau qua")


def test_quotes_want_one_after_another_and_nothing_wants_nothing():
    assert Search.of('"thái độ" tốt').finds("Tốt, thái độ")
    assert not Search.of('"độ thái"').finds("thái độ")
    assert Search.of("  ").finds("chờ lâu")
    for wordless in ("%", '""', "...", "_"):
        assert not Search.of(wordless).finds("chờ lâu 100% ...")
    assert not Search.of("a").finds("")


@given(st.text())
def test_any_text_has_words_within_bounds(text):
    words = words_of(text)
    assert len(words) <= MOST_WORDS
    assert [word.clause for word in words] == sorted(word.clause for word in words)


def test_of_a_text_without_end_the_beginning_is_read():
    assert len(words_of("a " * 10 * MOST_WORDS)) == MOST_WORDS
