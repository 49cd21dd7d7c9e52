"""Has the C library give back what was freed, and bounds what is kept by its bytes."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

#: glibc's <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
#: Blocks of this size or more are mapped each by itself, and go back at once when they are freed.
MAPPED_FROM = 1024 * 1024
#: More at the end of a heap goes back.
_TRIMMED_FROM = 1024 * 1024
#: Heaps that threads share; by default there are eight for each processor, each with its holes.
ARENAS = 2


def bound_allocator() -> bool:
    """Keep what was freed from staying with the process; whether the C library can.

    By default glibc raises the size from which blocks are mapped, up to 32 MB, whenever a larger
    one is freed: the arrays of some figures are enough to have all later ones cut from heaps, where
    one small block above them keeps them for good.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False  # another C library, as musl, which maps large blocks anyway
    return all(
        [
            mallopt(_M_MMAP_THRESHOLD, MAPPED_FROM),
            mallopt(_M_TRIM_THRESHOLD, _TRIMMED_FROM),
            mallopt(_M_ARENA_MAX, ARENAS),
        ]
    )


def size_of(value: Any) -> int:
    """About how many bytes a value holds, with all that it consists of; what it shares counts once.

    Of data: numbers, texts, arrays, models, dataclasses and collections of such.
    """
    seen: set[int] = set()
    total, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen.add(id(each))
        total += sys.getsizeof(each)
        if isinstance(each, str | bytes | int | float):
            continue
        if isinstance(each, Mapping):
            waiting.extend(each.keys())
            waiting.extend(each.values())
        elif isinstance(each, list | tuple | set | frozenset):
            waiting.extend(each)
        elif is_dataclass(each):
            waiting.extend(getattr(each, one.name) for one in fields(each))
        elif hasattr(each, "__dict__"):
            waiting.append(vars(each))
    return total
