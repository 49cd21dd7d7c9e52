"""Rates that an office aims at, as a setting names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Targets:
    """Rates aimed at, each with the day from which on it holds; the first holds before, too."""

    rates: tuple[tuple[date, float], ...]

    @classmethod
    def read(cls, given: Targets | float | str) -> Targets:
        """From ``0.9``, or ``0.85, 2027-01-01: 0.9``.

        Raises
        ------
        ValueError
            For what is no rate or no day, a day that comes twice, and a second one without a day.
        """
        if isinstance(given, Targets):
            return given
        found: dict[date, float] = {}
        for part in str(given).split(","):
            day, _, rate = part.rpartition(":")
            begins = date.fromisoformat(day.strip()) if day.strip() else date.min
            if begins in found:
                raise ValueError("each target but the first needs a day of its own")
            found[begins] = float(rate)
            if not 0 < found[begins] < 1:
                raise ValueError(f"a target must lie between 0 and 1, not at {found[begins]}")
        return cls(tuple(sorted(found.items())))

    def on(self, day: date) -> float:
        """The rate aimed at on a day."""
        held = [rate for begins, rate in self.rates if begins <= day]
        return held[-1] if held else self.rates[0][1]

    def __str__(self) -> str:
        """As it is read."""
        return ", ".join(
            str(rate) if begins == date.min else f"{begins}: {rate}" for begins, rate in self.rates
        )
