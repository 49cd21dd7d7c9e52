"""Names of units are the same however their sources write them, and others stay others."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry.names import bare_name, folded_name, same_name

SAME = (
    ("Phường Hoà Bình", "Phường Hòa Bình"),
    ("Xã Thủy Xuân", "Xã Thuỷ Xuân"),
    ("Xã Ea H'leo", "Xã Ea H’Leo"),
    ("Tỉnh Bà Rịa - Vũng Tàu", "Bà Rịa – Vũng Tàu"),
    ("PHƯỜNG VŨNG TÀU", "Phường  Vũng Tàu"),
    ("Đặc khu Côn Đảo", "Huyện Côn Đảo"),
    ("Xã Khoẻ", "Xã Khỏe"),
    (unicodedata.normalize("NFD", "Xã Quý Lộc"), "Xã Quý Lộc"),
)
OTHER = (
    ("Phường 1", "Phường 2"), ("Xã Hòa Bình", "Xã Hoa Bình"), ("Xã Tân Phú", "Xã Phú Tân"),
    ("Phường Thắng Nhì", "Phường Thắng Nhất"), ("Xã Hòa", "Xã Hỏa"), ("Xã Dương", "Xã Đương"),
)  # fmt: skip
letters = st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạòóỏõọ '-", min_size=1, max_size=30)


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_same_name(first, second):
    assert same_name(first, second) and same_name(second, first)


@pytest.mark.parametrize(("first", "second"), OTHER)
def test_another_name(first, second):
    assert not same_name(first, second)


@given(letters)
def test_case_and_normal_form_and_spaces_do_not_matter(name):
    for changed in (name.upper(), unicodedata.normalize("NFD", name), f"  {name} "):
        assert folded_name(changed) == folded_name(name)
    assert folded_name(folded_name(name)) == folded_name(name)


def test_the_word_for_the_kind_is_left_out_once():
    assert bare_name("Thị trấn Xã Mới") == folded_name("Xã Mới")
    assert bare_name("Xã") == folded_name("Xã")
