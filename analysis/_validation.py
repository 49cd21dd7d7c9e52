"""Input that every function checks in the same way: counts, and a confidence level."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def counts(**arguments: ArrayLike) -> list[Floats]:
    """Broadcast named arrays of counts or sums against one another as float64.

    Raises
    ------
    ValueError
        Naming the argument, for NaN, infinite or negative entries, and where shapes do not fit.
    """
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in arguments.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has entries that are not finite numbers")
        if (array < 0).any():
            raise ValueError(f"{name} has negative entries")
    try:
        return list(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"shapes do not fit together: {shapes}") from None


def tail(confidence: float) -> float:
    """The probability left in each tail of a two-sided interval.

    Raises
    ------
    ValueError
        Where ``confidence`` is not strictly between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return (1.0 - confidence) / 2.0


def at_most(name: str, part: Floats, whole_name: str, whole: Floats) -> None:
    """Raise ``ValueError`` where a part exceeds its whole."""
    if (part > whole).any():
        raise ValueError(f"{name} exceeds {whole_name}")
