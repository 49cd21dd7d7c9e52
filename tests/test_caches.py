"""What is remembered is trusted for its time, and bounded."""

from __future__ import annotations

from app.caches import Recent


def test_what_was_read_is_at_hand_even_where_it_is_nothing() -> None:
    recent = Recent[str, int | None](2, 60)
    assert recent.find("a") == (False, None)
    recent.keep("a", 1)
    recent.keep("b", None)
    assert recent.find("a") == (True, 1)
    assert recent.find("b") == (True, None)


def test_what_was_not_asked_for_longest_goes_first() -> None:
    recent = Recent[str, int](2, 60)
    recent.keep("a", 1)
    recent.keep("b", 2)
    recent.find("a")
    recent.keep("c", 3)
    assert [recent.find(key)[0] for key in "abc"] == [True, False, True]


def test_nothing_is_trusted_where_trust_lasts_no_time() -> None:
    recent = Recent[str, int](2, 0)
    recent.keep("a", 1)
    assert recent.find("a") == (False, None)
