"""Words of misconduct are found however they are typed, and in time that grows with the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.lists import ListName, _read_words, _shipped
from app.cases.misconduct import Finder, words_of

SHIPPED = Finder(_read_words(_shipped(ListName.WORDS)))


@pytest.mark.parametrize(
    "text",
    [
        "Cán bộ HỐI LỘ", "can bo doi hoi lo", "phải kèm phong bì mới xong", "phai kem phong bi",
        "bị chửi trước mặt mọi người", "vòi  vĩnh", "đòi-tiền", "doi tien", "Lăng mạ.",
        "he asked for money", "BRIBERY!", "dọa nạt", "doạ nạt", "hành\u200b hung",
        "ho\u0302\u0301i lo\u0323\u0302", "nha\u0303m: xúc phạm",
    ],
)  # fmt: skip
def test_found(text):
    assert SHIPPED.find(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "", "Cảm ơn cán bộ", "hội lo việc", "hồi lo lắng", "đợi tiền lương", "phòng bị ngập",
        "chủi rửa sạch", "phong\nbật", "briber", "đòi", "tiền đòi", "mở thêm quầy", "1 2 3",
    ],
)  # fmt: skip
def test_not_found(text):
    assert SHIPPED.find(text) is None


def test_a_phrase_is_told_as_the_list_has_it():
    assert Finder(["Hoà  nhã quá"]).find("thật là hòa nhã quá") == "Hoà  nhã quá"
    assert Finder([]).find("bất kỳ") is None


@given(
    st.lists(st.text(max_size=20), max_size=8),
    st.sampled_from(["hối lộ", "under the table", "đe dọa"]),
)
def test_a_phrase_is_found_wherever_it_stands(others, phrase):
    before, after = " ".join(others[:4]), " ".join(others[4:])
    assert SHIPPED.find(f"{before} {phrase} {after}") is not None


@given(st.text(max_size=60))
def test_what_is_found_stands_there_word_for_word_or_without_its_marks(text):
    phrase = SHIPPED.find(text)
    if phrase is not None:
        bare = [word.encode("ascii", "ignore").lower()[:1] for word in words_of(phrase)]
        assert len(bare) <= len(words_of(text))


def test_no_text_makes_it_look_twice_at_anything(monkeypatch):
    """Looks are counted, not seconds: four times the text is four times the looks."""
    looks = []

    class Counting(dict):
        def get(self, key, default=None):
            looks.append(key)
            return super().get(key, default)

    finder = Finder(["a a a a a b", "a a a b", "a b"])

    def counted(node):
        node.marked = Counting(node.marked)
        for each in list(node.marked.values()):
            counted(each)

    counted(finder._root)
    numbers = []
    for n in (500, 2000):
        looks.clear()
        assert finder.find("a " * n) is None
        numbers.append(len(looks))
    assert numbers[1] <= 4.1 * numbers[0]
