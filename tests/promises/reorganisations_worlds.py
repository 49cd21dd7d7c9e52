"""Units that are divided by shares, and units that merge, drawn by code that knows no estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.promises.rates_worlds import ITEMS, Floats, World, beta, expit, sums


@dataclass(frozen=True)
class Divided:
    """A unit of so many people of whom a share goes to a part.

    ``own`` people answer about the part after the day. The part's people may have another rate
    than all: ``apart``, in points.
    """

    people: World
    n: int
    rate: float
    share: float
    own: int = 0
    apart: float = 0.0


def divided(rng: np.random.Generator, world: Divided, samples: int) -> tuple[Floats, Floats]:
    """Sums of all who answered before the day, and of those of them who were of the part."""
    here = rng.random((samples, world.n)) < world.share
    # The part's rate lies ``apart`` from that of all, the others' so that all is as it is.
    rest = world.rate - world.apart * world.share / (1 - world.share)
    a, m = world.people.people(rng, here.shape, world.rate + world.apart)
    if world.apart:
        a = np.where(here, a, world.people.people(rng, here.shape, rest)[0])
    return sums(a, m), sums(a * here, m * here)


@dataclass(frozen=True)
class Merged:
    """Two units that become one: their rates, and the share of the first before and after."""

    rates: tuple[float, float]
    before: float
    after: float
    people: int
    #: The share of the first moves from ``before`` to ``after`` over that many months.
    drifts: int = 0

    def __str__(self) -> str:
        """In words, for the table."""
        one, other = (round(100 * rate) for rate in self.rates)
        since = f", over {self.drifts} months" if self.drifts else " on the day"
        return (
            f"{one} and {other} %, {self.people} people a month, of the first "
            f"{100 * self.before:.0f} %, then {100 * self.after:.0f} %{since}"
        )


def merged(
    rng: np.random.Generator,
    world: Merged,
    months: tuple[int, int],
    samples: int,
    fall: tuple[int, float] = (0, 0.0),
) -> tuple[Floats, Floats]:
    """Rates and effective answers by month, (samples, months), of single answers.

    From a month after the day on both parts ``fall`` by so many logits.
    """
    before, after = months
    share = np.full(before + after, world.before)
    share[before:] = (
        np.interp(np.arange(after), [0, world.drifts], [world.before, world.after])
        if world.drifts
        else world.after
    )
    logit = np.log(np.array(world.rates) / (1 - np.array(world.rates)))[:, None]
    logit = np.repeat(logit, before + after, axis=1)
    if fall[1]:
        logit[:, before + fall[0] :] += fall[1]
    rate = expit(logit)
    first = rng.binomial(world.people, share, (samples, before + after))
    k = rng.binomial(first, rate[0]) + rng.binomial(world.people - first, rate[1])
    return k / world.people, np.full(k.shape, float(world.people))


def persons(rng: np.random.Generator, n: int, rate: float, samples: int) -> Floats:
    """Sums of people whose answers have a correlation of 0.3."""
    own = beta(rng, rate, 0.3, (samples, n))
    m = np.full((samples, n), ITEMS)
    return sums(rng.binomial(m, own).astype(float), m.astype(float))
