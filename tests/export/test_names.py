"""Names and labels keep to what the strictest program takes, and stay told apart."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.export.names import (
    LONGEST_NAME,
    LONGEST_VALUE_LABEL_BYTES,
    RESERVED,
    column_name,
    distinct_labels,
    short_label,
)

wanted = st.one_of(
    st.sampled_from(["all", "BY", "Q1", "q1", "A.", "str12", "_n", "with", "A1.2", "A1_2"]),
    st.text("AaZz019._", min_size=1, max_size=40),
)
vietnamese = st.text(st.sampled_from("Rất hài lòngệữ…–Đ("), max_size=200)


@given(st.lists(wanted, max_size=30))
def test_names_are_taken_by_all_and_told_apart_without_capitals(names):
    made = []
    for name in names:
        made.append(column_name(name, made))
    assert len({name.casefold() for name in made}) == len(names)
    for name in made:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) and len(name) <= LONGEST_NAME
        assert name.casefold() not in RESERVED and not name.endswith("_")


@given(vietnamese, st.integers(4, 300))
def test_a_cut_label_says_so_and_fits(text, size):
    label = short_label(text, None, size)
    assert len(label.encode()) <= size
    assert label == text or (label.endswith("…") and text.startswith(label[:-1].rstrip()))


@given(st.dictionaries(st.integers(1, 254), vietnamese, max_size=20))
def test_labels_of_values_stay_distinct(labels):
    made = distinct_labels(labels, LONGEST_VALUE_LABEL_BYTES)
    assert len(set(made.values())) == len(labels) and set(made) == set(labels)
    assert all(len(label.encode()) <= LONGEST_VALUE_LABEL_BYTES for label in made.values())
