"""Units whose answers are drawn from worlds that are known; nothing here is of ``analysis``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats


@dataclass(frozen=True)
class World:
    """Some units, how their true logits differ, and how many answers each has.

    ``shape`` is that of the differences, all of mean 0 and standard deviation ``sd``; the first
    ``odd`` units lie ``off`` below. ``answers`` above 1 are given by each respondent, whose own
    rates are beta with correlation ``rho``; then the sizes count respondents.
    """

    units: int
    rate: float = 0.85
    sd: float = 0.0
    shape: str = "normal"
    sizes: tuple[int, int] = (30, 300)
    odd: int = 0
    off: float = 0.0
    answers: int = 1
    rho: float = 0.3

    def rates(self, rng: np.random.Generator) -> np.ndarray:
        """True rates of the units."""
        if self.shape == "normal":
            deviate = rng.normal(size=self.units)
        elif self.shape == "skewed":  # a long tail of bad ones: skewness -1
            deviate = -(rng.gamma(4.0, size=self.units) - 4) / 2
        elif self.shape == "heavy":
            deviate = rng.standard_t(5, self.units) / np.sqrt(5 / 3)
        elif self.shape == "two kinds":
            deviate = rng.choice([-1.0, 1.0], self.units)
        else:
            raise ValueError(self.shape)
        logit = special.logit(self.rate) + self.sd * deviate
        logit[: self.odd] -= self.off
        return special.expit(logit)

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Satisfied and all answers of each unit."""
        n = rng.integers(self.sizes[0], self.sizes[1] + 1, self.units)
        return rng.binomial(n, self.rates(rng)), n

    def sums(self, rng: np.random.Generator) -> np.ndarray:
        """Σa, Σm, Σa², Σam, Σm² and n of each unit's respondents, shape (6, units)."""
        people = rng.integers(self.sizes[0], self.sizes[1] + 1, self.units)
        unit = np.repeat(np.arange(self.units), people)
        own, m = self.rates(rng)[unit], self.answers
        precision = 1 / self.rho - 1
        a = rng.binomial(m, rng.beta(own * precision, (1 - own) * precision))
        total, squares = (np.bincount(unit, each, self.units) for each in (a, a * a))
        return np.stack([total, people * m, squares, total * m, people * m * m, people])

    def known(self, k: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Two-sided mid-p of each unit for whoever knows how the like ones differ (normal)."""
        x, weight = np.polynomial.hermite_e.hermegauss(61)
        rate = special.expit(special.logit(self.rate) + max(self.sd, 1e-6) * x)
        k, n = k[:, None], n[:, None]
        half = stats.binom.pmf(k, n, rate) / 2
        low = (stats.binom.cdf(k, n, rate) - half) @ weight / weight.sum()
        high = (stats.binom.sf(k, n, rate) + half) @ weight / weight.sum()
        return np.clip(2 * np.minimum(low, high), 0, 1)
