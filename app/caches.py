"""What is remembered for some seconds, so that the database is not asked for every request."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

from cachetools import TTLCache

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values that are trusted for some seconds after they were read; shared by all threads.

    Of too many, those that were not asked for longest go.
    """

    def __init__(self, most: int, trust_s: float) -> None:
        self._values: TTLCache[K, V] = TTLCache(most, trust_s)
        self._lock = Lock()

    def find(self, key: K) -> tuple[bool, V | None]:
        """Whether a value is at hand that is still trusted, and the value."""
        try:
            with self._lock:
                # Its ``get`` would look twice, and each look asks what time it is.
                return True, self._values[key]
        except KeyError:
            return False, None

    def keep(self, key: K, value: V) -> None:
        """Trust a value from now on."""
        with self._lock:
            self._values[key] = value
