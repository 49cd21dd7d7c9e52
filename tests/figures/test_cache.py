"""Two who ask for one figure at once wait for one computation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from app.figures.cache import Cache

PATIENCE_S = 60


class Key(str):
    """A key that tells when it is looked up."""

    __slots__ = ("looked_up",)

    def __new__(cls, text: str) -> Key:
        made = super().__new__(cls, text)
        made.looked_up = Event()
        return made

    def __hash__(self) -> int:
        self.looked_up.set()
        return super().__hash__()


def test_two_requests_for_one_figure_compute_it_once() -> None:
    cache, computed = Cache(), []
    second = Key("rate")

    def compute(by: str) -> str:
        computed.append(by)
        # The other has looked and found nothing before this one is ready.
        assert second.looked_up.wait(PATIENCE_S)
        return by

    begun = Event()

    def first() -> str:
        def slowly() -> str:
            begun.set()
            return compute("first")

        return cache.get("rate", slowly)

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert begun.wait(PATIENCE_S)
        other = pool.submit(cache.get, second, lambda: compute("second"))
        assert (one.result(PATIENCE_S), other.result(PATIENCE_S)) == ("first", "first")
    assert computed == ["first"]
    assert len(cache._computing) == 0


def test_where_it_fails_the_next_one_computes_it() -> None:
    cache = Cache()
    second = Key("rate")
    begun = Event()

    def fail() -> str:
        begun.set()
        assert second.looked_up.wait(PATIENCE_S)
        raise LookupError("no such unit")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(cache.get, "rate", fail)
        assert begun.wait(PATIENCE_S)
        other = pool.submit(cache.get, second, lambda: "found")
        with pytest.raises(LookupError):
            one.result(PATIENCE_S)
        assert other.result(PATIENCE_S) == "found"


def test_other_figures_do_not_wait() -> None:
    cache = Cache()
    release, begun = Event(), Event()

    def slowly() -> int:
        begun.set()
        assert release.wait(PATIENCE_S)
        return 1

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cache.get, "slow", slowly)
        assert begun.wait(PATIENCE_S)
        assert cache.get("quick", lambda: 2) == 2
        release.set()
        assert slow.result(PATIENCE_S) == 1


def test_a_figure_that_is_there_is_not_computed_again_and_the_oldest_goes() -> None:
    cache = Cache(most_bytes=2500)
    one, other = ["x" * 1000], ["y" * 1000]
    assert cache.get("a", lambda: one) is one
    assert cache.get("a", lambda: other) is one
    cache.get("b", lambda: ["b" * 1000])
    cache.get("c", lambda: ["c" * 1000])
    assert cache.get("a", lambda: other) is other


def test_what_is_larger_than_all_that_is_kept_is_told_and_not_kept() -> None:
    cache = Cache(most_bytes=2500)
    small, large = ["x" * 1000], ["y" * 3000]
    cache.get("small", lambda: small)
    assert cache.get("large", lambda: large) is large
    assert cache.get("large", lambda: small) is small
    assert cache.get("small", lambda: large) is small
