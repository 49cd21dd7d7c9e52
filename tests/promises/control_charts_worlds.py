"""Months of a unit: people, each satisfied or not, at a rate that differs a little by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class World:
    """Courses of units alike: so many people a month, a rate, and its noise in logits."""

    rate: float
    people: int
    noise: float = 0.0

    def __str__(self) -> str:
        """In words, for the table."""
        return f"rate {self.rate:.2f}, {self.people} people a month, noise {self.noise}"

    def satisfied(
        self, courses: int, months: int, seed: int, shifts: dict[int, float] | None = None
    ) -> np.ndarray:
        """How many are satisfied, (courses, months); ``shifts`` from a month on, in logits."""
        rng = np.random.Generator(np.random.MT19937(seed))
        logit = np.full((courses, months), np.log(self.rate / (1 - self.rate)))
        logit += rng.normal(0.0, self.noise, logit.shape) if self.noise else 0.0
        for month, by in (shifts or {}).items():
            logit[:, month:] += by
        rate = 1 / (1 + np.exp(-logit))
        # Person by person: nothing here is binomial but by being so.
        found = np.zeros(logit.shape, dtype=int)
        for _ in range(self.people):
            found += rng.random(logit.shape) < rate
        return found
